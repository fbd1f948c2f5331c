"""Fit an org's own free verifier on what its judged answers looked like.

A judge's score is no truth: its bin makes a soft label, P(right | bin) by the judge's table at the model's share of
right answers, which EM finds from the bins alone. The prompt's prior has no part in it, or the verifier would learn
the prior back. A person's or a check's word replaces it. Fitting and auditing take each label once as right or wrong,
drawn with that probability, so that noise of the judge weakens what the verifier is believed to know.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...nodes.org.judge_tables import read_labels
from ...routing.answer.verifier import FEATURES_ID, KIND, unpack_features
from ...routing.answer.verifier_evidence import LEAST_LABELS
from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...state.learning.judged_answers import LabelledAnswer
from ...state.store import Store
from ..data.recorded import fold_of
from ..verifier.answer_matrix import Answers
from ..verifier.fit import FOLDS, FittedVerifier, Labelled, Usual, fit_verifier
from ..verifier.heads import Fit, fit_logistic
from ..verifier.measures import auc_within

Floats = NDArray[np.float64]
Decision = Literal["live", "rejected", "too few answers"]

MOST_ANSWERS = 5_000
"""Answers read, the newest first."""
LEAST_CELL_LABELS = 100
"""Answers of one kind of task below which its audit says nothing."""
_EM_STEPS = 50


@dataclass(frozen=True)
class OrgVerifierFit:
    """What a fit found and what became of it."""

    org: str
    decision: Decision
    version: int | None
    metrics: dict[str, Any]


async def fit_org_verifier(  # noqa: PLR0913 - what a fit depends on
    store: Store,
    org: str,
    encoder: str,
    *,
    table: JudgeTable = DEFAULT_TABLE,
    fit: Fit = fit_logistic,
    dry_run: bool = False,
) -> OrgVerifierFit:
    """Fit on the org's judged answers; what is good enough somewhere goes live, and serves only there.

    Parameters
    ----------
    encoder
        Fingerprint of the encoder behind the priors.
    table
        What a judge's scores are worth where the org has labelled none of them.
    fit
        Head to fit; the logistic regression needs no library.
    dry_run
        Fit and audit, write nothing.
    """
    kept = [
        one
        for one in await store.judged_answers.newest(org, MOST_ANSWERS)
        if one.seen.features_id == FEATURES_ID
    ]
    if len(kept) < LEAST_LABELS:
        return OrgVerifierFit(org, "too few answers", None, {"answers": len(kept)})
    said = await read_labels(org, store, table)
    kept = said_of(kept, await store.labels.of_answers(org, said.weight))
    answers = labelled_answers(kept, soft_labels(kept, said.tables, table))
    found = fit_verifier(answers, encoder=encoder, fit=fit)
    cells = cell_audits(found, answers)
    metrics = metrics_of(found, cells, kept)
    is_of_use = any(tier.is_trusted for tier in found.verifier.tiers.values()) and bool(cells)
    decision: Decision = "live" if is_of_use else "rejected"
    if dry_run:
        return OrgVerifierFit(org, decision, None, metrics)
    verifier = replace(found.verifier, manifest={"created": datetime.now(UTC).isoformat(), "cell_auc": cells})
    candidate = await store.artifacts.add_candidate(org, KIND, json.dumps(verifier.to_dict()), metrics)
    if is_of_use:
        # The verifier moves no prediction made before the answer: there is nothing to restate.
        await store.artifacts.go_live(candidate, {}, {"metrics": metrics})
    else:
        await store.artifacts.reject(candidate, {"metrics": metrics})
    return OrgVerifierFit(org, decision, candidate.version, metrics)


def said_of(
    kept: Sequence[LabelledAnswer], words: Mapping[tuple[str, int], tuple[float, float]]
) -> list[LabelledAnswer]:
    """Return answers with what was said of them and what that counts, by call id and step; the rest unlabelled."""
    return [
        replace(one, right=word[0], counts=word[1])
        if (word := words.get((one.seen.call_id, one.seen.step))) is not None
        else replace(one, right=None)
        for one in kept
    ]


def soft_labels(
    kept: Sequence[LabelledAnswer],
    tables: Mapping[str, JudgeTable],
    default: JudgeTable,
) -> Floats:
    """Return P(right) of each answer by what people and checks said, as far as that counts, else by its judge's bin."""
    of_judge = [tables.get(one.seen.judge, default) for one in kept]
    bins = [one.seen.score_bin for one in kept]
    right = np.array([table.right[place] for table, place in zip(of_judge, bins, strict=True)])
    wrong = np.array([table.wrong[place] for table, place in zip(of_judge, bins, strict=True)])
    models = np.array([one.seen.model_id for one in kept])
    labels = np.full(len(kept), 0.5)
    for model in np.unique(models):
        mine, rate = models == model, 0.5
        for _ in range(_EM_STEPS):
            odds = rate * right[mine]
            labels[mine] = odds / (odds + (1.0 - rate) * wrong[mine])
            rate = float(np.clip(labels[mine].mean(), 0.02, 0.98))
    hard = np.array([np.nan if one.right is None else one.right for one in kept])
    counts = np.array([one.counts for one in kept])
    return np.where(np.isfinite(hard), counts * hard + (1.0 - counts) * labels, labels)


