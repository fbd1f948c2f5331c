"""What a route may ask for: the cascade and the caller."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import Headers

from ..graph.run import Cascade
from ..state.errors import Forbidden, Unauthorized
from ..state.keys import PREFIX
from ..state.names import check_org
from ..state.records import ApiKey


async def get_cascade(request: Request) -> Cascade:
    """Return the one cascade of this process, opened at start-up.

    Asynchronous because FastAPI sends everything else through its thread pool, on every request.
    """
    cascade: Cascade = request.app.state.cascade
    return cascade


CascadeDep = Annotated[Cascade, Depends(get_cascade)]


def presented_key(headers: Headers) -> str | None:
    """Return the key of `Authorization: Bearer …` or `X-API-Key`; None when there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


async def get_key(request: Request, cascade: CascadeDep) -> ApiKey | None:
    """Return the caller's key; None where the gateway is open and none was shown.

    A key of ours must be good, also on an open gateway: a mistyped one must not fall back to "default". Anything else
    counts there as no key, since clients of the OpenAI API cannot be used without sending some.
    """
    secret = presented_key(request.headers)
    if secret is not None and (cascade.settings.require_key or secret.startswith(PREFIX)):
        return await cascade.services.store.keys.authenticate(secret)
    if cascade.settings.require_key:
        raise Unauthorized("an API key is required: send it as 'Authorization: Bearer sk-x25-…'")
    return None


KeyDep = Annotated[ApiKey | None, Depends(get_key)]


async def get_caller(cascade: CascadeDep, key: KeyDep) -> ApiKey | None:
    """Return the caller's key, as `get_key`, once its limit lets it make a call.

    Raises
    ------
    TooManyRequests
        When it made as many as it may in the last minute.
    """
    if key is not None:
        await cascade.services.store.keys.admit(key, cascade.services.now())
    return key


CallerDep = Annotated[ApiKey | None, Depends(get_caller)]


def org_of_call(key: ApiKey | None, asked: str | None) -> str:
    """Return whose call it is: the key's org, whatever the body says; without a key the body's or "default".

    Raises
    ------
    InvalidRequest
        When the body's is no name of an org, with a key as well.
    """
    named = check_org("default" if asked is None else asked)
    return named if key is None else key.org


def org_to_read(key: ApiKey | None, project: str) -> str:
    """Return the org whose data may be read under `project`.

    Raises
    ------
    Forbidden
        When the key belongs to another org, and is no admin's.
    """
    org = check_org(project)
    if key is not None and key.org != org and not key.is_admin:
        raise Forbidden(f"this key belongs to org {key.org!r} and cannot read {org!r}")
    return org
