"""GET /verify: is the audit trail untouched."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from ..deps import CascadeDep, KeyDep, org_to_read
from ..schemas import Verified

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
    audit = cascade.services.store.audit
    wanted = org_to_read(key, org) if org is not None else None if key is None or key.is_admin else key.org
    if wanted is None:
        found = await audit.verify_all(only_new=not full)
    else:
        found = [await (audit.verify(wanted) if full else audit.verify_new(wanted))]
    broken = next((one for one in found if not one.intact), None)
    return Verified(
        intact=broken is None,
        total_records=sum(one.total_records for one in found),
        first_broken_index=broken.first_broken_index if broken else None,
        reason=f"{broken.org}: {broken.reason}" if broken else None,
        calls=sum(one.calls for one in found),
        checked_records=sum(one.total_records - one.checked_from for one in found),
        orgs=[asdict(one) for one in found],
    )
