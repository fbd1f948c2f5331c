"""Signed heads of audit chains: what somebody outside can hold, to find out later that a chain was rewritten.

A head says how long an org's chain was and which hash it ended in; whoever holds one needs neither the database nor
trust in its owner, only the public key. Signatures are Ed25519 (RFC 8032) over the canonical JSON of the head.
"""

import asyncio
import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..state.audit.entries import Verification
from ..state.column_types import canonical_json
from ..state.errors import ConfigError, InvalidRequest
from ..state.names import check_org
from ..state.sqlite_driver import make_private_with
from ..state.store import Store
from .settings import Settings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KIND = "x25-audit-head"
KEY_FILE = "audit_key.pem"
SAID = ("kind", "org", "length", "head_hash", "signed_at", "key_id")
"""Fields of a head that its signature covers."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What signatures are checked with."""

    raw: bytes
    """32 bytes."""

    @property
    def key_id(self) -> str:
        """First 16 hex digits of the key's SHA-256."""
        return sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        """The key in Base64."""
        return b64encode(self.raw).decode()

    @classmethod
    def parse(cls, text: str) -> "PublicKey":
        """Return the key that a text in Base64 stands for; InvalidRequest where it stands for none."""
        try:
            raw = b64decode(text.strip(), validate=True)
        except (Base64Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise InvalidRequest("public_key must be the Base64 of 32 bytes", field="public_key")
        return cls(raw)

    def vouches(self, said: bytes, signature: bytes) -> bool:
        """Return whether the signature is this key's, of just these bytes."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - few need it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, said)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one org's chain, as it was signed."""

    org: str
    length: int
    """Entries the chain had."""
    head_hash: str
    """Record hash of the last of them; 64 zeros for none."""
    signed_at: str
    """ISO 8601, UTC."""
    key_id: str
    signature: str
    """Base64."""
    public_key: str
    """Base64."""
    kind: str = KIND

    @classmethod
    def parse(cls, given: Any) -> "Head":
        """Return the head that a JSON object holds.

        Raises
        ------
        InvalidRequest
            When it holds none, naming the field.
        """
        if not isinstance(given, dict) or given.get("kind") != KIND:
            raise InvalidRequest(f"expected a signed head, an object whose kind is {KIND!r}", field="kind")
        for name in cls.__dataclass_fields__:
            value, kind = given.get(name), int if name == "length" else str
            if not isinstance(value, kind) or isinstance(value, bool):
                raise InvalidRequest(f"{name} of a signed head must be {kind.__name__}", field=name)
        if given["length"] < 0:
            raise InvalidRequest("length of a signed head must be 0 or more", field="length")
        check_org(given["org"])
        return cls(**{name: given[name] for name in cls.__dataclass_fields__})

    def is_signed_by(self, key: PublicKey) -> bool:
        """Return whether the key signed just this."""
        try:
            signature = b64decode(self.signature, validate=True)
        except (Base64Error, ValueError):
            return False
        return key.vouches(_bytes_of({name: getattr(self, name) for name in SAID}), signature)


def _bytes_of(said: dict[str, Any]) -> bytes:
    return canonical_json(said).encode()


async def sign_head(store: Store, org: str, settings: Settings) -> Head:
    """Return the head of the org's chain as it stands, signed; the key is made where there is none.

    Raises
    ------
    ConfigError
        When the key cannot be read, made, or is of another kind.
    """
    length, head_hash = await store.audit.head(org)
    key = await asyncio.to_thread(load_key, settings)
    public = public_key_of(key)
    said: dict[str, Any] = {
        "kind": KIND, "org": org, "length": length, "head_hash": head_hash,
        "signed_at": datetime.now(UTC).isoformat(timespec="seconds"), "key_id": public.key_id,
    }  # fmt: skip
    signature = b64encode(key.sign(_bytes_of(said))).decode()
    return Head(**said, signature=signature, public_key=public.text)


async def verify_against(store: Store, head: Head, key: PublicKey | None = None) -> Verification:
    """Return whether the org's chain is whole and still holds the head, at its place.

    Parameters
    ----------
    key
        Who must have signed it; None = the key the head itself names, as good as whoever kept the head.

    Raises
    ------
    InvalidRequest
        When the head's signature does not hold: then it says nothing about any chain.
    """
    named = PublicKey.parse(head.public_key)
    signer = named if key is None else key
    if signer.key_id != head.key_id or not head.is_signed_by(signer):
        raise InvalidRequest(
            f"the head's signature is not that of key {signer.key_id}: it was changed, or another key signed it",
            field="signature",
        )
    if head.length == 0:
        return await store.audit.verify(head.org)
    return await store.audit.verify(head.org, expect_head=head.head_hash, expect_index=head.length - 1)


def read_head(path: Path) -> Head:
    """Return the head in a file; InvalidRequest where there is none."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} holds no signed head: {error}", field="against") from error
    return Head.parse(given)


def public_key_of(key: "Ed25519PrivateKey") -> PublicKey:
    """Return the public half of a key."""
    return PublicKey(key.public_key().public_bytes_raw())


def load_key(settings: Settings) -> "Ed25519PrivateKey":
    """Return the key of the settings; one in the data folder is made, for its owner's eyes only, where there is none.

    Raises
    ------
    ConfigError
        When a named file is absent, or a file holds no Ed25519 key.
    """
    path = Path(settings.audit_key) if settings.audit_key else settings.data_dir / KEY_FILE
    return _load(path.absolute(), may_make=not settings.audit_key)


@cache
def _load(path: Path, *, may_make: bool) -> "Ed25519PrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - few need it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        if may_make and not path.exists():
            make_private_with(path, _new_pem())
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigError(f"X25_AUDIT_KEY: cannot read or make {path}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"X25_AUDIT_KEY: {path} holds no PEM key without a password: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"X25_AUDIT_KEY: {path} holds a {type(key).__name__}, not an Ed25519 key")
    return key


def _new_pem() -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
