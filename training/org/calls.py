"""An org's call log as answers to learn from: what was asked, who answered first, what was seen of the answer."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ...providers.specs import ModelSpec
from ...routing.belief.completion import completion_prob, memory_relief
from ...routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ...routing.belief.label_evidence import label_likelihood
from ...routing.belief.likelihood import likelihood
from ...routing.belief.org_model import inputs_id, move_inputs, unpack_inputs
from ...routing.prompt.difficulty import DifficultyModel
from ...routing.prompt.logistic import logit
from ...state.audit.sums import LOOKED_AT
from ...state.observations import Observation, Outcome
from ...state.records import Call
from .fit import Seen

HELD_OUT_ONE_IN = 5


@dataclass(frozen=True)
class OrgCalls:
    """What of a call log teaches; sequences in the order of `seen`."""

    seen: Seen
    cells: Sequence[str]
    held_out: NDArray[np.bool_]
    labelled: int
    """Answers a judge, a check or a person said something of."""
    skipped: Mapping[str, int]
    """How many calls teach nothing, by reason."""


@dataclass(frozen=True)
class Known:
    """What is known beside the log."""

    specs: Mapping[str, ModelSpec] = field(default_factory=dict)
    """Models by id; an unknown one starts at its tier's level."""
    labels: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Call id to how right the first answer is said to be, and what that counts, both 0 to 1; what counts in full
    decides alone."""
    table: JudgeTable = DEFAULT_TABLE
    """Of judges nobody has measured; the log holds its bins."""
    judge_tables: Mapping[str, JudgeTable] = field(default_factory=dict)
    """Of judges that the org has measured, by model id; same bins."""


def read_calls(calls: Iterable[Call], difficulty: DifficultyModel, known: Known) -> OrgCalls:
    """Return the first answers of calls, with the likelihood of what was seen of each.

    Only the first answer of a call counts: later ones are asked for after failures. An answer that passed the free
    checks unjudged counts with what passing tells, since those that failed them count as well.
    """
    wanted = inputs_id(difficulty.encoder_fingerprint, difficulty.encoder_dimension)
    size = len(difficulty.head.coef)
    rows, skipped, labelled = [], Counter[str](), 0
    for call in calls:
        reason = _why_useless(call, wanted, size)
        if reason is not None:
            skipped[reason] += 1
            continue
        label = known.labels.get(call.call_id)
        verdict = call.decision["first_verdict"]
        labelled += label is not None or verdict["source"] in LOOKED_AT
        table = known.judge_tables.get(verdict.get("judge_model"), known.table)
        rows.append((call, likelihoods(verdict, table, label=label)))
    groups = [hashlib.sha256(call.inputs or b"").hexdigest() for call, _ in rows]
    return OrgCalls(
        seen=_seen(rows, groups, difficulty, known.specs),
        cells=[call.task_cell for call, _ in rows],
        # By the prompt, so that a prompt asked twice never stands on both sides; later refits hold out the same ones.
        held_out=np.array([int(group[:8], 16) % HELD_OUT_ONE_IN == 0 for group in groups], dtype=np.bool_),
        labelled=labelled,
        skipped=dict(skipped),
    )


def likelihoods(
    verdict: Mapping[str, object], table: JudgeTable, *, label: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Return how likely what was seen is of a right and of a wrong answer; a label that counts in full is all."""
    said = (1.0, 1.0) if label is None else label_likelihood(*label)
    if label is not None and label[1] >= 1.0:
        return said
    score_bin = verdict["bin"]
    is_scored = isinstance(score_bin, int) and 0 <= score_bin < len(table.right)
    outcome: Outcome = (
        "failed_check" if verdict["source"] == "checks" else "scored" if is_scored else "unseen"
    )
    seen = Observation(
        outcome, score_bin if isinstance(score_bin, int) and is_scored else None, None, None, 1.0, True
    )
    right, wrong = likelihood(seen, table)
    return right * said[0], wrong * said[1]


def _why_useless(call: Call, wanted: str, size: int) -> str | None:
    decision = call.decision
    if call.inputs is None:
        return "no vector kept"
    if decision.get("inputs_id") != wanted:
        return "vector of another encoder"
    if (reason := _why_unread(call.inputs, size)) is not None:
        return reason
    if not decision.get("first_verdict") or not decision.get("model_id"):
        return "first model did not answer"
    return None


def _why_unread(packed: bytes, size: int) -> str | None:
    try:
        inputs = unpack_inputs(packed)
    except ValueError:
        return "damaged vector"
    if len(inputs) != size:
        return "vector of another encoder"
    return None if np.isfinite(inputs).all() else "damaged vector"


def _seen(
    rows: Sequence[tuple[Call, tuple[float, float]]],
    groups: Sequence[str],
    difficulty: DifficultyModel,
    specs: Mapping[str, ModelSpec],
) -> Seen:
    design = np.array([unpack_inputs(call.inputs or b"") for call, _ in rows], dtype=np.float64)
    design = design.reshape(len(rows), len(difficulty.head.coef))
    model_ids = [str(call.decision["model_id"]) for call, _ in rows]
    tier_of = {
        model_id: str(call.decision["tier"]) for model_id, (call, _) in zip(model_ids, rows, strict=True)
    }
    models = tuple(sorted(set(model_ids)))
    relief = [
        memory_relief(tier_of[model_id]) if call.decision.get("memory_hit") else 0.0
        for model_id, (call, _) in zip(model_ids, rows, strict=True)
    ]
    return Seen(
        z=move_inputs(difficulty, design),
        bundled=difficulty.head.predict(design) - np.array(relief),
        model=np.array([models.index(model_id) for model_id in model_ids], dtype=np.int64),
        right=np.array([right for _, (right, _) in rows]),
        wrong=np.array([wrong for _, (_, wrong) in rows]),
        group=np.array(groups, dtype=np.str_),
        models=models,
        start_levels=np.array([start_level(specs.get(model_id), tier_of[model_id]) for model_id in models]),
    )


def start_level(spec: ModelSpec | None, tier: str) -> float:
    """Return the logit of a model's bundled prediction at difficulty 0."""
    capability = None if spec is None else spec.capability
    return logit(
        completion_prob(tier=tier if spec is None else spec.tier, capability=capability, difficulty=0.0)
    )
