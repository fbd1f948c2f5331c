"""How orgs and calls may be named: one rule for the door, the store and the checkpoints."""

import re

from .errors import InvalidRequest

ORG_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RESERVED_ORGS = frozenset({"all"})
"""Names that stand for something else where an org could be named: `GET /stats/all` is about every org."""
MOST_USER_ID = 255
CALL_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")

CONVERSATION_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}")


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


def check_user_id(user_id: object) -> str | None:
    """Return a valid user id, or None: 1 to 255 characters, none of them a control character or half a pair."""
    if user_id is None:
        return None
    if isinstance(user_id, str) and 1 <= len(user_id) <= MOST_USER_ID and user_id.isprintable():
        return user_id
    got = repr(user_id[:MOST_USER_ID]) if isinstance(user_id, str) else type(user_id).__name__
    raise InvalidRequest(
        f"user_id must be 1 to {MOST_USER_ID} printable characters, got {got}", field="user_id"
    )


def check_call_id(call_id: object) -> str:
    """Return a valid call id: 1 to 64 letters, digits, "-" or "_"."""
    if isinstance(call_id, str) and CALL_ID_PATTERN.fullmatch(call_id):
        return call_id
    raise InvalidRequest(
        f"call_id must be 1 to 64 letters, digits, '-' or '_', got {call_id!r}", field="call_id"
    )


def check_conversation_id(conversation_id: object) -> str:
    """Return a valid conversation id: 1 to 128 letters, digits and `._:@-`, beginning with a letter or digit."""
    if isinstance(conversation_id, str) and CONVERSATION_PATTERN.fullmatch(conversation_id):
        return conversation_id
    raise InvalidRequest(
        "conversation_id must be 1 to 128 letters, digits, '.', '_', ':', '@' or '-' beginning with a letter or digit, "
        f"got {str(conversation_id)[:200]!r}",
        field="conversation_id",
    )
