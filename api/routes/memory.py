"""What an org's calls remember: read it, settle whether they do, and have it forgotten."""

from typing import Annotated

from fastapi import APIRouter, Query

from ...nodes.org.memory import PRIVATE, scope_of
from ...routing.plan.memory import MemorySetting, check_budget
from ...state.api_key import ApiKey
from ...state.errors import Forbidden, InvalidRequest, NotFound
from ...state.memories import OrgMemory
from ...state.names import check_conversation_id, check_org
from ..deps import CascadeDep, KeyDep, require_scope
from ..memory_schemas import Chosen, Forgotten, MemoryChange, MemoryPage, SaidBefore, SettledMemory, ToForget

router = APIRouter(tags=["memory"])

MOST_DAYS = 36_500.0


@router.get("/memory/{org}", summary="What one org remembers")
async def read_memory(
    org: str,
    cascade: CascadeDep,
    key: KeyDep,
    chosen: Annotated[Chosen, Query()],
) -> MemoryPage:
    """Return what the org settled, and the passages it remembers, newest first."""
    mine, store = _own(key, org, "read"), cascade.services.store
    passages, total = await store.memories.page(
        mine,
        scope=_scope(chosen.user),
        conversation_id=_conversation(chosen.conversation_id),
        limit=chosen.limit,
        offset=chosen.offset,
    )
    items = [
        SaidBefore(
            id=one.memory_id, scope=scope, conversation_id=one.conversation_id, call_id=one.call_id, role=one.role,
            text=one.text, said_at=one.said_at.isoformat(),
            allowed_providers=None if one.allowed_providers is None else list(one.allowed_providers),
        )
        for scope, one in passages
    ]  # fmt: skip
    return MemoryPage(org=mine, setting=await _setting(cascade, mine), total=total, items=items)


@router.put("/memory/{org}", summary="Settle whether an org's calls remember")
async def settle_memory(org: str, body: MemoryChange, cascade: CascadeDep, key: KeyDep) -> SettledMemory:
    """Have the org's calls remember what was said, or stop: what they remember already stays until it is deleted."""
    mine, services = _own(key, org, "settings"), cascade.services
    known = await _setting(cascade, mine)
    if body.keep_days is not None and not 0 < body.keep_days <= MOST_DAYS:
        raise InvalidRequest(f"keep_days must be above 0, at most {MOST_DAYS:g}", field="keep_days")
    tokens = check_budget(body.budget_tokens, "budget_tokens")
    settled = OrgMemory(
        mine,
        body.enabled,
        known.budget_tokens if tokens is None else tokens,
        known.keep_days if body.keep_days is None else body.keep_days,
    )
    await services.store.memories.settle(settled, services.now())
    services.memory_settings.forget()
    return await _setting(cascade, mine)


@router.delete("/memory/{org}", summary="Forget what an org said, or one of its users")
async def forget_memory(
    org: str, cascade: CascadeDep, key: KeyDep, chosen: Annotated[ToForget, Query()]
) -> Forgotten:
    """Delete the passages of one user or conversation, or, with `all=true`, every passage of the org."""
    mine = _own(key, org, "settings")
    if not chosen.all and chosen.user is None and chosen.conversation_id is None:
        raise InvalidRequest("say which: user, conversation_id, or all=true", field="all")
    deleted = await cascade.services.store.memories.forget(
        mine, scope=_scope(chosen.user), conversation_id=_conversation(chosen.conversation_id)
    )
    return Forgotten(deleted=deleted)


@router.delete("/memory/{org}/{memory_id}", summary="Forget one passage")
async def forget_passage(org: str, memory_id: str, cascade: CascadeDep, key: KeyDep) -> Forgotten:
    """Delete one passage, by the id that replies and `GET /memory/{org}` tell."""
    deleted = await cascade.services.store.memories.forget(
        _own(key, org, "settings"), memory_id=memory_id[:200]
    )
    if not deleted:
        raise NotFound(f"org {org!r} remembers nothing under that id")
    return Forgotten(deleted=deleted)


def _own(key: ApiKey | None, org: str, scope: str) -> str:
    """Return the org whose words may be read and deleted: a key's own alone, an admin's included.

    Raises
    ------
    Forbidden
        When the key belongs to another org, or lacks the scope.
    """
    named = check_org(org)
    require_scope(key, scope)
    if key is not None and key.org != named:
        raise Forbidden(f"this key belongs to org {key.org!r} and has no part in what {named!r} said")
    return named


def _scope(user: str | None) -> str | None:
    return None if user is None else scope_of(user)


def _conversation(conversation_id: str | None) -> str | None:
    return None if conversation_id is None else check_conversation_id(conversation_id)


async def _setting(cascade: CascadeDep, org: str) -> SettledMemory:
    found = {one.org: one for one in await cascade.services.store.memories.settings()}.get(org)
    default = MemorySetting()
    services = cascade.services
    wishes = (await services.org_settings.of(org, services.store, services.clock_s())).wishes
    return SettledMemory(
        enabled=default.enabled if found is None else found.enabled,
        budget_tokens=default.budget_tokens if found is None else found.budget_tokens,
        keep_days=None if found is None else found.keep_days,
        reason=cascade.services.no_memory or (None if wishes.keeps_words else PRIVATE),
    )
