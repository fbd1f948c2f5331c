import json


def test_a_label_moves_the_judge_that_scored_the_answer_once(x25, routed) -> None:
    call = routed("What is 17 * 23?", "--org", "acme", "--router", "x25-classic")
    done = json.loads(x25("label", "acme", call["call_id"], "--wrong", "--json").stdout)
    assert (done["step"], done["is_new"]) == (call["verdict"]["step"], True)
    assert (done["judge"], done["score"]) == (call["verdict"]["judge_model"], call["verdict"]["score"])
    again = x25("label", "acme", call["call_id"], "--right")
    assert (again.exit_code, "was labelled before" in again.stderr) == (0, True)


def test_an_unknown_call_or_step_is_one_sentence(x25, routed) -> None:
    call = routed("hello", "--org", "acme")
    for arguments in (
        ("acme", "nothing"),
        ("acme", call["call_id"], "--step", "9"),
        ("other", call["call_id"]),
    ):
        result = x25("label", *arguments, "--right")
        assert (result.exit_code, "has no call" in result.stderr) == (1, True)


def test_right_or_wrong_must_be_said(x25) -> None:
    assert x25("label", "acme", "c1").exit_code == 2
