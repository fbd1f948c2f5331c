"""API keys of organisations: make one in three steps, list, renew and revoke them."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from fastapi import Request
from nicegui import ui

from ..state.api_key import ApiKey
from ..state.errors import Forbidden, InvalidRequest, NotFound
from ..state.names import check_org
from .formats import NOTHING, moment, number
from .frame import View, frame, opened, show
from .markup import Markup, div, join, span, tag
from .tables import Column, save_link
from .theme import THEME_COOKIE
from .viewers import Viewer, is_still

OVERLAP_S = 3_600.0
MOST_RPM = 1_000_000
_log = logging.getLogger(__name__)


@ui.page("/keys")
async def keys_page(request: Request) -> None:
    """Show keys, and make them."""
    view = await opened(request)
    if view is None:
        return
    with frame(view, "API keys", dark=request.cookies.get(THEME_COOKIE)):
        show(tag("h1", f"API keys, {view.org_words}"))
        with ui.element("div").classes("grid"):
            maker = Maker(view)
            maker.build(is_open=bool(view.asked.get("new")))
            listing = Listing(view, maker)
            maker.on_made = listing.refresh
            await listing.build()


async def check_allowed(view: View, org: str) -> None:
    """Raise unless the viewer may still manage keys of an org.

    Raises
    ------
    Forbidden
        When the session is over, or the org is another's.
    """
    if not await is_still(view.viewer, view.cascade):
        raise Forbidden("your session is over: sign in again")
    view.viewer.check(org)


def check_limit(typed: float | None) -> int:
    """Return how many calls a minute a key may make; 0, for no limit, where nothing was typed.

    Raises
    ------
    InvalidRequest
        For anything but a whole number in range: the nearest one would be a limit that nobody chose, or none.
    """
    asked = typed or 0
    if not 0 <= asked <= MOST_RPM or asked != int(asked):
        raise InvalidRequest(
            f"calls per minute must be a whole number from 0 to {MOST_RPM:,}, got {typed:g}",
            field="rate_limit_rpm",
        )
    return int(asked)


def limit_words(rpm: int) -> str:
    """Return a limit a minute in words."""
    return f"{number(rpm)} calls a minute" if rpm else "any number of calls a minute"


class Maker:
    """The three steps: name the organisation, check it, proceed; then the key, once."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._org: str | None = None
        self.on_made = _nothing

    def build(self, *, is_open: bool) -> None:
        """Put the card on the page."""
        with ui.element("section").classes("card s12").props('id="new" aria-label="Generate API Key"'):
            show(
                tag("h2", "Generate API Key")
                + div("small muted", "A key makes calls of one organisation, which pays for them.")
            )
            self._steps = ui.element("div").classes("rows")
            with self._steps:
                self._ask(is_open)
            self._told = show(Markup(""))

    def _ask(self, is_open: bool) -> None:
        with ui.row().classes("filters"):
            field = ui.input("Organisation name", value=self._view.org or "").props("outlined dense")
            field.props("autofocus" if is_open else "")
            limit = ui.number("Calls per minute, 0 = unlimited", value=0)
            limit.props("outlined dense").style("min-width: 240px")
            ui.button("Check", on_click=lambda: self._check(field.value, limit.value)).props("unelevated")
        field.on("keydown.enter", lambda: self._check(field.value, limit.value))

    async def _check(self, org: str, limit: float | None) -> None:
        try:
            named, rpm = check_org((org or "").strip()), check_limit(limit)
            await check_allowed(self._view, named)
        except (InvalidRequest, Forbidden) as error:
            self._say("bad", str(error))
            return
        count = await self._view.cascade.services.store.orgs.call_count(named)
        known = (
            f"it made {number(count)} calls"
            if count
            else "it has made no calls yet: is the name spelt right?"
        )
        self._org = named
        self._steps.clear()
        with self._steps:
            may = f"it may make {limit_words(rpm)}"
            show(tag("p", "The key will be of ", tag("b", named, data_org=named), f"; {known}; {may}"))
            with ui.row().classes("filters"):
                ui.button("Proceed", on_click=lambda: self._make(rpm)).props("unelevated")
                ui.button("Back", on_click=self._again).props("flat")
        self._say("", "")

    async def _make(self, limit: int) -> None:
        org, self._org = self._org, None
        if org is None:
            return  # pressed twice
        try:
            await check_allowed(self._view, org)
        except Forbidden as error:
            self._say("bad", str(error))
            return
        secret, key = await self._view.cascade.services.store.keys.create(org, limit)
        _log.info("key %s of org %s was made on the keys page", key.key_id, org)
        self.show_once(secret, key)
        await self.on_made()

    def show_once(self, secret: str, key: ApiKey) -> None:
        """Show a new key until the reader leaves or says that it is kept."""
        place = f"key-{uuid4().hex[:8]}"
        self._steps.clear()
        with self._steps:
            show(
                tag(
                    "p",
                    tag("b", f"Key {key.key_id} of {key.org}. "),
                    "Copy it now: it is stored as a hash and cannot be shown again.",
                )
            )
            show(div("secret", secret, id=place))
            with ui.row().classes("filters"):
                show(
                    tag("button", "Copy", class_="primary", type="button", onclick=f"x25Copy(this,'{place}')")
                )
                ui.button("I have kept it", on_click=self._again).props("flat")
        self._say("", "")

    def _again(self) -> None:
        self._steps.clear()
        with self._steps:
            self._ask(is_open=False)

    def _say(self, level: str, words: str) -> None:
        self._told.set_content(str(tag("p", words, class_=level, role="status")))


