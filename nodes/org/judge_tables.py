"""What the labels of the orgs seen lately say, of judges and of models: read now and then, never once per call."""

from collections import OrderedDict
from dataclasses import dataclass

from ...routing.belief.judge_table import JudgeTable
from ...routing.belief.label_evidence import NO_LABELS, OrgLabels, weigh_labels
from ...state.store import Store

REFRESH_S = 5.0
"""Age at which an org's tables are read again: a label counts after this at the latest."""
MOST_ORGS = 1_000


@dataclass(slots=True)
class _Page:
    read_at_s: float
    labels: OrgLabels = NO_LABELS
    is_read: bool = False


class JudgeBook:
    """Keeps what labels say, by org; the orgs longest unseen are forgotten.

    While one call reads an org's page again, others go on with the old one.
    """

    def __init__(self, *, refresh_s: float = REFRESH_S, most_orgs: int = MOST_ORGS) -> None:
        self._refresh_s = refresh_s
        self._most_orgs = most_orgs
        self._pages: OrderedDict[str, _Page] = OrderedDict()

    async def refresh(
        self, org: str, store: Store, default: JudgeTable, now_s: float, *, is_judged: bool = True
    ) -> None:
        """Read the org's counts where they are older than `refresh_s`; StoreError as the store's.

        `is_judged` says whether somebody judges here, and labels can be held against that.
        """
        page = self._pages.get(org)
        if page is not None and page.is_read and now_s - page.read_at_s < self._refresh_s:
            self._pages.move_to_end(org)
            return
        page = page or _Page(now_s)
        page.read_at_s = now_s
        self._pages[org] = page
        self._pages.move_to_end(org)
        page.labels = await read_labels(org, store, default, is_judged=is_judged)
        page.is_read = True
        while len(self._pages) > self._most_orgs:
            self._pages.popitem(last=False)

    def forget(self, org: str) -> None:
        """Have the org's labels read anew by its next call: they changed."""
        self._pages.pop(org, None)

    def labels(self, org: str) -> OrgLabels:
        """Return what the org's labels say as last read."""
        page = self._pages.get(org)
        return NO_LABELS if page is None else page.labels

    def table(self, org: str, judge: str | None, default: JudgeTable) -> JudgeTable:
        """Return the org's table of a judge as last read; the default where the org has labelled none of its scores."""
        page = self._pages.get(org)
        return default if page is None or judge is None else page.labels.tables.get(judge, default)


async def read_labels(
    org: str, store: Store, default: JudgeTable, *, is_judged: bool | None = None
) -> OrgLabels:
    """Return what the org's labels say now; StoreError as the store's.

    `is_judged` says whether somebody judges; None = somebody does where a labelled answer was judged.
    """
    counts = await store.judge_tables.label_counts(org, default.edges)
    if not counts:
        return NO_LABELS
    pooled = {one.model_id: one for one in await store.posteriors.read_pooled(org)}
    if is_judged is None:
        is_judged = any(one.judge for one in counts)
    return weigh_labels(counts, default, pooled, is_judged=is_judged)
