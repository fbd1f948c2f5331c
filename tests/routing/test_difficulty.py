import json
from pathlib import Path

import numpy as np
import pytest

from x25.routing.difficulty import DifficultyModel, standardise
from x25.routing.features import FEATURE_NAMES, extract
from x25.state.errors import ConfigError

ARTIFACT = Path(__file__).parents[2] / "artifacts" / "difficulty.json"
PARAMETERS = json.loads(ARTIFACT.read_text())
MODEL = DifficultyModel.from_dict(PARAMETERS)

TRIVIAL = ("1+1=?", "What is the capital of France?", "Say hi", "Who wrote Hamlet?", "What color is the sky?")
COMPETITION = (
    r"Let $a_1, a_2, \ldots$ be positive integers with $a_1 = 1$ and $a_{n+1} = a_n + \gcd(a_n, n)$. Find "
    r"the number of $n \le 2024$ for which $a_n$ is prime."
)
PROOF = (
    r"Prove that for every prime $p > 3$ the numerator of $1 + \frac{1}{2} + \cdots + \frac{1}{p-1}$ is "
    r"divisible by $p^2$, and generalise the proof to $\sum_{k=1}^{p-1} \frac{1}{k^m}$ for odd $m$."
)
CODE_OUTPUT = """What is the output of this code?
```python
def f(s, k):
    out = []
    for i, c in enumerate(s):
        if i % k == 0:
            out = out[::-1] + [c * (i % 3)]
        else:
            out.append(chr(ord(c) ^ k))
    return ''.join(out)[::-2]
assert f('abracadabra', 3) == ??
```"""
HARD = (COMPETITION, PROOF, CODE_OUTPUT)


def estimate(prompt, model=MODEL):
    return model.estimate(extract([{"role": "user", "content": prompt}], {}).values)


@pytest.mark.parametrize("prompt", TRIVIAL)
def test_trivial_prompts_land_in_the_lowest_third(prompt):
    assert estimate(prompt).band == "easy"


@pytest.mark.parametrize("prompt", HARD, ids=["competition", "proof", "code output"])
def test_hard_prompts_land_in_the_highest_third(prompt):
    assert estimate(prompt).band == "hard"


def test_the_shipped_artifact_says_where_it_comes_from():
    assert len(MODEL.manifest["data_sha256"]) == 64
    assert MODEL.manifest["held_out_pearson"]["zeroeval"] > 0.5
    assert ARTIFACT.stat().st_size < 20_000


def test_zero_is_the_middle_of_the_training_prompts():
    assert MODEL.low < MODEL.terciles[0] < 0.0 < MODEL.terciles[1] < MODEL.high


def test_estimates_stay_in_the_training_range():
    for prompt in ("", "\\" * 6_000, "$" * 6_000, "漢" * 6_000, "prove " * 1_000):
        assert MODEL.low <= estimate(prompt).value <= MODEL.high
    steep = DifficultyModel.from_dict({**PARAMETERS, "coef": [100.0] * len(FEATURE_NAMES)})
    assert {estimate(prompt, steep).value for prompt in (*TRIVIAL, *HARD)} <= {steep.low, steep.high}


def test_one_unusual_feature_cannot_decide_alone():
    assert standardise(np.array([1e6, -1e6, 1.0]), np.zeros(3), np.ones(3)).tolist() == [4.0, -4.0, 1.0]


def test_other_features_than_the_present_ones_ask_for_a_new_fit():
    with pytest.raises(ConfigError, match="fit it again"):
        DifficultyModel.from_dict({**PARAMETERS, "feature_names": [*FEATURE_NAMES[1:], "other"]})


@pytest.mark.parametrize("key", ["coef", "sigma", "terciles"])
def test_a_missing_parameter_is_named(key):
    with pytest.raises(ConfigError, match=f"lacks {key}"):
        DifficultyModel.from_dict({name: value for name, value in PARAMETERS.items() if name != key})


@pytest.mark.parametrize(
    "damage",
    [{"scale": [0.0] * len(FEATURE_NAMES)}, {"coef": [1.0]}, {"sigma": 0.0}, {"terciles": [9.0, 10.0]}],
)
def test_parameters_out_of_range_are_refused(damage):
    with pytest.raises(ConfigError, match="wrong shape or range"):
        DifficultyModel.from_dict({**PARAMETERS, **damage})
