"""Streams that are late, raced over real HTTP: whose first piece comes first is the only one read."""

import asyncio
import json
import random

import pytest

from x25.api.pieces import Pieces
from x25.providers.deltas import Sending, Source
from x25.providers.gateway import OPENAI_WIRE, Gateway
from x25.providers.hedging import LEAST
from x25.providers.keyring import Keyring
from x25.providers.openai_compatible import OpenAICompatible
from x25.providers.patience import Patience
from x25.state.errors import ProviderAuth, ProviderServer, ReaderLeft
from x25.state.usage import Usage

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}
SOURCE = Source("c1", "acme/small", "acme", "slm")


def data(value):
    return f"data: {json.dumps(value)}\n\n"


def said(text=None, finish=None):
    delta = {} if text is None else {"content": text}
    return data({"model": "up/m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def says(*texts):
    usage = {"prompt_tokens": 10, "completion_tokens": 5}
    return (*map(said, texts), said(None, "stop"), data({"choices": [], "usage": usage}), "data: [DONE]\n\n")


class Stub:
    """An HTTP server that plays `script` to every request: texts are sent, numbers are pauses in seconds."""

    def __init__(self):
        self.script, self.asked, self.left = says("Pa", "ris"), 0, 0

    async def serve(self, reader, writer):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            self.asked += 1
            writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            for step in self.script:
                if isinstance(step, str):
                    writer.write(step.encode())
                    await writer.drain()
                elif await has_left(reader, step):
                    self.left += 1
                    return
        finally:
            writer.close()


async def has_left(reader, seconds):
    try:
        return not await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


class Record:
    def __init__(self):
        self.begun, self.finished, self.failed = [], [], []

    async def begin(self, deployment, byok_key=None):
        self.begun.append(deployment)
        return f"att-{len(self.begun) - 1}"

    async def finish(self, attempt_id, completion):
        self.finished.append(attempt_id)

    async def fail(self, attempt_id, error):
        self.failed.append((attempt_id, error.code, error.may_have_billed))


@pytest.fixture
async def pair():
    stubs, servers = (Stub(), Stub()), []
    for stub in stubs:
        server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
        stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        servers.append(server)
    yield stubs
    for server in servers:
        server.close()


@pytest.fixture
async def streamed(pair, client, deployed):
    """Return a function that streams one answer of two deployments, of which the first has answered often."""
    gateway = Gateway(
        {OPENAI_WIRE: OpenAICompatible(client)},
        Keyring({}),
        Patience(rng=random.Random(7), max_tries=1, last_tries=1),
    )
    spec = deployed(*(stub.url for stub in pair))

    async def run(record=None, pieces=None, *, hedged=True):
        run.pieces = pieces or Pieces()
        run.sending = Sending(run.pieces, SOURCE, lambda message: Usage(7, 3, is_estimate=True))
        deadline_s = asyncio.get_running_loop().time() + 20.0
        return await gateway.complete(
            spec, BODY, record=record or Record(), timeout_s=10.0, deadline_s=deadline_s,
            sending=run.sending, hedged=hedged,
        )  # fmt: skip

    pair[0].script = (0.15, *says("Pa", "ris"))  # so that nothing on a busy machine is late by chance
    await asyncio.gather(*(run() for _ in range(LEAST)))
    pair[0].script, pair[0].asked = says("Pa", "ris"), 0
    return run


def text_of(pieces):
    return "".join(piece.delta.get("content") or "" for piece in pieces.unread())


async def until(condition):
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


async def test_a_stream_whose_first_word_is_late_loses_to_a_second_one(streamed, pair):
    slow, quick = pair
    slow.script = (": alive\n\n", 5.0, *says("Lyon"))
    record = Record()
    completion = await streamed(record)
    assert (completion.deployment, completion.message["content"]) == ("d1", "Paris")
    assert (text_of(streamed.pieces), streamed.sending.pieces) == ("Paris", 2)
    assert streamed.sending.first_at_s > 0
    assert (record.begun, record.finished) == (["d0", "d1"], ["att-1"])
    # Broken off, it may be billed all the same: its reservation stays.
    assert record.failed == [("att-0", "hedge_lost", True)]
    await until(lambda: slow.left == 1)
    assert (slow.asked, quick.asked) == (1, 1)


async def test_the_loser_is_broken_off_at_the_winners_first_word_and_not_at_its_last(streamed, pair):
    slow, quick = pair
    slow.script = (": alive\n\n", 5.0)
    quick.script = (said("Pa"), 1.0, *says("ris"))
    record = Record()
    call = asyncio.create_task(streamed(record))
    await until(lambda: slow.left == 1)
    assert not call.done()
    assert (await call).message["content"] == "Paris"
    assert record.finished == ["att-1"]


async def test_the_first_one_may_win_though_a_second_was_asked(streamed, pair):
    slow, quick = pair
    slow.script = (0.6, *says("Pa", "ris"))
    quick.script = (5.0, *says("Lyon"))
    record = Record()
    completion = await streamed(record)
    assert (completion.deployment, text_of(streamed.pieces)) == ("d0", "Paris")
    assert (record.finished, record.failed) == (["att-0"], [("att-1", "hedge_lost", True)])
    await until(lambda: quick.left == 1)


async def test_a_stream_in_time_and_one_that_nobody_wants_hedged_are_asked_once(streamed, pair):
    record = Record()
    await streamed(record)
    pair[0].script = (0.4, *says("Pa", "ris"))
    await streamed(record, hedged=False)
    assert (record.begun, pair[1].asked) == (["d0", "d0"], 0)


async def test_a_winner_that_breaks_off_ends_the_walk_with_both_settled(streamed, pair):
    slow, quick = pair
    slow.script = (5.0, *says("Lyon"))
    quick.script = (said("Pa"),)
    record = Record()
    with pytest.raises(ProviderServer, match="in the middle"):
        await streamed(record)
    assert (text_of(streamed.pieces), streamed.sending.pieces, record.finished) == ("Pa", 1, [])
    assert sorted(one[0] for one in record.failed) == ["att-0", "att-1"]


async def test_where_the_first_one_fails_the_second_is_waited_for(streamed, pair):
    slow, quick = pair
    slow.script = (0.5,)
    quick.script = (0.9, *says("Pa", "ris"))
    record = Record()
    assert (await streamed(record)).deployment == "d1"
    assert text_of(streamed.pieces) == "Paris"
    assert (record.finished, record.failed[0][0]) == (["att-1"], "att-0")


async def test_a_key_revoked_in_the_middle_of_a_stream_is_not_used_for_the_next_call(pair, client, deployed):
    vendor = pair[0]
    vendor.script = (said("Pa"), data({"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}))
    keyring = Keyring({"K": "k1,k2"})
    gateway = Gateway({OPENAI_WIRE: OpenAICompatible(client)}, keyring)
    spec = deployed(vendor.url, key_envs=("K",))
    sending = Sending(Pieces(), SOURCE, lambda message: Usage(7, 3, is_estimate=True))
    deadline_s = asyncio.get_running_loop().time() + 20.0
    record = Record()
    with pytest.raises(ProviderAuth):
        await gateway.complete(
            spec, BODY, record=record, timeout_s=10.0, deadline_s=deadline_s, sending=sending
        )
    assert (vendor.asked, len(record.failed)) == (1, 1)
    vendor.script = says("Pa", "ris")
    keys = [keyring.next_key(spec.deployments[0], asyncio.get_running_loop().time()).key for _ in range(3)]
    assert keys == ["k2"] * 3


async def test_a_reader_who_leaves_ends_both(streamed, pair):
    for stub in pair:
        stub.script = (": alive\n\n", 5.0)
    record, pieces = Record(), Pieces()
    call = asyncio.create_task(streamed(record, pieces))
    await until(lambda: pair[1].asked == 1)
    pieces.leave()
    with pytest.raises(ReaderLeft):
        await call
    assert {one[1] for one in record.failed} == {"client_left"}
    assert len(record.failed) == 2
    await until(lambda: pair[0].left == pair[1].left == 1)
