"""Whose failure rests which key, how long, for whom, and what an operator hears of it."""

import random
from collections import Counter

import pytest

from x25.providers.base import Completion
from x25.providers.gateway import Gateway
from x25.providers.keyring import Keyring, OwnKey, fingerprint
from x25.providers.patience import EXHAUSTED_REST_S, REFUSED_REST_S, Patience
from x25.state.errors import (
    BeyondAllowance,
    ProviderAuth,
    ProviderConnection,
    ProviderError,
    ProviderServer,
)
from x25.state.usage import Usage

USAGE = Usage(prompt_tokens=10, completion_tokens=5)
MINE = OwnKey("d0", "id-1", "mine")


class Record:
    def __init__(self):
        self.payers = []

    async def begin(self, deployment, byok_key=None):
        self.payers.append(byok_key)
        return f"att-{len(self.payers)}"

    async def finish(self, attempt_id, completion):
        pass

    async def fail(self, attempt_id, error):
        pass


class House:
    """A gateway before one vendor, on a clock of its own; `act` says what a key's request raises."""

    def __init__(self, spec, act, keys="k1,k2"):
        self.now_s, self.used, self.record, self._spec, self._act = 1000.0, [], Record(), spec, act
        patience = Patience(clock=lambda: self.now_s, sleep=self._sleep, rng=random.Random(1))
        self.keyring = Keyring({"POOL": keys})
        self._gateway = Gateway({"openai": self}, self.keyring, patience)

    async def _sleep(self, seconds):
        self.now_s += seconds

    async def complete(self, request):
        self.used.append(request.api_key)
        error = self._act(request.api_key, request.body.get("max_tokens", 0))
        if error is not None:
            raise error
        return Completion(
            {"role": "assistant", "content": "x"}, "stop", USAGE, "m", 1.0, request.deployment.name
        )

    async def ask(self, org, max_tokens=0, own=()):
        """Return the keys that were used, and the error's class where there was one."""
        self.used, came = [], None
        body = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": max_tokens}
        try:
            await self._gateway.complete(
                self._spec, body, record=self.record, timeout_s=5.0, deadline_s=self.now_s + 60,
                own_keys=own, org=org,
            )  # fmt: skip
        except ProviderError as error:
            came = type(error)
        return self.used, came


@pytest.fixture
def spec(deployed):
    return deployed("https://a.example/v1", key_envs=("POOL",))


def affords(tokens):
    """Let no key's account pay more than so many tokens."""

    def act(_, max_tokens):
        return BeyondAllowance("fewer max_tokens", status=402) if max_tokens > tokens else None

    return act


async def test_a_request_too_dear_for_the_credit_rests_no_key_for_anybody(spec, caplog):
    house = House(spec, affords(1_000))
    assert await house.ask("greedy", 60_000) == (["k1", "k2"], BeyondAllowance)
    assert await house.ask("modest", 100) == (["k2"], None)
    assert await house.ask("greedy", 100) == (["k1"], None)
    assert house.keyring.exhausted() == []
    assert caplog.text.count("provider_key_low") == 2
    assert fingerprint("k1") in caplog.text


async def test_one_org_alone_cannot_put_a_key_out_of_use_however_often_it_asks_for_too_much(spec, caplog):
    house = House(spec, affords(1_000), keys="k1")
    for _ in range(30):
        assert await house.ask("greedy", 60_000) == (["k1"], BeyondAllowance)
    assert caplog.text.count("provider_key_low") == 1
    assert await house.ask("modest", 100) == (["k1"], None)


async def test_a_key_too_poor_for_a_second_org_as_well_is_exhausted_unless_one_was_answered_between(spec):
    house = House(spec, affords(1_000), keys="k1")
    await house.ask("greedy", 60_000)
    await house.ask("modest", 100)
    assert await house.ask("other", 60_000) == (["k1"], BeyondAllowance)
    assert house.keyring.exhausted() == []
    assert await house.ask("third", 5_000) == (["k1"], BeyondAllowance)
    assert [one.until_s - house.now_s for one in house.keyring.exhausted()] == [EXHAUSTED_REST_S]
    assert await house.ask("modest", 100) == ([], ProviderAuth)


async def test_a_request_beyond_the_tokens_a_minute_rests_no_key_and_is_no_alert(spec, caplog):
    def act(*_):
        return BeyondAllowance("request too large", status=429)

    house = House(spec, act, keys="k1")
    for org in ("a", "b", "c"):
        assert await house.ask(org) == (["k1"], BeyondAllowance)
    assert (house.keyring.exhausted(), caplog.text) == ([], "")


async def test_a_key_that_its_provider_refuses_is_told_once_and_until_it_is_taken_again(spec, caplog):
    bad = {"k1"}
    house = House(spec, lambda key, _: ProviderAuth("who?") if key in bad else None)
    for _ in range(3):
        assert (await house.ask("a"))[1] is None
    (one,) = house.keyring.rejected()
    assert (one.key, one.until_s - house.now_s) == (fingerprint("k1"), REFUSED_REST_S)
    assert caplog.text.count("provider_key_refused") == 1
    assert house.keyring.exhausted() == []
    bad.clear()
    house.now_s += REFUSED_REST_S
    await house.ask("a")
    await house.ask("a")
    assert house.keyring.rejected() == []
    assert "provider_key_restored" in caplog.text


async def test_an_orgs_own_bad_key_is_no_alert_of_the_gateway(spec, caplog):
    house = House(spec, lambda key, _: ProviderAuth("who?") if key == "mine" else None)
    assert await house.ask("a", own=(MINE,)) == (["mine", "k1"], None)
    assert (house.keyring.rejected(), caplog.text) == ([], "")


@pytest.mark.parametrize("kind", [ProviderServer, ProviderConnection])
async def test_an_own_key_that_fails_in_any_way_leaves_the_next_request_to_the_gateways(spec, kind):
    def act(key, _):
        error = None if key != "mine" else kind("down")
        if error is not None:
            error.may_have_billed = False
        return error

    house = House(spec, act)
    assert await house.ask("a", own=(MINE,)) == (["mine", "k1"], None)
    assert house.record.payers == ["id-1", None]
    assert (await house.ask("a", own=(MINE,)))[0][0] == "mine"  # it is not at fault for good


async def test_an_own_key_alone_is_asked_again_as_any_key_is(spec):
    house = House(spec, lambda *_: ProviderServer("down"), keys="")
    used, came = await house.ask("a", own=(MINE,))
    assert (Counter(used), came) == ({"mine": 3}, ProviderServer)
