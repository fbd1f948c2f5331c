import doctest
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import x25.training.fit.predictor as module
from x25.state.errors import ConfigError, NotFound
from x25.training.fit.predictor import BUNDLED_ARTIFACT, NoEncoder, load_predictor, read_artifact

PROMPTS = ("1+1=?", "Design a distributed consensus algorithm", "证明 2 的平方根是无理数。", "")
NAMES = ["deepseek/deepseek-v4-flash-0731", "anthropic/claude-opus-5", "openai/gpt-5.6-luna"]

TRIVIAL = ("1+1=?", "What is the capital of France?", "Say hi", "Who wrote Hamlet?", "What color is the sky?")
HARD = (
    (
        r"Let $a_1, a_2, \ldots$ be positive integers with $a_1 = 1$ and $a_{n+1} = a_n + \gcd(a_n, n)$. Find "
        r"the number of $n \le 2024$ for which $a_n$ is prime."
    ),
    (
        r"Prove that for every prime $p > 3$ the numerator of $1 + \frac{1}{2} + \cdots + \frac{1}{p-1}$ is "
        r"divisible by $p^2$, and generalise the proof to $\sum_{k=1}^{p-1} \frac{1}{k^m}$ for odd $m$."
    ),
    r"Show that no group of order $p^2 q$ with distinct primes $p$ and $q$ is simple, and classify those of order 45.",
)


@pytest.fixture(scope="module")
def predictor():
    return load_predictor()


def test_the_documented_snippet_runs_and_gives_probabilities(predictor):
    assert doctest.testmod(module) == (0, 5)
    predictions = predictor.predict("Design a distributed consensus algorithm", NAMES)
    assert [one.model_id for one in predictions] == NAMES
    assert all(0.0 <= one.mu <= 1.0 for one in predictions)
    assert {one.basis for one in predictions} == {"profile"}


def test_a_profile_with_higher_benchmarks_is_likelier_on_every_prompt_without_a_fit():
    predictor = load_predictor(profiles={})
    coefficients = predictor.model.coef.copy()
    predictor.add_profiles({"new/good": {"benchmarks": {"gpqa_diamond": 60, "livecodebench": 55}}})
    predictor.add_profiles({"new/better": {"benchmarks": {"gpqa_diamond": 75, "livecodebench": 70}}})
    for prompt in PROMPTS:
        good, better = predictor.predict(prompt, ["new/good", "new/better"])
        assert better.mu > good.mu
    assert np.array_equal(predictor.model.coef, coefficients)


def test_asking_for_fewer_models_changes_no_probability(predictor):
    whole = {one.model_id: one.mu for one in predictor.predict(PROMPTS[1], NAMES)}
    for name in NAMES:
        assert predictor.predict(PROMPTS[1], [name])[0].mu == whole[name]


def test_profiles_come_from_a_file_too(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"model_id": "me/tuned", "benchmarks": {"gpqa_diamond": 40}}))
    predictor = load_predictor(profiles=str(path))
    assert predictor.predict("hello", ["me/tuned"])[0].capability == pytest.approx(0.4)
    with pytest.raises(NotFound, match="no profile of 'anthropic/claude-opus-5'"):
        predictor.predict("hello", ["anthropic/claude-opus-5"])


def test_trivial_prompts_are_easy_and_hard_ones_are_hard(predictor):
    easy_end, hard_start = predictor.model.manifest["terciles"]
    assert [prompt for prompt in TRIVIAL if predictor.difficulty(prompt) >= easy_end] == []
    assert [prompt for prompt in HARD if predictor.difficulty(prompt) <= hard_start] == []


@given(st.text(max_size=200), st.sampled_from(["$", "\\", "漢", "prove ", "1+1 ", "\x00", "\ud800"]))
@settings(max_examples=25, deadline=None)
def test_extreme_text_never_leaves_the_range_of_the_training_prompts(text, repeated):
    predictor = load_predictor_once()
    assert predictor.model.low <= predictor.difficulty(text + repeated * 900) <= predictor.model.high


def load_predictor_once(kept=[]):  # noqa: B006 - hypothesis allows no fixture here
    if not kept:
        kept.append(load_predictor())
    return kept[0]


def test_a_new_process_predicts_the_same(predictor):
    program = (
        "import json, sys; from x25.training.fit.predictor import load_predictor\n"
        "prompts, names = json.loads(sys.argv[1])\n"
        "predictor = load_predictor()\n"
        "print(json.dumps([[one.mu for one in predictor.predict(p, names)] for p in prompts]))\n"
        "heavy = {'torch', 'sklearn', 'pandas', 'pyarrow', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps([PROMPTS, NAMES])],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    here = [[one.mu for one in predictor.predict(prompt, NAMES)] for prompt in PROMPTS]
    assert json.loads(done.stdout) == here


def test_another_encoder_is_refused_naming_both_dimensions(tmp_path):
    bare = replace(read_artifact(BUNDLED_ARTIFACT), encoder_fingerprint="st:other")
    path = tmp_path / "other.json"
    path.write_text(json.dumps(bare.to_dict()))
    with pytest.raises(ConfigError, match=r"'st:other' of dimension 256, this one is .* of dimension 256"):
        load_predictor(path).predict("hello", NAMES)
    with pytest.raises(ConfigError, match=r"of dimension 256, this one is 'none' of dimension 0"):
        load_predictor(path, encoder="none").predict("hello", NAMES)


def test_a_wrong_artifact_is_named(tmp_path):
    path = tmp_path / "wrong.json"
    for content in ("{", "[]", '{"mean": 1}', '"text"'):
        path.write_text(content)
        with pytest.raises(ConfigError, match=r"wrong\.json: not a completion artifact"):
            load_predictor(path)
    with pytest.raises(ConfigError, match="not a completion artifact"):
        load_predictor(tmp_path / "nowhere.json")


def test_features_alone_have_an_empty_vector():
    assert NoEncoder().embed_many(["a", "b"]).shape == (2, 0)


def test_the_bundled_artifact_says_what_it_is(predictor):
    manifest = read_artifact(BUNDLED_ARTIFACT).manifest
    assert manifest["threshold"] == 0.75
    assert (manifest["passrate_floor"], manifest["min_models"]) == (0.02, 3)
    assert {"rows", "prompts", "subjects"} == set(manifest["counts"])
    assert len(manifest["data_sha256"]) == 64
    assert "/" not in "".join(manifest["datasets"])
    assert BUNDLED_ARTIFACT.stat().st_size < 40_000
