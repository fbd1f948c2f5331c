import random
from dataclasses import replace

import pytest

from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.keyring import Keyring
from x25.providers.openai_compatible import OpenAICompatible
from x25.providers.patience import LONGEST_REST_S, MAX_BACKOFF_S, Patience
from x25.state.errors import (
    ConfigError,
    ContextLengthExceeded,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderConnection,
    ProviderError,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}
TWO_KEYS = {"ACME_API_KEY": "k1,k2"}


class Time:
    """A clock that only moves when somebody sleeps."""

    def __init__(self):
        self.now_s = 100.0
        self.slept = []

    def __call__(self):
        return self.now_s

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds


class Record:
    """Remembers what it is told of each attempt."""

    def __init__(self):
        self.events = []

    async def begin(self, deployment, byok_key=None):
        attempt_id = f"att-{sum(one[0] == 'begin' for one in self.events)}"
        self.events.append(("begin", attempt_id, deployment))
        return attempt_id

    async def finish(self, attempt_id, completion):
        self.events.append(("finish", attempt_id, completion.deployment))

    async def fail(self, attempt_id, error):
        self.events.append(("fail", attempt_id, error.code, error.may_have_billed))


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def record():
    return Record()


@pytest.fixture
def ask(client, time, record):
    keyrings = {}

    async def ask(spec, environ=None, deadline_s=200.0, timeout_s=5.0):
        environ = environ or {}
        keyring = keyrings.setdefault(tuple(environ.items()), Keyring(environ))
        patience = Patience(clock=time, sleep=time.sleep, rng=random.Random(7))
        gateway = Gateway({OPENAI_WIRE: OpenAICompatible(client)}, keyring, patience)
        return await gateway.complete(spec, BODY, record=record, timeout_s=timeout_s, deadline_s=deadline_s)

    return ask


async def test_the_first_deployment_answers_when_it_can(ask, record, upstream, second, deployed):
    completion = await ask(deployed(upstream.url, second.url))
    assert (completion.deployment, completion.tries) == ("d0", 1)
    assert record.events == [("begin", "att-0", "d0"), ("finish", "att-0", "d0")]
    assert second.requests == []


async def test_keys_take_turns(ask, upstream, deployed):
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    for _ in range(3):
        await ask(spec, TWO_KEYS)
    assert upstream.keys() == ["k1", "k2", "k1"]


@pytest.mark.parametrize("status", [401, 402, 429])
async def test_a_refused_key_rests_and_the_next_key_is_tried_at_once(
    ask, time, upstream, scripted, deployed, status
):
    upstream.reply(scripted(status))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    completion = await ask(spec, TWO_KEYS)
    await ask(spec, TWO_KEYS)
    assert upstream.keys() == ["k1", "k2", "k2"]
    assert (completion.tries, time.slept) == (2, [])


async def test_a_rate_limited_key_comes_back_after_the_time_it_was_told(
    ask, time, upstream, scripted, deployed
):
    upstream.reply(scripted(429, headers={"Retry-After": "9"}))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    await ask(spec, TWO_KEYS)
    time.now_s += 8.9
    await ask(spec, TWO_KEYS)
    time.now_s += 0.2
    await ask(spec, TWO_KEYS)
    assert upstream.keys() == ["k1", "k2", "k2", "k1"]


@pytest.mark.parametrize("status", [401, 402, 403, 429])
async def test_what_one_model_is_refused_leaves_the_shared_key_to_the_others(
    ask, upstream, scripted, deployed, status
):
    upstream.reply(scripted(status, headers={"Retry-After": "9" * 30}))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    other = replace(spec, deployments=(replace(spec.deployments[0], upstream_model="other"),))
    one_key = {"ACME_API_KEY": "k1"}
    with pytest.raises(ProviderError):
        await ask(spec, one_key)
    assert (await ask(other, one_key)).message["content"] == "Paris"


async def test_no_wait_is_longer_than_a_few_minutes_whatever_is_asked(
    ask, time, upstream, scripted, deployed
):
    upstream.reply(scripted(429, headers={"Retry-After": "9" * 30}))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    with pytest.raises(ProviderRateLimit):
        await ask(spec, {"ACME_API_KEY": "k1"})
    time.now_s += LONGEST_REST_S
    assert (await ask(spec, {"ACME_API_KEY": "k1"}, deadline_s=time.now_s + 9)).message["content"] == "Paris"


