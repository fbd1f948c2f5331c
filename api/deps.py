"""What a route may ask for: the cascade and the caller."""

from ipaddress import ip_address
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import Headers

from ..graph.run import Cascade
from ..state.api_key import SCOPES, ApiKey
from ..state.ceilings import Imposed
from ..state.errors import Forbidden, Unauthorized
from ..state.keys import PREFIX
from ..state.names import check_org

LOOPBACK = ("127.0.0.1", "::1")
NEEDS_KEY = "an API key is required: send it as 'Authorization: Bearer sk-x25-…'"
NEEDS_KEY_FROM_ELSEWHERE = (
    f"{NEEDS_KEY}; this gateway serves its own machine alone without one (X25_REQUIRE_KEY, x25 serve --open)"
)
NEEDS_ADMIN = (
    "an admin's key is required: send it as 'Authorization: Bearer sk-x25-…'; "
    "'x25 keys create ORG --admin' makes one"
)


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


def is_this_machine(client: Any) -> bool:
    """Return whether a request comes from the machine the gateway runs on: its loopback, or a socket in a file.

    `client` is the address in the scope of a request; behind a proxy on this machine it is the one the proxy tells.
    """
    if client is None or client[0] in LOOPBACK:
        return True
    try:
        return ip_address(client[0]).is_loopback
    except ValueError:
        return False


def is_own_machine(client: Any, cascade: Cascade) -> bool:
    """Return whether a request is its owner's without any key: from this machine, where no setting says otherwise."""
    return cascade.settings.require_key is None and is_this_machine(client)


async def get_key(request: Request, cascade: CascadeDep) -> ApiKey | None:
    """Return the caller's key, as `key_of`."""
    return await key_of(request.headers, cascade, request.scope.get("client"))


async def key_of(headers: Headers, cascade: Cascade, client: Any = None) -> ApiKey | None:
    """Return the caller's key; None where the gateway is open to `client` and none was shown.

    A key of ours must be good, also on an open gateway: a mistyped one must not fall back to "default". Anything else
    counts there as no key, since clients of the OpenAI API cannot be used without sending some.

    Raises
    ------
    Unauthorized
        When the key is not good, or there is none where one is needed: everywhere where the settings say so, and where
        they say nothing for requests from other machines.
    """
    secret, wanted = presented_key(headers), cascade.settings.require_key
    is_needed = not is_this_machine(client) if wanted is None else wanted
    if secret is not None and (is_needed or secret.startswith(PREFIX)):
        return await cascade.services.store.keys.authenticate(secret)
    if is_needed:
        raise Unauthorized(NEEDS_KEY if wanted else NEEDS_KEY_FROM_ELSEWHERE)
    return None


KeyDep = Annotated[ApiKey | None, Depends(get_key)]


async def get_caller(request: Request, cascade: CascadeDep) -> ApiKey | None:
    """Return the caller's key, as `caller_of`."""
    return await caller_of(request.headers, cascade, request.scope.get("client"))


async def caller_of(headers: Headers, cascade: Cascade, client: Any = None) -> ApiKey | None:
    """Return the caller's key, as `key_of`, once its scopes let it make a call; its limits are `limits.admitted`'s.

    Raises
    ------
    Forbidden
        When it may not make calls.
    """
    key = await key_of(headers, cascade, client)
    if key is not None:
        require_scope(key, "call")
    return key


CallerDep = Annotated[ApiKey | None, Depends(get_caller)]


async def get_manager(request: Request, cascade: CascadeDep, key: KeyDep) -> ApiKey | None:
    """Return the key of whoever may do what is no single org's business; None for the owner of this machine.

    Raises
    ------
    Unauthorized
        When there is no key and the gateway is open to others than its owner.
    """
    if key is None and not is_own_machine(request.scope.get("client"), cascade):
        raise Unauthorized(NEEDS_ADMIN)
    return key


ManagerDep = Annotated[ApiKey | None, Depends(get_manager)]


def require_scope(key: ApiKey | None, scope: str) -> None:
    """Raise Forbidden where a key may not do what a scope of `SCOPES` stands for; without a key all may be done."""
    if key is not None and not key.may(scope):
        raise Forbidden(
            f"this key may not {SCOPES[scope]}: it needs the scope {scope!r}, and has {', '.join(key.scopes)}"
        )


def ceilings_of(key: ApiKey | None) -> tuple[Imposed, ...]:
    """Return the ceilings that a key's calls are under."""
    return () if key is None or not key.ceilings else (Imposed("key", key.ceilings, key.family),)


def org_of_call(key: ApiKey | None, asked: str | None) -> str:
    """Return whose call it is: the key's org, whatever the body says; without a key the body's or "default".

    Raises
    ------
    InvalidRequest
        When the body's is no name of an org, with a key as well.
    """
    named = check_org("default" if asked is None else asked)
    return named if key is None else key.org


def org_of_log(key: ApiKey | None, asked: str | None) -> str:
    """Return the org whose log a request is about: the named one, or the key's, or "default" without either.

    Raises
    ------
    Forbidden
        When the key belongs to another org, and is no admin's.
    """
    if asked is None:
        return "default" if key is None else key.org
    return org_to_read(key, asked)


def org_to_read(key: ApiKey | None, project: str, scope: str = "read") -> str:
    """Return the org whose data may be read, or changed as the scope says, under `project`.

    Raises
    ------
    Forbidden
        When the key belongs to another org and is no admin's, or lacks the scope.
    """
    require_scope(key, scope)
    org = check_org(project)
    if key is not None and key.org != org and not key.is_admin:
        raise Forbidden(f"this key belongs to org {key.org!r} and cannot read {org!r}")
    return org
