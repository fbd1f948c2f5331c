"""What is around every page: header, menu, ticker, notices; and what a page is asked for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from nicegui import core, ui

from ..graph.run import Cascade
from ..state.errors import Forbidden, InvalidRequest
from ..state.names import check_org
from ..state.queries.periods import Period
from ..state.types import TIERS
from .gate import TICKER, viewer_in
from .live import Part, send_by
from .markup import Markup, join, link, span, tag
from .theme import head
from .ticker import Ticker
from .viewers import Viewer

PAGES = (
    ("Home", "./"), ("Observatory", "observatory"), ("Chat", "chat"), ("Routing", "routing"),
    ("Mission control", "mission"),
)  # fmt: skip
DAYS = 30
MOST_ASKED = 500
"""Characters of one parameter of an address."""
LOCAL = (
    "No account exists, so everybody on this machine is an admin here. "
    "Make the first: x25 accounts create NAME --admin, or x25 accounts link"
)


@dataclass(frozen=True, slots=True)
class View:
    """What one page is asked for, by whom."""

    viewer: Viewer
    cascade: Cascade
    orgs: list[str]
    org: str | None
    """None = all organisations."""
    period: Period
    asked: Mapping[str, str]
    """The address's parameters."""
    ticker: Ticker

    def href(self, page: str, **more: str | None) -> str:
        """Return a link that keeps org and period."""
        asked = {**self.kept, **more}
        written = urlencode({name: value for name, value in asked.items() if value})
        return f"{page}?{written}" if written else page

    @property
    def kept(self) -> Mapping[str, str]:
        """What of the address goes from page to page: org and period."""
        asked = {"org": self.org, "from": self.asked.get("from"), "to": self.asked.get("to")}
        return {name: value for name, value in asked.items() if value}

    @property
    def org_words(self) -> str:
        """Whose figures these are."""
        return "all organisations" if self.org is None else self.org


async def view_of(request: Request) -> View:
    """Return what a request asks for.

    Raises
    ------
    Forbidden, InvalidRequest
        When the org may not be seen, or a field of the address is wrong.
    """
    viewer, cascade = viewer_in(request.scope)
    asked = dict(request.query_params)
    for name, value in asked.items():
        check_asked(name, value)
    orgs = viewer.visible(await cascade.services.store.orgs.list())
    named = check_org(asked["org"]) if asked.get("org") else None
    org = viewer.choose(named, orgs)
    period = period_of(asked, cascade.services.now().date())
    check_tier(asked.get("tier", ""))
    return View(viewer, cascade, orgs, org, period, asked, request.scope[TICKER])


def check_asked(name: str, value: str) -> None:
    """Raise unless a parameter of an address is short and can be printed.

    Raises
    ------
    InvalidRequest
        Because a store may have no way to look for anything else.
    """
    if len(value) > MOST_ASKED or not value.isprintable():
        shown = name[:40].encode("ascii", "backslashreplace").decode()
        raise InvalidRequest(f"{shown} must be at most {MOST_ASKED} printable characters", field=shown)


def check_tier(named: str) -> None:
    """Raise unless an address names a tier that there is, or none.

    Raises
    ------
    InvalidRequest
        Because a page for a tier that is none would show as if there had been no calls.
    """
    if named and named not in TIERS:
        raise InvalidRequest(f"tier must be one of {', '.join(TIERS)}, got {named[:80]!r}", field="tier")


def period_of(asked: Mapping[str, str], today: date) -> Period:
    """Return the days that an address names by `from` and `to`; the last thirty without.

    Raises
    ------
    InvalidRequest
        When one is no date, or there are too many days.
    """
    try:
        last = date.fromisoformat(asked["to"]) if asked.get("to") else today
        first = date.fromisoformat(asked["from"]) if asked.get("from") else last - timedelta(days=DAYS - 1)
        return Period(first, last)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(f"from and to must be days such as 2026-01-31: {error}", field="from") from error


def show(markup: Markup, class_: str = "") -> ui.html:
    """Put markup on the page; what it was made of is escaped already."""
    return ui.html(str(markup), sanitize=False).classes(class_)


