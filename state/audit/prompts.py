"""Stored prompts: each text once an org, found by its SHA-256, gone with the last row that refers to it."""

from hashlib import sha256

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, text

from ..column_types import UNSTORABLE, FreeText
from ..schema import calls, decisions, prompts
from ..statements import Statement

_KEEP = Statement(
    text(
        "INSERT INTO prompts (org, sha256, text) VALUES (:org, :sha256, :text) ON CONFLICT (org, sha256) DO NOTHING"
    ).bindparams(bindparam("text", type_=FreeText))
)
# Whoever keeps a prompt and then refers to it has finished before this is granted, or begins after.
_LOCK = text("LOCK TABLE prompts IN SHARE ROW EXCLUSIVE MODE")


def keep_prompt(connection: Connection, org: str, prompt: str | None) -> str | None:
    """Keep a prompt within the caller's transaction and return its SHA-256; None where there is none to keep.

    The row that refers to it is written in the same transaction.
    """
    if prompt is None:
        return None
    kept = UNSTORABLE.sub("\ufffd", prompt)
    digest = sha256(kept.encode()).hexdigest()
    _KEEP.count(connection, {"org": org, "sha256": digest, "text": kept})
    return digest


def drop_unused(connection: Connection, org: str | None, digest: str | None = None) -> int:
    """Delete the prompts that nothing refers to any more, and return how many went.

    Parameters
    ----------
    org
        Whose prompts are looked at; None = everybody's.
    digest
        The one prompt to look at; None = all of them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)
    used = [
        exists().where(log.c.org == prompts.c.org, log.c.prompt_sha256 == prompts.c.sha256)
        for log in (calls, decisions)
    ]
    mine: list[ColumnElement[bool]] = [] if org is None else [prompts.c.org == org]
    if digest is not None:
        mine.append(prompts.c.sha256 == digest)
    return connection.execute(delete(prompts).where(and_(*mine, *(~one for one in used)))).rowcount
