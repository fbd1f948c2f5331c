"""/keys: whose key is this; make, list, renew and revoke keys."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query

from ...routing.plan.org_settings import OrgSettings
from ...state.api_key import DEFAULT_SCOPES, ApiKey
from ...state.errors import Forbidden, InvalidRequest, NotFound, Unauthorized
from ...state.keys import replaced_by_id
from ...state.money.budgets import Budget, day_account
from ...state.names import check_org
from ...state.records import usd_from_nusd
from ..deps import CascadeDep, KeyDep, ManagerDep, require_scope
from ..key_schemas import (
    KeyInfo,
    KeyList,
    KeyRequest,
    ListedKey,
    NewKey,
    OwnKey,
    RevokedKey,
    RotateRequest,
)
from ..schemas import Problem

router = APIRouter(tags=["keys"])

KEY_ID = re.compile("[0-9a-f]{12}")

PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing, unknown, revoked or expired."},
    403: {"model": Problem, "description": "The key may not manage keys, or not these."},
    404: {"model": Problem, "description": "There is no such key that is good."},
    422: {"model": Problem, "description": "A field breaks a rule."},
}


@router.post("/keys/create", status_code=200, responses=PROBLEMS, summary="Make a key, shown once")
async def create_key(body: KeyRequest, cascade: CascadeDep, maker: ManagerDep) -> NewKey:
    """Make a key of an org.

    It takes an admin's key, or one of the org with the scope "keys"; on the gateway's own machine none, unless
    X25_REQUIRE_KEY says something. No key made here is an admin's: `x25 keys create ORG --admin` makes those.
    """
    org = _managed(maker, check_org(body.org))
    settings = OrgSettings.parse({"budgets": body.budgets, "limits": body.limits})
    if body.rate_limit_rpm and settings.limits.requests_per_minute:
        raise InvalidRequest(
            "give rate_limit_rpm or limits.requests_per_minute, not both", field="rate_limit_rpm"
        )
    scopes = DEFAULT_SCOPES if body.scopes is None else tuple(body.scopes)
    expires_at = body.expires_at
    if maker is not None and not maker.is_admin:
        _refuse_more_than(maker, scopes)
        expires_at = min((one for one in (expires_at, maker.expires_at) if one is not None), default=None)
    secret, key = await cascade.services.store.keys.create(
        org, body.rate_limit_rpm, rates=settings.limits.rates, scopes=scopes, expires_at=expires_at,
        ceilings=settings.ceilings,
    )  # fmt: skip
    return NewKey(**KeyInfo.facts(key), api_key=secret)


@router.get("/keys", responses=PROBLEMS, summary="Keys of an org, or of all")
async def list_keys(cascade: CascadeDep, maker: ManagerDep, org: str | None = None) -> KeyList:
    """List keys by how they begin; the keys themselves are kept nowhere."""
    wanted = None if org is None else check_org(org)
    if maker is not None and not maker.is_admin:
        wanted = _managed(maker, maker.org if wanted is None else wanted)
    found = await cascade.services.store.keys.list(wanted)
    replaced = replaced_by_id(found)
    return KeyList(keys=[ListedKey(**KeyInfo.facts(key), replaces=replaced.get(key.key_id)) for key in found])


@router.get("/keys/me", responses={401: PROBLEMS[401]}, summary="Who this key belongs to")
async def who_am_i(cascade: CascadeDep, key: KeyDep) -> OwnKey:
    """Return the org of the presented key, what it may do, and what its calls have cost where that is limited."""
    if key is None:
        raise Unauthorized("no API key was sent: send it as 'Authorization: Bearer sk-x25-…'")
    today = month = None
    if key.ceilings.spans_calls:
        budgets = cascade.services.store.budgets
        day = Budget("", day_account(cascade.services.now(), key.family), None)
        today = (await budgets.read(key.org, [day.account]))[day.account]
        month = await budgets.month(key.org, day)
    return OwnKey(
        **KeyInfo.facts(key),
        spent_today_usd=None if today is None else usd_from_nusd(today.spent_nusd),
        spent_this_month_usd=None if month is None else usd_from_nusd(month.spent_nusd),
        tokens_today=None if today is None else today.tokens,
        tokens_this_month=None if month is None else month.tokens,
    )


@router.post("/keys/{key_id}/rotate", responses=PROBLEMS, summary="Renew a key, with an overlap")
async def rotate_key(
    key_id: str, cascade: CascadeDep, maker: ManagerDep, body: RotateRequest | None = None
) -> NewKey:
    """Make a key in the place of another, which stays good for `overlap_s`.

    A key may renew itself, whatever its scopes. Limit, ceilings and lifetime are the old key's, and its calls and
    spending count on. Another key is renewed within what the presented one may give: see POST /keys/create.
    """
    overlap_s = RotateRequest().overlap_s if body is None else body.overlap_s
    await _refuse_admins(key_id, cascade, maker)
    org = ends = None
    if maker is not None and maker.key_id != key_id and not maker.is_admin:
        org, ends = _managed_org(maker), maker.expires_at
        old = await cascade.services.store.keys.get(key_id)
        if old is not None and old.org == org:
            _refuse_more_than(maker, old.scopes)
    secret, key, until = await cascade.services.store.keys.rotate(key_id, overlap_s, org=org, until=ends)
    return NewKey(**KeyInfo.facts(key), api_key=secret, replaces=key_id, old_key_until=until)


@router.delete("/keys/{key_id}", responses=PROBLEMS, summary="Revoke a key at once")
async def revoke_key(
    key_id: str,
    cascade: CascadeDep,
    maker: ManagerDep,
    with_successors: Annotated[
        bool, Query(description="Whether those that came of it by renewal go, too: a leaked key may have.")
    ] = False,
) -> RevokedKey:
    """Revoke a key: from the next request on it is refused, whichever process it reaches.

    Keys that came of it by renewal stay good, and are named, unless `with_successors` says that they go with it; with
    it, those of a key that is revoked already are revoked.
    """
    await _refuse_admins(key_id, cascade, maker)
    done = await cascade.services.store.keys.revoke(
        key_id, org=_managed_org(maker), with_successors=with_successors
    )
    if done is None:
        raise NotFound(f"no key {key_id[:100]!r} that is not revoked already")
    return RevokedKey(key_id=key_id, revoked_key_ids=list(done.key_ids), successors=list(done.successors))


def _managed_org(maker: ApiKey | None) -> str | None:
    """Return whose keys somebody may manage; None = everybody's."""
    if maker is None or maker.is_admin:
        return None
    require_scope(maker, "keys")
    return maker.org


