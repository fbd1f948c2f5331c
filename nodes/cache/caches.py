"""Where answers are found and kept: in the store where an org's words may be written down, else in this process."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ...providers.embeddings import Encoder
from ...routing.prompt.near import NearVerifier
from ...state.cached_answers import VECTOR, CachedAnswers, Candidates, Entry, NearQuestion
from ...state.errors import EncoderUnavailable, StoreError
from ...state.hits import CacheKeys, Hit
from .flights import Flights
from .here import AnswersHere

MOST_ANSWER_BYTES = 262_144
"""Longer answers are not kept: they would push out hundreds of others."""
MOST_QUESTION_CHARS = 600
"""Longer questions are answered again by the very same words alone."""
LEAST_COSINE = 0.4
MOST_VERIFIED = 8
"""Candidates, the nearest, that the verifier reads."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is kept, bytes."""

    org_bytes: int = 64_000_000
    all_bytes: int = 256_000_000


class Caches:
    """Finds and keeps answers of orgs.

    Parameters
    ----------
    verifier
        Loads what tells whether two questions want the same answer; asked once, when it is first needed.
    """

    def __init__(
        self,
        table: CachedAnswers,
        encoder: Encoder,
        verifier: Callable[[], NearVerifier],
        bounds: Bounds | None = None,
    ) -> None:
        self._table, self._encoder, self._load_verifier = table, encoder, verifier
        self._verifier: NearVerifier | None = None
        self._bounds = bounds or Bounds()
        self._here = AnswersHere(most_org_bytes=self._bounds.org_bytes, most_bytes=self._bounds.all_bytes)
        self.flights = Flights()
        self.hits = self.misses = 0
        """Requests of this process that were looked for, since it began."""

    @property
    def bounds(self) -> Bounds:
        """How much may be kept."""
        return self._bounds

    @property
    def here_bytes(self) -> int:
        """What is kept in this process."""
        return self._here.size_bytes

    def note(self, *, is_hit: bool) -> None:
        """Count a request that was looked for."""
        if is_hit:
            self.hits += 1
        else:
            self.misses += 1

    async def stored(self, org: str | None) -> tuple[int, int]:
        """Return how many answers the store keeps of an org, or of all for None, and their bytes."""
        return await self._table.size(org)

    async def find(
        self, org: str, keys: CacheKeys, question: str | None, *, is_stored: bool, now: datetime
    ) -> Hit | None:
        """Return an answer to the very request, or to one that asks the same; None where none is kept.

        Parameters
        ----------
        question
            The newest one, where an answer to another wording may do.
        is_stored
            Whether the org's answers are in the store.
        """
        try:
            entry = await self._entry(org, keys.exact, is_stored=is_stored)
            if entry is not None and _is_fresh(entry, keys, now):
                return Hit("exact", entry.call_id, entry.created_at, entry.answer)
            if question is None or keys.context is None or len(question) > MOST_QUESTION_CHARS:
                return None
            return await self._similar(org, keys, question, is_stored=is_stored, now=now)
        except StoreError as error:
            _log.warning("kept answers of org %s cannot be read: %s", org, error)
            return None

    async def keep(  # noqa: PLR0913 - what is kept, for whom, where and how long
        self, org: str, keys: CacheKeys, hit: Hit, question: str | None, *, is_stored: bool, ttl_s: float
    ) -> str | None:
        """Keep what a call bought; return why not where it is not kept."""
        size_bytes = _size_bytes(hit)
        if size_bytes > MOST_ANSWER_BYTES:
            return f"it takes more than {MOST_ANSWER_BYTES:,} bytes"
        near = await self._near_question(keys, question)
        entry = Entry(
            org, keys.exact, hit.call_id, hit.made_at, hit.made_at + timedelta(seconds=ttl_s), hit.answer,
            size_bytes + (len(near.vector) + len(near.text) if near else 0), near,
        )  # fmt: skip
        if not is_stored:
            self._here.keep(entry)
            return None
        try:
            await self._table.keep(
                entry, most_org_bytes=self._bounds.org_bytes, most_bytes=self._bounds.all_bytes
            )
        except StoreError as error:
            return f"the store refuses: {error}"
        return None

    async def drop_call(self, org: str, call_id: str) -> int:
        """Forget what a call bought, as after a word that it was wrong; return how many answers went."""
        return self._here.drop_call(org, call_id) + await self._table.drop(org, call_id)

    def forget_org(self, org: str) -> int:
        """Forget what this process keeps of an org; return how many answers went. The store's go with its tables."""
        return self._here.drop_org(org)

    async def _entry(self, org: str, key: str, *, is_stored: bool) -> Entry | None:
        if is_stored:
            return await self._table.get(org, key)
        entry = self._here.get(org, key)
        # What was erased elsewhere is in the memory of this process still: the log says so.
        if entry is not None and not await self._table.is_logged(org, entry.call_id):
            self._here.drop(org, key)
            return None
        return entry

    async def _similar(
        self, org: str, keys: CacheKeys, question: str, *, is_stored: bool, now: datetime
    ) -> Hit | None:
        since = now - timedelta(seconds=keys.max_age_s)
        asked = await self._near_question(keys, question)
        if asked is None:
            return None
        found = (
            await self._table.near(org, asked.context, asked.encoder, since)
            if is_stored
            else self._here.near(org, asked.context, asked.encoder, since)
        )
        best = await self._best(asked, found)
        if best is None:
            return None
        key, prob = best
        entry = await self._entry(org, key, is_stored=is_stored)
        if entry is None or not _is_fresh(entry, keys, now):
            return None
        return Hit("semantic", entry.call_id, entry.created_at, entry.answer, round(prob, 4))

    async def _best(self, asked: NearQuestion, found: Candidates) -> tuple[str, float] | None:
        """Return the key of the question most surely the same as the one asked; None where none is surely so."""
        vector = np.frombuffer(asked.vector, VECTOR).astype(np.float32)
        if found.vectors.shape[1:] != vector.shape:
            return None
        if self._verifier is None:
            self._verifier = await asyncio.to_thread(self._load_verifier)
        cosines = found.vectors @ vector
        best: tuple[str, float] | None = None
        for index in np.argsort(-cosines, kind="stable")[:MOST_VERIFIED]:
            if cosines[index] < LEAST_COSINE:
                break
            prob = self._verifier.same_prob(asked.text, found.texts[index])
            if prob >= self._verifier.threshold and (best is None or prob > best[1]):
                best = found.keys[index], prob
        return best

    async def _near_question(self, keys: CacheKeys, question: str | None) -> NearQuestion | None:
        if question is None or keys.context is None or len(question) > MOST_QUESTION_CHARS:
            return None
        try:
            vector = await self._encoder.embed(question)
        except EncoderUnavailable:
            return None
        if not (length := float(np.linalg.norm(vector))):
            return None
        return NearQuestion(
            keys.context, question, (vector / length).astype(VECTOR).tobytes(), self._encoder.fingerprint
        )


def _is_fresh(entry: Entry, keys: CacheKeys, now: datetime) -> bool:
    age_s = (now - entry.created_at).total_seconds()
    return now < entry.expires_at and age_s <= keys.max_age_s


def _size_bytes(hit: Hit) -> int:
    """Return about what an answer takes: its words, its probabilities, and a thousand bytes of facts."""
    return 1_000 + len(repr(hit.answer.message).encode("utf-8", "replace")) + len(hit.answer.logprobs or "")
