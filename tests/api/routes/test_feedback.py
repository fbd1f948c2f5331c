import asyncio
import sqlite3
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text

from x25.client import X25


def set_calls(database, org: str, calls: int) -> None:
    """Have an org stand where so many calls would have brought it."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE orgs SET call_count = ? WHERE org = ?", (calls, org))


def contents(database) -> dict[str, list[tuple]]:
    """Return all that is learnt, as it is stored."""
    with sqlite3.connect(database) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}").fetchall())
            for table in ("posteriors", "evidence_log", "label_counts", "labels")
        }


@pytest.fixture
def grown(gateway, route, org) -> Callable[..., dict]:
    """Return a function that makes a call of an org of stage 3."""

    def call(**more: object) -> dict:
        reply = route(**more)
        set_calls(gateway.database, org, 250)
        return reply

    return call


@pytest.fixture
def say(http: httpx.Client, org: str) -> Callable[..., httpx.Response]:
    def post(call_id: str, **body: object) -> httpx.Response:
        return http.post("/feedback", json={"org": org, "call_id": call_id, **body})

    return post


def test_a_good_word_is_taken_and_the_same_again_changes_nothing(say, grown, gateway, org) -> None:
    reply = grown(router="x25-classic")
    first = say(reply["call_id"], outcome="good")
    assert first.status_code == 200, first.text
    found = first.json()
    assert (found["accepted"], found["became"], found["arm_updated"]) == (True, "new", reply["model_used"])
    assert (found["org"], found["stage"], found["not_kept"]) == (org, 3, [])
    assert found["judge_score"] == pytest.approx(reply["quality_score"], abs=1e-4)
    before = contents(gateway.database)
    again = say(reply["call_id"], outcome="good").json()
    assert (again["became"], again["arm_updated"]) == ("unchanged", None)
    assert contents(gateway.database) == before
    assert say(reply["call_id"], score=1.0).json()["became"] == "unchanged", "a score of 1 says the same"


def test_a_word_taken_back_leaves_all_as_it_was(say, grown, gateway, http, org) -> None:
    reply = grown(router="x25-classic")
    before, shown = contents(gateway.database), http.get(f"/thompson/{org}").json()
    judges = http.get(f"/judge/{org}").json()
    for body in ({"outcome": "bad"}, {"score": 0.3}, {"outcome": "good"}):
        assert say(reply["call_id"], **body).json()["became"] in {"new", "changed"}
    assert http.get(f"/thompson/{org}").json() != shown
    assert say(reply["call_id"], outcome="retracted").json()["became"] == "retracted"
    assert contents(gateway.database) == before
    assert http.get(f"/thompson/{org}").json() == shown
    assert http.get(f"/judge/{org}").json() == judges
    assert say(reply["call_id"], outcome="retracted").json()["became"] == "none"


@pytest.mark.parametrize(("calls", "needed"), [(3, 197), (199, 1)])
def test_before_stage_three_it_is_refused_with_the_calls_that_are_needed(
    say, grown, gateway, org, calls, needed
) -> None:
    reply = grown()
    set_calls(gateway.database, org, calls)
    refused = say(reply["call_id"], outcome="good")
    assert refused.status_code == 403
    assert f"{needed} more calls are needed" in refused.json()["error"]["message"]
    set_calls(gateway.database, org, 200)
    assert say(reply["call_id"], outcome="good").status_code == 200


def test_a_call_that_is_unknown_anothers_or_gone_is_not_found(say, grown, http, gateway, org) -> None:
    reply = grown()
    assert say("no-such-call", outcome="good").status_code == 404
    assert say(reply["call_id"], outcome="good", step=9).status_code == 404
    other = {"org": f"{org}-other", "prompt": "hello"}
    http.post("/route", json=other).raise_for_status()
    set_calls(gateway.database, f"{org}-other", 250)
    stolen = http.post(
        "/feedback", json={"org": f"{org}-other", "call_id": reply["call_id"], "outcome": "good"}
    )
    assert (stolen.status_code, reply["call_id"] in stolen.json()["error"]["message"]) == (404, True)
    with sqlite3.connect(gateway.database) as connection:
        connection.execute("DELETE FROM calls WHERE org = ? AND call_id = ?", (org, reply["call_id"]))
    assert say(reply["call_id"], outcome="good").status_code == 404


@pytest.mark.parametrize(("body", "field"), [
    ({}, "outcome"),
    ({"outcome": "good", "score": 0.5}, "outcome"),
    ({"outcome": "fine"}, "outcome"),
    ({"score": 1.5}, "score"),
    ({"score": "0.5"}, "score"),
    ({"score": True}, "score"),
    ({"outcome": "good", "label": "x"}, "label"),
    ({"outcome": "retracted", "note": "n"}, "note"),
    ({"outcome": "retracted", "corrected_answer": "n"}, "corrected_answer"),
    ({"outcome": "good", "correct_model": "sim/tiny-1"}, "correct_model"),
    ({"outcome": "bad", "correct_model": "no/such"}, "correct_model"),
    ({"outcome": "bad", "note": ""}, "note"),
    ({"outcome": "bad", "note": "x" * 1_001}, "note"),
    ({"outcome": "bad", "step": -1}, "step"),
    ({"outcome": "bad", "org": "No Org!"}, "org"),
    ({"outcome": "bad", "call_id": "a/../b"}, "call_id"),
    ({"outcome": "bad", "call_id": None}, "call_id"),
])  # fmt: skip
def test_what_says_nothing_or_two_things_is_refused_by_name(grown, http, org, body, field) -> None:
    whole = {"org": org, "call_id": grown()["call_id"], **body}
    refused = http.post("/feedback", json=whole)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, field), refused.text


@pytest.mark.parametrize(
    "raw", ['{"score": NaN}', '{"score": 1e999}', "[]", "null", "{", '{"outcome": "good"} x']
)
def test_a_body_that_is_no_json_object_of_numbers_is_refused(http, raw) -> None:
    refused = http.post("/feedback", content=raw, headers={"content-type": "application/json"})
    assert refused.status_code == 422, refused.text
    assert refused.json()["error"]["type"] == "invalid_request_error"


def test_text_is_kept_nowhere_where_the_gateway_keeps_none(say, grown, gateway) -> None:
    secret = "the patient is called Ms Example"
    found = say(grown()["call_id"], outcome="bad", note=secret, corrected_answer=secret).json()
    assert sorted(found["not_kept"]) == ["corrected_answer", "note"]
    with sqlite3.connect(gateway.database) as connection:
        assert secret not in "\n".join(connection.iterdump())


def test_a_stranger_with_a_key_speaks_for_its_own_org_only(strict_gateway) -> None:
    mine, other = strict_gateway.new_key("mine"), strict_gateway.new_key("other")
    with httpx.Client(base_url=strict_gateway.url, timeout=30) as client:
        reply = client.post("/route", json={"prompt": "hi"}, headers={"X-API-Key": mine}).json()
        client.post("/route", json={"prompt": "hi"}, headers={"X-API-Key": other}).raise_for_status()
        for org in ("mine", "other"):
            set_calls(strict_gateway.database, org, 250)
        body = {"call_id": reply["call_id"], "outcome": "good", "org": "mine"}
        assert client.post("/feedback", json=body).status_code == 401
        assert client.post("/feedback", json=body, headers={"X-API-Key": other}).status_code == 404
        assert client.post("/feedback", json=body, headers={"X-API-Key": mine}).status_code == 200


async def test_words_at_once_lose_nothing_and_corrections_are_kept_where_text_is(open_app) -> None:
    async with open_app(store_prompts=True, seed=5) as client:
        calls = [
            (await client.post("/route", json={"prompt": f"What is {number} + 4?", "org": "acme"})).json()
            for number in range(6)
        ]
        cascade = client._transport.app.state.cascade
        store = cascade.services.store
        await store.transact(
            lambda connection: connection.execute(text("UPDATE orgs SET call_count = 300")) and None
        )
        outcomes = ["good", "bad", "good", "bad", "good", "good"]
        bodies = [
            {"org": "acme", "call_id": call["call_id"], "outcome": outcome, "corrected_answer": "42"}
            for call, outcome in zip(calls, outcomes, strict=True)
            for _ in range(3)
        ]
        replies = await asyncio.gather(*(client.post("/feedback", json=body) for body in bodies))
        assert {reply.status_code for reply in replies} == {200}
        assert sum(reply.json()["became"] == "new" for reply in replies) == 6
        counts = await store.judge_tables.label_counts("acme", (0.2, 0.4, 0.6, 0.8))
        assert (sum(one.right for one in counts), sum(one.wrong for one in counts)) == (4.0, 2.0)
        (said,) = await store.labels.words("acme", calls[0]["call_id"])
        assert said["corrected_answer"] == "42"


async def test_feedback_survives_a_restart(open_app) -> None:
    async with open_app("one", seed=5) as client:
        reply = (await client.post("/route", json={"prompt": "hi", "org": "acme"})).json()
        store = client._transport.app.state.cascade.services.store
        await store.transact(
            lambda connection: connection.execute(text("UPDATE orgs SET call_count = 300")) and None
        )
        body = {"org": "acme", "call_id": reply["call_id"], "outcome": "bad"}
        assert (await client.post("/feedback", json=body)).json()["became"] == "new"
    async with open_app("one", seed=5) as client:
        assert (await client.post("/feedback", json=body)).json()["became"] == "unchanged"


def test_the_sdk_says_it_in_one_call(grown, gateway, org) -> None:
    reply = grown()
    with X25(org=org, gateway_url=gateway.url) as agent:
        assert agent.feedback(reply["call_id"], "bad", note="wrong sum")["became"] == "new"
        assert agent.feedback(reply["call_id"], score=0.5)["became"] == "changed"
        assert agent.feedback(reply["call_id"], "retracted")["became"] == "retracted"


WEIGHTS = {"cost": 0.6, "quality": 0.3, "latency": 0.1}
CALLS = 36
"""Calls of each kind an org makes; what the last third of them were sent to is compared."""


async def grow(store, org: str) -> None:
    """Have an org stand at stage 3."""
    statement = text("UPDATE orgs SET call_count = 300 WHERE org = :org")
    await store.transact(lambda connection: connection.execute(statement, {"org": org}) and None)


async def first_choices(client: httpx.AsyncClient, org: str, *, is_labelled: bool) -> dict[str, list[str]]:
    """Return which tiers an org's calls of two kinds were sent to first; labelled, one model fails at one kind."""
    chosen: dict[str, list[str]] = {"extraction": [], "reasoning": []}
    for number in range(CALLS):
        for kind, tiers in chosen.items():
            prompt = f"Note {number}: tell me about subject {number * 7919 % 1000}."
            body = {"org": org, "prompt": prompt, "hint": kind, "optimize_for": WEIGHTS}
            reply = (await client.post("/route", json=body)).raise_for_status().json()
            if not (number or tiers):
                store = client._transport.app.state.cascade.services.store
                await grow(store, org)
            tiers.append(reply["explain"]["first_decision"]["tier"])
            if is_labelled:
                is_bad = kind == "reasoning" and reply["tier"] != "frontier"
                said = {"org": org, "call_id": reply["call_id"], "outcome": "bad" if is_bad else "good"}
                (await client.post("/feedback", json=said)).raise_for_status()
    return chosen


@pytest.mark.slow
async def test_labelling_cheap_answers_bad_for_one_kind_of_task_moves_its_traffic_and_no_other(
    open_app,
) -> None:
    """Over seeds, with the same prompts: a sign test needs six orgs of six for p < .05, two-sided."""
    moved, kept = [], []
    for seed in range(6):
        async with open_app(f"seed-{seed}", seed=seed, judge="none") as client:
            plain = await first_choices(client, "plain", is_labelled=False)
            labelled = await first_choices(client, "labelled", is_labelled=True)
        late = {
            (name, kind): sum(tier == "frontier" for tier in chosen[kind][-CALLS // 3 :]) / (CALLS // 3)
            for name, chosen in (("plain", plain), ("labelled", labelled))
            for kind in chosen
        }
        moved.append(late["labelled", "reasoning"] - late["plain", "reasoning"])
        kept.append(late["labelled", "extraction"] - late["plain", "extraction"])
    assert min(moved) > 0.0, (moved, kept)
    assert sum(moved) / 6 > 0.5, (moved, kept)
    assert sum(kept) / 6 < sum(moved) / 12, (moved, kept)
