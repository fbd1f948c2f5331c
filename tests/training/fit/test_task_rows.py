import os
from pathlib import Path

import numpy as np
import pytest

from x25.routing.prompt.taxonomy import KINDS
from x25.training.fit.predictor import NoEncoder
from x25.training.fit.task_rows import (
    MOST_PER_DATASET,
    RECORDED_WEIGHT,
    TaskRows,
    joined,
    recorded_rows,
    written_rows,
)

pytestmark = pytest.mark.slow

DATA = Path(os.environ.get("X25_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "prompts").is_dir(), reason=f"no recorded prompts at {DATA}")


@pytest.fixture(scope="module")
def written():
    return written_rows("train", NoEncoder())


def as_recorded(rows):
    return TaskRows(
        rows.features, rows.embeddings, rows.kind, rows.group, np.ones(len(rows), dtype=bool), rows.wording
    )


def test_kinds_and_within_a_kind_templates_weigh_the_same(written):
    weights = written.weights()
    assert weights.mean() == pytest.approx(1.0)
    by_kind = [weights[written.kind == kind].sum() for kind in range(len(KINDS))]
    assert by_kind == pytest.approx([by_kind[0]] * len(KINDS))
    sql = written.kind == KINDS.index("sql")
    by_template = [weights[sql & (written.group == one)].sum() for one in np.unique(written.group[sql])]
    assert by_template == pytest.approx([by_template[0]] * len(by_template))


def test_recorded_prompts_weigh_their_share_of_the_written_ones(written):
    both = joined([written, as_recorded(written.take(np.arange(0, len(written), 7)))])
    weights = both.weights()
    ratio = weights[both.is_recorded].sum() / weights[~both.is_recorded].sum()
    assert ratio == pytest.approx(RECORDED_WEIGHT)


def test_what_fills_a_template_is_not_what_asks(written):
    row = next(row for row, group in enumerate(written.group) if group == "code-train-01")
    assert {"write", "function", "function that"} <= written.asked()[row]
    assert written.asked()[row] < written.wordings()[row] | written.asked()[row]


def test_the_two_halves_share_templates_and_no_passage():
    halves = [written_rows("train", NoEncoder(), half=half) for half in (0, 1)]
    assert set(halves[0].group) == set(halves[1].group)
    texts = [{one.text for one in half.features if len(one.text) > 300} for half in halves]
    assert texts[0].isdisjoint(texts[1])


def test_rows_keep_their_order_when_some_are_taken(written):
    part = written.take(np.array([5, 2]))
    assert [one.text for one in part.features] == [written.features[5].text, written.features[2].text]
    assert part.group.tolist() == [written.group[5], written.group[2]]


@pytest.mark.train
@needs_data
def test_recorded_prompts_come_from_one_side_and_few_from_each_benchmark():
    pytest.importorskip("pyarrow", reason="needs the train extra")
    sides = [recorded_rows(DATA, split, NoEncoder()) for split in ("train", "test")]
    assert set(sides[0].group).isdisjoint(sides[1].group)
    assert MOST_PER_DATASET < len(sides[1]) < len(sides[0]) < 10_000
    assert all(rows.is_recorded.all() for rows in sides)
