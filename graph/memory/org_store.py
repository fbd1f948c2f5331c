"""The embedded store of memory as LangGraph's `BaseStore`: passages by org and scope, in the gateway's own database."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from langgraph.store.base import (
    BaseStore,
    GetOp,
    Item,
    ListNamespacesOp,
    Op,
    PutOp,
    Result,
    SearchItem,
    SearchOp,
)
from numpy.typing import NDArray

from ...providers.embeddings import Encoder
from ...state.errors import EncoderUnavailable, InvalidRequest
from ...state.memories import Memories, Probe
from ...state.names import check_org
from ...state.recalled import Memory

ROOT = "x25-memory"
"""First label of every namespace; then the org, then the scope within it."""
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)
_FIELDS = ("conversation_id", "call_id", "role", "text")


class OrgStore(BaseStore):
    """Keeps passages under `("x25-memory", org, scope)`; a namespace is given whole, so no search leaves its org.

    Vectors are made by the gateway's encoder. Nothing but passages is kept: a value has `text`, `role`,
    `conversation_id`, `call_id`, `at` and, where only some providers may read it, `allowed_providers`.
    """

    supports_ttl = False

    def __init__(self, table: Memories, encoder: Encoder) -> None:
        self._table = table
        self._encoder = encoder

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Do what is asked for, in order.

        Raises
        ------
        InvalidRequest
            For a namespace that is none of memory's, a value that is no passage, or a list of namespaces.
        """
        return [await self._do(op) for op in ops]

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Do the same where no event loop runs."""
        return asyncio.run(self.abatch(ops))

    async def _do(self, op: Op) -> Result:
        if isinstance(op, GetOp):
            org, scope = _org_and_scope(op.namespace)
            found = await self._table.get(org, scope, op.key)
            return None if found is None else _item(op.namespace, found)
        if isinstance(op, PutOp):
            await self._put(op)
            return None
        if isinstance(op, SearchOp):
            return await self._search(op)
        if isinstance(op, ListNamespacesOp):
            raise InvalidRequest(
                "memory does not list its namespaces: they name other orgs", field="namespace"
            )
        raise InvalidRequest(f"memory does not know {type(op).__name__}", field="op")

    async def _put(self, op: PutOp) -> None:
        org, scope = _org_and_scope(op.namespace)
        if op.value is None:
            await self._table.forget(org, scope=scope, memory_id=op.key)
            return
        passage = memory_from(op.key, op.value)
        vectors, fingerprint = await self._vectors(passage.text)
        await self._table.keep(org, scope, [passage], vectors, fingerprint)

    async def _search(self, op: SearchOp) -> list[SearchItem]:
        org, scope = _org_and_scope(op.namespace_prefix)
        wanted = op.filter or {}
        if unknown := wanted.keys() - {"conversation_id"}:
            raise InvalidRequest(
                f"memory is searched by conversation_id alone, not {sorted(unknown)}", field="filter"
            )
        if op.query:
            vectors, fingerprint = await self._vectors(op.query)
            if vectors is None:
                return []
            found = await self._table.nearest(
                org, scope, Probe(vectors[0], fingerprint), op.limit + op.offset, OLDEST
            )
            found = [one for one in found if wanted.get("conversation_id") in (None, one.conversation_id)]
            return [_found(op.namespace_prefix, one) for one in found[op.offset :]]
        rows, _ = await self._table.page(
            org, scope=scope, conversation_id=wanted.get("conversation_id"), limit=op.limit, offset=op.offset
        )
        return [_found(op.namespace_prefix, one) for _, one in rows]

    async def _vectors(self, text: str) -> tuple[NDArray[np.float32] | None, str]:
        try:
            vector = await self._encoder.embed(text)
        except EncoderUnavailable:
            return None, ""
        return at_unit_length(vector).reshape(1, -1), self._encoder.fingerprint


def at_unit_length(vector: NDArray[Any]) -> NDArray[np.float32]:
    """Return a vector of length 1 in its direction; zeros stay zeros."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, dtype=np.float32)


def namespace_of(org: str, scope: str) -> tuple[str, str, str]:
    """Return where an org's passages are: the last label has one length, so that no namespace begins another."""
    return (ROOT, check_org(org), scope)


def value_of(memory: Memory) -> dict[str, Any]:
    """Return a passage as a value of a store."""
    rule = memory.allowed_providers
    value: dict[str, Any] = {name: getattr(memory, name) for name in _FIELDS}
    return value | {
        "at": memory.said_at.isoformat(),
        "allowed_providers": None if rule is None else list(rule),
    }


def memory_from(key: str, value: Mapping[str, Any], similarity: float | None = None) -> Memory:
    """Return the passage that a value is.

    Raises
    ------
    InvalidRequest
        When it is none.
    """
    texts = {name: value.get(name) for name in _FIELDS}
    rule = value.get("allowed_providers")
    try:
        said_at = datetime.fromisoformat(value.get("at", ""))
    except (TypeError, ValueError):
        said_at = None
    is_rule = rule is None or (isinstance(rule, list | tuple) and all(isinstance(one, str) for one in rule))
    if (
        said_at is None
        or said_at.tzinfo is None
        or not is_rule
        or not all(isinstance(one, str) for one in texts.values())
    ):
        raise InvalidRequest(
            f"a passage has the texts {', '.join(_FIELDS)}, a time `at`, and may have a list allowed_providers",
            field="value",
        )
    return Memory(
        key, **{name: str(one) for name, one in texts.items()}, said_at=said_at,
        allowed_providers=None if rule is None else tuple(rule), similarity=similarity,
    )  # fmt: skip


def _org_and_scope(namespace: tuple[str, ...]) -> tuple[str, str]:
    if len(namespace) != 3 or namespace[0] != ROOT:
        raise InvalidRequest(
            f"memory is kept under ({ROOT!r}, org, scope), got {namespace!r}"[:300], field="namespace"
        )
    return check_org(namespace[1]), namespace[2]


def _item(namespace: tuple[str, ...], memory: Memory) -> Item:
    return Item(
        namespace=namespace, key=memory.memory_id, value=value_of(memory),
        created_at=memory.said_at, updated_at=memory.said_at,
    )  # fmt: skip


def _found(namespace: tuple[str, ...], memory: Memory) -> SearchItem:
    return SearchItem(
        namespace=namespace, key=memory.memory_id, value=value_of(memory), created_at=memory.said_at,
        updated_at=memory.said_at, score=memory.similarity,
    )  # fmt: skip
