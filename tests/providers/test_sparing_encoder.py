import asyncio

import numpy as np
import pytest

from x25.providers import sparing_encoder
from x25.providers.sparing_encoder import FIRST_REST_S, LONGEST_REST_S, SparingEncoder
from x25.state.errors import ConfigError, EncoderAbsent, EncoderUnavailable, ProviderServer


class Clock:
    now_s = 1_000.0

    def __call__(self):
        return self.now_s


class Scripted:
    """An encoder that does what it is told to, one thing a text; the last for ever."""

    name, fingerprint, dimension = "scripted", "f", 2

    def __init__(self, *outcomes):
        self.outcomes, self.asked = list(outcomes), 0

    async def embed(self, text):
        self.asked += 1
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        if callable(outcome):
            return await outcome()
        return np.array(outcome, dtype=np.float32)

    def embed_many(self, texts):
        return np.zeros((len(texts), 2), dtype=np.float32)


def sparing(encoder, clock, **changes):
    known = {"name": "scripted", "fingerprint": "f", "dimension": 2, "clock_s": clock}
    return SparingEncoder(encoder if callable(encoder) else lambda: encoder, **{**known, **changes})


async def reasons(encoder, times=1):
    found = []
    for _ in range(times):
        with pytest.raises(EncoderUnavailable) as caught:
            await encoder.embed("hi")
        found.append(str(caught.value))
    return found


async def test_vectors_pass_through_while_the_encoder_answers():
    encoder = sparing(Scripted([1.0, 2.0]), Clock())
    assert (await encoder.embed("hi")).tolist() == [1.0, 2.0]
    assert encoder.reason is None
    assert encoder.embed_many(["a", "b"]).shape == (2, 2)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (ProviderServer("host 10.0.0.1 said no"), "server"),
        ([1.0, 2.0, 3.0], "malformed"), ([1.0, np.nan], "malformed"),
        (RecursionError("deep"), "RecursionError"), (RuntimeError("CUDA out of memory"), "RuntimeError"),
    ],
)  # fmt: skip
async def test_whatever_it_does_instead_is_one_named_failure_and_then_it_is_left_alone(
    outcome, reason, caplog
):
    inner, clock = Scripted(outcome), Clock()
    encoder = sparing(inner, clock)
    assert await reasons(encoder, times=50) == [reason] * 50
    assert (inner.asked, encoder.reason) == (1, reason)
    assert len(caplog.records) == 1


async def test_it_is_asked_again_after_a_rest_that_grows_and_recovers_by_itself():
    inner, clock = Scripted(*[ProviderServer("no")] * 7, [1.0, 2.0]), Clock()
    encoder = sparing(inner, clock)
    rests = []
    while True:
        try:
            await encoder.embed("hi")
            break
        except EncoderUnavailable:
            before_s = clock.now_s
            while clock.now_s < encoder._rests_until_s:
                clock.now_s += 1.0
            rests.append(clock.now_s - before_s)
    assert rests[:2] == [FIRST_REST_S, 2 * FIRST_REST_S]
    assert max(rests) == LONGEST_REST_S
    assert encoder.reason is None


async def test_of_many_calls_one_waits_and_no_longer_than_it_may(monkeypatch):
    monkeypatch.setattr(sparing_encoder, "WAIT_S", 0.05)

    async def hang():
        await asyncio.sleep(60)

    inner, clock = Scripted(hang), Clock()
    encoder = sparing(inner, clock)
    assert await reasons(encoder) == ["TimeoutError"]
    clock.now_s += FIRST_REST_S
    await asyncio.gather(*(reasons(encoder) for _ in range(20)))
    assert inner.asked == 2


async def test_one_that_was_not_there_is_opened_later_and_must_be_the_one_the_heads_know():
    clock, opened = Clock(), []

    def open_():
        opened.append(len(opened))
        if len(opened) == 1:
            raise EncoderAbsent("pip install it")
        inner = Scripted([1.0, 2.0])
        inner.fingerprint = "other" if len(opened) == 2 else "f"
        return inner

    encoder = sparing(open_, clock)
    encoder.mark_absent("pip install it")
    assert await reasons(encoder) == ["pip install it"]
    assert opened == []
    for said in ("pip install it", "it is not the encoder that the heads were fitted with"):
        clock.now_s += LONGEST_REST_S
        assert await reasons(encoder) == [said]
    clock.now_s += LONGEST_REST_S
    assert (await encoder.embed("hi")).tolist() == [1.0, 2.0]
    assert len(opened) == 3


def test_the_absence_of_an_encoder_is_a_wrong_setting_wherever_nothing_can_be_done_without_one():
    assert issubclass(EncoderAbsent, ConfigError)
