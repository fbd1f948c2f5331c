"""The walk through deployments and keys with an injected clock: hedges, breakers, bounds, and what it holds at most."""

import asyncio
import random
from collections import Counter

import pytest

from x25.providers.base import Completion
from x25.providers.breaker import Tolerance
from x25.providers.breakers import BreakerBook
from x25.providers.gateway import Gateway
from x25.providers.keyring import Keyring
from x25.providers.patience import EXHAUSTED_REST_S, Patience
from x25.state.errors import (
    BreakerOpen,
    ProviderBilling,
    ProviderConnection,
    ProviderError,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)
from x25.state.usage import Usage

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}
USAGE = Usage(prompt_tokens=10, completion_tokens=5)


class Time:
    def __init__(self):
        self.now_s = 1000.0

    def __call__(self):
        return self.now_s

    async def sleep(self, seconds):
        self.now_s += seconds


class Record:
    def __init__(self):
        self.begun, self.finished, self.failed = [], [], []

    async def begin(self, deployment, byok_key=None):
        self.begun.append(deployment)
        return f"att-{len(self.begun) - 1}"

    async def finish(self, attempt_id, completion):
        self.finished.append(attempt_id)

    async def fail(self, attempt_id, error):
        self.failed.append((attempt_id, error.code, error.may_have_billed, error.usage))


class Vendor:
    """Answers by what `act` does with a request: raises, waits, or nothing."""

    def __init__(self, act):
        self._act = act
        self.requests = []

    async def complete(self, request):
        self.requests.append((request.deployment.name, request.api_key))
        found = self._act(request)
        if asyncio.iscoroutine(found):
            await found
        return Completion(
            {"role": "assistant", "content": "Paris"}, "stop", USAGE, "m", 100.0, request.deployment.name
        )


def raising(error):
    def act(_):
        raise error

    return act


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def opened(time):
    def opened(act, environ=None, tolerance=None, **patience):
        vendor = Vendor(act)
        gateway = Gateway(
            {"openai": vendor}, Keyring(environ or {}),
            Patience(clock=time, sleep=time.sleep, rng=random.Random(7), **patience),
            BreakerBook(tolerance or Tolerance()),
        )  # fmt: skip
        return gateway, vendor

    return opened


def ask(gateway, spec, time, record=None, hedged=False, timeout_s=30.0, org="", body=BODY):
    return gateway.complete(
        spec,
        body,
        record=record or Record(),
        timeout_s=timeout_s,
        deadline_s=time.now_s + 60.0,
        hedged=hedged,
        org=org,
    )


async def test_no_call_reaches_an_open_breaker_and_one_probe_closes_it(opened, time, deployed):
    faults = [ProviderConnection("refused")] * 8

    def act(_):
        if faults:
            raise faults.pop()

    gateway, vendor = opened(act, None, Tolerance(failures=8, rest_s=5.0), last_tries=1)
    spec = deployed("https://a.example/v1")
    for _ in range(8):
        with pytest.raises(ProviderConnection):
            await ask(gateway, spec, time)
    for _ in range(20):
        with pytest.raises(BreakerOpen) as caught:
            await ask(gateway, spec, time)
    assert len(vendor.requests) == 8
    assert caught.value.retry_after_s == pytest.approx(5.0)
    time.now_s += 5.0
    assert (await ask(gateway, spec, time)).deployment == "d0"
    assert (len(vendor.requests), len(gateway.breakers)) == (9, 0)


async def test_one_orgs_poison_costs_no_other_org_an_answer(opened, time, deployed):
    """With the shipped tolerance: one org's requests fail, in thousands, and another's are all answered at once."""

    def act(request):
        if request.body.get("poison"):
            raise ProviderServer("down")

    gateway, vendor = opened(act)
    spec = deployed("https://a.example/v1", key_envs=())
    for _ in range(500):
        with pytest.raises(ProviderError):
            await ask(gateway, spec, time, org="poison", body={**BODY, "poison": True})
        assert (await ask(gateway, spec, time, org="other")).tries == 1
    assert len(vendor.requests) < 500 + 30


async def test_an_open_deployment_is_passed_over_for_the_next(opened, time, deployed):
    def act(request):
        if request.deployment.name == "d0":
            raise ProviderServer("down")

    gateway, vendor = opened(act)
    spec = deployed("https://a.example/v1", "https://b.example/v1")
    for _ in range(20):
        assert (await ask(gateway, spec, time)).deployment == "d1"
        time.now_s -= 0.1  # its backoff
    assert Counter(name for name, _ in vendor.requests) == {"d0": 8, "d1": 20}


