from dataclasses import replace

import pytest

from x25.api.pieces import Pieces
from x25.nodes.answer.straight import pieces_of, sending_of, tell_end
from x25.providers.deltas import READER
from x25.state.answers import Answer
from x25.state.types import Context


@pytest.fixture
def reader():
    pieces = Pieces()
    token = READER.set(pieces)
    yield pieces
    READER.reset(token)


async def sending(call, services):
    situation = await services.situations.of(call, services)
    return sending_of(call, situation, services, situation.specs[call.decision.model_id])


async def test_nobody_reads_what_nobody_asked_for(walk, services):
    call = await walk("thompson_select", router="sim/small-2")
    assert await sending(call, services) is None


async def test_an_answer_is_sent_where_it_stands_and_none_is_held(walk, services, reader):
    alone = await walk("thompson_select", router="sim/small-2")
    found = await sending(alone, services)
    assert (found.source.model_id, found.source.call_id, found.source.tier) == (
        "sim/small-2",
        alone.call_id,
        "slm",
    )
    assert await sending(await walk("thompson_select"), services) is None
    direct = await walk("thompson_select", context=Context(max_escalations=0))
    assert await sending(direct, services) is not None
    held = Answer(
        0, "sim/tiny-1", "sim-a", "slm", simulated=True, predicted_prob=0.5, message={"content": "x"}
    )
    assert await sending(replace(direct, answers=(held,)), services) is None


async def test_a_guess_counts_the_prompt_and_what_was_said(walk, services, reader):
    call = await walk("thompson_select", router="sim/small-2")
    estimate = (await sending(call, services)).estimate
    nothing, said = estimate({"content": None}), estimate({"content": "four words of text"})
    assert nothing.prompt_tokens == call.task.prompt_tokens > 0
    assert (nothing.completion_tokens, nothing.is_estimate) == (0, True)
    assert 3 <= said.completion_tokens <= 8


async def test_an_ending_tells_what_it_cost_and_when_it_began(walk, services, reader):
    call = await walk("dispatch", router="sim/small-2")
    (answer,) = call.answers
    assert (reader.ending.finish_reason, reader.ending.usage) == (answer.finish_reason, answer.usage)
    assert reader.ending.cost_nusd == answer.spent_nusd("answer") > 0
    assert answer.pieces_sent == len(reader.unread())
    (first,) = [one for one in services.meter.told()["histograms"] if one[0] == "x25_first_token_seconds"]
    assert 0 < first[3] < 10
    reader.ending = None
    tell_end(call, answer, None, services)
    assert (reader.ending, pieces_of(None)) == (None, 0)


async def test_a_first_answer_that_is_likely_right_is_sent_at_once_where_that_is_asked_for(
    walk, services, reader
):
    call = await walk("thompson_select")
    mean = call.selection.beliefs[call.decision.model_id].mean
    for bar, is_sent in ((mean - 0.01, True), (mean + 0.01, False), (1.0, False)):
        bold = replace(services, limits=replace(services.limits, stream_release_prob=bar))
        assert (await sending(call, bold) is not None) is is_sent
    bold = replace(services, limits=replace(services.limits, stream_release_prob=0.01))
    done = await walk("judge", using=bold)
    assert done.transitions[-1].reason == "stop: the answer was sent while it was written"