class Listing:
    """The keys there are."""

    def __init__(self, view: View, maker: Maker) -> None:
        self._view = view
        self._maker = maker

    async def build(self) -> None:
        """Put the card on the page."""
        with ui.element("section").classes("card s12").props('aria-label="Keys"'):
            show(
                tag("h2", "Keys")
                + div("small muted", "Told by how they begin. A renewed key stays good for an hour.")
            )
            self._rows = ui.element("div").classes("rows")
        await self.refresh()

    async def refresh(self) -> None:
        """Read the keys again."""
        store, viewer = self._view.cascade.services.store, self._view.viewer
        orgs = [self._view.org] if self._view.org or viewer.is_admin else list(viewer.orgs or ())
        found = [key for org in orgs for key in await store.keys.list(org)]
        now = self._view.cascade.services.now()
        self._rows.clear()
        with self._rows:
            if found:
                show(save_link(columns(now), found, label="Keys", file="keys"))
            else:
                show(div("empty", "No keys yet. Generate one above."))
            for key in sorted(found, key=lambda one: (not is_good(one, now), one.org, one.created_at)):
                self._row(key, is_live=is_good(key, now))

    def _row(self, key: ApiKey, *, is_live: bool) -> None:
        with ui.row().classes("pair items-center"):
            show(described(key, is_live=is_live))
            if is_live and may_manage(self._view.viewer, key):
                with ui.row():
                    ui.button("Rotate", on_click=lambda: self._rotate(key)).props("flat dense")
                    ui.button("Revoke", on_click=lambda: self._ask_revoke(key)).props(
                        "flat dense color=negative"
                    )

    async def _rotate(self, key: ApiKey) -> None:
        store = self._view.cascade.services.store
        try:
            await check_allowed(self._view, key.org)
            secret, new, _ = await store.keys.rotate(key.key_id, OVERLAP_S, org=key.org)
        except (Forbidden, NotFound, InvalidRequest) as error:
            ui.notify(str(error), type="negative")
            return
        self._maker.show_once(secret, new)
        await self.refresh()

    def _ask_revoke(self, key: ApiKey) -> None:
        async def revoke() -> None:
            dialog.close()
            try:
                await check_allowed(self._view, key.org)
            except Forbidden as error:
                ui.notify(str(error), type="negative")
                return
            done = await self._view.cascade.services.store.keys.revoke(key.key_id, org=key.org)
            if done is not None and done.successors:
                ui.notify(
                    f"Renewed from it, and good all the same: {', '.join(done.successors)}", type="warning"
                )
            await self.refresh()

        with ui.dialog() as dialog, ui.card():
            show(tag("p", f"Revoke key {key.key_id} of {key.org}? Calls with it are refused from now on."))
            with ui.row():
                ui.button("Revoke now", on_click=revoke).props("unelevated color=negative")
                ui.button("Keep it", on_click=dialog.close).props("flat")
        dialog.open()


def described(key: ApiKey, *, is_live: bool) -> Markup:
    """Return a key in words."""
    state = span("tag good", "good") if is_live else span("tag", "revoked" if key.revoked_at else "expired")
    used = join(["used ", moment(key.last_used_at)]) if key.last_used_at else "never used"
    limit = f"{number(key.rate_limit_rpm)} calls a minute" if key.rate_limit_rpm else "no limit a minute"
    until = join([" · good until ", moment(key.expires_at)]) if is_live and key.expires_at else None
    admin = span("tag warn", "admin") if key.is_admin else None
    return div(
        "", span("mono", f"{key.prefix or NOTHING}…"), " ", tag("b", key.org), " ", state, " ", admin,
        div("small muted", f"{key.key_id} · {limit} · ", ", ".join(key.scopes), " · ", used, until),
    )  # fmt: skip


def columns(now: datetime) -> list[Column[ApiKey]]:
    """Return the columns of keys in a file; a secret is in none."""
    facts: dict[str, Callable[[ApiKey], object]] = {
        "Key": lambda one: one.key_id, "Begins": lambda one: one.prefix, "Organisation": lambda one: one.org,
        "Good": lambda one: is_good(one, now), "Scopes": lambda one: " ".join(one.scopes),
        "Calls a minute": lambda one: one.rate_limit_rpm, "Made": lambda one: one.created_at.isoformat(),
        "Good until": lambda one: one.expires_at.isoformat() if one.expires_at else "",
        "Last used": lambda one: one.last_used_at.isoformat() if one.last_used_at else "",
    }  # fmt: skip
    return [Column(title, value, value) for title, value in facts.items()]


def is_good(key: ApiKey, now: datetime) -> bool:
    """Return whether a key still opens the door."""
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def may_manage(viewer: Viewer, key: ApiKey) -> bool:
    """Return whether somebody may renew or revoke a key: an admin's key is an admin's to manage."""
    return viewer.is_admin or (not key.is_admin and key.org in (viewer.orgs or ()))


async def _nothing() -> None:
    """Do nothing."""
