"""An encoder that may be out of reach: calls wait for it a little, seldom, and otherwise go on without it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from time import monotonic

import numpy as np

from ..state.errors import ConfigError, EncoderAbsent, EncoderUnavailable, ProviderError, ProviderMalformed
from .embeddings import Encoder, Vector, Vectors

WAIT_S = 3.0
"""Longest that a call waits for its vector."""
FIRST_REST_S, LONGEST_REST_S = 5.0, 60.0
"""How long the encoder is left alone after a failure: twice as long after each further one."""

_log = logging.getLogger(__name__)


class SparingEncoder:
    """Serves an encoder as long as it answers; while it does not, every call is told so at once.

    Parameters
    ----------
    open_
        Returns the encoder: called at the first use, and again after it failed.
    name
        What a person would call it.
    fingerprint, dimension
        Of the encoder that the heads were fitted with: vectors of another are none.
    """

    def __init__(
        self,
        open_: Callable[[], Encoder],
        *,
        name: str,
        fingerprint: str,
        dimension: int,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self.dimension = dimension
        self.reason: str | None = None
        """Why there are no vectors now; None while there are."""
        self._open = open_
        self._opening: asyncio.Task[Encoder] | None = None
        self._clock_s = clock_s
        self._rest_s = FIRST_REST_S
        self._rests_until_s = 0.0

    def mark_absent(self, reason: str) -> None:
        """Begin without the encoder: it was not there when it was looked for."""
        self._fail(reason)

    async def embed(self, text: str) -> Vector:
        """Return the vector of one text, shape (dimension,).

        Raises
        ------
        EncoderUnavailable
            When there is none: at once while the encoder is left alone, within `WAIT_S` otherwise.
        """
        now_s = self._clock_s()
        if self.reason is not None:
            if now_s < self._rests_until_s:
                raise EncoderUnavailable(self.reason)
            self._rests_until_s = now_s + WAIT_S  # nobody else waits while this call finds out
        try:
            async with asyncio.timeout(WAIT_S):
                vector = self._checked(await (await self._opened()).embed(text))
        except Exception as error:
            self._fail(_said(error))
            raise EncoderUnavailable(_said(error)) from error
        if self.reason is not None:
            _log.warning("the encoder %s answers again", self.name)
            self.reason, self._rest_s = None, FIRST_REST_S
        return vector

    def embed_many(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, shape (n, dimension): for training, which has nothing without them."""
        return self._open().embed_many(texts)

    async def _opened(self) -> Encoder:
        """Return the encoder, opened in a thread; a call that leaves does not stop it."""
        if self._opening is None or (self._opening.done() and self._opening.exception() is not None):
            self._opening = asyncio.create_task(asyncio.to_thread(self._opened_and_checked))
        return await asyncio.shield(self._opening)

    def _opened_and_checked(self) -> Encoder:
        encoder = self._open()
        if encoder.fingerprint != self.fingerprint:
            raise EncoderAbsent("it is not the encoder that the heads were fitted with")
        return encoder

    def _checked(self, vector: Vector) -> Vector:
        if vector.shape != (self.dimension,) or not np.isfinite(vector).all():
            raise ProviderMalformed(f"expected {self.dimension} finite numbers, got shape {vector.shape}")
        return vector

    def _fail(self, reason: str) -> None:
        if self.reason is None:
            _log.warning(
                "the encoder %s gives no vectors (%s): estimates use cheap features alone", self.name, reason
            )
        self.reason = reason
        self._rests_until_s = self._clock_s() + self._rest_s
        self._rest_s = min(2 * self._rest_s, LONGEST_REST_S)


def _said(error: Exception) -> str:
    """Return what is amiss, without addresses: a vendor's sentence may name hosts, and quote what it was sent."""
    if isinstance(error, ConfigError):
        return str(error)
    return error.code if isinstance(error, ProviderError) else type(error).__name__
