"""How orgs and calls may be named: one rule for the door, the store and the checkpoints."""

import re

from .errors import InvalidRequest

ORG_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RESERVED_ORGS = frozenset({"all"})
"""Names that stand for something else where an org could be named: `GET /stats/all` is about every org."""
CALL_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_org(org: object) -> str:
    """Return a valid org name.

    Raises
    ------
    InvalidRequest
        Unless it is 1 to 64 lower-case letters, digits, "-" or "_", beginning with a letter or digit, and not
        reserved: org names become part of checkpoint ids, whose prefix scan relies on this alphabet.
    """
    if isinstance(org, str) and org in RESERVED_ORGS:
        raise InvalidRequest(f"org must not be {org!r}: that name stands for all orgs together", field="org")
    if isinstance(org, str) and ORG_PATTERN.fullmatch(org):
        return org
    raise InvalidRequest(
        f"org must be 1 to 64 lower-case letters, digits, '-' or '_' beginning with a letter or digit, got {org!r}",
        field="org",
    )


def check_call_id(call_id: object) -> str:
    """Return a valid call id: 1 to 64 letters, digits, "-" or "_"."""
    if isinstance(call_id, str) and CALL_ID_PATTERN.fullmatch(call_id):
        return call_id
    raise InvalidRequest(
        f"call_id must be 1 to 64 letters, digits, '-' or '_', got {call_id!r}", field="call_id"
    )
