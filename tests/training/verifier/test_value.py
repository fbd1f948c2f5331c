import json

import numpy as np
import pytest

from x25.training.data.sides import Folders
from x25.training.verifier.fit import Answered
from x25.training.verifier.sides import read_sides
from x25.training.verifier.value import complete, cpu_figures, panel_figures

MODELS = ("tiny", "middle", "large")


@pytest.fixture(scope="module")
def sides(answered, no_encoder):
    return read_sides(Folders(answered, None, no_encoder), "made")


@pytest.fixture(scope="module")
def figures(sides):
    pytest.importorskip("sklearn", reason="needs the train extra")
    return panel_figures(*(side.answered for side in sides), MODELS, "none", prices=(0.01, 0.1, 0.4))


@pytest.mark.train
def test_second_answer_and_own_text_are_measured_for_the_cheap_tiers(figures):
    assert [tier["model"] for tier in figures["tiers"]] == ["tiny", "middle"]
    tiny = figures["tiers"][0]
    assert tiny["with_second"]["model"] == "middle"
    assert tiny["with_second"]["pair"]["auc"] > tiny["prior"]["auc"]
    assert tiny["with_second"]["price"] == pytest.approx(0.2)
    assert tiny["is_trusted"]


@pytest.mark.train
def test_going_on_is_measured_per_kind_of_signal(figures):
    assert set(figures["continuation"]) == {"prompt", "own", "agreement"}
    for one in figures["continuation"].values():
        assert [point["paid"] for point in one["curve"]] == [0.01, 0.1, 0.4]
    assert figures["continuation"]["agreement"]["match_0"]["cut"] > 0.0


@pytest.mark.train
def test_figures_are_json(figures):
    assert json.loads(json.dumps(figures))["models"] == list(MODELS)


def test_prompts_that_one_model_did_not_answer_are_left_out(sides):
    part = sides[1].answered
    answers = part.answers.take(np.arange(len(part.recorded)))
    answers.values[3, answers.models.index("middle")] = np.nan
    kept = complete(Answered(part.recorded, answers, part.priors), MODELS)
    assert len(kept.recorded) == len(part.recorded) - 1
    assert kept.answers.models == MODELS
    assert part.recorded.prompt_ids[3] not in kept.recorded.prompt_ids


@pytest.mark.train
def test_processor_time_is_reported_in_milliseconds(sides):
    pytest.importorskip("sklearn", reason="needs the train extra")
    cpu = cpu_figures(sides[1].recorded, sides[1].answers, sides[0].labelled)
    assert 0.0 < cpu["features_p50"] <= cpu["features_p95"]
    assert cpu["tree_nodes"] > 100


def test_answers_of_other_models_may_be_kept(sides):
    part = sides[1].answered
    kept = complete(part, MODELS[:2], part.answers.models)
    assert kept.answers.models == part.answers.models
    assert kept.priors.shape == (len(kept.recorded), 2)
