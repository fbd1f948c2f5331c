import json
from dataclasses import replace

import numpy as np
import pytest

from x25.graph.estimators import (
    BUNDLED_CLASSIFIER,
    BUNDLED_DIFFICULTY,
    load_classifier,
    load_difficulty,
    open_estimators,
    read_estimators,
)
from x25.graph.settings import load_settings
from x25.providers.embeddings import open_encoder
from x25.routing.prompt.features import extract
from x25.state.errors import ConfigError

LOADERS = {"difficulty": load_difficulty, "classifier": load_classifier}


class Other:
    """An encoder nobody fitted a head with."""

    name = "other"
    dimension = 384
    fingerprint = "other weights"


async def test_the_bundled_heads_belong_to_the_bundled_encoder():
    estimators = await open_estimators(load_settings({}), {})
    features = extract([{"role": "user", "content": "Prove that there are infinitely many primes."}], {})
    embedding = await estimators.encoder.embed(features.text)
    assert estimators.classifier.classify(features, embedding, None).task_type == "reasoning"
    assert np.isfinite(estimators.difficulty.estimate([*embedding, *features.values]).value)


def test_heads_of_another_encoder_are_refused_with_both_dimensions():
    with pytest.raises(ConfigError, match="of dimension 256, this one is 'other weights' of dimension 384"):
        read_estimators(Other())


def test_a_classifier_of_another_encoder_is_refused_too(tmp_path):
    path = tmp_path / "classifier.json"
    given = json.loads(BUNDLED_CLASSIFIER.read_text())
    path.write_text(json.dumps({**given, "encoder": {**given["encoder"], "fingerprint": "older"}}))
    with pytest.raises(ConfigError, match="older"):
        read_estimators(open_encoder(), BUNDLED_DIFFICULTY, path)


@pytest.mark.parametrize("kind", LOADERS)
@pytest.mark.parametrize("content", [None, "", "{", "[]", "3", "null", "{}", json.dumps({"version": 1})])
def test_an_artifact_that_is_missing_or_corrupt_is_refused_by_name(tmp_path, content, kind):
    path = tmp_path / f"{kind}.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=rf"{kind}\.json"):
        LOADERS[kind](path)


def test_a_difficulty_head_survives_being_written_down(tmp_path):
    model = load_difficulty()
    path = tmp_path / "difficulty.json"
    path.write_text(json.dumps(replace(model, manifest={}).to_dict()))
    inputs = np.random.default_rng(0).normal(size=len(model.head.coef))
    assert load_difficulty(path).estimate(inputs).value == pytest.approx(
        model.estimate(inputs).value, abs=1e-4
    )


def test_what_x25_train_writes_is_served_as_difficulty():
    completion = BUNDLED_DIFFICULTY.with_name("completion.json")
    estimators = read_estimators(open_encoder(), completion)
    features = [
        extract([{"role": "user", "content": text}], {}) for text in ("Hi", "Prove Fermat's last theorem.")
    ]
    inputs = [[*np.zeros(estimators.difficulty.encoder_dimension), *one.values] for one in features]
    assert load_difficulty(completion).estimate(inputs[0]) == estimators.difficulty.estimate(inputs[0])


def test_a_completion_model_without_its_figures_is_no_difficulty_artifact(tmp_path):
    bare = json.loads(BUNDLED_DIFFICULTY.with_name("completion.json").read_text()) | {"manifest": {}}
    path = tmp_path / "bare.json"
    path.write_text(json.dumps(bare))
    with pytest.raises(
        ConfigError, match=r"bare\.json: not a difficulty artifact: its manifest lacks 'terciles'"
    ):
        load_difficulty(path)
