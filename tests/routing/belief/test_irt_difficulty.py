import json
from dataclasses import replace

import numpy as np
import pytest

from x25.graph.settings import PACKAGE_DIR
from x25.routing.belief.irt import CompletionModel
from x25.routing.belief.irt_difficulty import difficulty_model_of
from x25.state.errors import ConfigError

MODEL = CompletionModel.from_dict(json.loads((PACKAGE_DIR / "artifacts" / "completion.json").read_text()))


def test_it_orders_prompts_as_the_completion_model_does_around_zero():
    head = difficulty_model_of(MODEL)
    rng = np.random.default_rng(0)
    inputs = MODEL.mean + MODEL.scale * rng.normal(size=(50, len(MODEL.coef)))
    found = [head.estimate(row).value for row in inputs]
    assert found == pytest.approx([MODEL.difficulty(row) - MODEL.intercept for row in inputs])
    assert head.estimate(MODEL.mean).value == pytest.approx(0.0)


def test_bands_are_the_thirds_of_its_own_prompts_and_sigma_is_what_it_leaves_unexplained():
    head = difficulty_model_of(MODEL)
    easy_end, hard_start = (one - MODEL.intercept for one in MODEL.manifest["terciles"])
    assert head.terciles == (easy_end, hard_start)
    assert [head.band(one) for one in (easy_end - 0.1, 0.0, hard_start + 0.1)] == ["easy", "medium", "hard"]
    r, spread = MODEL.manifest["held_out"]["pearson"]["all"], (hard_start - easy_end) / 0.861
    assert head.estimate(MODEL.mean).sigma == pytest.approx(spread * (1 / r**2 - 1) ** 0.5)


def test_a_manifest_without_figures_is_refused_by_name():
    with pytest.raises(ConfigError, match=r"lacks 'terciles'; fit it again: x25 train"):
        difficulty_model_of(replace(MODEL, manifest={}))
