"""The thread that SQLite works on: serves what is asked of it in order, as much as waits at a time."""

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

MOST_AT_ONCE = 64
"""Works served together: what waits beyond is served next, so that a line of writers shares the lock of the file."""
LOOKS_EVERY_S = 0.001
HELD_S = 0.02
"""Longest that a held work waits for another one to go with."""


class Asked(Generic[T]):
    """A work, what came of it on the thread that served it, and the future that tells who waits."""

    __slots__ = ("error", "future", "result", "work")

    def __init__(self, work: Callable[..., T], loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.future: asyncio.Future[T] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        """Tell whoever waits; nobody does where the caller was cancelled."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


Serve = Callable[[Sequence[Asked[Any]]], None]


class ServingThread:
    """Hands works to `serve` on a thread of its own, in the order asked, up to `most_at_once` together.

    `serve` leaves the outcome of each in `result` or `error`; callers are told once it returns. Where
    it raises, all have failed. The thread's last deed is `at_end`.
    """

    def __init__(
        self,
        serve: Serve,
        name: str,
        most_at_once: int = MOST_AT_ONCE,
        at_end: Callable[[], object] = lambda: None,
    ) -> None:
        self._serve = serve
        self._at_end = at_end
        self._most_at_once = most_at_once
        self._line: SimpleQueue[tuple[Asked[Any], ...] | None] = SimpleQueue()
        self._held: deque[Asked[Any]] = deque()
        self._unsure = 0
        self.serving = Lock()
        """Held while works are served."""
        self._ended = False
        # A store that was never closed must not keep the interpreter alive.
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        _threads.add(self)

    def ask(self, work: Callable[..., T]) -> asyncio.Future[T]:
        """Have a work served after all that was asked before, held ones included."""
        asked = Asked(work, asyncio.get_running_loop())
        self._line.put((*self._taken(), asked))
        return asked.future

    def hold(self, work: Callable[..., T]) -> Asked[T]:
        """Have a work served together with the next one that is asked for, or alone after `HELD_S`."""
        loop = asyncio.get_running_loop()
        asked = Asked(work, loop)
        if not self._held:
            loop.call_later(HELD_S, self.release)
        self._held.append(asked)
        self._unsure += 1
        asked.future.add_done_callback(self._is_sure)
        return asked

    async def catch_up(self) -> None:
        """Wait until all that was held is served, whatever came of it."""
        if self._unsure:
            served = self.ask(lambda _: None)
            await asyncio.wait([served])
            served.exception()  # of those it was served with: their callers are told

    def _is_sure(self, _future: asyncio.Future[Any]) -> None:
        self._unsure -= 1

    def release(self) -> None:
        """Have what is held served."""
        if held := tuple(self._taken()):
            self._line.put(held)

    async def end(self) -> None:
        """Wait until everything that was asked for is served, and end the thread."""
        self.release()
        if not self._ended:
            self._ended = True
            self._line.put(None)
        # When the interpreter ends it starts no thread any more, so none can wait for this one.
        while self._thread.is_alive():  # noqa: ASYNC110 - a thread's end sets no event
            await asyncio.sleep(LOOKS_EVERY_S)

    def _taken(self) -> Iterable[Asked[Any]]:
        while self._held:
            try:
                yield self._held.popleft()
            except IndexError:  # another event loop was faster
                return

    def _run(self) -> None:
        is_open = True
        while is_open:
            waiting: list[Asked[Any]] = []
            some = self._line.get()
            while some is not None:
                waiting += some
                if len(waiting) >= self._most_at_once:
                    break
                try:
                    some = self._line.get_nowait()
                except Empty:
                    break
            else:
                is_open = False
            for first in range(0, len(waiting), self._most_at_once):
                with self.serving:
                    self._serve_and_tell(waiting[first : first + self._most_at_once])
        self._at_end()

    def _serve_and_tell(self, together: Sequence[Asked[Any]]) -> None:
        try:
            self._serve(together)
        except BaseException as error:  # noqa: BLE001 - whoever waits is told, and the others are served
            for asked in together:
                asked.error = asked.error or error
        _tell(together)


def _tell(served: Sequence[Asked[Any]]) -> None:
    loops = {asked.future.get_loop() for asked in served}
    for loop in loops:
        mine = [asked for asked in served if asked.future.get_loop() is loop]
        try:
            loop.call_soon_threadsafe(_tell_all, mine)
        except RuntimeError:  # the loop ended without waiting
            continue


def _tell_all(served: Sequence[Asked[Any]]) -> None:
    for asked in served:
        asked.tell()


# SQLite keeps in memory which connection of a process holds which lock. A process that is forked in the middle of a
# transaction would wait for a copy of a connection that no thread of its own will ever end.
_threads: WeakSet[ServingThread] = WeakSet()
_paused: list[Lock] = []


def _pause() -> None:
    for thread in list(_threads):
        thread.serving.acquire()
        _paused.append(thread.serving)


def _go_on() -> None:
    while _paused:
        _paused.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_go_on, after_in_child=_go_on)