def labelled_answers(kept: Sequence[LabelledAnswer], labels: Floats, seed: int = 0) -> Labelled:
    """Return answers ready to fit on; each counts as right with the probability of its label."""
    model_to_tier = {one.seen.model_id: one.seen.tier for one in kept}
    models = tuple(sorted(model_to_tier))
    rows = np.arange(len(kept))
    columns = np.array([models.index(one.seen.model_id) for one in kept])
    features = np.array([unpack_features(one.seen.features) for one in kept])
    shape = (len(kept), len(models))
    values = np.full((*shape, features.shape[1]), np.nan, dtype=np.float32)
    correct, priors = np.full(shape, np.nan), np.full(shape, 0.5)
    values[rows, columns] = features
    correct[rows, columns] = np.random.default_rng(seed).random(len(kept)) < labels
    priors[rows, columns] = [one.seen.prior_prob for one in kept]
    answers = Answers(models, [[None] * len(models)] * len(kept), values)
    usual = Usual.of(answers, correct)
    cells = np.array([one.seen.task_cell for one in kept])
    fold = fold_of([_prompt_of(one) for one in kept], FOLDS)
    tiers = tuple(model_to_tier[model] for model in models)
    return Labelled(usual.inputs(answers, priors), priors, correct, cells, fold, models, tiers, usual)


def _prompt_of(one: LabelledAnswer) -> str:
    """Return what answers to one prompt share, so that they stay in one fold."""
    return one.seen.call_id if one.inputs is None else hashlib.sha256(one.inputs).hexdigest()


def cell_audits(found: FittedVerifier, data: Labelled) -> dict[str, float]:
    """Return the AUC inside each kind of task, out of fold, averaged over models; where there are labels enough."""
    audits = {}
    for cell in np.unique(data.datasets).tolist():
        here = data.datasets == cell
        if int(data.known[here].sum()) < LEAST_CELL_LABELS:
            continue
        measured = []
        for column in range(len(data.models)):
            rows = here & data.known[:, column]
            measured.append(auc_within(
                found.train_logits[rows, column], data.correct[rows, column], data.datasets[rows]
            ))  # fmt: skip
        finite = [auc for auc in measured if np.isfinite(auc)]
        if finite:
            audits[cell] = round(float(np.mean(finite)), 4)
    return audits


def metrics_of(
    found: FittedVerifier, cells: Mapping[str, float], kept: Sequence[LabelledAnswer]
) -> dict[str, Any]:
    """Return what the record says of a fit."""
    return {
        "answers": len(kept),
        "labelled_by_people": sum(one.right is not None for one in kept),
        "tiers": {
            tier: {
                "labels": known.labels,
                "audit_auc": None if known.audit_auc is None else round(known.audit_auc, 4),
                "is_trusted": known.is_trusted,
            }
            for tier, known in found.verifier.tiers.items()
        },
        "cell_auc": dict(cells),
    }
