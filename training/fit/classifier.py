"""Which kind of work does a prompt ask for? Fit the task classifier on hand-written and recorded prompts.

Run as `python -m x25.training.fit.classifier --data DIR`. Softmax regression with a ridge penalty; the penalty was
chosen by cross-validation that keeps the prompts of a template together, and so is the temperature each time.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...providers.embeddings import Encoder, open_encoder
from ...routing.prompt.classifier import TaskClassifier
from ...routing.prompt.cues import CUES
from ...routing.prompt.difficulty import standardise
from ...routing.prompt.features import FEATURE_NAMES
from ...routing.prompt.taxonomy import EIGHT_TYPES, KIND_TO_EIGHT, KIND_TO_TASK, KINDS
from ...state.types import TASK_TYPES
from ..data.metrics import ece
from ..data.recorded import fold_of
from .task_rows import TaskRows, joined, recorded_rows, written_rows

Floats = NDArray[np.float64]

PENALTY = 50.0
"""Ridge penalty of the weights against the summed loss; in cross-validation 20 did no better and 200 worse."""
WORDING_SCALE = 3.0
"""What the presence of a wording counts for beside an input one standard deviation from its mean; 1 and 2 did worse."""
LEAST_GROUPS = 2
"""Templates a wording must occur in to be learned."""
FOLDS = 3
_TEMPERATURES = np.geomspace(0.5, 2.0, 41)
_OUT = Path(__file__).parent.parent.parent / "artifacts" / "classifier.json"


@dataclass(frozen=True, slots=True)
class Head:
    """A fitted softmax; arrays as in `TaskClassifier`."""

    mean: Floats
    scale: Floats
    coef: Floats
    vocabulary: list[str]
    wording_coef: Floats
    """Shape (vocabulary, kinds)."""
    intercept: Floats

    def scores(self, inputs: Floats, found: Sequence[set[str]]) -> Floats:
        """Return the kinds' scores before temperature, shape (n, kinds)."""
        present = _presence(found, self.vocabulary)
        scores: Floats = standardise(inputs, self.mean, self.scale) @ self.coef + self.intercept
        return scores + present @ self.wording_coef


def fit_head(rows: TaskRows) -> Head:
    """Fit a softmax on hand-written and recorded prompts."""
    weights = rows.weights()
    inputs = rows.inputs().astype(np.float64)
    # Of what fills a template nothing is learned word by word: it says what the work is about.
    vocabulary = frequent_wordings(rows.asked(), rows.group)
    mean = np.average(inputs, axis=0, weights=weights)
    scale = np.sqrt(np.average((inputs - mean) ** 2, axis=0, weights=weights))
    varies = scale > 1e-4
    scale = np.where(varies, scale, 1.0)
    dense = standardise(inputs, mean, scale) * varies
    design = np.hstack([dense, WORDING_SCALE * _presence(rows.wordings(), vocabulary)]).astype(np.float32)
    model: Any = import_module("sklearn.linear_model").LogisticRegression(
        C=1.0 / PENALTY, max_iter=300, tol=1e-3
    )
    own = np.count_nonzero(~rows.is_recorded)
    model.fit(design, rows.kind, sample_weight=weights * own / weights.sum())
    coef = np.zeros((design.shape[1], len(KINDS)))
    intercept = np.full(len(KINDS), -20.0)  # a kind without any row
    coef[:, model.classes_], intercept[model.classes_] = model.coef_.T, model.intercept_
    wide = dense.shape[1]
    return Head(
        mean, scale, coef[:wide] * varies[:, None], vocabulary, WORDING_SCALE * coef[wide:], intercept
    )


def frequent_wordings(found: Sequence[set[str]], groups: Sequence[str] | NDArray[np.str_]) -> list[str]:
    """Return the wordings that occur in `LEAST_GROUPS` groups or more, sorted."""
    wording_to_groups: defaultdict[str, set[str]] = defaultdict(set)
    for wordings, group in zip(found, groups, strict=True):
        for wording in wordings:
            wording_to_groups[wording].add(str(group))
    return sorted(wording for wording, seen in wording_to_groups.items() if len(seen) >= LEAST_GROUPS)


def _presence(found: Sequence[set[str]], vocabulary: Sequence[str]) -> NDArray[np.float32]:
    column_of = {wording: column for column, wording in enumerate(vocabulary)}
    present = np.zeros((len(found), len(vocabulary)), dtype=np.float32)
    for row, wordings in enumerate(found):
        present[row, [column_of[wording] for wording in wordings if wording in column_of]] = 1.0
    return present


def out_of_fold_scores(
    one_half: TaskRows, other_half: TaskRows, recorded: Sequence[TaskRows]
) -> tuple[TaskRows, Floats]:
    """Return rows and their scores by heads that have seen neither their template or group nor their fillers.

    Heads learn from `one_half` and are asked about `other_half`: the same templates, other fillers. Recorded
    prompts are on both sides, divided by group. Scores have shape (n, kinds).
    """
    learned, asked = joined([one_half, *recorded]), joined([other_half, *recorded])
    fold_learned, fold_asked = fold_of(learned.group, FOLDS), fold_of(asked.group, FOLDS)
    scores = np.empty((len(asked), len(KINDS)))
    for one in range(FOLDS):
        head = fit_head(learned.take(np.flatnonzero(fold_learned != one)))
        away = np.flatnonzero(fold_asked == one)
        part = asked.take(away)
        scores[away] = head.scores(part.inputs().astype(np.float64), part.wordings())
    return asked, scores