async def test_a_key_refused_for_two_models_is_not_tried_for_a_third(ask, upstream, scripted, deployed):
    upstream.reply(scripted(401), scripted(401))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    one = spec.deployments[0]
    for model in ("a", "b", "c"):
        with pytest.raises(ProviderError):
            await ask(
                replace(spec, deployments=(replace(one, upstream_model=model),)), {"ACME_API_KEY": "k1"}
            )
    assert len(upstream.requests) == 2


async def test_retry_after_zero_cannot_spin(ask, upstream, scripted, deployed):
    upstream.reply(*[scripted(429, headers={"Retry-After": "0"})] * 20)
    with pytest.raises(ProviderRateLimit):
        await ask(deployed(upstream.url, key_envs=("ACME_API_KEY",)), TWO_KEYS)
    assert len(upstream.requests) == 2


async def test_when_all_keys_are_refused_the_next_deployment_answers(
    ask, upstream, second, scripted, deployed
):
    upstream.reply(scripted(402), scripted(402))
    keyed, keyless = deployed(upstream.url, second.url).deployments
    spec = replace(deployed(), deployments=(replace(keyed, key_envs=("ACME_API_KEY",)), keyless))
    completion = await ask(spec, TWO_KEYS)
    assert (completion.deployment, completion.tries) == ("d1", 3)
    assert upstream.keys() == ["k1", "k2"]


async def test_a_failing_server_is_asked_once_more_after_a_short_wait(
    ask, time, record, upstream, scripted, deployed
):
    upstream.reply(scripted(500))
    completion = await ask(deployed(upstream.url))
    assert completion.tries == 2
    assert len(time.slept) == 1
    assert 0.05 <= time.slept[0] <= 0.1
    assert [one[:2] for one in record.events] == [
        ("begin", "att-0"), ("fail", "att-0"), ("begin", "att-1"), ("finish", "att-1"),
    ]  # fmt: skip


async def test_a_server_that_keeps_failing_gives_way_to_the_next_deployment(
    ask, upstream, second, scripted, deployed
):
    upstream.reply(*[scripted(500)] * 5)
    completion = await ask(deployed(upstream.url, second.url))
    assert (completion.deployment, completion.tries, len(upstream.requests)) == ("d1", 3, 2)


@pytest.mark.parametrize("fault", [{"hang_up": True}, {"body": b"<html>"}, {"status": 504}])
async def test_what_may_have_been_billed_is_not_repeated_where_it_would_be_billed_again(
    ask, record, upstream, second, scripted, deployed, fault
):
    upstream.reply(scripted(**fault))
    completion = await ask(deployed(upstream.url, second.url))
    assert (completion.deployment, len(upstream.requests)) == ("d1", 1)
    assert record.events[1][0] == "fail"
    assert record.events[1][3] is True


@pytest.mark.parametrize("fault", [{"hang_up": True}, {"body": b"<html>"}])
async def test_an_idempotent_deployment_is_repeated_under_the_same_attempt(
    ask, record, upstream, scripted, deployed, fault
):
    upstream.reply(scripted(**fault))
    completion = await ask(deployed(upstream.url, idempotent=True))
    assert completion.tries == 2
    assert {request["headers"]["idempotency-key"] for request in upstream.requests} == {"att-0"}
    assert record.events == [("begin", "att-0", "d0"), ("finish", "att-0", "d0")]


async def test_an_attempt_that_may_have_been_billed_stays_so_when_its_repeat_is_refused(
    ask, record, upstream, scripted, deployed
):
    upstream.reply(scripted(body=b"<html>"), scripted(500), scripted(500))
    with pytest.raises(ProviderServer):
        await ask(deployed(upstream.url, idempotent=True))
    assert record.events == [("begin", "att-0", "d0"), ("fail", "att-0", "server", True)]


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(422, {}, ProviderBadRequest), (400, {"error": "maximum context length"}, ContextLengthExceeded)],
)
async def test_a_body_that_fails_everywhere_is_asked_once(
    ask, upstream, second, scripted, deployed, status, body, kind
):
    upstream.reply(scripted(status, body))
    with pytest.raises(kind):
        await ask(deployed(upstream.url, second.url))
    assert (len(upstream.requests), second.requests) == (1, [])


async def test_a_deployment_that_lacks_the_model_gives_way_to_the_next(
    ask, upstream, second, scripted, deployed
):
    upstream.reply(scripted(404))
    completion = await ask(deployed(upstream.url, second.url))
    assert (completion.deployment, len(upstream.requests)) == ("d1", 1)


