"""Who looks at a page, and what they may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..api.deps import is_own_machine
from ..graph.run import Cascade
from ..state.accounts import Account
from ..state.errors import Forbidden

COOKIE = "x25_session"
OVER = "Your session is over: sign in again."


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody at a page."""

    name: str
    orgs: tuple[str, ...] | None
    """What may be seen; None = every org."""
    token: str | None = None
    """Of the session; None for the owner of this machine, who needs no account while there is none."""

    @property
    def is_admin(self) -> bool:
        """Whether every org may be seen and managed."""
        return self.orgs is None

    def check(self, org: str | None) -> None:
        """Raise unless an org, or all of them for None, may be seen.

        Raises
        ------
        Forbidden
            In the same words whether or not there is such an org.
        """
        if self.orgs is not None and org not in self.orgs:
            raise Forbidden("your account may not see this organisation")

    def choose(self, asked: str | None, known: Sequence[str]) -> str | None:
        """Return the org that a page is about: the one asked for, else all that an admin sees, or a member's first."""
        if asked:
            self.check(asked)
            return asked
        if self.orgs is None:
            return known[0] if len(known) == 1 else None
        return self.orgs[0]

    def visible(self, known: Sequence[str]) -> list[str]:
        """Return the orgs to choose from."""
        return list(known) if self.orgs is None else list(self.orgs)


OWNER = Viewer("this machine's owner", None)


def viewer_of_account(account: Account, token: str) -> Viewer:
    """Return who is signed in."""
    return Viewer(account.name, None if account.is_admin else account.orgs, token)


async def viewer_of(token: str | None, client: Any, cascade: Cascade) -> Viewer | None:
    """Return who may look; None where somebody has to sign in first.

    Without any account the pages are open to the gateway's own machine, on the terms its API is, and to nobody else.
    """
    accounts = cascade.services.store.accounts
    if token:
        account = await accounts.of_session(token)
        if account is not None:
            return viewer_of_account(account, token)
    if is_own_machine(client, cascade) and not await accounts.count():
        return OWNER
    return None


async def is_still(viewer: Viewer, cascade: Cascade) -> bool:
    """Return whether somebody may still do what they could when the page was opened."""
    accounts = cascade.services.store.accounts
    if viewer.token is None:
        return not await accounts.count()
    account = await accounts.of_session(viewer.token)
    return account is not None and viewer_of_account(account, viewer.token) == viewer
