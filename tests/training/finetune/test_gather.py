from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from x25.state.errors import ConfigError, InvalidRequest
from x25.state.gathering import Gathering
from x25.state.own_models import OwnModel
from x25.state.schema import attempts, labels
from x25.training.finetune.chats import Row
from x25.training.finetune.gather import gather, prompt_key, split

FEW = Gathering(min_examples=2)
NOW = datetime(2026, 2, 1, tzinfo=UTC)


async def label(store, call_id: str, right: float) -> None:
    attempt = {
        "attempt_id": f"a-{call_id}", "org": "acme", "call_id": call_id, "step": 0, "kind": "answer", "model_id": "v/m",
        "tier": "mid", "deployment": "d", "status": "finished", "reserved_nusd": 1, "started_at": NOW,
        "prompt_tokens": 1, "cached_tokens": 0, "completion_tokens": 1, "reasoning_tokens": 0,
    }  # fmt: skip
    row = {
        "org": "acme",
        "call_id": call_id,
        "step": 0,
        "source": "feedback",
        "right": right,
        "created_at": NOW,
    }

    def add(connection) -> None:
        connection.execute(insert(attempts), attempt)
        connection.execute(insert(labels), row)

    await store.transact(add)


async def test_only_calls_above_the_least_quality_are_examples_and_those_at_it_are_not(
    store, saver, answered, quiet
):
    for score in (0.6999, 0.7, 0.7001, 0.99):
        await answered(f"Prompt of {score}", quality_score=score)
    found = await gather(store, saver, "acme", FEW, quiet)
    assert found.looked_at == 2
    asked = {one.row.instruction for one in (*found.train, *found.held_out)}
    assert asked == {"Prompt of 0.7001", "Prompt of 0.99"}
    assert all(one.call.quality_score > 0.7 for one in (*found.train, *found.held_out))


async def test_another_orgs_calls_are_never_examples(store, saver, answered, quiet):
    for number in range(3):
        await answered(f"Mine {number}")
        await answered(f"Theirs {number}", org="other")
    found = await gather(store, saver, "acme", FEW, quiet)
    assert {one.row.instruction[:4] for one in (*found.train, *found.held_out)} == {"Mine"}


