import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from x25.providers.embeddings import open_encoder
from x25.routing.prompt.difficulty import DifficultyModel, standardise
from x25.routing.prompt.features import FEATURE_NAMES, extract
from x25.state.errors import ConfigError

ARTIFACT = Path(__file__).parents[3] / "artifacts" / "difficulty.json"
PARAMETERS = json.loads(ARTIFACT.read_text())
MODEL = DifficultyModel.from_dict(PARAMETERS)
ENCODER = open_encoder()

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
HARD = (COMPETITION, PROOF)


def inputs(prompt):
    features = extract([{"role": "user", "content": prompt}], {})
    return np.concatenate([ENCODER.embed_many([features.text])[0], features.values])


def estimate(prompt, model=MODEL):
    return model.estimate(inputs(prompt))


def value(prompt):
    return estimate(prompt).value


@pytest.mark.parametrize("prompt", TRIVIAL)
def test_trivial_prompts_land_in_the_lowest_third(prompt):
    assert estimate(prompt).band == "easy"


@pytest.mark.parametrize("prompt", HARD, ids=["competition", "proof"])
def test_hard_prompts_land_in_the_highest_third(prompt):
    assert estimate(prompt).band == "hard"


def test_predicting_what_code_prints_lies_between_trivia_and_proofs():
    # Recorded models answer about two thirds of such prompts: they are neither trivial nor hard.
    easiest, hardest = max(map(value, TRIVIAL)), min(map(value, HARD))
    assert easiest < value(CODE_OUTPUT) < hardest


def test_the_shipped_artifact_says_where_it_comes_from():
    assert len(MODEL.manifest["data_sha256"]) == 64
    assert MODEL.manifest["held_out_pearson"]["zeroeval"] > 0.5
    assert ARTIFACT.stat().st_size < 400_000


def test_zero_is_the_middle_of_the_training_prompts():
    assert MODEL.head.low < MODEL.terciles[0] < 0.0 < MODEL.terciles[1] < MODEL.head.high


def test_estimates_stay_in_the_training_range():
    for prompt in ("", "\\" * 6_000, "$" * 6_000, "漢" * 6_000, "prove " * 1_000):
        assert MODEL.head.low <= estimate(prompt).value <= MODEL.head.high
    head = replace(MODEL.head, coef=np.full_like(MODEL.head.coef, 100.0), shrinkage=0.0)
    steep = replace(MODEL, head=head)
    assert {estimate(prompt, steep).value for prompt in (*TRIVIAL, *HARD)} <= {head.low, head.high}


def test_a_prompt_unlike_the_training_is_less_certain():
    usual = estimate(
        "Natalia sold 48 clips in April and half as many in May. How many did she sell altogether?"
    )
    strange = estimate("漢字仮名交じり文" * 40 + "{}[]<>" * 60)
    assert strange.sigma > usual.sigma > 0.0


def test_another_encoder_is_refused_by_name_and_dimension():
    MODEL.require_encoder(ENCODER.fingerprint, ENCODER.dimension)
    with pytest.raises(ConfigError, match=r"of dimension 256, this one is 'other' of dimension 384"):
        MODEL.require_encoder("other", 384)


def test_one_unusual_feature_cannot_decide_alone():
    assert standardise(np.array([1e6, -1e6, 1.0]), np.zeros(3), np.ones(3)).tolist() == [4.0, -4.0, 1.0]


def test_other_features_than_the_present_ones_ask_for_a_new_fit():
    with pytest.raises(ConfigError, match="fit it again"):
        DifficultyModel.from_dict({**PARAMETERS, "feature_names": [*FEATURE_NAMES[1:], "other"]})


@pytest.mark.parametrize("key", ["head", "encoder", "terciles"])
def test_a_missing_parameter_is_named(key):
    with pytest.raises(ConfigError, match=f"lacks {key}"):
        DifficultyModel.from_dict({name: value for name, value in PARAMETERS.items() if name != key})


@pytest.mark.parametrize(
    "damage", [{"encoder": {"fingerprint": "x", "dimension": 3}}, {"terciles": [9.0, 10.0]}]
)
def test_parameters_out_of_range_are_refused(damage):
    with pytest.raises(ConfigError, match="wrong shape or range"):
        DifficultyModel.from_dict({**PARAMETERS, **damage})
