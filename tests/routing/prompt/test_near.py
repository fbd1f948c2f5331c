from time import perf_counter

import numpy as np
import pytest

from x25.graph.estimators import load_near_verifier
from x25.routing.prompt.near import FEATURE_NAMES, NearVerifier, disagreement, features_of
from x25.state.errors import ConfigError


@pytest.fixture(scope="module")
def verifier():
    return load_near_verifier()


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("Convert 5 miles", "Convert 6 miles", "numbers"),
        ("Explain git reset --hard", "Explain git reset --soft", "code"),
        ("How tall in km?", "How tall in miles?", "units"),
        ("What is love?", "Что такое любовь?", "script"),
        ("Why do people like rain?", "Why do people not like rain?", "negations"),
        ("When did it end?", "Why did it end?", "question word"),
        ("Who governs France?", "Who governs Spain?", "names"),
        ("Who owns the club?", "Who owned the club?", "form of a word"),
        ("Why did Bob stop smoking?", "Why did Bob stop to smoke?", "form of a word"),
        ("Which boring teacher left?", "Which bored teacher left?", "form of a word"),
        ("Does Bob want to leave?", "Does Bob want me to leave?", "to whom it is done"),
        ("What does i++ do in C?", "What does ++i do in C?", "signs"),
        ("What does !x mean?", "What does x! mean?", "signs"),
        ("What does !a && b mean?", "What does a && !b mean?", "signs"),
        ("What does (a+b)*c equal?", "What does a+(b*c) equal?", "signs"),
        ("What does ../x mean?", "What does ./x mean?", "signs"),
        ("What does 👍 mean?", "What does 👎 mean?", "signs"),
        ("What does cp a b do?", "What does cp b a do?", "letters"),
        ("How do I polish a table?", "How do I Polish a table?", "names"),
        ("Can the landlord keep my deposit?", "Can my landlord keep the deposit?", "owners"),
        ("Ask Bob to call.", "Ask Bob whom to call.", "question word"),
    ],
)
def test_what_must_agree_and_does_not_is_named(verifier, a, b, why):
    assert disagreement(a, b) == disagreement(b, a) == why
    assert verifier.same_prob(a, b) == 0.0


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("What is the capital of France?", "Please tell me France's capital"),
        ("How do I fix a broken lamp?", "How can I repair a broken lamp?"),
        ("name three rivers", "Name 3 rivers."),
        ("What is the best way of cleaning a sofa?", "How do I clean a sofa?"),
        ("How do dogs sleep?", "How does a dog sleep?"),
        ("How do I reset my (old) password?", "How can I reset my old password?!"),
        ("How do I reset my password?", "Please - how can I reset my password?"),
    ],
)
def test_a_rewording_is_the_same(verifier, a, b):
    assert disagreement(a, b) is None
    assert verifier.same_prob(a, b) >= verifier.threshold
    assert verifier.same_prob(b, a) >= verifier.threshold


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("how do i get from oslo to rome", "how do i get from rome to oslo"),
        ("what does my cat eat", "what does my dog eat"),
        ("Do I take it before a meal?", "Do I take it after a meal?"),
        ("Summarize it", "Summarize it as a poem"),
    ],
)
def test_a_near_miss_is_another(verifier, a, b):
    assert verifier.same_prob(a, b) < verifier.threshold


def test_features_have_names_and_equal_questions_differ_in_none():
    found = features_of("Is it hot?", "Is it hot?")
    assert found.shape == (len(FEATURE_NAMES),)
    assert found[[name.endswith("differs") for name in FEATURE_NAMES]].sum() == 0


def test_a_verifier_of_other_features_is_refused():
    with pytest.raises(ConfigError, match="other features"):
        NearVerifier.from_dict({"features": ["a"], "weights": [1], "intercept": 0, "threshold": 0.5})


def test_extreme_weights_give_a_probability():
    verifier = NearVerifier(np.full(len(FEATURE_NAMES), 1e6), 1e9, 0.5)
    assert verifier.same_prob("Is it hot?", "Is it hot?") == pytest.approx(1.0)


def test_a_pair_of_the_longest_questions_takes_milliseconds_at_most(verifier):
    a, b = "why is " + "the red house " * 42, "why was " + "the red horse " * 42
    began = perf_counter()
    verifier.same_prob(a, b)
    assert perf_counter() - began < 0.2
