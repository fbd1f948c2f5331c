"""A small folder of recorded outcomes whose difficulty is known and can be read off the text."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from x25.training.data.parquet import read_columns, write_rows
from x25.training.data.recorded import Recorded, is_held_out
from x25.training.data.sides import Designed
from x25.training.evaluation.cascade import Problem
from x25.training.evaluation.fit import Side, fit_panel
from x25.training.evaluation.panels import Panel, load_panels
from x25.training.evaluation.report import evaluate_panels
from x25.training.evaluation.run import Request

SKILLS = {"tiny": -0.3, "middle": 0.9, "other": 0.6, "large": 2.2}
COSTS_USD = {"tiny": 1e-4, "middle": 5e-4, "other": 4e-4, "large": 3e-3}
DATASETS = {"sums": ("reasoning", -0.8), "tales": ("creative", 0.0), "proofs": ("qa", 0.8)}
JUDGES = {"deepseek/deepseek-r1": 0.0, "acme/judge": 0.1}
PANELS = {
    "made": {"judge": {"auc": 0.85}},
    "rated": {"judge": {"recorded": "acme/judge"}, "title": "Made, rated"},
    "elsewhere": {"source": "absent"},
}


def write_folder(folder: Path, seed: int, prompts: int = 240, shuffle: int | None = None) -> Path:
    """Write one source, "made"; with `shuffle` outcomes go to other prompts, prices differ and the frontier fails."""
    rng = np.random.default_rng(seed)
    asked, outcomes, judged = [], [], []
    for row in range(prompts):
        dataset, (task_type, offset) = list(DATASETS.items())[row % 3]
        hard = offset + rng.normal()
        prompt_id = f"s{seed}p{row:03}"
        steps = " therefore" * max(0, round(4 + 2 * hard))
        asked.append({
            "prompt_id": prompt_id, "dataset": dataset, "task_type": task_type,
            "group": f"s{seed}g{row // 2}", "prompt": f"Case {row}: show that{steps} it holds.",
        })  # fmt: skip
        for model, skill in SKILLS.items():
            right = bool(rng.random() < 1.0 / (1.0 + np.exp(hard - skill)))
            cost = COSTS_USD[model] * float(np.exp(rng.normal(0.2 * hard, 0.2)))
            score = float(np.clip((0.92 if right else 0.6) + rng.normal(0.0, 0.05), 0.0, 1.0))
            judged += [
                {"prompt_id": prompt_id, "model": model, "judge": judge,
                 "score": float(np.clip(score + rng.normal(0.0, noise), 0.0, 1.0))}
                for judge, noise in JUDGES.items()
            ]  # fmt: skip
            if model == "other" and row % 20 == 7:
                continue
            outcomes.append({
                "prompt_id": prompt_id, "model": model, "score": float(right), "correct": right,
                "cost_usd": None if model == "middle" and row % 40 == 3 else cost,
                "input_tokens": 40 + row % 7, "output_tokens": 60,
            })  # fmt: skip
    if shuffle is not None:
        ids = [one["prompt_id"] for one in asked]
        dealt = dict(zip(ids, np.random.default_rng(shuffle).permutation(ids).tolist(), strict=True))
        factor = {"tiny": 0.5, "middle": 2.0, "large": 3.0, "other": 1.0}
        outcomes = [
            {
                **one,
                "prompt_id": dealt[one["prompt_id"]],
                **({"score": 0.0, "correct": False} if one["model"] == "large" else {}),
                "cost_usd": one["cost_usd"] and factor[one["model"]] * one["cost_usd"],
            }
            for one in outcomes
        ]
    write_rows(folder / "prompts" / "made.parquet", asked)
    write_rows(folder / "outcomes" / "made.parquet", outcomes)
    write_rows(folder / "judges" / "made.parquet", judged)
    return folder


class StepCounter:
    """Embeds the number of steps a prompt takes, and some noise of its letters."""

    dimension = 2
    fingerprint = "steps"

    def embed_many(self, texts):
        pairs = [(text.count("therefore") / 4.0, len(text) % 5 / 5.0) for text in texts]
        return np.array(pairs, dtype=np.float32).reshape(-1, 2)


@pytest.fixture(scope="session")
def encoder() -> StepCounter:
    return StepCounter()


@pytest.fixture(scope="session")
def train_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pyarrow", reason="needs the train extra")
    return write_folder(tmp_path_factory.mktemp("train"), 1)


@pytest.fixture(scope="session")
def test_dir(train_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("test"), 2, 120)


@pytest.fixture(scope="session")
def shuffled_test_dir(train_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the prompts of `test_dir` with each other's outcomes, other prices and a frontier that fails."""
    return write_folder(tmp_path_factory.mktemp("shuffled"), 2, 120, shuffle=9)