@contextmanager
def frame(view: View, title: str, parts: Sequence[Part] = (), *, dark: str | None = None) -> Iterator[None]:
    """Lay out a page around what is built inside; `parts` of it are kept current, as the ticker is."""
    ui.page_title(f"{title} · x25")
    ui.add_head_html(str(head()))
    ui.dark_mode({"light": False, "dark": True}.get(dark or ""))
    show(link("#main", "Skip to content", class_="skip"))
    show(_top(view, title))
    moving(show(span("label", "…"), "ticker"), "strip").props(
        'role="region" aria-label="Live figures" tabindex="0"'
    )
    if view.viewer.token is None:
        show(tag("div", LOCAL, class_="notice", role="note"))
    _keep_current(view, (Part("strip", view.org, partial(view.ticker.strip, view.org)), *parts))
    with ui.element("div").classes("page").props('id="main"'):
        yield


def moving(shown: ui.html, name: str) -> ui.html:
    """Name what is kept current as the part of that name."""
    return shown.props(f"data-live={name}")


def _keep_current(view: View, parts: Sequence[Part]) -> None:
    client, live, send = ui.context.client, view.ticker.live, send_by(core.sio.emit)
    client.on_connect(lambda: live.join(client.id, view.viewer, parts, send))
    client.on_delete(lambda: live.leave(client.id))


def note_seen(socket_id: str, is_seen: object) -> None:
    """Take note that the page of a websocket is seen, or no longer."""
    ticker: Ticker = core.sio.get_environ(socket_id)["asgi.scope"][TICKER]
    for page_id in core.sio.rooms(socket_id):
        ticker.live.see(page_id, is_seen=bool(is_seen))


def complain(error: Exception) -> None:
    """Say on a page of its own why nothing is shown."""
    ui.context.client.status_code = 403 if isinstance(error, Forbidden) else 422
    ui.page_title("Not shown · x25")
    ui.add_head_html(str(head()))
    with ui.element("div").classes("page"):
        show(
            tag(
                "div",
                tag("h1", "Not shown"),
                tag("p", str(error)),
                link("./", "To the first page"),
                class_="card",
            )
        )


async def opened(request: Request) -> View | None:
    """Return what a page is asked for; None once it said why not."""
    try:
        return await view_of(request)
    except (Forbidden, InvalidRequest) as error:
        complain(error)
        return None


def _top(view: View, title: str) -> Markup:
    tabs = [
        link(view.href(path), name, aria_current="page" if name == title else None) for name, path in PAGES
    ]
    theme = tag(
        "button", "◐", class_="button", onclick="x25Theme()", type="button", aria_label="Light or dark",
        title="Light or dark",
    )  # fmt: skip
    return tag(
        "header", link(view.href("./"), "x25", class_="brand", aria_label="x25, first page"),
        tag("nav", *tabs, class_="tabs", aria_label="Pages"),
        tag("div", _org_picker(view), theme, _menu(view), class_="tools"),
        class_="top",
    )  # fmt: skip


def _org_picker(view: View) -> Markup:
    choices = [(one, one) for one in view.orgs]
    if view.viewer.is_admin:
        choices.insert(0, ("", "All organisations"))
    if view.org is not None and view.org not in view.orgs:
        choices.append((view.org, view.org))
    options = [
        tag("option", words, value=value, selected=value == (view.org or "")) for value, words in choices
    ]
    kept = [
        tag("input", type="hidden", name=name, value=view.asked[name])
        for name in ("from", "to", "model", "tier")
        if view.asked.get(name)
    ]
    # Going back, a browser would otherwise put the later choice beside the figures of the earlier one.
    picker = tag(
        "select", *options, name="org", aria_label="Organisation", onchange="this.form.submit()", autocomplete="off",
    )  # fmt: skip
    return tag("form", picker, *kept, method="get", autocomplete="off")


def _menu(view: View) -> Markup:
    entries: list[Any] = [
        span("who", f"Signed in as {view.viewer.name}" if view.viewer.token else "Not signed in")
    ]
    entries += [link(view.href(path), name) for name, path in PAGES]
    if view.viewer.is_admin or view.viewer.orgs:
        entries.append(link(view.href("keys", new="1"), "Generate API Key", class_="key"))
        entries.append(link(view.href("keys"), "API keys"))
    if view.viewer.token:
        entries.append(tag("form", tag("button", "Sign out"), method="post", action="sign-out"))
    return tag(
        "details", tag("summary", "☰", aria_label="Menu"), tag("nav", join(entries), aria_label="Menu"), class_="menu"
    )  # fmt: skip
