from importlib import import_module

from sqlalchemy import text

from x25.state.audit.chain import append_entry
from x25.state.audit.walk import walk_whole
from x25.state.column_types import canonical_json
from x25.state.migrations.upgrade import upgrade

MIGRATION = import_module("x25.state.migrations.versions.0013_packed")

ADD_ENTRY = text("INSERT INTO audit VALUES ('acme', :n, :prev, :hash, :record, 0)")
ADD_HEAD = text(
    "INSERT INTO orgs (org, call_count, chain_length, chain_head, created_at) VALUES ('acme', 0, 3, :head, 0)"
)


def test_this_follows_another_migration():
    assert (MIGRATION.revision, MIGRATION.down_revision) == ("0013", "0012")


def test_a_chain_of_plain_texts_is_whole_and_goes_on_packed(migrated_to):
    from x25.state.audit.walk import GENESIS_HASH, chain_hash

    engine, head = migrated_to("0012"), GENESIS_HASH
    with engine.begin() as connection:
        for n in range(3):
            record = canonical_json({"kind": "call", "n": n})
            link = {"n": n, "prev": head, "hash": (head := chain_hash(head, record)), "record": record}
            connection.execute(ADD_ENTRY, link)
        connection.execute(ADD_HEAD, {"head": head})
    with engine.begin() as connection:
        upgrade(connection)
        assert walk_whole(connection, "acme").intact
        append_entry(connection, "acme", {"kind": "call", "n": 3})
        found = walk_whole(connection, "acme")
        kinds = connection.execute(text("SELECT typeof(record) FROM audit ORDER BY idx")).scalars().all()
    assert (found.intact, found.total_records) == (True, 4)
    assert kinds == ["text", "text", "text", "blob"]
