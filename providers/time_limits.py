"""Time limits that keep nothing alive: asyncio's own hold on to the context they were set in until their time comes.

A cancelled timer stays in the loop's line, and the context of a call holds the graph that runs it with everything that
is open for it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[asyncio.Timeout]:
    """Limit what runs in the block as `asyncio.timeout` does; TimeoutError when it takes longer."""
    async with asyncio.timeout(None) as limit:
        Context().run(limit.reschedule, asyncio.get_running_loop().time() + seconds)
        yield limit
