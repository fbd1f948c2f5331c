"""What an org's calls remember: passages of past turns, recalled for a question and kept after an answer."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Protocol

from ...routing.plan.caching import mode_of, remembers
from ...routing.plan.memory import MemorySetting, budget_of
from ...routing.plan.org_settings import OrgSettings
from ...routing.plan.policy import Policy
from ...routing.prompt.passages import passages_of, stated
from ...routing.prompt.recall import choose
from ...routing.prompt.tokens import content_text, messages_text
from ...state.errors import MemoryUnavailable, StoreError
from ...state.recalled import Memory, Recalled
from ...state.store import Store
from ...state.types import JSONObject
from ...state.working_memory import Estimated, Opened

if TYPE_CHECKING:
    from ..services import Services

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 3.0
"""How long what an org settled at another gateway may go unnoticed."""
MOST_CANDIDATES = 128
"""Passages nearest to a question that are looked at."""
MOST_QUESTION_CHARS = 1_500
MOST_ASKED_CHARS = 200
"""Of a question that is kept with its answer."""
NOBODY = "org"
"""The scope of calls that name no user."""


class Memories(Protocol):
    """Where passages are kept. MemoryUnavailable costs the memory, never the call."""

    @property
    def where(self) -> str:
        """What a person would call it."""
        ...

    async def find(self, org: str, scope: str, question: str, most: int, since: datetime) -> list[Memory]:
        """Return passages of the org and scope, said since then, with how similar they are to the question."""
        ...

    async def keep(self, org: str, scope: str, passages: Sequence[Memory]) -> None:
        """Keep some passages; of one that is kept already the time is moved."""
        ...


class MemorySettings:
    """What every org settled, in this process: looked for again in the background, so that no call waits for it."""

    def __init__(self) -> None:
        self._org_to_setting: dict[str, MemorySetting] = {}
        self._looked_at_s: float | None = None
        self._looking: asyncio.Task[None] | None = None

    async def of(self, org: str, store: Store, now_s: float) -> MemorySetting:
        """Return what an org settled; memory is off where it settled nothing."""
        if self._looked_at_s is None:
            await self.look(store, now_s)
        elif now_s - self._looked_at_s >= LOOK_EVERY_S and (self._looking is None or self._looking.done()):
            self._looking = asyncio.create_task(self.look(store, now_s))
        return self._org_to_setting.get(org, OFF)

    async def look(self, store: Store, now_s: float) -> None:
        """Read all of them; what hinders it is logged, and what was known stays."""
        self._looked_at_s = now_s
        try:
            found = await store.memories.settings()
        except StoreError as error:
            logger.warning("which orgs remember could not be looked for: %s", error)
            return
        self._org_to_setting = {
            one.org: MemorySetting(one.enabled, one.budget_tokens, one.keep_days) for one in found
        }

    def forget(self) -> None:
        """Have the next call look."""
        self._looked_at_s = None


OFF = MemorySetting()


def scope_of(user: str | None) -> str:
    """Return whose passages a call sees within its org: those of its user alone, or those of calls without one."""
    if user is None:
        return NOBODY
    return f"user-{blake2b(user.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"


PRIVATE = "this org lets no words of prompts and answers be kept (privacy)"
"""Why nothing is remembered of an org whose words nobody may keep, whoever asks."""


UNSTORED = "the request says store: false"
"""Why nothing is kept of a call; what was remembered before is recalled for it all the same."""


def user_of(options: Mapping[str, Any], user_id: str | None) -> str | None:
    """Return who speaks, where the request says so: by `user_id`, else by OpenAI's `user`, any text but ""."""
    user = options.get("user") if user_id is None else user_id
    return user if isinstance(user, str) and user else None


async def recall(
    checked: Mapping[str, Any], services: "Services", now: datetime, org_settings: OrgSettings
) -> Recalled | None:
    """Return what is remembered of a checked request; None where it remembers nothing.

    Raises
    ------
    InvalidRequest
        When it asks for memory in a mode that has none.
    """
    budget_tokens = await _budget(checked, services, org_settings)
    if budget_tokens is None:
        return None
    setting = await services.memory_settings.of(checked["org"], services.store, services.clock_s())
    scope, memories = scope_of(user_of(checked["options"], checked["user_id"])), services.memories
    if not org_settings.wishes.keeps_words:
        return Recalled(budget_tokens, scope, missing=PRIVATE)
    if services.no_memory is not None or memories is None:
        return Recalled(budget_tokens, scope, missing=services.no_memory or "no store for it is open")
    question = question_of(checked["messages"])
    if not question.strip() or not budget_tokens:
        return Recalled(budget_tokens, scope, where=memories.where)
    since = now - timedelta(days=kept_days(setting, services.limits.memory_days))
    try:
        found = await memories.find(checked["org"], scope, question, MOST_CANDIDATES, since)
    except (MemoryUnavailable, StoreError) as error:
        return Recalled(budget_tokens, scope, missing=f"not found: {error}", where=memories.where)
    chosen = choose(
        question, found, budget_tokens=budget_tokens, present=messages_text(checked["messages"]),
        allowed_providers=Policy.parse(checked["policy"]).allowed_providers,
    )  # fmt: skip
    return Recalled(
        budget_tokens, scope, chosen.memories, chosen.tokens, chosen.block, chosen.withheld, chosen.helps,
        where=memories.where,
    )  # fmt: skip