def best_temperature(scores: Floats, kind: NDArray[np.int64], weights: Floats) -> float:
    """Return the temperature at which the task types' probabilities fit best; scores must be out of fold."""
    fold = _folding(KIND_TO_TASK, TASK_TYPES)
    task = fold.argmax(axis=1)[kind]

    def loss(temperature: float) -> float:
        prob = (_softmax(scores / temperature) @ fold)[np.arange(len(task)), task]
        return float(np.average(-np.log(prob.clip(1e-9)), weights=weights))

    return min(map(float, _TEMPERATURES), key=loss)


def _softmax(scores: Floats) -> Floats:
    shares: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs: Floats = shares / shares.sum(axis=1, keepdims=True)
    return probs


def _folding(name_of: Mapping[Any, str], names: Sequence[str]) -> Floats:
    """Return the 0/1 matrix that sums kinds into names, shape (kinds, names)."""
    return np.array([[float(name_of[kind] == name) for name in names] for kind in KINDS])


def artifact_of(head: Head, temperature: float, encoder: Encoder) -> dict[str, Any]:
    """Return what `TaskClassifier.from_dict` reads, without manifest."""
    return {
        "kinds": list(KINDS),
        "encoder": {"fingerprint": encoder.fingerprint, "dimension": encoder.dimension},
        "feature_names": list(FEATURE_NAMES),
        "cues": list(CUES),
        "mean": _rounded(head.mean),
        "scale": _rounded(head.scale),
        "coef": _rounded(head.coef),
        "intercept": _rounded(head.intercept),
        "temperature": round(temperature, 4),
        "wordings": dict(zip(head.vocabulary, _rounded(head.wording_coef, 3), strict=True)),
    }


def _rounded(array: Floats, digits: int = 5) -> Any:
    if array.ndim > 1:
        return [_rounded(row, digits) for row in array]
    return [float(f"{value:.{digits}g}") for value in array.tolist()]


def measure(classifier: TaskClassifier, rows: TaskRows) -> dict[str, Any]:
    """Return how well the classifier names the seven and the eight types of labelled prompts."""
    estimates = [
        classifier.classify(features, embedding, None)
        for features, embedding in zip(rows.features, rows.embeddings, strict=True)
    ]
    kinds = [KINDS[kind] for kind in rows.kind]
    seven = [KIND_TO_TASK[kind] for kind in kinds], [one.task_type for one in estimates]
    eight = [KIND_TO_EIGHT[kind] for kind in kinds], [one.eight_type for one in estimates]
    return {
        "prompts": len(rows),
        "to_general_share": round(float(np.mean([one.task_cell == "general" for one in estimates])), 4),
        "seven": _scores(*seven, [max(one.probs.values()) for one in estimates], TASK_TYPES),
        "eight": _scores(*eight, [max(one.eight_probs.values()) for one in estimates], EIGHT_TYPES),
    }


def _scores(
    true: Sequence[str], said: Sequence[str], confidence: Sequence[float], names: Sequence[str]
) -> dict[str, Any]:
    """Return accuracy, macro F1 over the names that occur, calibration error and the confusion matrix."""
    table = np.zeros((len(names), len(names)), dtype=np.int64)
    for one, other in zip(true, said, strict=True):
        table[names.index(one), names.index(other)] += 1
    hits, given, named = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    f1 = 2.0 * hits[given > 0] / (given + named)[given > 0]
    is_right = [float(one == other) for one, other in zip(true, said, strict=True)]
    return {
        "accuracy": round(float(np.mean(is_right)), 4),
        "macro_f1": round(float(f1.mean()), 4),
        "ece": round(ece(confidence, is_right), 4),
        "confusion": {
            name: dict(zip(names, row, strict=True)) for name, row in zip(names, table.tolist(), strict=True)
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, print accuracy on unseen templates and held-out recorded prompts, write the artifact."""
    parser = argparse.ArgumentParser(description="Fit the task classifier on labelled prompts.")
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of recorded outcomes; none = written alone"
    )
    parser.add_argument("--encoder", default="", help="as the setting X25_ENCODER")
    parser.add_argument("--out", type=Path, default=_OUT, help="artifact to write")
    parser.add_argument("--date", default=None, help="date of the fit for the manifest, YYYY-MM-DD")
    options = parser.parse_args(arguments)
    encoder = open_encoder(options.encoder)
    written = {split: written_rows(split, encoder) for split in ("train", "test")}
    sides = {"unseen_templates": written["test"]}
    recorded = []
    if options.data is not None:
        recorded.append(recorded_rows(options.data, "train", encoder))
        sides["recorded_held_out"] = recorded_rows(options.data, "test", encoder)
    halves = written_rows("train", encoder, half=0), written_rows("train", encoder, half=1)
    asked, scores = out_of_fold_scores(*halves, recorded)
    temperature = best_temperature(scores, asked.kind, asked.weights())
    train = joined([written["train"], *recorded])
    artifact = artifact_of(fit_head(train), temperature, encoder)
    classifier = TaskClassifier.from_dict(artifact)
    measured = {side: measure(classifier, rows) for side, rows in sides.items()}
    for side, figures in measured.items():
        for names in ("seven", "eight"):
            scores = figures[names]
            print(f"{side:<20}{names:<8}accuracy {scores['accuracy']:.3f}   macro F1 {scores['macro_f1']:.3f}   "
                  f"ECE {scores['ece']:.3f}")  # fmt: skip
    artifact["manifest"] = {
        "created": options.date,
        "train_prompts": {
            "written": int((~train.is_recorded).sum()),
            "recorded": int(train.is_recorded.sum()),
        },
        "wordings": len(artifact["wordings"]),
        "penalty": PENALTY,
        "measured": measured,
    }
    options.out.write_text(json.dumps(artifact, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
