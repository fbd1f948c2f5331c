"""What labels are worth: to the beliefs about models, to the judge's table, and to an org's own estimators.

With T the trust in a group of labels (`label_trust`), a label counts with the weight

    c = max(0, (T - `LEAST_TRUST`) / (1 - `LEAST_TRUST`))

    judge's table     c y right and c (1 - y) wrong in the bin of its score, beside the 50 labels of the default table
    belief of a model R += c v y, Q += c v p, n += c v, y the label, p the prediction; v says how many judged answers
                      tell as much as one that is known: v = Var w / (q (1 - q)), at most `MOST_WORTH`, where w is the
                      judge's learning weight, q = (right + 2) / (labels + 4)
    own estimators    P(label | right) = c y + (1 - c) / 2, times the likelihood of what was seen

Labels do not fade. They count for `MOST_OBSERVATIONS` judged answers at most, so what the judge sees lately can always
outvote them, and those on a model's former self (`drift`) for none. What labels say of a model in other cells counts
for `MOST_BORROWED` judged answers in this one, less what labels say of it here: who complains of one kind of task
says little of the others.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...state.label_counts import LabelCount
from ...state.records import Evidence
from .judge_table import BINS, DEFAULT_TABLE, JudgeTable, table_from_counts
from .label_trust import Group, group_of, trust_in
from .likelihood import Likelihood
from .thompson import Sums

LEAST_TRUST = 0.8
"""Trust from which labels count; honest ones reach .95 within ten, chance falls below within thirty."""
MOST_WORTH = 5.0
"""Most judged answers that one label counts for; of the default judge's, it is three to four."""
MOST_OBSERVATIONS = 300.0
"""Most judged answers that all labels of a model in a cell count for together."""
MOST_BORROWED = 10.0
"""Most judged answers that labels of a model's other cells count for."""
_NOTHING: Sums = (0.0, 0.0, 0.0)
_TRACE = 1e-9


def label_weight(trust: float) -> float:
    """Return what a label counts, 0 to 1, at this trust."""
    return max(0.0, (trust - LEAST_TRUST) / (1.0 - LEAST_TRUST))


def label_likelihood(right: float, weight: float) -> Likelihood:
    """Return how likely a label is of a right and of a wrong answer, believed to `weight`, 0 to 1."""
    chance = (1.0 - weight) / 2.0
    return weight * right + chance, weight * (1.0 - right) + chance


@dataclass(frozen=True, slots=True)
class OrgLabels:
    """What an org's labels say."""

    trust: Mapping[Group, float] = field(default_factory=dict)
    tables: Mapping[str, JudgeTable] = field(default_factory=dict)
    """Table of each judge whose scores were labelled."""
    cells: Mapping[tuple[str, str], Sums] = field(default_factory=dict)
    """What labels add to R, Q, n, by context cell and model."""
    counts: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
    """Right and wrong labels of all answers as they count, by context cell, then by model."""
    totals: Mapping[str, Sums] = field(default_factory=dict)
    """`cells` summed by model."""

    def weight(self, source: str, model_id: str) -> float:
        """Return what a label of a first answer counts."""
        return label_weight(self.trust.get(Group(source, model_id, True), 1.0))

    def added_to(self, evidence: Mapping[str, Evidence], cell: str) -> dict[str, Evidence]:
        """Return what selection reads of each arm in a cell (`thompson.combine`) with what labels add."""
        counts, found = self.counts.get(cell, {}), dict(evidence)
        for model_id in self.totals.keys() | counts.keys():
            known = found.get(model_id) or Evidence(model_id, cell)
            counted = counts.get(model_id, (0.0, 0.0))
            found[model_id] = _plus(known, self._sums(cell, model_id), counted)
        return found

    def added_to_all(self, pooled: Evidence) -> Evidence:
        """Return an arm's evidence over all cells with what labels add, for reports."""
        mine = [counts.get(pooled.model_id, (0.0, 0.0)) for counts in self.counts.values()]
        counted = (sum(one[0] for one in mine), sum(one[1] for one in mine))
        return _plus(pooled, _capped(self.totals.get(pooled.model_id, _NOTHING)), counted)

    def _sums(self, cell: str, model_id: str) -> Sums:
        own = self.cells.get((cell, model_id), _NOTHING)
        total = self.totals.get(model_id, _NOTHING)
        elsewhere = total[2] - own[2]
        room = max(0.0, MOST_BORROWED - own[2])
        share = min(1.0, room / elsewhere) if elsewhere > _TRACE else 0.0
        return _capped(_sum([own, *([_scaled(_less(total, own), share)] if share > 0.0 else [])]))


NO_LABELS = OrgLabels()


