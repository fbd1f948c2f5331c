import json

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from x25.api.admission import CALM_S, LEAST, Admission, Admitting
from x25.api.pulse import EVERY_S
from x25.exceptions import Overloaded, error_from

TARGET_S = 0.025


def admission(most: int = 1000) -> Admission:
    return Admission(most, TARGET_S)


def beats(one: Admission, late_s: float, count: int) -> Admission:
    for _ in range(count):
        one.note(late_s)
    return one


def test_beats_in_time_let_everybody_in() -> None:
    one = beats(admission(), TARGET_S, 1_000)
    one.in_flight = 999
    assert one.admits()


@pytest.mark.parametrize(("late_s", "count"), [(10.0, 1), (0.05, 2), (0.1, 1)])
def test_one_long_pause_or_a_short_burst_turns_nobody_away(late_s: float, count: int) -> None:
    one = admission()
    one.in_flight = 500
    assert beats(one, late_s, count).admits()


def test_what_lasts_lets_in_as_many_as_end_and_fewer_while_it_goes_on() -> None:
    one, limits = admission(), []
    one.in_flight = 400
    for _ in range(12):
        limits.append(beats(one, 0.1, 2).limit)
        assert not one.admits()
        one.in_flight = int(one.limit)
    assert limits == sorted(limits, reverse=True)
    assert limits[0] == 200
    assert one.limit == LEAST
    one.in_flight = LEAST - 1
    assert one.admits(), "one ended"


def test_a_little_too_late_turns_few_away() -> None:
    one = admission()
    one.in_flight = 100
    assert beats(one, TARGET_S * 1.02, 3).limit == 90


def overloaded() -> Admission:
    one = admission()
    one.in_flight = 160
    return beats(one, 0.1, 2)


def test_a_limit_widens_while_it_is_reached_and_beats_are_in_time() -> None:
    one = overloaded()
    one.in_flight = 5
    assert beats(one, 0.0, 40).limit == 80, "nobody waits for it"
    one.in_flight = 80
    assert 80 < beats(one, 0.0, 4).limit < 84


def test_it_is_over_once_nobody_was_refused_for_some_seconds() -> None:
    one = overloaded()
    assert not one.admits()
    one.in_flight = 3
    beats(one, 0.0, round(CALM_S / EVERY_S) - 2)
    assert one.is_overloaded
    beats(one, 0.0, 4)
    assert not one.is_overloaded
    one.in_flight = 900
    assert one.admits()


def test_while_it_is_not_over_one_late_beat_counts_for_nothing_and_two_do() -> None:
    one = overloaded()
    beats(one, 0.0, 1)
    one.in_flight = 80
    limit = one.limit
    assert beats(one, 0.05, 1).limit == limit
    assert beats(one, 0.05, 1).limit == LEAST


def test_without_a_target_no_delay_counts() -> None:
    one = beats(Admission(10, 0.0), 10.0, 100)
    assert (one.limit, one.admits()) == (10, True)


def test_more_than_so_many_at_once_are_refused() -> None:
    one = admission(most=2)
    one.in_flight = 1
    assert one.admits()
    one.in_flight = 2
    assert not one.admits()


@pytest.mark.parametrize(("part", "longest_s"), [(0.5, 3), (0.1, 10), (0.0, 10)])
def test_the_refused_are_told_to_come_back_at_different_times_later_the_fewer_come_in(
    part, longest_s
) -> None:
    one, found = admission(most=10), set()
    for number in range(400):
        one.in_flight = 9 if (number * part) % 1 < part else 10
        if not one.admits() and number > 200:
            found.add(one.retry_after_s)
    assert min(found) == 1
    assert longest_s - 1 <= max(found) <= longest_s


class App:
    """An application that counts the calls it was given, and how many were under way then."""

    def __init__(self, one: Admission) -> None:
        self.state = self
        self.admission = one
        self.seen: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(self.admission.in_flight)
        if scope["path"] == "/broken":
            raise RuntimeError


async def ask(app: App, path: str, method: str = "POST") -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing of a request may be read")

    scope = {"type": "http", "path": path, "method": method, "headers": [], "app": app}
    await Admitting(app, ["/route", "/broken"])(scope, receive, send)
    return sent


async def test_who_is_refused_is_told_in_the_one_shape_and_nothing_is_read() -> None:
    app = App(admission(most=1))
    app.admission.in_flight = 1
    head, body = await ask(app, "/route")
    headers = {name.decode(): value.decode() for name, value in head["headers"]}
    error = json.loads(body["body"])["error"]
    assert (head["status"], app.seen) == (503, [])
    assert (error["code"], error["type"], error["param"]) == ("overloaded", "server_error", None)
    assert int(headers["retry-after"]) == error["retry_after_s"] >= 1
    assert "x-should-retry" not in headers, "OpenAI's clients retry a 503 unless they are told not to"


async def test_reports_and_health_are_never_refused() -> None:
    app = App(admission(most=1))
    app.admission.in_flight = 1
    for path, method in (("/healthz", "GET"), ("/stats/a", "GET"), ("/route", "GET")):
        assert await ask(app, path, method) == []
    assert len(app.seen) == 3


async def test_a_call_counts_until_it_ends_however_it_ends() -> None:
    app = App(admission())
    await ask(app, "/route")
    with pytest.raises(RuntimeError):
        await ask(app, "/broken")
    assert (app.seen, app.admission.in_flight) == ([1, 1], 0)


async def test_the_sdk_names_it(open_app) -> None:
    async with open_app() as client:
        client._transport.app.state.admission = Admission(1, TARGET_S)
        client._transport.app.state.admission.in_flight = 1
        answer = await client.post("/route", content=b"not even JSON")
        error = error_from(answer)
        assert (type(error), error.code, error.status) == (Overloaded, "overloaded", 503)
        assert error.retry_after_s == int(answer.headers["retry-after"])
        health = await client.get("/healthz")
        assert (health.status_code, health.json()["status"]) == (200, "ok")
        client._transport.app.state.admission.limit = 0.5
        assert list((await client.get("/healthz")).json()["degraded"]) == ["overload"]
        assert (await client.get("/stats/all")).json()["total_calls"] == 0


async def test_openais_client_waits_and_asks_again(open_app, monkeypatch) -> None:
    import openai

    waited: list[float] = []
    async with open_app() as client:
        one = client._transport.app.state.admission = Admission(1, TARGET_S)
        one.in_flight = 1

        async def sleep(seconds: float) -> None:
            waited.append(seconds)
            one.in_flight = 0

        monkeypatch.setattr("openai._base_client.anyio.sleep", sleep)
        official = openai.AsyncOpenAI(base_url="http://x25.test/v1", api_key="none", http_client=httpx.AsyncClient(
            transport=client._transport
        ))  # fmt: skip
        question = {"role": "user", "content": "What is 17 * 23?"}
        chat = await official.chat.completions.create(model="auto", messages=[question])
    assert chat.choices[0].message.content
    assert len(waited) == 1
    assert waited[0] >= 1.0, "as long as Retry-After said"