@pytest.fixture(scope="session")
def panels_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("panels")
    tiers = {"slm": "tiny", "mid": "middle", "frontier": "large"}
    for name, given in PANELS.items():
        panel = {"name": name, "title": "Made", "source": "made", "tiers": tiers, **given}
        (folder / f"{name}.yaml").write_text(json.dumps(panel), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def report(train_dir, test_dir, panels_dir, encoder) -> dict:
    """Return the evaluation of the panel "made" with a test folder; nobody changes it."""
    return evaluate_panels(load_panels(["made"], panels_dir), Request(train_dir, test_dir, seeds=1), encoder)


@pytest.fixture(scope="session")
def panel() -> Panel:
    return Panel(
        name="hand",
        title="By hand",
        source="hand",
        tiers={"slm": "s", "mid": "m", "frontier": "f"},
        budget_share=0.5,
    )


def record(scores, costs, datasets=None, seed=0) -> Recorded:
    """Return prompts of source "hand" with these outcomes of s, m and f, shape (prompts, 3)."""
    scores, costs = np.asarray(scores, dtype=float), np.asarray(costs, dtype=float)
    count = len(scores)
    names = np.array([f"{seed}-{row}" for row in range(count)])
    tokens = np.full(scores.shape, 100.0)
    return Recorded(
        "hand", names, [f"prompt {name}" for name in names],
        np.array(["all"] * count if datasets is None else datasets), np.array(["qa"] * count), names,
        ("s", "m", "f"), scores, (scores > 0.5).astype(float), costs, tokens, tokens,
    )  # fmt: skip


@pytest.fixture(scope="session")
def fitted(panel):
    """Return a fit of 400 prompts whose input is the true difficulty with noise, and the truth of the test side."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0.0, 1.2, 400)
    chance = 1.0 / (1.0 + np.exp(truth[:, None] - np.array([-0.3, 0.8, 2.0])))
    scores = (rng.random((400, 3)) < chance).astype(float)
    costs = np.array([1e-4, 5e-4, 3e-3]) * np.exp(rng.normal(0.0, 0.1, (400, 3)))
    both = record(scores, costs)
    design = np.stack([truth + rng.normal(0.0, 0.5, 400), rng.normal(size=400)], axis=1)
    held_out = is_held_out(both.groups)
    whole = Designed(both, design)
    fit = fit_panel(panel, whole.take(~held_out), whole.take(held_out))
    return fit, truth[held_out]


@pytest.fixture(scope="session")
def make_side():
    """Return a function that makes one side of a split out of what is interesting in it."""

    def make(scores, costs, *, probs=None, predicted=None, datasets=None) -> Side:
        recorded = record(scores, costs, datasets)
        return Side(
            recorded=recorded,
            difficulty=np.zeros(len(recorded)),
            completion_probs=np.full(recorded.scores.shape, 0.5) if probs is None else np.asarray(probs),
            predicted_costs_usd=recorded.costs_usd if predicted is None else np.asarray(predicted),
            scores=recorded.scores,
            correct=recorded.correct,
            costs_usd=recorded.costs_usd,
            input_tokens=recorded.input_tokens,
            output_tokens=recorded.output_tokens,
        )

    return make


@pytest.fixture(scope="session")
def make_problem():
    """Return a function that makes a problem of three tiers; costs are told in calls of the frontier."""

    def make(thetas, **given) -> Problem:
        thetas = np.asarray(thetas, dtype=float)
        costs = np.broadcast_to([0.1, 0.3, 1.0], thetas.shape)
        usual = Problem(
            thetas=thetas,
            predicted_costs=costs,
            scores=np.zeros(thetas.shape),
            costs_usd=costs,
            bins=np.zeros(thetas.shape, dtype=np.int64),
            judge_costs_usd=np.full(thetas.shape, 0.01),
            judge_cost=0.01,
        )
        arrays = {name: np.asarray(value) for name, value in given.items() if name != "judge_cost"}
        return replace(usual, **{**given, **arrays})

    return make


def write_answers(folder: Path, seed: int) -> None:
    """Write an answer to each outcome of "made": wrong ones hedge, and so do a few right ones."""
    columns = read_columns(folder / "outcomes" / "made.parquet", ["prompt_id", "model", "correct"])

    rng = np.random.default_rng(seed)
    rows = []
    for prompt_id, model, is_correct in zip(*columns.values(), strict=True):
        hedges = rng.random() < (0.1 if is_correct else 0.8)
        start = "Maybe, perhaps, I am not sure, wait:" if hedges else "Clearly"
        filler = " ".join(["so"] * int(rng.integers(20, 60)))
        text = f"{start} {filler} the answer is {rng.integers(100)}."
        rows.append({"prompt_id": prompt_id, "model": model, "response": text})
    write_rows(folder / "responses" / "made.parquet", rows)


@pytest.fixture(scope="session")
def answered(train_dir, tmp_path_factory) -> Request:
    """Return a request of train and test folders that hold answers."""
    pytest.importorskip("sklearn", reason="needs the train extra")
    folders = []
    for name, seed, prompts in (("train", 1, 360), ("test", 2, 150)):
        folders.append(write_folder(tmp_path_factory.mktemp(name), seed, prompts))
        write_answers(folders[-1], seed)
    return Request(*folders, seeds=1)


@pytest.fixture(scope="session")
def verified_fit(answered, panels_dir, encoder):
    """Return the panel "made" with its verifier."""
    from x25.training.evaluation.verified_fit import fit_verified

    return fit_verified(load_panels(["made"], panels_dir)[0], answered, encoder)
