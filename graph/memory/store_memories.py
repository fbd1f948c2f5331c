"""Memory in any store that speaks LangGraph's `BaseStore`: the gateway's own, or the one an agent is compiled with."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from langgraph.store.base import BaseStore, Op, PutOp, Result, SearchItem, SearchOp

from ...providers.embeddings import Encoder
from ...state.errors import InvalidRequest, MemoryUnavailable, ProviderError
from ...state.recalled import Memory
from ..execution.loops import run_on_callers_loop
from .org_store import at_unit_length, memory_from, namespace_of, value_of

logger = logging.getLogger(__name__)

MOST_LOOKED_AT = 256
"""Items asked for where a store does not say how similar they are: it knows no order, so the more the better."""


class StoreMemories:
    """Keeps and finds passages through a store's asynchronous interface, on the loop of whoever brought it along."""

    def __init__(self, store: BaseStore, encoder: Encoder) -> None:
        self._store = store
        self._encoder = encoder
        self.where = type(store).__name__

    async def find(self, org: str, scope: str, question: str, most: int, since: datetime) -> list[Memory]:
        """Return up to `most` passages of the org and scope, the most similar ones where the store can tell."""
        namespace = namespace_of(org, scope)
        found = await self._search(namespace, question, most)
        if any(item.score is None for item in found):
            found = await self._search(namespace, None, MOST_LOOKED_AT)
            passages = await self._compared(question, _passages(found, namespace, since))
        else:
            passages = _passages(found, namespace, since)
        return sorted(passages, key=lambda one: -(one.similarity or 0.0))[:most]

    async def keep(self, org: str, scope: str, passages: Sequence[Memory]) -> None:
        """Keep some passages."""
        namespace = namespace_of(org, scope)
        puts = [PutOp(namespace, one.memory_id, value_of(one), index=["text"]) for one in passages]
        await self._asked(puts)

    async def _search(self, namespace: tuple[str, ...], question: str | None, most: int) -> list[SearchItem]:
        (found,) = await self._asked([SearchOp(namespace, query=question, limit=most)])
        return found  # type: ignore[return-value]

    async def _asked(self, ops: Sequence[Op]) -> list[Result]:
        """Return what the store answers.

        Raises
        ------
        MemoryUnavailable
            When it raises anything: it may be anybody's.
        """
        try:
            return await run_on_callers_loop(lambda: self._store.abatch(ops))
        except Exception as error:
            logger.warning("memory in %s cannot be used", self.where, exc_info=error)
            raise MemoryUnavailable(f"{self.where} raised {type(error).__name__}") from error

    async def _compared(self, question: str, passages: list[Memory]) -> list[Memory]:
        """Return the passages with their similarity, for a store that embeds nothing."""
        texts = [question, *(one.text for one in passages)]
        try:
            vectors = await asyncio.to_thread(self._encoder.embed_many, texts)
        except ProviderError as error:
            raise MemoryUnavailable(f"the encoder raised {type(error).__name__}") from error
        asked, *said = [at_unit_length(vector) for vector in vectors]
        return [
            Memory(
                one.memory_id, one.conversation_id, one.call_id, one.role, one.text, one.said_at,
                one.allowed_providers, float(np.dot(asked, vector)),
            )
            for one, vector in zip(passages, said, strict=True)
        ]  # fmt: skip


def _passages(found: Sequence[SearchItem], namespace: tuple[str, ...], since: datetime) -> list[Memory]:
    """Return what was found that is a passage of this very namespace: a store's prefix may take in more."""
    passages = []
    for item in found:
        if tuple(item.namespace) != namespace:
            continue
        try:
            passage = memory_from(item.key, item.value, item.score)
        except InvalidRequest:
            logger.warning("an item of the agent's store is no passage and is left alone")
            continue
        if passage.said_at >= since:
            passages.append(passage)
    return passages
