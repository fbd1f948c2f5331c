"""GET /verify: is the audit trail untouched; and heads of it, signed, to find that out elsewhere."""

import asyncio
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from ...graph.signing import load_key, public_key_of, sign_head
from ..deps import CascadeDep, KeyDep, org_to_read, require_scope
from ..schemas import SignedHead, SigningKey, Verified

router = APIRouter(tags=["audit"])


@router.get("/verify", summary="Verify the audit chain")
async def verify(
    cascade: CascadeDep,
    key: KeyDep,
    org: str | None = None,
    full: Annotated[
        bool,
        Query(description="Walk every chain from its first entry, not only since it was last found whole."),
    ] = False,
) -> Verified:
    """Check one org's chain, or every chain where no key narrows it, and name the first broken entry.

    Usually the entries since the chain was last found whole are checked, which takes as long as there are new ones.
    That proves these entries and their link to what was checked before; an edit of an older entry is found by
    `full=true` or `x25 verify`.
    """
    require_scope(key, "read")
    audit = cascade.services.store.audit
    wanted = org_to_read(key, org) if org is not None else None if key is None or key.is_admin else key.org
    if wanted is None:
        found = await audit.verify_all(only_new=not full)
    else:
        found = [await (audit.verify(wanted) if full else audit.verify_new(wanted))]
    broken = next((one for one in found if not one.intact), None)
    return Verified(
        intact=broken is None,
        erased=sum(one.erased for one in found),
        total_records=sum(one.total_records for one in found),
        first_broken_index=broken.first_broken_index if broken else None,
        reason=f"{broken.org}: {broken.reason}" if broken else None,
        calls=sum(one.calls for one in found),
        checked_records=sum(one.total_records - one.checked_from for one in found),
        orgs=[asdict(one) for one in found],
    )


@router.get("/verify/key", summary="Public key that heads are signed with")
async def public_key(cascade: CascadeDep, key: KeyDep) -> SigningKey:  # noqa: ARG001 - a wrong key is refused
    """Return the Ed25519 public key, so that whoever holds a signed head can pin it."""
    public = public_key_of(await asyncio.to_thread(load_key, cascade.settings))
    return SigningKey(key_id=public.key_id, public_key=public.text)


@router.get("/verify/{org}/head", summary="Signed head of one org's audit chain")
async def head(org: str, cascade: CascadeDep, key: KeyDep) -> SignedHead:
    """Return how long the chain is and which hash it ends in, signed: keep it outside.

    `x25 verify --against HEAD.json` says later whether the chain still holds it, unaltered; one that was rewritten,
    hashes and all, does not. Nothing is checked here.
    """
    signed = await sign_head(cascade.services.store, org_to_read(key, org), cascade.settings)
    return SignedHead(**asdict(signed))