async def test_thirty_six_keys_take_turns_evenly_under_load_and_refused_ones_are_left_out(
    opened, time, deployed
):
    """35 keys answer at once; one is out of credit, one is told to wait, and no caller notices."""
    keys = [f"key-{number}" for number in range(36)]

    async def act(request):
        await asyncio.sleep(0)
        if request.api_key == "key-7":
            raise ProviderBilling("no credit")
        if request.api_key == "key-9" and time.now_s < 1020.0:
            raise ProviderRateLimit("busy", retry_after_s=1020.0 - time.now_s)

    gateway, vendor = opened(act, {"POOL": ",".join(keys)})
    spec = deployed("https://a.example/v1", key_envs=("POOL",))
    for _ in range(20):
        answers = await asyncio.gather(*(ask(gateway, spec, time) for _ in range(100)))
        assert all(one.message["content"] == "Paris" for one in answers)
        time.now_s += 1.5
    used = Counter(key for _, key in vendor.requests)
    assert used.keys() == {*keys}
    assert used["key-7"] <= 100  # in the first burst, before its first refusal came back
    steady = [used[key] for key in keys if key not in ("key-7", "key-9")]
    assert max(steady) - min(steady) <= 12


async def test_a_key_without_credit_is_off_until_its_reset_and_that_is_said(opened, time, deployed, caplog):
    broke = {"k1"}

    def act(request):
        if request.api_key in broke:
            raise ProviderBilling("insufficient_quota")

    gateway, vendor = opened(act, {"POOL": "k1,k2"})
    spec = deployed("https://a.example/v1", key_envs=("POOL",))
    for _ in range(4):
        await ask(gateway, spec, time)
    assert [key for _, key in vendor.requests] == ["k1", "k2", "k2", "k2", "k2"]
    assert sum("provider_key_exhausted" in one.message for one in caplog.records) == 1
    assert "k1" not in caplog.text.replace("provider_key_exhausted", "")
    assert [one.until_s - time.now_s for one in gateway.keyring.exhausted()] == [EXHAUSTED_REST_S]
    time.now_s += EXHAUSTED_REST_S
    broke.clear()
    for _ in range(2):
        await ask(gateway, spec, time)
    assert "k1" in [key for _, key in vendor.requests[-2:]]
    assert gateway.keyring.exhausted() == []


async def test_a_reset_that_the_provider_names_is_waited_for(opened, time, deployed):
    gateway, _ = opened(raising(ProviderBilling("quota", retry_after_s=90_000.0)), {"POOL": "k1"})
    with pytest.raises(ProviderBilling):
        await ask(gateway, deployed("https://a.example/v1", key_envs=("POOL",)), time)
    assert [one.until_s - time.now_s for one in gateway.keyring.exhausted()] == [90_000.0]


async def test_requests_are_bounded_in_count_whatever_keys_there_are(opened, time, deployed):
    async def act(_):
        time.now_s += 0.6  # longer than the shortest rest: keys come back while others are tried
        raise ProviderRateLimit("busy", retry_after_s=0.0)

    gateway, vendor = opened(act, {"POOL": "k1,k2,k3"}, max_requests=10)
    with pytest.raises(ProviderRateLimit):
        await ask(gateway, deployed("https://a.example/v1", key_envs=("POOL",)), time)
    assert len(vendor.requests) == 10


async def test_all_failures_are_in_the_last_one(opened, time, deployed):
    def act(request):
        raise {"d0": ProviderServer("a is down"), "d1": ProviderConnection("b refused")}.get(
            request.deployment.name, ProviderTimeout("c is late")
        )

    gateway, _ = opened(act, max_tries=1, last_tries=1)
    with pytest.raises(ProviderTimeout) as caught:
        await ask(gateway, deployed("https://a.example", "https://b.example", "https://c.example"), time)
    assert caught.value.__notes__ == ["before that: server: a is down", "before that: connection: b refused"]


async def test_repeats_end_at_the_deadline(opened, time, deployed):
    async def act(request):
        time.now_s += request.timeout_s
        raise ProviderTimeout("late")

    gateway, vendor = opened(act)
    urls = [f"https://{name}.example" for name in "abcdef"]
    with pytest.raises(ProviderTimeout):
        await ask(gateway, deployed(*urls, idempotent=True), time, timeout_s=25.0)
    assert time.now_s == pytest.approx(1060.0, abs=0.5)
    assert len(vendor.requests) <= 4


