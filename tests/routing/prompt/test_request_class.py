import pytest

from x25.routing.prompt.request_class import (
    CLASS_TO_TIER,
    LONG_TOKENS,
    MANY_PROPERTIES,
    class_of,
    nearest_tier,
    promised_tier,
)

TOOL = {"type": "function", "function": {"name": "search"}}
BALANCED = {"cost": 0.33, "quality": 0.34, "latency": 0.33}


def found(text, options=None, *, task_type="qa", prompt_tokens=20, before=()):
    messages = [*before, {"role": "user", "content": text}]
    return class_of(messages, options or {}, task_type=task_type, prompt_tokens=prompt_tokens)


def schema(count):
    properties = {f"p{place}": {"type": "string"} for place in range(count)}
    return {
        "response_format": {
            "type": "json_schema",
            "json_schema": {"schema": {"type": "object", "properties": properties}},
        }
    }


@pytest.mark.parametrize(
    ("text", "more", "name"),
    [
        ("What is the capital of Peru?", {}, "trivial"),
        ("What is the capital of Peru?", {"prompt_tokens": LONG_TOKENS}, "long_context"),
        ("What is the capital of Peru?", {"options": schema(MANY_PROPERTIES)}, "schema_heavy"),
        ("What is the capital of Peru?", {"options": schema(MANY_PROPERTIES - 1)}, "standard"),
        ("What is the capital of Peru?", {"options": {"tools": [TOOL]}}, "tools"),
        ("What is the capital of Peru?", {"options": {"reasoning_effort": "high"}}, "complex"),
        ("What is the capital of Peru?", {"task_type": "code"}, "standard"),
        ("Prove that there are infinitely many primes.", {}, "complex"),
        ("First list the options, then weigh each, and finally recommend one.", {}, "multi_step"),
        ("Prove it.", {"options": {"tools": [TOOL]}}, "complex"),
        ("Summarise this in two sentences: it rained.", {"task_type": "summary"}, "standard"),
        ("Is this spam? " + "Buy now, it is cheap. " * 10, {"task_type": "classification"}, "trivial"),
        ("Bitte sag mir, " + "was du davon hältst und " * 8, {}, "standard"),
    ],
)
def test_a_request_is_of_the_first_class_that_fits(text, more, name):
    told = found(text, **more)
    assert told.name == name
    assert told.tier == CLASS_TO_TIER[name]
    assert told.why


def test_the_newest_question_counts_and_no_other():
    before = [{"role": "user", "content": "Prove it."}, {"role": "assistant", "content": "Proven."}]
    assert found("Thanks!", before=before).name == "trivial"
    assert found("Hi!", before=[{"role": "system", "content": "Work in numbered steps."}]).name == "trivial"


def test_why_holds_no_word_of_the_prompt():
    for text in ("First zebra, then zebra, finally zebra.", "Prove zebra.", "Explain zebra.", "zebra " * 400):
        assert "zebra" not in found(text).why


def test_a_request_without_messages_is_trivial():
    assert class_of([], {}, task_type="general", prompt_tokens=0).name == "trivial"


@pytest.mark.parametrize(
    ("weights", "tiers"),
    [
        (BALANCED, ("slm", "mid", "frontier")),
        ({"cost": 0.1, "quality": 0.1, "latency": 0.8}, ("slm", "slm", "slm")),
        ({"cost": 0.7, "quality": 0.2, "latency": 0.1}, ("slm", "slm", "mid")),
        ({"cost": 0.1, "quality": 0.8, "latency": 0.1}, ("mid", "frontier", "frontier")),
        ({"cost": 1.0, "quality": 0.0, "latency": 0.0}, ("slm", "slm", "mid")),
    ],
)
def test_weights_that_lean_far_move_the_tier_by_one(weights, tiers):
    assert tuple(promised_tier(tier, weights) for tier in ("slm", "mid", "frontier")) == tiers


@pytest.mark.parametrize(
    ("wanted", "there", "tier"),
    [
        ("mid", {"slm", "frontier"}, "frontier"),
        ("frontier", {"slm", "mid"}, "mid"),
        ("slm", {"frontier"}, "frontier"),
    ],
)
def test_the_nearest_tier_takes_the_place_of_one_that_nobody_is_of(wanted, there, tier):
    assert nearest_tier(wanted, there) == tier
