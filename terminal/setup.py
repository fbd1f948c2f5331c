"""The page of a setup link, on which the first account is made. Opening it uses nothing up; sending the form does."""

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from ..state.accounts import check_name
from ..state.errors import Forbidden, InvalidRequest
from ..state.setups import OVER
from .gate import viewer_in
from .markup import Markup, div, link, tag
from .passwords import LEAST_CHARS, hash_password
from .sign_in import begin_session, fields_of, plain_page

router = APIRouter(prefix="/setup", include_in_schema=False)


@router.get("")
async def form(request: Request) -> Response:
    """Show the form, where the link is good."""
    _, cascade = viewer_in(request.scope)
    token = request.query_params.get("token", "")
    if not await cascade.services.store.setups.is_good(token):
        return _refused(OVER)
    return HTMLResponse(_page(token))


@router.post("")
async def set_up(request: Request) -> Response:
    """Make the first account, an admin, and sign it in."""
    _, cascade = viewer_in(request.scope)
    store = cascade.services.store
    try:
        fields = await fields_of(request)
    except InvalidRequest as error:
        return _refused(str(error), 413)
    token, name, password = (fields.get(one, "") for one in ("token", "name", "password"))
    if not await store.setups.is_good(token):  # or anybody could have passwords hashed, which takes long
        return _refused(OVER)
    if password != fields.get("again"):
        return HTMLResponse(_page(token, name, "The passwords differ."), 422)
    try:
        check_name(name)
        hashed = await asyncio.to_thread(hash_password, password)
        account = await store.setups.redeem(token, name, hashed)
    except Forbidden as error:
        return _refused(str(error))
    except InvalidRequest as error:
        return HTMLResponse(_page(token, name, str(error)), 422)
    return await begin_session(request, store.accounts, account, "")


def _refused(why: str, status: int = 403) -> Response:
    inside = div(
        "card", _brand(), tag("p", f"{why[:1].upper()}{why[1:]}.", role="alert"), link("sign-in", "Sign in")
    )
    return HTMLResponse(plain_page("Set up", inside), status)


def _page(token: str, name: str = "", complaint: str = "") -> str:
    words = "Make the first account. It sees and manages every organisation; from then on everybody signs in."
    again = tag("input", name="again", type="password", autocomplete="new-password", required=True)
    named = tag("input", name="name", value=name, autocomplete="username", required=True, autofocus=True)
    return plain_page("Set up", tag(
        "form", _brand(), tag("p", words, class_="muted"),
        tag("p", complaint, role="alert", class_="bad") if complaint else None,
        tag("input", type="hidden", name="token", value=token),
        tag("label", "Name", named),
        tag(
            "label", f"Password, {LEAST_CHARS} characters or more",
            tag("input", name="password", type="password", autocomplete="new-password", required=True),
        ),
        tag("label", "The same again", again),
        tag("button", "Make the account", class_="primary"), method="post", action="setup", class_="card",
    ))  # fmt: skip


def _brand() -> Markup:
    return tag("h1", tag("span", "x25", class_="brand"), " terminal")