async def test_every_call_is_an_example_or_counted_with_its_reason(store, saver, answered, quiet):
    for number in range(3):
        await answered(f"Good {number}")
    await answered("Again", "first", quality_score=0.8)
    await answered("  aGAIN ", "better", quality_score=0.9)
    await answered("Mine alone", options={"store": False})
    await answered("Simulated", simulated=True)
    await answered("Gone", keeps_words=False)
    await answered([{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])
    await store.own_models.add(OwnModel("acme", "own/m", {}, NOW))
    await answered("By our own", model_id="own/m")
    await label(store, await answered("Labelled wrong"), 0.0)
    found = await gather(store, saver, "acme", FEW, quiet)
    assert found.left_out == {
        "opted_out": 1, "simulated": 1, "answer_not_kept": 1, "multi_turn": 1, "answered_by_own_model": 1,
        "labelled_wrong": 1, "asked_again": 1,
    }  # fmt: skip
    examples = [*found.train, *found.held_out]
    assert found.looked_at == len(examples) + sum(found.left_out.values())
    assert [one.row.output for one in examples if one.row.instruction == "aGAIN"] == ["better"]


async def test_estimates_are_left_out_where_only_judged_answers_are_wanted(store, saver, answered, quiet):
    for number in range(3):
        await answered(f"Judged {number}")
        await answered(f"Estimated {number}", quality_source="estimate")
    found = await gather(store, saver, "acme", Gathering(min_examples=2, judged_only=True), quiet)
    assert found.left_out == {"not_judged": 3}


@pytest.mark.parametrize(
    ("rule", "instruction", "left_out", "replaced"),
    [
        ("redact", "Write to [email]", {}, {"email": 1}),
        ("keep", "Write to a@example.com", {}, {}),
        ("drop", None, {"personal_data": 1}, {}),
    ],
)
async def test_personal_data_is_replaced_kept_or_its_call_dropped(
    store, saver, answered, quiet, rule, instruction, left_out, replaced
):
    for number in range(3):
        await answered(f"Good {number}")
    await answered("Write to a@example.com")
    found = await gather(store, saver, "acme", Gathering(min_examples=2, personal_data=rule), quiet)
    texts = {one.row.instruction for one in (*found.train, *found.held_out)}
    assert (instruction in texts) is (instruction is not None)
    assert (found.left_out, found.redacted) == (left_out, replaced)


async def test_simulated_answers_alone_are_gathered_and_marked(store, saver, answered, quiet):
    for number in range(3):
        await answered(f"Trial {number}", simulated=True)
    assert (await gather(store, saver, "acme", FEW, quiet)).is_simulated


async def test_an_org_that_opted_out_is_refused_until_it_takes_that_back(store, saver, answered, quiet):
    for number in range(3):
        await answered(f"Good {number}")
    await store.improvements.opt_out("acme", NOW)
    with pytest.raises(InvalidRequest, match="opted out of training since 2026-02-01"):
        await gather(store, saver, "acme", FEW, quiet)
    await store.improvements.opt_out("acme", None)
    assert await gather(store, saver, "acme", FEW, quiet)


async def test_too_few_examples_say_how_many_calls_are_missing_and_which_setting(
    store, saver, answered, quiet
):
    for number in range(10):
        await answered(f"Good {number // 2}")
    with pytest.raises(ConfigError, match=r"5 of the 10 calls .* 50 are needed: about 90 more calls") as told:
        await gather(store, saver, "acme", Gathering(), quiet)
    assert "asked_again" in str(told.value)


async def test_without_stored_prompts_the_setting_to_change_is_named(store, answered, quiet):
    for number in range(3):
        await answered(f"Good {number}", keeps_words=False, prompt=None)
    with pytest.raises(
        ConfigError, match=r"no prompt is kept\. .*X25_STORE_PROMPTS=true.* about 50 more calls"
    ):
        await gather(store, None, "acme", Gathering(), quiet)


async def test_the_best_and_newest_of_more_than_are_wanted_are_taken(store, saver, answered, quiet):
    for number in range(6):
        await answered(f"Good {number}", quality_score=0.8 + number / 100)
    found = await gather(store, saver, "acme", Gathering(min_examples=2, max_examples=3), quiet)
    assert {one.row.instruction for one in (*found.train, *found.held_out)} == {"Good 3", "Good 4", "Good 5"}
    assert found.left_out == {"beyond_max_examples": 3}


async def test_a_prompt_is_held_out_by_its_hash_so_always_or_never(store, saver, answered, quiet):
    for number in range(200):
        await answered(f"Prompt {number}")
    wanted = Gathering(min_examples=2, held_out_share=0.2)
    first = await gather(store, saver, "acme", wanted, quiet)
    for number in range(200, 260):
        await answered(f"Prompt {number}")
    second = await gather(store, saver, "acme", wanted, quiet)
    assert 0.12 < len(first.held_out) / 200 < 0.28
    assert {one.key for one in first.held_out} <= {one.key for one in second.held_out}
    assert not {one.key for one in second.held_out} & {one.key for one in second.train}


def test_case_and_spaces_make_no_other_prompt_but_the_system_message_does():
    assert prompt_key(Row("A  b", "", "x")) == prompt_key(Row("a B\n", "", "y"))
    assert prompt_key(Row("a", "b", "x")) != prompt_key(Row("a b", "", "x"))


async def test_both_sides_have_at_least_one(store, saver, answered, quiet):
    for number in range(2):
        await answered(f"Prompt {number}")
    found = await gather(store, saver, "acme", Gathering(min_examples=2, held_out_share=0.001), quiet)
    assert (len(found.train), len(found.held_out)) == (1, 1)
    assert [len(side) for side in split([*found.train, *found.held_out], 0.5)] == [1, 1]
