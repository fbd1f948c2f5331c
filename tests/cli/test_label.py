import json
import sqlite3

import pytest


@pytest.fixture
def grown(routed, home):
    """Return a function that makes a call of an org of stage 3, and gives back the call."""

    def call(org="acme", calls=200, **_):
        reply = routed("What is 17 * 23?", "--org", org, "--router", "x25-classic")
        (database,) = home.rglob("x25.db")
        with sqlite3.connect(database) as connection:
            connection.execute("UPDATE orgs SET call_count = ? WHERE org = ?", (calls, org))
        return reply

    return call


def test_a_label_moves_the_judge_that_scored_the_answer_and_the_newest_counts(x25, grown) -> None:
    call = grown()
    done = json.loads(x25("label", "acme", call["call_id"], "--wrong", "--json").stdout)
    assert (done["step"], done["is_new"], done["became"]) == (call["verdict"]["step"], True, "new")
    assert (done["judge"], done["score"]) == (call["verdict"]["judge_model"], call["verdict"]["score"])
    assert "nothing changes" in x25("label", "acme", call["call_id"], "--outcome", "bad").stderr
    again = x25("label", "acme", call["call_id"], "--score", "0.5")
    assert (again.exit_code, "the newest label counts" in again.stderr) == (0, True)
    gone = x25("label", "acme", call["call_id"], "--outcome", "retracted")
    assert (gone.exit_code, "is no longer labelled" in gone.stderr) == (0, True)
    assert "no label to take back" in x25("label", "acme", call["call_id"], "--outcome", "retracted").stderr


def test_an_unknown_call_or_step_is_one_sentence(x25, grown) -> None:
    call = grown()
    grown("other")
    for arguments in (
        ("acme", "nothing"),
        ("acme", call["call_id"], "--step", "9"),
        ("other", call["call_id"]),
    ):
        result = x25("label", *arguments, "--right")
        assert (result.exit_code, "has no call" in result.stderr) == (1, True)


def test_the_command_waits_for_stage_three_as_the_door_does(x25, grown) -> None:
    call = grown(calls=199)
    result = x25("label", "acme", call["call_id"], "--right")
    assert (result.exit_code, "1 more calls are needed" in result.stderr) == (1, True)


def test_words_are_kept_where_text_is_and_said_to_be_lost_elsewhere(x25, grown, monkeypatch) -> None:
    call = grown()
    words = ("--wrong", "--note", "no", "--corrected", "391")
    result = x25("label", "acme", call["call_id"], *words)
    assert "not kept, since X25_STORE_PROMPTS is off: note, corrected_answer" in result.stderr
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    done = json.loads(x25("label", "acme", call["call_id"], *words, "--json").stdout)
    assert (done["became"], done["not_kept"]) == ("changed", [])


def test_one_thing_must_be_said(x25) -> None:
    assert x25("label", "acme", "c1").exit_code == 2
    assert x25("label", "acme", "c1", "--right", "--score", "0.2").exit_code == 2


def test_right_and_wrong_at_once_are_refused(x25, grown) -> None:
    call = grown()
    assert x25("label", "acme", call["call_id"], "--right", "--wrong").exit_code == 2
