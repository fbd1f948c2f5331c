import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
CELL_TIMEOUT_S = 300


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def printed(cell: NotebookNode) -> str:
    return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")


def the_story_of_the_first_call(printed_by_cell: list[str]) -> None:
    opening, call, why, picture, own, agent, learnt, chain = printed_by_cell
    assert opening == ""
    assert re.search(r"model_used +sim/", call)
    assert re.search(r"audit_hash +[0-9a-f]{64}", call)
    assert (
        why.index("lookup_cache") < why.index("dispatch") < why.index("judge") < why.index("update_posterior")
    )
    assert len(re.findall(r"^sim/", why, re.MULTILINE)) == 6
    assert "judge -.-> dispatch;" in picture
    assert own.startswith("langchain/sim/")
    assert agent.startswith("sim/")
    assert len(re.findall(r" sim/", learnt)) >= 3
    assert chain == "31 entries, intact\n"


def the_story_of_learning(printed_by_cell: list[str]) -> None:
    opening, helpers, early, late, asked, other = printed_by_cell
    assert opening == helpers == ""
    judged = [sum(map(int, re.findall(r"from (\d+) judged", text))) for text in (early, late)]
    assert 0 < judged[0] < judged[1]
    assert early.count("█") > 0
    assert len(re.findall(r"^calls ", asked, re.MULTILINE)) == 3
    assert other == "0 models known to the other org\n"


def the_story_of_the_report(printed_by_cell: list[str]) -> None:
    opening, points, baselines, trust, page = printed_by_cell
    assert "simulated judge of AUC 0.85" in opening
    assert re.search(r"^match +[+-]\d", points, re.MULTILINE)
    for name in ("always_frontier", "random", "xrouter_classic", "x25_classic", "oracle"):
        assert name in baselines
    ours, published = map(float, re.findall(r"error: ([\d.]+), published form ([\d.]+)", trust)[0])
    assert ours < published
    assert int(re.findall(r"(\d+) charts", page)[0]) >= 3


STORIES: dict[str, Callable[[list[str]], None]] = {
    "01_first_call.ipynb": the_story_of_the_first_call,
    "02_watching_it_learn.ipynb": the_story_of_learning,
    "03_reading_the_report.ipynb": the_story_of_the_report,
}


def test_every_notebook_has_a_story_to_check() -> None:
    assert [path.name for path in NOTEBOOKS] == sorted(STORIES)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs(path: Path) -> None:
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.outputs for cell in cells] == [[]] * len(cells)
    assert {cell.execution_count for cell in cells} == {None}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
async def test_a_notebook_runs_and_shows_what_it_tells(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    resources = {"metadata": {"path": tmp_path}}
    await NotebookClient(notebook, timeout=CELL_TIMEOUT_S, resources=resources).async_execute()
    STORIES[path.name]([printed(cell) for cell in notebook.cells if cell.cell_type == "code"])
