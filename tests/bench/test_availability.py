import asyncio
import random
from types import SimpleNamespace

import pytest

from x25.bench.availability import _Clock, _Flaky, main, through_http, waterfall
from x25.providers.base import ProviderRequest
from x25.providers.deltas import Sending


def test_the_waterfall_alone_answers_more_than_five_nines_at_one_fault_in_a_hundred():
    found = asyncio.run(waterfall(5_000, 0.01))
    assert (found.answered, found.billed_twice) == (5_000, 0)


def test_where_everything_fails_nothing_is_said_to_be_answered():
    found = asyncio.run(waterfall(50, 1.0))
    assert (found.answered, found.share) == (0, 0.0)


async def test_the_stand_in_streams_what_it_answers():
    read = []

    class Reader:
        has_left = False

        def begin(self, source):
            return

        async def take(self, delta, logprobs=None):
            read.append(delta)

    flaky = _Flaky(0.0, random.Random(1), _Clock())
    request = ProviderRequest(None, SimpleNamespace(name="d"), {}, "a1", 1.0)
    completion = await flaky.stream(request, Sending(Reader(), None, None))
    assert (read, completion.message["content"]) == ([{"content": "391"}], "391")


def test_a_share_below_the_promise_is_an_exit_code(monkeypatch, capsys):
    real = waterfall

    async def worse(calls, fault_prob):
        return await real(calls, 0.9)

    monkeypatch.setattr("x25.bench.availability.waterfall", worse)
    assert main(["--calls", "0", "--decisions", "200", "--json"]) == 1
    assert '"promised": 0.99999' in capsys.readouterr().out


@pytest.mark.slow
def test_three_in_ten_faults_over_three_targets_lose_no_call_in_a_thousand(tmp_path):
    found = through_http(600, 0.30, 8, tmp_path)
    assert found.share >= 0.999
    assert found.billed_twice == 0
    assert found.attempts > 640  # faults there were
