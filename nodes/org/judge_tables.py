"""The judges' tables of the orgs seen lately: read from the store now and then, never once per call."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...routing.belief.judge_table import JudgeTable, table_from_counts
from ...state.store import Store

REFRESH_S = 5.0
"""Age at which an org's tables are read again: a label counts after this at the latest."""
MOST_ORGS = 1_000


@dataclass(slots=True)
class _Page:
    read_at_s: float
    tables: Mapping[str, JudgeTable] = field(default_factory=dict)
    is_read: bool = False


class JudgeBook:
    """Keeps what labels say of each judge, by org; the orgs longest unseen are forgotten.

    While one call reads an org's page again, others go on with the old one.
    """

    def __init__(self, *, refresh_s: float = REFRESH_S, most_orgs: int = MOST_ORGS) -> None:
        self._refresh_s = refresh_s
        self._most_orgs = most_orgs
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    async def refresh(self, org: str, store: Store, default: JudgeTable, now_s: float) -> None:
        """Read the org's counts where they are older than `refresh_s`; StoreError as the store's."""
        page = self._pages.get(org)
        if page is not None and page.is_read and now_s - page.read_at_s < self._refresh_s:
            self._pages.move_to_end(org)
            return
        page = page or _Page(now_s)
        page.read_at_s = now_s
        self._pages[org] = page
        self._pages.move_to_end(org)
        counts = await store.judge_tables.counts(org, default.edges)
        page.tables = {
            judge: table_from_counts(default, one.right, one.wrong, name=judge)
            for judge, one in counts.items()
        }
        page.is_read = True
        while len(self._pages) > self._most_orgs:
            self._pages.popitem(last=False)

    def table(self, org: str, judge: str | None, default: JudgeTable) -> JudgeTable:
        """Return the org's table of a judge as last read; the default where the org has labelled none of its scores."""
        page = self._pages.get(org)
        return default if page is None or judge is None else page.tables.get(judge, default)
