import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from x25.graph.build import build_cascade
from x25.graph.checkpoints import (
    DICTIONARY,
    delete_checkpoints,
    first_uuid6,
    open_saver,
    path_of,
    serializer,
    thread_config,
    thread_id,
    values_of,
)
from x25.state.errors import ConfigError, InvalidRequest, NotFound

SECRET = "marmalade zeppelin quorum"


async def rows(saver, query="SELECT thread_id, metadata FROM checkpoints"):
    async with saver.conn.execute(query) as cursor:
        return await cursor.fetchall()


async def stored_bytes(saver, settings):
    """Return everything that is in the rows, inflated, and in the files."""
    cells = []
    for table in ("checkpoints", "writes"):
        for row in await rows(saver, f"SELECT * FROM {table}"):
            for cell in row:
                cells.append(cell if isinstance(cell, bytes) else str(cell).encode())
                with suppress(zlib.error):
                    cells.append(zlib.decompressobj(zdict=DICTIONARY.read_bytes()).decompress(cells[-1]))
    files = [path.read_bytes() for path in settings.data_dir.glob("checkpoints.db*")]
    return b"".join(cells + files)


async def test_a_call_leaves_exactly_one_checkpoint_named_after_org_and_call(cascade):
    reply = await cascade.route({"prompt": "hi", "org": "acme"})
    await cascade.drain()
    ((thread, metadata),) = await rows(cascade.saver)
    assert thread == f"acme/{reply['call_id']}"
    assert b'"org": "acme"' in metadata or b'"org":"acme"' in metadata
    assert await rows(cascade.saver, "SELECT thread_id FROM writes") == []


async def test_no_word_of_prompt_or_answer_reaches_a_checkpoint(cascade, settings):
    reply = await cascade.route({"prompt": f"Repeat: {SECRET}"})
    assert SECRET in reply["text"]
    await cascade.drain()
    assert SECRET.encode() not in await stored_bytes(cascade.saver, settings)
    assert "did not read" in reply["text"]
    assert b"did not read" not in await stored_bytes(cascade.saver, settings)
    assert b"timings" in await stored_bytes(cascade.saver, settings)  # the file is where we look


async def test_no_word_reaches_a_checkpoint_through_a_verdicts_reason_or_an_error(settings):
    said = [AIMessage(f"I cannot help with {SECRET}."), RuntimeError(f"bad prompt: {SECRET}")] * 3
    models = {"slm": GenericFakeChatModel(messages=iter(said), model="fake")}
    async with open_saver(settings) as saver:
        compiled = build_cascade(models, keep_text=False).compile(checkpointer=saver)
        reply = await compiled.ainvoke({"prompt": SECRET}, thread_config("default", "c1"), durability="exit")
        assert SECRET in reply["verdict"]["reason"]
        with pytest.raises(Exception, match="no model answered"):
            await compiled.ainvoke({"prompt": SECRET}, thread_config("default", "c2"), durability="exit")
        assert SECRET.encode() not in await stored_bytes(saver, settings)
        assert len(await rows(saver)) >= 1


async def test_prompts_are_kept_where_that_was_asked_for(open_gateway, settings):
    cascade = await open_gateway(store_prompts=True)
    reply = await cascade.route({"prompt": f"Repeat: {SECRET}"})
    await cascade.drain()
    assert SECRET.encode() in await stored_bytes(cascade.saver, settings)
    values = await values_of(cascade.saver, "default", reply["call_id"])
    question, answer = values["messages"]
    assert (question.type, question.content) == ("human", f"Repeat: {SECRET}")
    assert (answer.type, answer.content) == ("ai", reply["text"])
    assert (await cascade.services.store.calls.get("default", reply["call_id"])).prompt == f"Repeat: {SECRET}"


async def test_the_path_of_a_call_can_be_asked_for_and_only_by_its_org(cascade):
    reply = await cascade.route({"prompt": "hi", "org": "acme"})
    await cascade.drain()
    path = await path_of(cascade.saver, "acme", reply["call_id"])
    assert [step["node"] for step in path][-2:] == ["audit", "stage_check"]
    with pytest.raises(NotFound, match="of org 'other' is kept"):
        await path_of(cascade.saver, "other", reply["call_id"])
    with pytest.raises(NotFound):
        await values_of(cascade.saver, "other", reply["call_id"])


async def test_deleting_an_orgs_checkpoints_leaves_its_neighbours_alone(cascade):
    for org in ("a", "a-b", "ab", "a_b", "a0"):
        await cascade.route({"prompt": "hi", "org": org, "call_id": "c"})
    await cascade.drain()
    assert await delete_checkpoints(cascade.saver, org="a") == 1
    assert {thread for thread, _ in await rows(cascade.saver)} == {"a-b/c", "ab/c", "a_b/c", "a0/c"}
    assert await delete_checkpoints(cascade.saver, org="a") == 0