class Slow:
    """Answers 25 requests at once, then holds the named deployments up."""

    def __init__(self, *names):
        self._names, self.count, self.cancelled = names, 0, []

    def __call__(self, request):
        self.count += 1
        return self._answer(request, slow=self.count > 25 and request.deployment.name in self._names)

    async def _answer(self, request, *, slow):
        try:
            await asyncio.sleep(5.0 if slow else 0.0)
        except asyncio.CancelledError:
            self.cancelled.append(request.deployment.name)
            raise


async def warmed(opened, time, spec, slow):
    gateway, vendor = opened(slow)
    for _ in range(25):
        await ask(gateway, spec, time)
    vendor.requests.clear()
    return gateway, vendor


async def test_a_late_request_gets_a_second_one_and_the_first_answer_is_the_only_one(opened, time, deployed):
    spec, slow, record = deployed("https://a.example", "https://b.example"), Slow("d0"), Record()
    gateway, vendor = await warmed(opened, time, spec, slow)
    completion = await ask(gateway, spec, time, record, hedged=True)
    assert (completion.deployment, record.begun, slow.cancelled) == ("d1", ["d0", "d1"], ["d0"])
    assert record.finished == ["att-1"]
    # Broken off, it may be billed all the same: its reservation stays.
    assert record.failed == [("att-0", "hedge_lost", True, None)]
    assert len(vendor.requests) == 2


async def test_nobody_is_hedged_who_did_not_ask_for_it(opened, time, deployed):
    spec, slow = deployed("https://a.example", "https://b.example"), Slow("d0")
    gateway, vendor = await warmed(opened, time, spec, slow)
    asked = asyncio.create_task(ask(gateway, spec, time))
    await asyncio.sleep(0.25)
    asked.cancel()
    assert vendor.requests == [("d0", None)]


async def test_a_hedge_that_may_not_be_paid_leaves_the_first_request_alone(opened, time, deployed):
    class Capped(Record):
        async def begin(self, deployment, byok_key=None):
            if self.begun:
                raise ProviderError("another request could pass the caller's cost cap")
            return await super().begin(deployment)

    spec, record = deployed("https://a.example"), Capped()
    gateway, _ = opened(lambda _: asyncio.sleep(0.3 if record.begun else 0.0))
    for _ in range(25):
        await ask(gateway, spec, time)
    completion = await ask(gateway, spec, time, record, hedged=True)
    assert (completion.message["content"], record.finished, record.failed) == ("Paris", ["att-0"], [])


async def test_where_both_requests_of_a_race_fail_both_are_told(opened, time, deployed):
    spec, record = deployed("https://a.example", "https://b.example"), Record()

    async def act(request):
        if record.begun:
            await asyncio.sleep(0.15)
            raise ProviderServer(f"{request.deployment.name} is down")

    gateway, _ = opened(act, max_tries=1, last_tries=1)
    for _ in range(25):
        await ask(gateway, spec, time)
    with pytest.raises(ProviderServer) as caught:
        await ask(gateway, spec, time, record, hedged=True)
    assert len(record.failed) == len(record.begun)
    assert "d0 is down" in str([caught.value, *caught.value.__notes__])


async def test_one_fault_in_a_hundred_and_an_outage_lose_no_call(opened, time, deployed):
    """XN-63 in small: 1 % of requests fail at each of three independent deployments, one is down for a while."""
    rng = random.Random(11)

    def act(request):
        if rng.random() < 0.01 or (request.deployment.name == "d0" and 1500 < time.now_s < 1600):
            raise ProviderServer("down")

    gateway, vendor = opened(act)
    spec = deployed("https://a.example", "https://b.example", "https://c.example")
    failed, calls = 0, 10_000
    for _ in range(calls):
        time.now_s += 0.1
        try:
            await ask(gateway, spec, time)
        except ProviderError:
            failed += 1
    assert failed == 0
    assert len(vendor.requests) < calls * 1.05


@pytest.mark.parametrize("left_s", [0.5, 60.0])
async def test_a_timeout_speaks_against_a_deployment_that_had_its_time(opened, time, deployed, left_s):
    gateway, _ = opened(raising(ProviderTimeout("late")))
    with pytest.raises(ProviderTimeout):
        await gateway.complete(
            deployed("https://a.example"),
            BODY,
            record=Record(),
            timeout_s=30.0,
            deadline_s=time.now_s + left_s,
        )
    assert bool(len(gateway.breakers)) is (left_s == 60.0)
