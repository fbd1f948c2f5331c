"""An org whose wrong answers hedge: its own verifier must find that out from the judge's scores alone."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from x25.routing.answer.features import extract_answer
from x25.routing.answer.verifier import FEATURES_ID, KIND, Verifier, pack_features
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.learning.judged_answers import LabelledAnswer, SeenAnswer
from x25.state.store import open_store
from x25.training.org.verifier import LEAST_CELL_LABELS, fit_org_verifier, labelled_answers, soft_labels

START = datetime(2026, 1, 1, tzinfo=UTC)
MODEL_TO_TIER = {"m/small": "slm", "m/mid": "mid"}


def answer(text):
    return pack_features(extract_answer("Which one is it?", text, "stop", {}, 0.0, 0.0))


SURE, UNSURE = (
    answer("Clearly it is so, the answer is 12."),
    answer("Maybe, perhaps, I am not sure, wait: 12?"),
)


def seen(number, rng, *, signal=True, cell="qa", features_id=FEATURES_ID):
    is_right = rng.random() < 0.6
    shares = DEFAULT_TABLE.right if is_right else DEFAULT_TABLE.wrong
    hedges = rng.random() < ((0.1 if is_right else 0.9) if signal else 0.5)
    model_id = list(MODEL_TO_TIER)[number % 2]
    return SeenAnswer(
        org="acme", call_id=f"c{number}", step=0, created_at=START + timedelta(seconds=number), task_cell=cell,
        model_id=model_id, tier=MODEL_TO_TIER[model_id], features=UNSURE if hedges else SURE,
        features_id=features_id, prior_prob=float(np.clip(0.6 + rng.normal(0.0, 0.1), 0.05, 0.95)),
        score_bin=int(rng.choice(5, p=shares)), judge="j",
    )  # fmt: skip


@pytest.fixture
async def store():
    async with await open_store("sqlite+aiosqlite://") as opened:
        yield opened


async def fill(store, count, **given):
    rng = np.random.default_rng(8)
    for number in range(count):
        await store.judged_answers.keep(seen(number, rng, **given))


async def test_a_signal_found_in_the_judges_scores_goes_live_and_serves(store):
    await fill(store, 700)
    found = await fit_org_verifier(store, "acme", "enc")
    assert (found.decision, found.version) == ("live", 1)
    assert found.metrics["cell_auc"]["qa"] > 0.6
    live = await store.artifacts.live("acme", KIND)
    verifier = Verifier.from_dict(json.loads(live.parameters), encoder="enc")
    assert verifier.manifest["cell_auc"] == found.metrics["cell_auc"]
    assessments = [
        verifier.assess(
            extract_answer("Which one is it?", text, "stop", {}, 3.5, 0.5),
            prior_prob=0.6,
            model_id="m/small",
            tier="slm",
        )
        for text in ("Clearly it is so, the answer is 12.", "Maybe, perhaps, I am not sure, wait: 12?")
    ]
    assert assessments[0].posterior(0.6) > 0.6 > assessments[1].posterior(0.6)


async def test_answers_that_tell_nothing_are_rejected_and_nobody_looks(store):
    await fill(store, 700, signal=False)
    found = await fit_org_verifier(store, "acme", "enc")
    assert found.decision == "rejected"
    assert await store.artifacts.live("acme", KIND) is None
    assert [one.status for one in await store.artifacts.list("acme", KIND)] == ["rejected"]


async def test_too_few_answers_or_those_of_other_features_fit_nothing(store):
    await fill(store, 300, features_id="older")
    found = await fit_org_verifier(store, "acme", "enc")
    assert (found.decision, found.metrics) == ("too few answers", {"answers": 0})
    assert await store.artifacts.list("acme", KIND) == []


async def test_a_dry_run_writes_nothing(store):
    await fill(store, 500)
    found = await fit_org_verifier(store, "acme", "enc", dry_run=True)
    assert (found.decision, found.version) == ("live", None)
    assert await store.artifacts.list("acme", KIND) == []


async def test_a_kind_of_task_with_few_answers_is_not_audited(store):
    await fill(store, 500)
    rng = np.random.default_rng(9)
    for number in range(1_000, 1_000 + LEAST_CELL_LABELS - 1):
        await store.judged_answers.keep(seen(number, rng, cell="code"))
    found = await fit_org_verifier(store, "acme", "enc")
    assert set(found.metrics["cell_auc"]) == {"qa"}


def labelled(count=600, right=None):
    rng = np.random.default_rng(10)
    return [LabelledAnswer(seen(number, rng), right, None) for number in range(count)]


def test_soft_labels_find_the_share_of_right_answers_and_follow_the_judge():
    kept = labelled(4_000)
    labels = soft_labels(kept, {}, DEFAULT_TABLE)
    assert labels.mean() == pytest.approx(0.6, abs=0.04)
    by_bin = [labels[[one.seen.score_bin == place for one in kept]].mean() for place in range(5)]
    assert by_bin == sorted(by_bin)


def test_a_persons_word_replaces_the_judges():
    assert set(soft_labels(labelled(right=0.0), {}, DEFAULT_TABLE).tolist()) == {0.0}


def test_answers_to_one_prompt_stay_in_one_fold():
    rng = np.random.default_rng(11)
    kept = [LabelledAnswer(seen(number, rng), None, bytes([number % 3])) for number in range(300)]
    fold = labelled_answers(kept, np.full(300, 0.5)).fold
    assert all(len(set(fold[rest::3].tolist())) == 1 for rest in range(3))
