from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from x25.graph.feedback import Feedback, give_feedback
from x25.state.errors import Forbidden, InvalidRequest, NotFound
from x25.state.learning.labels import Labelled
from x25.state.schema import orgs
from x25.state.store import open_store

EDGES = (0.2, 0.4, 0.6, 0.8)


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


async def grow(store, calls):
    row = {
        "org": "acme", "call_count": calls, "chain_length": 0, "chain_head": "", "created_at": datetime.now(UTC),
    }  # fmt: skip
    await store.transact(lambda connection: connection.execute(insert(orgs), row) and None)


async def give(store, given, **more):
    return await give_feedback(store, "acme", "c1", given, edges=EDGES, keeps_text=False, **more)


@pytest.mark.parametrize(("given", "field"), [
    (Feedback(), "outcome"),
    (Feedback(outcome="good", score=1.0), "outcome"),
    (Feedback(outcome="retracted", note="x"), "note"),
    (Feedback(outcome="retracted", correct_model="v/m"), "correct_model"),
    (Feedback(outcome="good", correct_model="v/m"), "correct_model"),
    (Feedback(score=1.0, correct_model="v/m"), "correct_model"),
])  # fmt: skip
def test_what_says_nothing_or_two_things_names_the_field(given, field):
    with pytest.raises(InvalidRequest) as refused:
        given.check()
    assert refused.value.field == field


def test_outcomes_and_scores_say_how_right_an_answer_was():
    assert [Feedback(outcome="good").right, Feedback(outcome="bad").right, Feedback(score=0.25).right] == [
        1.0,
        0.0,
        0.25,
    ]


@pytest.mark.parametrize("outcome", ["good", "bad", "retracted"])
async def test_nothing_is_taken_before_stage_three_and_then_the_call_must_be_there(store, outcome):
    with pytest.raises(Forbidden, match="200 more calls are needed"):
        await give(store, Feedback(outcome=outcome))
    await grow(store, 200)
    with pytest.raises(NotFound, match="no call 'c1'"):
        await give(store, Feedback(outcome=outcome))


async def test_a_hostile_name_reaches_no_table(store):
    with pytest.raises(InvalidRequest, match="org must be"):
        await give_feedback(store, "a'; --", "c1", Feedback(outcome="good"), edges=EDGES, keeps_text=False)


@pytest.mark.parametrize(
    ("privacy", "not_kept"), [("hashes", ("note",)), ("inputs", ("note",)), ("prompts", ())]
)
async def test_words_are_kept_where_gateway_and_org_both_let_them(store, monkeypatch, privacy, not_kept):
    await grow(store, 200)
    await store.org_settings.change("acme", lambda _: {"privacy": privacy}, "")
    kept = []

    async def add(*_, **given):
        kept.append(given.get("note"))
        return Labelled(step=0, model_id="v/m", judge=None, score=None, became="new")

    monkeypatch.setattr(store.labels, "add", add)
    given = Feedback(outcome="bad", note="zebrafish")
    taken = await give_feedback(store, "acme", "c1", given, edges=EDGES, keeps_text=True)
    assert (taken.not_kept, kept) == (not_kept, [None if not_kept else "zebrafish"])