async def test_deleting_by_age_leaves_younger_checkpoints_alone(cascade):
    await cascade.route({"prompt": "hi", "org": "a"})
    between = datetime.now(UTC)
    await cascade.route({"prompt": "hi", "org": "b"})
    await cascade.drain()
    assert await delete_checkpoints(cascade.saver, before=between, org="b") == 0
    assert await delete_checkpoints(cascade.saver, before=between) == 1
    ((thread, _),) = await rows(cascade.saver)
    assert thread.startswith("b/")
    assert await delete_checkpoints(cascade.saver, before=between + timedelta(minutes=1)) == 1


def test_the_first_uuid6_of_a_moment_is_the_least_and_sorts_with_time():
    # RFC 9562, appendix A.5: 2022-02-22 14:22:22 -05:00 is 1EC9414C-232A-6B00-…
    moment = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    assert first_uuid6(moment) == "1ec9414c-232a-6b00-0000-000000000000"
    moments = [datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=37, microseconds=3) * n for n in range(200)]
    assert sorted(map(first_uuid6, moments)) == [first_uuid6(moment) for moment in moments]


def test_a_thread_cannot_be_named_after_a_forged_org():
    assert thread_id("acme", "c1") == "acme/c1"
    for org, call_id in (("acme/evil", "c1"), ("acme", "../c1"), ("", "c1"), ("ACME", "c1")):
        with pytest.raises(InvalidRequest):
            thread_id(org, call_id)


class Foreign(BaseModel):
    """A class of somebody else's."""

    name: str


def test_the_serializer_rebuilds_messages_and_no_class_of_anybody_elses():
    stored = {
        "messages": [HumanMessage("hi", id="1")],
        "foreign": Foreign(name="x"),
        "n": [1, 2.5, None, "x"],
    }
    read = serializer().loads_typed(serializer().dumps_typed(stored))
    assert read["messages"] == stored["messages"]
    assert read["n"] == stored["n"]
    assert not isinstance(read["foreign"], Foreign)


def test_the_serializer_writes_of_an_exception_its_class_and_code():
    for error, said in (
        (InvalidRequest(SECRET, field=SECRET), "InvalidRequest(invalid_request)"),
        (ValueError(SECRET), "ValueError"),
    ):
        stored = serializer().dumps_typed(error)
        assert SECRET.encode() not in stored[1]
        assert serializer().loads_typed(stored) == said


async def test_no_checkpoint_is_kept_where_they_are_off(open_gateway, settings):
    cascade = await open_gateway(checkpoints="off")
    assert cascade.saver is None
    await cascade.route({"prompt": "hi"})
    assert list(settings.data_dir.glob("checkpoints*")) == []


async def test_an_unknown_database_is_refused_by_name(settings):
    with pytest.raises(ConfigError, match="got 'mysql'"):
        async with open_saver(settings.model_copy(update={"database_url": "mysql://x"})):
            pass


def test_what_is_large_is_deflated_and_what_was_written_before_is_read():
    value = {"versions": [f"{n:032}" for n in range(100)]}
    kind, data = serializer().dumps_typed(value)
    assert kind == "zlib1+msgpack"
    assert len(data) < len(JsonPlusSerializer().dumps_typed(value)[1]) / 3
    assert serializer().loads_typed((kind, data)) == value
    plain_kind, plain = JsonPlusSerializer().dumps_typed(value)
    assert serializer().loads_typed((plain_kind, plain)) == value
    assert serializer().loads_typed((f"zlib+{plain_kind}", zlib.compress(plain, 1))) == value
    assert serializer().dumps_typed({})[0] == "msgpack"


def test_the_dictionary_that_checkpoints_were_written_with_never_changes():
    digest = "dc65689aea54d3008614688be5cbaae693b6ada1a187c4b93582a817240f568d"
    assert sha256(DICTIONARY.read_bytes()).hexdigest() == digest


async def test_a_checkpoint_of_a_call_takes_less_than_two_thirds_of_what_deflating_alone_leaves(open_gateway):
    cascade = await open_gateway()
    await cascade.route({"prompt": "Name the capital of Peru.", "call_id": "c1"})
    await cascade.drain()
    ((kind, written),) = await rows(cascade.saver, "SELECT type, checkpoint FROM checkpoints")
    whole = JsonPlusSerializer().dumps_typed(serializer().loads_typed((kind, written)))[1]
    assert len(written) < 0.66 * len(zlib.compress(whole, 1))


async def test_the_pages_of_deleted_checkpoints_are_given_back(open_gateway, settings):
    cascade = await open_gateway()
    for n in range(60):
        await cascade.route({"prompt": f"hi {n}", "call_id": f"c{n}"})
    await cascade.drain()

    async def pages():
        ((count,),) = await rows(cascade.saver, "PRAGMA page_count")
        return count

    full = await pages()
    assert await delete_checkpoints(cascade.saver, org="default") == 60
    assert await pages() < full / 2
