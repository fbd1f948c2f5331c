"""Signing in and out: plain forms, which work without any script."""

import logging
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..state.accounts import LASTS, Account, Accounts
from ..state.errors import InvalidRequest, NotFound, TooManyRequests
from .devices import DEVICE_COOKIE, LASTS_S, device_of, new_device
from .gate import cookie_in, prefix_of, session_of, viewer_in
from .markup import Markup, div, tag
from .passwords import Throttle, is_right
from .theme import head, theme_css
from .viewers import COOKIE

MOST_BODY = 8_192
NO_ACCOUNT = (
    "There is no account yet. Open the link that the gateway printed at its start, or one that this prints: "
)
WRONG = "Name or password is wrong."
COMMAND = "x25 accounts link"
_log = logging.getLogger(__name__)

router = APIRouter(include_in_schema=False)
throttle = Throttle()


@router.get("/theme.css")
async def css() -> Response:
    """Return the one style sheet."""
    return Response(theme_css(), media_type="text/css")


@router.get("/sign-in")
async def form(request: Request) -> Response:
    """Show the form; whoever is signed in goes on."""
    viewer, cascade = viewer_in(request.scope)
    target = safe_target(request.query_params.get("next", ""))
    if viewer is not None:
        return RedirectResponse(f"{request.scope['root_path']}/{target}", 303)
    has_accounts = bool(await cascade.services.store.accounts.count())
    return HTMLResponse(_page(target, has_accounts=has_accounts))


@router.post("/sign-in")
async def sign_in(request: Request) -> Response:
    """Begin a session: always a new one, whatever the browser brought along."""
    _, cascade = viewer_in(request.scope)
    try:
        fields = await fields_of(request)
    except InvalidRequest as error:
        return HTMLResponse(_page("", complaint=str(error)), 413)
    name, password = fields.get("name", ""), fields.get("password", "")
    target = safe_target(fields.get("next", ""))
    accounts = cascade.services.store.accounts
    address = f"from {request.client.host if request.client else 'a socket'}"
    known_as = f"for {name.strip().lower()[:120]}"
    account = await accounts.by_name(name)
    device = device_of(account, cookie_in(request.scope, DEVICE_COOKIE))
    # Whoever signed in here before is not kept out by what others guess, here or elsewhere.
    subjects = (address, known_as) if device is None else (f"by {device}",)
    try:
        throttle.take(*subjects)
    except TooManyRequests as error:
        words = str(error)
        return HTMLResponse(_page(target, complaint=words), 429, {"retry-after": str(error.retry_after_s)})
    if not await is_right(password, None if account is None else account.password_hash) or account is None:
        # Not the name that was typed: people type their password there.
        _log.warning("wrong password for %s, %s", account.name if account else "an unknown name", address)
        return HTMLResponse(_page(target, complaint=WRONG), 401)
    _log.info("%s signed in, %s", account.name, address)
    throttle.give_back(subjects[0])
    throttle.forget(subjects[-1])
    try:
        return await begin_session(request, accounts, account, target)
    except NotFound:  # changed while it was looked at
        return HTMLResponse(_page(target, complaint=WRONG), 401)


async def begin_session(request: Request, accounts: Accounts, account: Account, target: str) -> Response:
    """Return what signs somebody in and leads to a page."""
    token, _ = await accounts.sign_in(account, instead_of=session_of(request.scope))
    response = RedirectResponse(f"{request.scope['root_path']}/{target}", 303)
    given = ((COOKIE, token, int(LASTS.total_seconds())), (DEVICE_COOKIE, new_device(account), LASTS_S))
    for name, value, lasts_s in given:
        response.set_cookie(
            name, value, max_age=lasts_s, path=cookie_path(request),
            httponly=True, samesite="lax", secure=request.url.scheme == "https",
        )  # fmt: skip
    return response


@router.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session, here and in the store."""
    viewer, cascade = viewer_in(request.scope)
    if viewer.token is not None:
        await cascade.services.store.accounts.sign_out(viewer.token)
    response = RedirectResponse(f"{request.scope['root_path']}/sign-in", 303)
    response.delete_cookie(COOKIE, path=cookie_path(request))
    return response


def cookie_path(request: Request) -> str:
    """Return below which path a browser sends its cookies back: the one that it sees, also through a proxy."""
    return f"{prefix_of(request.scope)}{request.scope['root_path']}" or "/"


def safe_target(asked: str) -> str:
    """Return a page of ours, relative; the first one for anything else."""
    parts = urlsplit(asked)
    is_ours = not parts.scheme and not parts.netloc and "\\" not in asked and "//" not in asked
    return asked.lstrip("/") if is_ours and asked.isprintable() else ""


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises
    ------
    InvalidRequest
        When it is too large.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BODY:
            raise InvalidRequest(f"name and password must have at most {MOST_BODY:,} bytes", field="password")
    return {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def _page(target: str, *, complaint: str = "", has_accounts: bool = True) -> str:
    return plain_page("Sign in", _form(target, complaint, has_accounts=has_accounts))


def plain_page(title: str, inside: Markup) -> str:
    """Return a page of its own, which works without any script."""
    return str(
        Markup('<!doctype html><html lang="en"><head>{}<title>{} · x25</title></head>').format(head(), title)
        + tag("body", tag("main", inside, class_="sign-in"), class_="plain")
        + Markup("</html>")
    )


def _form(target: str, complaint: str, *, has_accounts: bool) -> Markup:
    brand = tag("h1", tag("span", "x25", class_="brand"), " terminal")
    if not has_accounts:
        return div("card", brand, tag("p", NO_ACCOUNT), tag("pre", COMMAND))
    return tag(
        "form", brand, tag("p", "What your AI calls cost, and why each went where it went.", class_="muted"),
        tag("p", complaint, role="alert", class_="bad") if complaint else None,
        tag("input", type="hidden", name="next", value=target),
        tag("label", "Name", tag("input", name="name", autocomplete="username", required=True, autofocus=True)),
        tag("label", "Password", tag(
            "input", name="password", type="password", autocomplete="current-password", required=True
        )),
        tag("button", "Sign in", class_="primary"),
        method="post", action="sign-in", class_="card",
    )  # fmt: skip