async def test_the_last_error_tells_of_the_earlier_ones(ask, upstream, second, scripted, deployed):
    upstream.reply(scripted(body=b"<html>"))
    second.reply(scripted(hang_up=True))
    with pytest.raises(ProviderConnection) as caught:
        await ask(deployed(upstream.url, second.url))
    assert caught.value.__notes__ == ["before that: malformed: d0 answered 200 with a body that is not JSON"]
    assert caught.value.__cause__ is not None


async def test_no_repeat_is_started_that_the_deadline_would_cut(
    ask, time, record, upstream, scripted, deployed
):
    async def fail_late(*_):
        time.now_s = 199.96  # the request took all but 40 ms of the time; the shortest wait is 50 ms

    record.fail = fail_late
    upstream.reply(scripted(500))
    with pytest.raises(ProviderServer):
        await ask(deployed(upstream.url), deadline_s=200.0)
    assert (len(upstream.requests), time.slept) == (1, [])


async def test_a_long_retry_after_of_a_server_is_not_waited_for(ask, time, upstream, scripted, deployed):
    upstream.reply(scripted(503, headers={"Retry-After": str(MAX_BACKOFF_S + 1)}))
    with pytest.raises(ProviderServer):
        await ask(deployed(upstream.url))
    assert time.slept == []


async def test_after_the_deadline_nothing_is_asked(ask, record, upstream, deployed):
    with pytest.raises(ProviderTimeout, match="no time was left"):
        await ask(deployed(upstream.url), deadline_s=100.0)
    assert (upstream.requests, record.events) == ([], [])


async def test_a_request_never_outlasts_the_deadline(ask, upstream, scripted, deployed):
    upstream.reply(scripted(hang=True))
    with pytest.raises(ProviderTimeout, match=r"0\.2 s|in time"):
        await ask(deployed(upstream.url), deadline_s=100.2, timeout_s=60.0)


async def test_resting_keys_are_reported_with_the_wait(ask, upstream, scripted, deployed):
    upstream.reply(scripted(429, headers={"Retry-After": "30"}))
    spec = deployed(upstream.url, key_envs=("ACME_API_KEY",))
    one_key = {"ACME_API_KEY": "k1"}
    with pytest.raises(ProviderRateLimit, match="answered 429"):
        await ask(spec, one_key)
    with pytest.raises(ProviderRateLimit, match="every key of acme/small is resting") as caught:
        await ask(spec, one_key)
    assert caught.value.retry_after_s == 30.0
    assert len(upstream.requests) == 1


async def test_without_a_key_the_error_names_the_variable_to_set(ask, upstream, deployed):
    with pytest.raises(ProviderAuth, match="set ACME_API_KEY"):
        await ask(deployed(upstream.url, key_envs=("ACME_API_KEY",)))
    assert upstream.requests == []


async def test_a_key_without_credit_is_told_from_a_busy_one(ask, upstream, scripted, deployed):
    upstream.reply(scripted(429, {"error": {"code": "insufficient_quota"}}))
    with pytest.raises(ProviderBilling):
        await ask(deployed(upstream.url, key_envs=("ACME_API_KEY",)), {"ACME_API_KEY": "k1"})


async def test_a_deployment_nobody_speaks_for_is_a_configuration_error(record, upstream, deployed):
    gateway = Gateway({"langchain": None}, Keyring({}))
    with pytest.raises(ConfigError, match="no provider speaks for deployment 'd0'"):
        await gateway.complete(
            deployed(upstream.url), BODY, record=record, timeout_s=1, deadline_s=float("inf")
        )
    assert record.events == []


async def test_malformed_answers_of_all_deployments_end_in_an_error(ask, upstream, scripted, deployed):
    upstream.reply(scripted(body={"choices": []}))
    with pytest.raises(ProviderMalformed):
        await ask(deployed(upstream.url))


async def test_a_probe_asks_once_and_is_written_down_nowhere(
    client, time, record, upstream, scripted, deployed
):
    gateway = Gateway({OPENAI_WIRE: OpenAICompatible(client)}, Keyring(TWO_KEYS), Patience(clock=time))
    completion = await gateway.probe(deployed(upstream.url, key_envs=("ACME_API_KEY",)), BODY, timeout_s=5)
    assert completion.message["content"]
    assert record.events == []
    with pytest.raises(ProviderAuth, match="set ACME_API_KEY"):
        await Gateway({OPENAI_WIRE: OpenAICompatible(client)}, Keyring({})).probe(
            deployed(upstream.url, key_envs=("ACME_API_KEY",)), BODY, timeout_s=5
        )
