import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from x25.routing.prompt.difficulty import DifficultyModel
from x25.routing.prompt.features import FEATURE_NAMES
from x25.training.fit.difficulty import SOURCES, Rows, fit, held_out_pearson, main, read_rows

DATA = Path(os.environ.get("X25_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason=f"no recorded outcomes at {DATA}")


class OneNumber:
    """Embeds the length of a prompt."""

    dimension = 1
    fingerprint = "one number"

    def embed_many(self, texts):
        return np.array([[len(text) / 100.0] for text in texts], dtype=np.float32)


ENCODER = OneNumber()


def synthetic_rows():
    """Return prompts whose difficulty is twice their first feature, plus noise."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4_000, 1 + len(FEATURE_NAMES)))
    return Rows(
        values=values,
        target=2.0 * values[:, 0] + rng.normal(size=4_000),
        weight=np.ones(4_000),
        is_test=np.arange(4_000) % 4 == 0,
        source=np.array(SOURCES)[np.arange(4_000) % len(SOURCES)],
    )


def test_the_fit_finds_what_makes_prompts_hard():
    rows = synthetic_rows()
    model = fit(rows, ENCODER)
    assert np.argmax(np.abs(model.head.coef)) == 0
    assert 1.0 < model.estimate(rows.values[0]).sigma < rows.target.std()
    assert min(held_out_pearson(rows, model).values()) > 0.7


def test_held_out_prompts_do_not_reach_the_coefficients():
    rows = synthetic_rows()
    spoiled = replace(rows, target=np.where(rows.is_test, 1e6, rows.target))
    assert np.array_equal(fit(spoiled, ENCODER).head.coef, fit(rows, ENCODER).head.coef)


def test_the_fitted_parameters_make_a_model_centred_on_the_training_prompts():
    model = DifficultyModel.from_dict(fit(synthetic_rows(), ENCODER).to_dict())
    assert model.head.low < model.terciles[0] < 0.0 < model.terciles[1] < model.head.high


def test_a_missing_source_is_named(tmp_path):
    pytest.importorskip("pyarrow", reason="needs the train extra")
    with pytest.raises(FileNotFoundError, match="expected recorded outcomes at"):
        read_rows(tmp_path, ENCODER)


@pytest.mark.train
@needs_data
def test_the_shipped_artifact_is_what_the_recorded_outcomes_give(tmp_path, capsys):
    out = tmp_path / "difficulty.json"
    main(["--data", str(DATA), "--out", str(out), "--date", "2026-01-01"])
    assert "zeroeval" in capsys.readouterr().out
    fitted = json.loads(out.read_text())
    shipped = json.loads((Path(__file__).parents[3] / "artifacts" / "difficulty.json").read_text())
    assert fitted["manifest"]["created"] == "2026-01-01"
    if fitted["manifest"]["data_sha256"] != shipped["manifest"]["data_sha256"]:
        pytest.skip("the data here are not those the shipped artifact was fitted on")
    assert fitted["encoder"] == shipped["encoder"]
    assert fitted["head"]["coef"] == pytest.approx(shipped["head"]["coef"], abs=1e-3)
