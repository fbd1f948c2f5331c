from dataclasses import replace

import pytest

from x25.nodes.answer.explanation import best_answer, explain, message_text
from x25.routing.prompt.features import DOCUMENTED_FEATURES


def test_the_best_answer_is_the_likeliest_and_the_later_of_equals():
    held = [
        {"step": step, "quality": quality, "passed": True} for step, quality in enumerate((0.4, 0.7, 0.7))
    ]
    assert best_answer({"held": held})["step"] == 2
    assert best_answer({"held": held[:1]})["step"] == 0
    assert best_answer({"held": []}) is None


def test_an_answer_that_failed_a_free_check_comes_after_one_that_passed():
    empty = {"step": 0, "quality": 0.9, "passed": False}
    poor = {"step": 1, "quality": 0.3, "passed": True}
    assert best_answer({"held": [empty, poor]}) == poor


CALLS = [{"id": "1", "function": {"name": "look"}}]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Paris"}, "Paris"),
        ({"content": ""}, ""),
        ({"content": None}, ""),
        ({}, ""),
        (
            {
                "content": [
                    {"type": "text", "text": "Pa"},
                    {"type": "image_url"},
                    {"type": "text", "text": "ris"},
                ]
            },
            "Paris",
        ),
        ({"content": None, "tool_calls": CALLS}, '[{"id": "1", "function": {"name": "look"}}]'),
        ({"content": "so", "tool_calls": CALLS}, "so"),
    ],
)
def test_a_messages_text_is_what_a_person_reads(message, text):
    assert message_text(message) == text


async def test_the_explanation_names_candidates_draws_removals_and_the_path(walk, services):
    state = await walk("update_posterior", policy={"max_tier": "mid"}) | {
        "timings": [{"node": "judge", "ms": 1.0}]
    }
    told = explain(state, services)
    candidates = {one["model_id"]: one for one in told["candidates"]}
    assert candidates.keys() == state["thetas"].keys()
    assert candidates["sim/tiny-1"]["theta"] == round(state["thetas"]["sim/tiny-1"], 4)
    assert candidates["sim/tiny-1"]["expected_cost_usd"] > 0
    assert told["removed"].keys() == {"sim/large-5", "sim/xlarge-6"}
    assert told["path"] == [{"node": "judge", "ms": 1.0}]
    assert told["reference_model"] == "sim/large-5"
    assert told["attempts"] == state["attempts"]


async def test_the_explanation_says_whether_preferred_modalities_were_found(walk, services):
    seeing = replace(services.spec("sim/medium-3"), modalities=frozenset({"text", "image"}))
    mixed = replace(services, models={**services.models, "sim/medium-3": seeing})
    found = {}
    for wanted in (["image"], ["video"]):
        state = await walk("update_posterior", mixed, policy={"prefer_modalities": wanted}) | {"timings": []}
        told = explain(state, mixed)
        found[wanted[0]] = told["modality_preference"]
        reported = {one["model_id"]: one["modalities"] for one in told["candidates"]}
        assert reported["sim/medium-3"] == ["image", "text"]
    assert found == {
        "image": {"requested": ["image"], "applied": True},
        "video": {"requested": ["video"], "applied": False},
    }
    plain = explain(await walk("update_posterior") | {"timings": []}, services)
    assert plain["modality_preference"] == {"requested": [], "applied": False}


async def test_what_the_request_looks_like_is_explained_by_at_least_fifteen_named_features(walk, services):
    asked = "Write a SQL query that returns all users older than 30."
    told = explain(await walk("update_posterior", prompt=asked, hint=None) | {"timings": []}, services)
    request = told["request"]
    assert len(request["features"]) >= 15
    assert request["features"].keys() == DOCUMENTED_FEATURES.keys()
    assert 0.0 < request["complexity"]["score"] < 1.0
    assert told["task"]["request_type"] == "sql"
