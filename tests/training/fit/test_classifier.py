import json
from functools import cache

import numpy as np
import pytest

from x25.routing.prompt.classifier import TaskClassifier
from x25.routing.prompt.taxonomy import EIGHT_TYPES, KINDS
from x25.state.types import TASK_TYPES
from x25.training.fit.classifier import (
    LEAST_GROUPS,
    artifact_of,
    best_temperature,
    fit_head,
    frequent_wordings,
    measure,
)
from x25.training.fit.predictor import NoEncoder
from x25.training.fit.task_rows import written_rows

needs_sklearn = pytest.mark.train


@cache
def rows(split):
    """Return a few written prompts of each kind."""
    made = written_rows(split, NoEncoder())
    return made.take(np.sort(np.random.default_rng(0).permutation(len(made))[:700]))


@cache
def fitted():
    pytest.importorskip("sklearn", reason="needs the train extra")
    return fit_head(rows("train"))


def test_a_wording_is_learned_when_enough_templates_have_it():
    found = [{"write", "poem"}, {"write", "story"}, {"write", "story"}]
    assert frequent_wordings(found, ["a", "b", "c"]) == ["story", "write"]
    assert frequent_wordings(found, ["a", "b", "b"]) == ["write"]
    assert LEAST_GROUPS == 2


@needs_sklearn
def test_what_is_served_scores_as_what_was_fitted():
    head, test = fitted(), rows("test").take(np.arange(20))
    classifier = TaskClassifier.from_dict(artifact_of(head, 1.0, NoEncoder()))
    scores = head.scores(test.inputs().astype(np.float64), test.wordings())
    for row in range(len(test)):
        probs = classifier.kind_probs(test.features[row], test.embeddings[row])
        expected = np.exp(scores[row]) / np.exp(scores[row]).sum()
        assert list(probs.values()) == pytest.approx(expected, abs=0.02)


@needs_sklearn
def test_even_a_small_fit_beats_chance_on_unseen_templates():
    classifier = TaskClassifier.from_dict(artifact_of(fitted(), 1.0, NoEncoder()))
    measured = measure(classifier, rows("test"))
    assert measured["prompts"] == len(rows("test"))
    for names, types in (("seven", TASK_TYPES), ("eight", EIGHT_TYPES)):
        scores = measured[names]
        assert scores["accuracy"] > 0.5
        assert set(scores["confusion"]) == set(types)
        assert sum(map(sum, (row.values() for row in scores["confusion"].values()))) == measured["prompts"]
        assert 0.0 <= scores["ece"] <= 1.0


def test_the_temperature_undoes_overconfident_scores():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4_000, len(KINDS)))
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    kind = np.array([rng.choice(len(KINDS), p=row) for row in shares])
    even = np.ones(len(kind))
    assert best_temperature(scores, kind, even) == pytest.approx(1.0, abs=0.15)
    assert best_temperature(1.6 * scores, kind, even) == pytest.approx(1.6, abs=0.2)


@needs_sklearn
def test_the_artifact_is_plain_json():
    artifact = artifact_of(fitted(), 1.25, NoEncoder())
    again = TaskClassifier.from_dict(json.loads(json.dumps(artifact)))
    assert (again.encoder_dimension, again.temperature) == (0, 1.25)
