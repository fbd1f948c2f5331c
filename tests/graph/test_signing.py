import json
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from x25.graph import signing
from x25.graph.settings import load_settings
from x25.graph.signing import Head, PublicKey, load_key, public_key_of, read_head, sign_head, verify_against
from x25.state.audit.chain import canonical_json, chain_hash
from x25.state.errors import ConfigError, InvalidRequest
from x25.state.store import open_store


@pytest.fixture
def chosen(tmp_path):
    return load_settings({}, data_dir=tmp_path / "data")


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        for n in range(5):
            await opened.audit.append("acme", {"n": n})
        yield opened


def rewrite(store, first, last):
    """Return the work that rewrites a chain from an entry on, hashes and head included, and cuts it at `last`."""

    def work(connection):
        prev = connection.exec_driver_sql(
            "SELECT prev_hash FROM audit WHERE org = 'acme' AND idx = ?", (first,)
        ).scalar()
        connection.exec_driver_sql("DELETE FROM audit WHERE org = 'acme' AND idx >= ?", (first,))
        for index in range(first, last):
            record = canonical_json({"n": f"other {index}"})
            found = chain_hash(prev, record)
            connection.exec_driver_sql(
                "INSERT INTO audit VALUES ('acme', ?, ?, ?, ?, 0)", (index, prev, found, record)
            )
            prev = found
        connection.exec_driver_sql(
            "UPDATE orgs SET chain_length = ?, chain_head = ?, verified_length = 0, verified_head = ?"
            " WHERE org = 'acme'", (last, prev, "0" * 64),
        )  # fmt: skip

    return store.transact(work)


async def test_a_head_is_what_the_chain_ends_in_and_anybody_can_check_its_signature(store, chosen):
    head = await sign_head(store, "acme", chosen)
    assert (head.length, head.head_hash) == (5, (await store.audit.verify("acme")).head_hash)
    said = {
        name: getattr(head, name) for name in ("kind", "org", "length", "head_hash", "signed_at", "key_id")
    }
    written = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    raw = PublicKey.parse(head.public_key).raw
    from base64 import b64decode

    Ed25519PublicKey.from_public_bytes(raw).verify(b64decode(head.signature), written)


async def test_a_chain_that_grew_still_holds_it(store, chosen):
    head = await sign_head(store, "acme", chosen)
    await store.audit.append("acme", {"n": 5})
    found = await verify_against(store, Head.parse(json.loads(json.dumps(asdict(head)))))
    assert (found.intact, found.total_records) == (True, 6)


@pytest.mark.parametrize(("first", "last"), [(0, 5), (4, 5), (2, 9), (3, 3)])
async def test_a_chain_rewritten_with_its_hashes_or_cut_with_its_head_is_caught(store, chosen, first, last):
    head = await sign_head(store, "acme", chosen)
    await rewrite(store, first, last)
    assert (await store.audit.verify("acme")).intact  # by itself nobody can tell
    found = await verify_against(store, head)
    assert (found.intact, found.reason) == (False, "expected head not in the chain")


async def test_a_hash_at_another_place_is_not_that_head(store, chosen):
    head = await sign_head(store, "acme", chosen)
    moved = await store.audit.verify("acme", expect_head=head.head_hash, expect_index=3)
    assert not moved.intact


async def test_an_org_without_entries_has_a_head_that_every_chain_holds(store, chosen):
    head = await sign_head(store, "nobody", chosen)
    assert (head.length, head.head_hash) == (0, "0" * 64)
    assert (await verify_against(store, head)).intact


@pytest.mark.parametrize(
    "change",
    [{"length": 4}, {"org": "umbrella"}, {"head_hash": "f" * 64}, {"signed_at": "x"}, {"signature": "AA=="},
     {"signature": "no base64"}, {"key_id": "0" * 16}],
)  # fmt: skip
async def test_a_head_that_was_changed_says_nothing(store, chosen, change):
    head = replace(await sign_head(store, "acme", chosen), **change)
    with pytest.raises(InvalidRequest, match="signature"):
        await verify_against(store, head)


async def test_a_head_of_another_key_is_refused_where_the_key_is_pinned(store, chosen, tmp_path):
    head = await sign_head(store, "acme", chosen)
    forged = await sign_head(store, "acme", load_settings({}, data_dir=tmp_path / "forger"))
    pinned = PublicKey.parse(head.public_key)
    assert (await verify_against(store, head, pinned)).intact
    with pytest.raises(InvalidRequest, match="another key signed it"):
        await verify_against(store, forged, pinned)


def test_a_key_is_made_once_for_its_owner_alone(chosen):
    signing._load.cache_clear()
    with ThreadPoolExecutor(8) as several:
        keys = list(several.map(lambda _: load_key(chosen), range(16)))
    path = chosen.data_dir / "audit_key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    signing._load.cache_clear()
    assert {public_key_of(key).key_id for key in [*keys, load_key(chosen)]} == {public_key_of(keys[0]).key_id}


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_a_named_key_is_never_made_and_must_be_one(tmp_path, content):
    path = tmp_path / "named.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="X25_AUDIT_KEY"):
        load_key(load_settings({}, data_dir=tmp_path, audit_key=str(path)))
    assert path.exists() == (content is not None)


def test_a_public_key_is_32_bytes_in_base64():
    public = public_key_of(Ed25519PrivateKey.generate())
    assert PublicKey.parse(f" {public.text}\n") == public
    for wrong in ("", "x", b64encode(b"short").decode()):
        with pytest.raises(InvalidRequest, match="public_key"):
            PublicKey.parse(wrong)


@pytest.mark.parametrize("given", ["", "[]", "{}", '{"kind": "x25-audit-head"}', "not json"])
def test_a_file_that_holds_no_head_is_refused(tmp_path, given):
    (tmp_path / "head.json").write_text(given)
    with pytest.raises(InvalidRequest):
        read_head(tmp_path / "head.json")
    with pytest.raises(InvalidRequest):
        read_head(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "change", [{"length": "5"}, {"length": -1}, {"length": True}, {"org": "All"}, {"head_hash": 5}]
)
async def test_a_field_of_another_kind_is_named(store, chosen, change):
    given = asdict(await sign_head(store, "acme", chosen)) | change
    with pytest.raises(InvalidRequest) as refused:
        Head.parse(given)
    assert refused.value.field in change
