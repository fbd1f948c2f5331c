"""The receipt in a reply's head: who answered, from which tier and lane, for how much, under which entry of the chain.

Every answer of a call's path has it, refusals and streams included. What is not known when the head is sent is left
out: of a stream that begins before its answer is there, everything but the call's id, the org and the time so far; its
last event has the rest.
"""

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from time import monotonic, perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..providers.deltas import Ending, Source
from ..state.names import CALL_ID_PATTERN
from ..state.records import usd_from_nusd
from ..state.types import Reply
from .trouble import breakers_named

PREFIX = "x-x25-"
TIER_TO_NAME = {"frontier": "T1", "mid": "T2", "slm": "T3"}
"""T1 is the strongest."""
RECEIPT_HEADERS = tuple(
    f"{PREFIX}{name}"
    for name in (
        "model", "provider", "tier", "tier-used", "lane-used", "call-id", "conversation-id", "org-id", "audit-hash",
        "cost-usd", "judge-cost-usd", "cost-saved-usd", "latency-ms", "cache-hit", "cache-type",
    )
)  # fmt: skip
"""What a page of another origin may read, too."""
ORG_HEADER = f"{PREFIX}org-id"
CALL_ID = f"{PREFIX}call-id"
BREAKERS_HEADER = f"{PREFIX}breakers"
"""Only where some breaker is not closed that the org's requests meet."""
HEAD = "http.response.start"
SPENDS_NOTHING = frozenset({401, 402, 403, 404, 405, 408, 413, 422, 429})
"""Statuses of requests that are refused before anything is bought."""

_noted: ContextVar[dict[str, str] | None] = ContextVar("x25_receipt", default=None)


def note(
    *, org: str | None = None, call_id: str | None = None, headers: Mapping[str, str] | None = None
) -> None:
    """Keep what is known of the call that the present request makes, for the head of its reply."""
    noted = _noted.get()
    if noted is None:
        return
    if headers is not None:
        noted.update(headers)
    if org is not None:
        noted[ORG_HEADER] = org
    if call_id is not None and CALL_ID_PATTERN.fullmatch(
        call_id
    ):  # one that a caller made up may be no header
        noted[CALL_ID] = call_id


def receipt_headers(reply: Reply) -> dict[str, str]:
    """Return what a reply's head says of its call; costs and savings in US dollars."""
    own_keys = reply.get("byok")
    return ({} if own_keys is None else {"x-x25-byok": ",".join(own_keys["keys"])}) | {
        "x-x25-model": reply["model_used"],
        "x-x25-provider": reply["provider"],
        "x-x25-tier": reply["tier"],
        "x-x25-tier-used": TIER_TO_NAME.get(reply["tier"], ""),
        "x-x25-lane-used": lane_of(reply),
        "x-x25-call-id": reply["call_id"],
        "x-x25-conversation-id": reply["conversation_id"],
        "x-x25-org-id": reply["org"],
        "x-x25-audit-hash": reply["audit_hash"],
        "x-x25-cost-usd": f"{reply['cost_usd']:.9f}",
        "x-x25-judge-cost-usd": f"{reply['judge_cost_usd']:.9f}",
        "x-x25-cost-saved-usd": f"{reply['cost_saved_usd']:.9f}",
        **_cache_headers(reply),
    }


def _cache_headers(reply: Reply) -> dict[str, str]:
    cached = reply.get("cached")
    if cached is None or not cached["hit"]:
        return {}  # the middleware says "false"
    return {"x-x25-cache-hit": "true", "x-x25-cache-type": cached["type"]}


def lane_of(reply: Reply) -> str:
    """Return "turbo" for an unjudged answer of the first model asked, "smart" where another took part."""
    was_watched = reply["cascade_steps"] > 1 or reply["fallbacks"] > 0 or reply["judge_cost_usd"] > 0
    return "smart" if was_watched or reply["quality_source"] == "judge" else "turbo"


def receipt(reply: Reply) -> dict[str, Any]:
    """Return the `x25` object of an answer, streamed or not: the reply without what the answer itself says.

    Of the explanation it tells what did not work for this call, and why.
    """
    left_out = {"text", "message", "usage", "finish_reason", "logprobs", "service_tier", "explain"}
    told = {name: value for name, value in reply.items() if name not in left_out}
    return {**told, "degraded": reply["explain"].get("degraded", {})}


def provisional(source: Source, ending: Ending) -> dict[str, Any]:
    """Return the receipt of an answer that is sent and not judged yet: what is not known is null.

    What the call becomes stands in the log and in the audit chain under its id.
    """
    unknown = ("quality_score", "judge_cost_usd", "cost_saved_usd", "audit_hash", "verdict")
    return {
        "call_id": source.call_id,
        "model_used": source.model_id,
        "provider": source.provider,
        "tier": source.tier,
        "cost_usd": usd_from_nusd(ending.cost_nusd),
        **dict.fromkeys(unknown),
        "quality_source": "pending",
        "degraded": {},
    }


class Receipts:
    """Middleware that completes the head of every reply on some paths.

    Parameters
    ----------
    paths
        Where calls come in.
    """

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"] not in self._paths or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        began_s = perf_counter()
        noted: dict[str, str] = {}
        token = _noted.set(noted)
        cascade = scope["app"].state.cascade
        alias, breakers = cascade.settings.receipt_alias, cascade.services.gateway.breakers

        async def complete(message: Message) -> None:
            if message["type"] == HEAD:
                spent_ms = (perf_counter() - began_s) * 1e3
                if breakers and (
                    named := breakers_named(breakers.told_to(noted.get(ORG_HEADER, ""), monotonic()))
                ):
                    noted[BREAKERS_HEADER] = named
                free = {f"{PREFIX}cost-usd": f"{0:.9f}"} if message["status"] in SPENDS_NOTHING else {}
                message["headers"] = completed(message.get("headers") or (), noted | free, spent_ms, alias)
            await send(message)

        try:
            await self._app(scope, receive, complete)
        finally:
            _noted.reset(token)


def completed(
    headers: Collection[tuple[bytes, bytes]], noted: Mapping[str, str], spent_ms: float, alias: str
) -> list[tuple[bytes, bytes]]:
    """Return the headers of a reply with what is missing of the receipt, and all of it under `alias`, too."""
    found = list(headers)
    names = {name.lower() for name, _ in found}
    more = {**noted, f"{PREFIX}latency-ms": f"{spent_ms:.3f}", f"{PREFIX}cache-hit": "false"}
    found += [(name.encode(), _ascii(value)) for name, value in more.items() if name.encode() not in names]
    if alias:
        ours = [(name, value) for name, value in found if name.startswith(PREFIX.encode())]
        found += [(f"{alias}-".encode() + name[len(PREFIX) :], value) for name, value in ours]
    return found


def _ascii(value: Any) -> bytes:
    return str(value).encode("latin-1", "replace")
