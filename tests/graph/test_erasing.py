"""What is left of a call that was erased: not a byte of its words, wherever the gateway keeps them."""

from pathlib import Path

import pytest

from x25.graph.checkpoints import rebuild_file
from x25.graph.erasing import erase_call
from x25.graph.question import Question
from x25.state.errors import NotFound, StoreError

CANARY = "zebrafish-in-the-attic"


def every_byte(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


async def test_a_call_with_its_checkpoint_and_a_decision_leave_no_word(open_gateway, settings):
    cascade = await open_gateway(store_prompts=True, checkpoints="sync")
    reply = await cascade.route({"prompt": f"What is {CANARY}?", "user_id": "ada-lovelace"})
    decided = await cascade.decide(Question(prompt=f"What is {CANARY}?", user_id="ada-lovelace"))
    await cascade.drain()
    assert CANARY.encode() in every_byte(settings.data_dir)
    for call_id in (reply["call_id"], decided.logged.call_id):
        assert not await cascade.erase("default", call_id, user_id="somebody else")
        assert await cascade.erase("default", call_id, user_id="ada-lovelace")
        assert not await cascade.erase("default", call_id)
    await rebuild_file(cascade.saver)
    assert await cascade.services.store.erasure.rebuild()
    left = every_byte(settings.data_dir)
    assert CANARY.encode() not in left
    assert b"ada-lovelace" not in left
    with pytest.raises(NotFound):
        await cascade.resume("default", reply["call_id"])
    found = await cascade.services.store.audit.verify("default")
    assert (found.intact, found.total_records, found.erased) == (True, 4, 2)


async def test_an_erased_id_is_not_taken_for_another_call(cascade):
    await cascade.route({"prompt": "hello", "call_id": "mine"})
    assert await cascade.erase("default", "mine")
    with pytest.raises(Exception, match="used before"):
        await cascade.route({"prompt": "hello", "call_id": "mine"})


async def test_hashes_alone_are_kept_where_neither_prompts_nor_inputs_are_stored(open_gateway, settings):
    cascade = await open_gateway(store_inputs=False)
    reply = await cascade.route({"prompt": f"What is {CANARY}?"})
    await cascade.decide(Question(prompt=f"What is {CANARY}?"))
    await cascade.drain()
    assert CANARY.encode() not in every_byte(settings.data_dir)
    call = await cascade.services.store.calls.get("default", reply["call_id"])
    assert (call.prompt, call.inputs) == (None, None)
    page = await cascade.services.store.history.recent("default")
    assert len({one.prompt_sha256 for one in page.rows}) == 1  # of one and the same prompt

    def learnt(connection):
        return connection.exec_driver_sql("SELECT COUNT(*) FROM judged_answers").scalar()

    assert await cascade.services.store.query(learnt) == 0


async def test_what_fails_half_way_is_still_on_record(cascade):
    reply = await cascade.route({"prompt": "hello"})
    await cascade.drain()
    await cascade.saver.conn.execute("ALTER TABLE checkpoints RENAME TO hidden")
    with pytest.raises(StoreError, match="cannot be deleted"):
        await cascade.erase("default", reply["call_id"])
    assert await cascade.services.store.history.count("default") == 1
    await cascade.saver.conn.execute("ALTER TABLE hidden RENAME TO checkpoints")
    store, settings = cascade.services.store, cascade.settings
    assert await erase_call(store, cascade.saver, settings, "default", reply["call_id"])


async def test_an_org_of_which_there_are_keys_alone_is_erased_and_says_so(cascade):
    await cascade.services.store.keys.create("acme")
    assert (await cascade.erase_org("acme")).store.rows == {"keys": 1}
    with pytest.raises(NotFound):
        await cascade.erase_org("acme")
