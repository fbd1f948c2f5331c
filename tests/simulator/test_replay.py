import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from x25.providers.model_files import parse_model
from x25.simulator.replay import NotRecorded, Replay, replay_models

PROMPTS = [{"prompt_id": "p1", "prompt": "What is 2 + 2?"}, {"prompt_id": "p2", "prompt": "Name a colour."}]
OUTCOMES = [
    ("p1", "small-1", False, 0.00001, "It is 5."),
    ("p1", "vendor/large-2", True, 0.00300, "It is 4."),
    ("p2", "small-1", True, None, "Blue."),
    ("p2", "vendor/large-2", True, 0.00200, None),
]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    outcomes = [
        {
            "prompt_id": prompt, "model": model, "correct": correct, "score": float(correct),
            "cost_usd": cost, "input_tokens": 9, "output_tokens": 4, "dataset": "d",
        }
        for prompt, model, correct, cost, _ in OUTCOMES
    ]  # fmt: skip
    responses = [
        {"prompt_id": prompt, "model": model, "response": text}
        for prompt, model, _, _, text in OUTCOMES
        if text
    ]
    for table, rows in (("prompts", PROMPTS), ("outcomes", outcomes), ("responses", responses)):
        (tmp_path / table).mkdir()
        parquet.write_table(pa.Table.from_pylist(rows), tmp_path / table / "quiz.parquet")
    (tmp_path / "models.csv").write_text(
        "source,model,price_in_usd_per_mtok,price_out_usd_per_mtok,mean_output_tokens\n"
        "quiz,small-1,0.1,0.2,3.6\nquiz,vendor/large-2,3,15,0.2\nquiz,free,,,1\nother,small-1,9,9,9\n"
    )
    return tmp_path


def body(prompt: str) -> dict:
    return {"messages": [{"role": "user", "content": prompt}], "max_tokens": 1}


def test_a_recorded_prompt_gets_its_recorded_answer_tokens_and_cost(data_dir: Path) -> None:
    said = Replay(data_dir, ["quiz"]).answer("recorded/quiz/vendor/large-2", body("What is 2 + 2?"))
    assert said.message == {"role": "assistant", "content": "It is 4."}
    assert (said.prompt_tokens, said.completion_tokens, said.cost_usd) == (9, 4, 0.003)


def test_models_are_those_with_a_recorded_answer_and_cost(data_dir: Path) -> None:
    assert Replay(data_dir, ["quiz"]).models == ["recorded/quiz/small-1", "recorded/quiz/vendor/large-2"]


@pytest.mark.parametrize(
    ("model", "prompt", "sentence"),
    [
        ("recorded/quiz/small-1", "What is 2 + 3?", "not a recorded prompt"),
        ("recorded/quiz/other", "What is 2 + 2?", "has no recorded answer"),
        ("recorded/quiz/small-1", "Name a colour.", "not a recorded prompt"),
    ],
)
def test_what_is_not_recorded_is_said_to_be_so(
    data_dir: Path, model: str, prompt: str, sentence: str
) -> None:
    with pytest.raises(NotRecorded, match=sentence):
        Replay(data_dir, ["quiz"]).answer(model, body(prompt))


def test_correctness_is_looked_up_by_question_and_answer(data_dir: Path) -> None:
    replay = Replay(data_dir, ["quiz"])
    assert replay.is_correct("What is 2 + 2?", "It is 4.") is True
    assert replay.is_correct("What is 2 + 2?", "It is 5.") is False
    assert replay.is_correct("What is 2 + 2?", "It is 6.") is None
    assert replay.is_correct("Why?", "It is 4.") is None


def test_registry_entries_are_routable_models_at_recorded_prices(data_dir: Path) -> None:
    entries = replay_models(data_dir, "quiz", {"small-1": "slm", "vendor/large-2": "frontier"})
    small, large = (parse_model(entry, "test") for entry in entries)
    assert (small.model_id, small.provider, small.tier) == ("recorded/quiz/small-1", "recorded-small", "slm")
    assert (small.expected_output_tokens, large.expected_output_tokens) == (4, 1)
    assert (float(large.input_usd_per_mtok), float(large.output_usd_per_mtok)) == (3, 15)
    assert large.deployments[0].upstream_model == "recorded/quiz/vendor/large-2"
    assert small.simulated


@pytest.mark.parametrize("model", ["free", "unheard-of"])
def test_a_model_without_prices_gets_no_registry_entry(data_dir: Path, model: str) -> None:
    with pytest.raises(ValueError, match=f"expected prices of {model}"):
        replay_models(data_dir, "quiz", {model: "slm"})


def test_a_source_that_is_not_there_is_named(data_dir: Path) -> None:
    with pytest.raises(FileNotFoundError, match="recorded prompts of source nowhere"):
        Replay(data_dir, ["nowhere"])


def test_without_pyarrow_the_extra_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"x25\[train\]"):
        Replay(data_dir, ["quiz"])
