"""GET /verify: is the audit trail untouched."""

from dataclasses import asdict

from fastapi import APIRouter

from ..deps import CascadeDep, KeyDep, org_to_read
from ..schemas import Verified

router = APIRouter(tags=["audit"])


@router.get("/verify", summary="Verify the audit chain")
async def verify(cascade: CascadeDep, key: KeyDep, org: str | None = None) -> Verified:
    """Walk one org's chain, or every chain where no key narrows it, and name the first broken entry."""
    audit = cascade.services.store.audit
    wanted = org_to_read(key, org) if org is not None else None if key is None or key.is_admin else key.org
    found = [await audit.verify(wanted)] if wanted is not None else await audit.verify_all()
    broken = next((one for one in found if not one.intact), None)
    return Verified(
        intact=broken is None,
        total_records=sum(one.total_records for one in found),
        first_broken_index=broken.first_broken_index if broken else None,
        reason=f"{broken.org}: {broken.reason}" if broken else None,
        orgs=[asdict(one) for one in found],
    )
