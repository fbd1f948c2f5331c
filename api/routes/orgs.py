"""/orgs: what an org set for its calls, the provider keys it brought along, and the end of it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter

from ...graph.provider_keys import add_key, remove_key
from ...graph.run import Cascade
from ...nodes.org.ceilings import KEEPS_WORDS
from ...nodes.org.org_settings import LOOK_EVERY_S
from ...routing.plan.org_settings import AUTO, OrgSettings, merged
from ...state.api_key import ApiKey
from ...state.errors import Forbidden, InvalidRequest
from ...state.json_values import check_json
from ...state.names import check_org
from ...state.org_wishes import NO_JUDGE
from ...state.records import usd_from_nusd
from ..deps import NEEDS_ADMIN, CascadeDep, KeyDep, ManagerDep, org_to_read
from ..key_schemas import (
    OrgDeleted,
    OrgSettingsBody,
    ProviderKeyInfo,
    ProviderKeyList,
    ProviderKeyRequest,
)
from ..schemas import Problem

router = APIRouter(tags=["orgs"])

UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is none of that name."}
}
ADMINS: dict[int | str, dict[str, Any]] = {
    **UNKNOWN, 403: {"model": Problem, "description": "It takes an admin's key."}
}  # fmt: skip
Make = Callable[[dict[str, Any]], dict[str, Any]]


@router.get("/orgs/{org}/settings", summary="Settings of one org")
async def get_settings(org: str, cascade: CascadeDep, key: KeyDep) -> OrgSettingsBody:
    """Return what the org set; null = as the gateway and the request say."""
    name = org_to_read(key, org)
    return _body(name, OrgSettings.parse(await cascade.services.store.org_settings.read(name)))


@router.put("/orgs/{org}/settings", summary="Replace the settings of one org")
async def put_settings(org: str, body: dict[str, Any], cascade: CascadeDep, key: KeyDep) -> OrgSettingsBody:
    """Set what is given and unset everything else. It takes the scope "settings", or an admin's key."""
    return await _change(org, cascade, key, lambda _: {}, body)


@router.patch("/orgs/{org}/settings", summary="Change some settings of one org")
async def patch_settings(org: str, body: dict[str, Any], cascade: CascadeDep, key: KeyDep) -> OrgSettingsBody:
    """Set what is given, unset what is null, leave the rest as it is. It takes what replacing them takes."""
    return await _change(org, cascade, key, dict, body)


@router.delete("/orgs/{org}", responses=ADMINS, summary="Erase one org")
async def delete_org(org: str, cascade: CascadeDep, manager: ManagerDep) -> OrgDeleted:
    """Delete all that is kept of an org: calls and their words, settings, keys, memories, models, what was learnt.

    It takes an admin's key, or none on the gateway's own machine. The org's audit chain keeps hashes and tombstones
    and still verifies. Folders of training data go where
    the gateway that answers can reach them; the reply names others.
    """
    if manager is not None and not manager.is_admin:
        raise Forbidden(NEEDS_ADMIN)
    erased = await cascade.erase_org(check_org(org))
    return OrgDeleted(
        org=org,
        rows=dict(erased.store.rows),
        tombstones=erased.store.entries,
        calls=erased.store.calls,
        cost_usd=usd_from_nusd(erased.store.cost_nusd),
        checkpoints=erased.checkpoints,
        folders=erased.folders,
        folders_left=list(erased.folders_left),
        calls_under_way=erased.under_way,
    )


@router.get("/orgs/{org}/provider-keys", summary="An org's own provider keys")
async def list_provider_keys(org: str, cascade: CascadeDep, key: KeyDep) -> ProviderKeyList:
    """List them by how they begin, in the order they are used in; they are kept encrypted."""
    name = org_to_read(key, org, "keys")
    found, book = await cascade.services.store.provider_keys.of(name), cascade.services.provider_keys
    return ProviderKeyList(keys=[ProviderKeyInfo.of(one, book.unusable) for one in found])


@router.post("/orgs/{org}/provider-keys", status_code=201, summary="Bring a provider key along")
async def add_provider_key(
    org: str, body: ProviderKeyRequest, cascade: CascadeDep, key: KeyDep
) -> ProviderKeyInfo:
    """Have the org's calls ask a provider with the org's own key before the gateway's; the vendor bills the org.

    It takes the scope "keys", or an admin's key, and a gateway with a master key (X25_BYOK_KEY).
    """
    name = org_to_read(key, org, "keys")
    added = await add_key(
        cascade.services, cascade.vault, name, provider=body.provider,
        secret=body.api_key.get_secret_value(), priority=body.priority, by="" if key is None else key.key_id,
    )  # fmt: skip
    return ProviderKeyInfo.of(added)


@router.delete("/orgs/{org}/provider-keys/{key_id}", responses=UNKNOWN, summary="Delete a provider key")
async def delete_provider_key(org: str, key_id: str, cascade: CascadeDep, key: KeyDep) -> dict[str, Any]:
    """Delete one: the process that answers stops using it at once, others within seconds."""
    name = org_to_read(key, org, "keys")
    await remove_key(cascade.services, name, key_id, by="" if key is None else key.key_id)
    return {"key_id": key_id, "deleted": True}


async def _change(
    org: str, cascade: Cascade, key: ApiKey | None, start_from: Make, change: dict[str, Any]
) -> OrgSettingsBody:
    name, services = org_to_read(key, org, "settings"), cascade.services
    check_json(change)

    def make(current: dict[str, Any]) -> dict[str, Any]:
        settings = OrgSettings.parse(merged(start_from(current), change))
        _check_against(settings, cascade)
        return settings.kept()

    kept = await services.store.org_settings.change(name, make, "" if key is None else key.key_id)
    settings = OrgSettings.parse(kept)
    services.org_settings.keep(name, settings, services.clock_s())
    return _body(name, settings)


def _check_against(settings: OrgSettings, cascade: Cascade) -> None:
    """Raise InvalidRequest for what this gateway does not have, or cannot promise."""
    services = cascade.services
    judges = [] if services.judge is None else [spec.model_id for spec in services.judge.specs]
    if settings.judge not in (None, AUTO, NO_JUDGE, *judges):
        known = ", ".join((AUTO, NO_JUDGE, *judges))
        raise InvalidRequest(f"judge must be one of {known}; got {settings.judge!r}", field="judge")
    if settings.reference_model is not None and settings.reference_model not in services.models:
        raise InvalidRequest(
            f"reference_model must be one of {', '.join(services.models)}; got {settings.reference_model!r}",
            field="reference_model",
        )
    if services.limits.resumable and not settings.wishes.keeps_words:
        raise InvalidRequest(KEEPS_WORDS, field="privacy")
    if settings.privacy == "prompts" and not services.limits.store_prompts:
        raise InvalidRequest(
            "privacy: this gateway keeps no prompts; X25_STORE_PROMPTS=true would have it keep them",
            field="privacy",
        )


def _body(org: str, settings: OrgSettings) -> OrgSettingsBody:
    written = settings.to_json() | {"budgets": settings.budgets, "limits": settings.limits}
    return OrgSettingsBody(org=org, applies_within_s=LOOK_EVERY_S, **written)
