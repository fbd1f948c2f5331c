import shutil

import pytest

from x25.training.data.sides import Folders
from x25.training.verifier import report as verifier_report
from x25.training.verifier.report import is_unseen, verifier_figures

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def figures(answered, no_encoder, tmp_path_factory):
    pytest.importorskip("sklearn", reason="needs the train extra")
    folder = tmp_path_factory.mktemp("two")
    for table in ("prompts", "outcomes", "responses"):
        (folder / table).mkdir()
        for name in ("made", "other"):
            shutil.copy(answered / table / "made.parquet", folder / table / f"{name}.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifier_report, "LABEL_COUNTS", (200,))
        patch.setattr(verifier_report, "PANELS", {"made": ("tiny", "middle", "large")})
        patch.setattr(verifier_report, "_UNSEEN_SOURCE", "made")
        patch.setattr(verifier_report, "is_unseen", lambda dataset: dataset == "tales")
        return verifier_figures(Folders(folder, None, no_encoder), ("made", "other"))


def test_a_source_is_measured_for_prior_heads_labels_and_transfer(figures):
    made = figures["sources"]["made"]
    assert made["trees"]["auc"] > made["prior"]["auc"] + 0.02
    assert made["gain_auc"] == pytest.approx(made["trees"]["auc"] - made["prior"]["auc"])
    assert [row["labels"] for row in made["labels_needed"]] == [200]
    # The other source holds the same answers, so what is fitted on it carries over.
    assert made["transfer"]["auc"] > 0.6
    assert figures["encoder"] == "none"


def test_data_sets_left_out_of_training_are_measured_alone(figures):
    unseen = figures["sources"]["made"]["unseen"]
    assert unseen["datasets"] == 1
    assert unseen["test_prompts"] < figures["sources"]["made"]["test_prompts"]
    assert "unseen" not in figures["sources"]["other"]


def test_which_data_sets_are_unseen_depends_on_their_name_alone():
    chosen = [is_unseen(f"game {number}") for number in range(1_000)]
    assert 70 < sum(chosen) < 130
    assert is_unseen("game 1") == chosen[1]
