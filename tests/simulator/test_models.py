import json
from decimal import Decimal
from math import exp
from pathlib import Path

import pytest

from x25.simulator.models import SimulatedModel, answer, count_prompt_tokens, last_user_text, load_models
from x25.simulator.tasks import generate, is_correct

BUNDLED = Path(__file__).parents[2] / "simulator" / "models"


def model(ability: float = 0.0, *, tier: str = "slm", model_id: str = "sim/x") -> SimulatedModel:
    return SimulatedModel(model_id, tier, "chat", ability, Decimal("0.05"), Decimal("0.20"), 20.0, 5.0)


def body(prompt: str, **options: object) -> dict:
    return {"model": "sim/x", "messages": [{"role": "user", "content": prompt}], **options}


@pytest.mark.parametrize("ability", [-0.6, 1.2, 2.4])
def test_share_of_right_answers_follows_ability_minus_difficulty(ability: float) -> None:
    tasks = generate(21, 2000)
    cast = model(ability)
    right = sum(
        is_correct(task.prompt, answer(cast, body(task.prompt), 7).message["content"]) for task in tasks
    )
    expected = sum(1 / (1 + exp(task.difficulty - ability)) for task in tasks)
    assert abs(right - expected) < 4 * 2000**0.5 / 2  # four standard deviations at most


def test_same_seed_model_and_prompt_give_the_same_words_and_another_seed_differs() -> None:
    prompts = [task.prompt for task in generate(3, 60)]
    first = [answer(model(), body(prompt), 7) for prompt in prompts]
    assert first == [answer(model(), body(prompt), 7) for prompt in prompts]
    assert first != [answer(model(), body(prompt), 8) for prompt in prompts]


def test_dearer_tiers_answer_at_greater_length() -> None:
    prompts = [task.prompt for task in generate(3, 60)]
    lengths = [
        sum(answer(model(tier=tier), body(prompt), 7).completion_tokens for prompt in prompts)
        for tier in ("slm", "mid", "frontier")
    ]
    assert lengths == sorted(set(lengths))


def test_an_unknown_prompt_gets_a_text_that_says_it_is_simulated() -> None:
    said = answer(model(), body("Write me a poem about {the} sea."), 7).message["content"]
    assert "simulated answer" in said
    assert "Write me a poem about {the} sea." in said


@pytest.mark.parametrize(
    ("stop", "left"), [("is", "Th"), (["answer", "sim", "nowhere"], "This is a "), ([], None), (None, None)]
)
def test_an_answer_ends_before_the_first_of_the_words_that_stop_it(stop: object, left: str | None) -> None:
    whole = answer(model(), body("Write a poem."), 7)
    said = answer(model(), body("Write a poem.", stop=stop), 7)
    assert said.message["content"] == (whole.message["content"] if left is None else left)
    assert said.finish_reason == "stop"


def test_cost_is_tokens_times_price() -> None:
    said = answer(model(), body("Hello there, you."), 7)
    assert said.prompt_tokens == 5 + 4
    nusd = said.prompt_tokens * 50 + said.completion_tokens * 200
    assert said.cost_usd == pytest.approx(nusd / 1e9, abs=1e-15)


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_cut_at_the_token_limit(name: str) -> None:
    said = answer(model(), body("Write me a poem.", **{name: 3}), 7)
    assert said.finish_reason == "length"
    assert said.completion_tokens == 3
    assert len(said.message["content"]) == 12


def test_json_formats_get_json() -> None:
    task = generate(3, 1)[0]
    free = answer(model(9), body(task.prompt, response_format={"type": "json_object"}), 7)
    assert json.loads(free.message["content"]) == {"answer": task.truth, "simulated": True}
    schema = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}
    shaped = {"type": "json_schema", "json_schema": {"name": "v", "schema": schema}}
    said = answer(model(9), body(task.prompt, response_format=shaped), 7)
    assert json.loads(said.message["content"]) == {"value": task.truth}


TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"properties": {"q": {"type": "string"}}}}}
    for name in ("first", "second")
]


@pytest.mark.parametrize(
    ("choice", "name"),
    [("required", "first"), ({"type": "function", "function": {"name": "second"}}, "second")],
)
def test_a_required_tool_is_called_with_arguments_of_its_shape(choice: object, name: str) -> None:
    said = answer(model(), body("Look it up.", tools=TOOLS, tool_choice=choice), 7)
    (call,) = said.message["tool_calls"]
    assert said.finish_reason == "tool_calls"
    assert call["function"]["name"] == name
    assert json.loads(call["function"]["arguments"]).keys() == {"q"}


def test_an_offered_tool_is_not_called_unasked() -> None:
    assert "tool_calls" not in answer(model(), body("Hello", tools=TOOLS), 7).message


def test_text_parts_count_and_the_last_user_message_is_the_prompt() -> None:
    parts = [{"type": "text", "text": "four"}, {"type": "image_url", "image_url": {}}]
    messages = [
        {"role": "user", "content": "old"},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None},
    ]
    assert last_user_text(messages) == "four"
    assert count_prompt_tokens(messages) == 3 * 4 + 3


def test_latency_is_repeatable_and_near_its_mean() -> None:
    draws = [model().latency_s(7, str(index)) for index in range(500)]
    assert draws[0] == model().latency_s(7, "0")
    assert min(draws) >= 0.002
    assert sum(draws) / 500 == pytest.approx(0.020, abs=0.001)


def test_bundled_models_load_in_order_of_price_and_ability() -> None:
    chat = [cast for cast in load_models([BUNDLED]).values() if cast.role == "chat"]
    by_price = sorted(chat, key=lambda cast: cast.output_usd_per_mtok)
    assert by_price == sorted(chat, key=lambda cast: cast.ability)
    assert {cast.tier for cast in chat} == {"slm", "mid", "frontier"}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("{model_id: a, tier: slm, simulated: true}", "key 'prices'"),
        ("{model_id: a, tier: big, simulated: true, prices: P}", "tier must be one of slm"),
        ("{model_id: a, tier: slm, prices: P}", "simulated: true"),
    ],
)
def test_a_file_that_is_no_simulated_model_is_refused_by_name(
    tmp_path: Path, entry: str, sentence: str
) -> None:
    text = entry.replace("P", "{input_usd_per_mtok: 1, output_usd_per_mtok: 2}")
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ValueError, match=f"bad.yaml.*{sentence}"):
        load_models([tmp_path])