def _managed(maker: ApiKey | None, org: str) -> str:
    """Return the org, once it is known that its keys may be managed."""
    if _managed_org(maker) not in (None, org):
        raise Forbidden(
            f"this key belongs to org {maker.org if maker else ''!r} and cannot manage keys of {org!r}"
        )
    return org


def _refuse_more_than(maker: ApiKey, scopes: tuple[str, ...]) -> None:
    """Raise where a key would make one that may do more than itself."""
    if any(scope not in maker.scopes for scope in scopes):
        raise Forbidden(f"a key can give no other scopes than its own: {', '.join(maker.scopes)}")
    if maker.rates or maker.ceilings:
        raise Forbidden("a key with a limit or a budget of its own can make no other keys")


async def _refuse_admins(key_id: str, cascade: CascadeDep, maker: ApiKey | None) -> None:
    """Raise where an admin's key would be renewed or revoked by anything but an admin's key, or the id is no key's."""
    if KEY_ID.fullmatch(key_id) is None:
        raise NotFound(f"no key {key_id[:100]!r} that is good")
    if maker is not None and maker.is_admin:
        return
    key = await cascade.services.store.keys.get(key_id)
    if key is not None and key.is_admin:
        raise Forbidden("an admin's key is renewed and revoked by an admin's key, or by 'x25 keys'")