def weigh_labels(
    counts: Sequence[LabelCount],
    default: JudgeTable = DEFAULT_TABLE,
    pooled: Mapping[str, Evidence] | None = None,
    *,
    is_judged: bool = True,
) -> OrgLabels:
    """Return what an org's labels say, a function of their counts and of the evidence that trust is measured against.

    Parameters
    ----------
    default
        What a judge's scores are worth where the org has labelled none of them.
    pooled, is_judged
        As in `label_trust.trust_in`.
    """
    if not counts:
        return NO_LABELS
    known = pooled or {}
    trust = trust_in(counts, default, known, is_judged=is_judged)
    weighed = [(one, group := group_of(one, known), label_weight(trust[group])) for one in counts]
    tables = _tables([(one, weight) for one, _, weight in weighed], default)
    worth = _worth([(one, weight) for one, group, weight in weighed if group.is_current], tables, default)
    cells: dict[tuple[str, str], Sums] = defaultdict(lambda: _NOTHING)
    totals: dict[str, Sums] = defaultdict(lambda: _NOTHING)
    plain: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
    for one, group, weight in weighed:
        place = (one.task_cell, one.model_id)
        if weight > 0.0:
            right, wrong = plain[one.task_cell].get(one.model_id, (0.0, 0.0))
            plain[one.task_cell][one.model_id] = (right + weight * one.right, wrong + weight * one.wrong)
        if weight > 0.0 and group.is_current:
            each = weight * worth[one.model_id]
            added = (each * one.right, each * one.predicted, each * (one.right + one.wrong))
            cells[place] = _sum([cells[place], added])
            totals[one.model_id] = _sum([totals[one.model_id], added])
    return OrgLabels(trust, tables, dict(cells), dict(plain), dict(totals))


def _tables(weighed: Sequence[tuple[LabelCount, float]], default: JudgeTable) -> dict[str, JudgeTable]:
    sums: dict[str, tuple[list[float], list[float]]] = {}
    for one, weight in weighed:
        if one.judge and 0 <= one.place < BINS:
            right, wrong = sums.setdefault(one.judge, ([0.0] * BINS, [0.0] * BINS))
            right[one.place] += weight * one.right
            wrong[one.place] += weight * one.wrong
    return {
        judge: table_from_counts(default, right, wrong, name=judge) for judge, (right, wrong) in sums.items()
    }


def label_worth(share: float, table: JudgeTable) -> float:
    """Return how many judged answers tell as much as one label, of a model that is right in this share; 1 or more.

    Parameters
    ----------
    share
        In (0, 1).
    """
    ratio = table.weight_variance(share) / (share * (1.0 - share)) if table.is_trusted else MOST_WORTH
    return min(max(ratio, 1.0), MOST_WORTH)


def _worth(
    weighed: Sequence[tuple[LabelCount, float]], tables: Mapping[str, JudgeTable], default: JudgeTable
) -> dict[str, float]:
    """Return how many judged answers one label of each model counts for, by the table of its most labelled judge."""
    judges: dict[str, float] = defaultdict(float)
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for one, weight in weighed:
        sums[one.model_id][0] += weight * one.right
        sums[one.model_id][1] += weight * (one.right + one.wrong)
        if one.judge:
            judges[one.judge] += one.right + one.wrong
    table = tables[max(judges, key=judges.__getitem__)] if judges else default
    found = {}
    for model_id, (right, labels) in sums.items():
        found[model_id] = label_worth((right + 2.0) / (labels + 4.0), table)
    return found


def _sum(parts: Sequence[Sums]) -> Sums:
    return sum(r for r, _, _ in parts), sum(q for _, q, _ in parts), sum(n for _, _, n in parts)


def _capped(sums: Sums) -> Sums:
    return _scaled(sums, min(1.0, MOST_OBSERVATIONS / sums[2])) if sums[2] > 0.0 else _NOTHING


def _scaled(sums: Sums, share: float) -> Sums:
    return share * sums[0], share * sums[1], share * sums[2]


def _less(whole: Sums, part: Sums) -> Sums:
    return whole[0] - part[0], whole[1] - part[1], whole[2] - part[2]


def _plus(known: Evidence, sums: Sums, counted: tuple[float, float]) -> Evidence:
    """Return evidence with label sums as recent observations, and plain counts as labels say."""
    return replace(
        known,
        successes=known.successes + counted[0],
        failures=known.failures + counted[1],
        reward_sum=known.reward_sum + sums[0],
        predicted_sum=known.predicted_sum + sums[1],
        weight=known.weight + sums[2],
        reward_total=known.reward_total + sums[0],
        predicted_total=known.predicted_total + sums[1],
        weight_total=known.weight_total + sums[2],
    )