async def _budget(checked: Mapping[str, Any], services: "Services", org_settings: OrgSettings) -> int | None:
    """Return how many tokens may be added; None where the request, its mode or its org lets nothing be remembered."""
    mode, wish = mode_of(checked["mode"], org_settings, services.limits.caching), checked["memory"]
    is_asked = wish is not None and wish.enabled is True
    if not remembers(mode, is_asked=is_asked, is_named=checked["mode"] is not None):
        return None
    setting = await services.memory_settings.of(checked["org"], services.store, services.clock_s())
    return budget_of(wish, setting)


def without_memories(call: Estimated) -> Estimated:
    """Return a call to which nothing of what was recalled is added; the call itself where nothing is."""
    recalled = call.recalled
    if recalled is None or not recalled.block:
        return call
    why = "no model may be asked with it: it would break a cap, or a model's window"
    left_out = replace(recalled, memories=(), tokens=0, block="", helps=False, left_out=why)
    task = replace(call.task, prompt_tokens=call.task.prompt_tokens - recalled.tokens)
    return replace(call, recalled=left_out, task=task)


def kept_days(setting: MemorySetting, keep_days: float) -> float:
    """Return how many days back a call may remember: the shorter of the org's term and the gateway's."""
    terms = [days for days in (setting.keep_days, keep_days or None) if days is not None]
    return min(terms, default=36_500.0)


def question_of(messages: Sequence[JSONObject]) -> str:
    """Return what memory is asked for: the newest question's words, its beginning and end where it is long."""
    text = next(
        (content_text(one.get("content")) for one in reversed(messages) if one.get("role") == "user"), ""
    )
    if len(text) <= MOST_QUESTION_CHARS:
        return text
    half = MOST_QUESTION_CHARS // 2
    return f"{text[:half]}\n{text[-half:]}"


def new_memories(call: Opened, answer: JSONObject, now: datetime) -> list[Memory]:
    """Return the passages of a call's newest question and its answer."""
    allowed = Policy.parse(call.policy).allowed_providers
    rule = tuple(sorted(allowed)) or None
    newest = next((one for one in reversed(call.messages) if one.get("role") == "user"), {})
    question = content_text(newest.get("content"))
    scope = call.recalled.scope if call.recalled is not None else NOBODY
    said = [("user", text) for text in passages_of(stated(question))]
    said += [
        ("assistant", _answered(question, text)) for text in passages_of(content_text(answer.get("content")))
    ]
    return [
        Memory(
            _id(scope, call.conversation_id, role, text, rule), call.conversation_id, call.call_id, role, text, now,
            rule,
        )
        for role, text in dict.fromkeys(said)
    ]  # fmt: skip


def _answered(question: str, text: str) -> str:
    """Return an answer with its question, where that is a short one: a name or a number alone says nothing."""
    asked = " ".join(question.split())
    is_short = len(asked) <= MOST_ASKED_CHARS and "?" in asked
    return f"Asked: {asked} Answered: {text}" if is_short else text


async def keep(
    call: Opened, answer: JSONObject, memories: "Memories | None", now: datetime
) -> tuple[list[str], str | None]:
    """Keep what a call said, where it remembers; return the ids of what is kept, and why nothing is."""
    recalled = call.recalled
    if recalled is None or recalled.missing is not None or memories is None:
        return [], None if recalled is None else recalled.missing
    if call.opening.wishes.is_unstored:
        return [], UNSTORED
    passages = new_memories(call, answer, now)
    try:
        await memories.keep(call.org, recalled.scope, passages)
    except (MemoryUnavailable, StoreError) as error:
        return [], f"not kept: {error}"
    return [one.memory_id for one in passages], None


def _id(scope: str, conversation_id: str, role: str, text: str, rule: Collection[str] | None) -> str:
    named = "\x1f".join((scope, conversation_id, role, ",".join(rule or ()), text))
    return f"m{blake2b(named.encode('utf-8', 'surrogatepass'), digest_size=12).hexdigest()}"
