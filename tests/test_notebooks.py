import ast
import importlib.metadata
import json
import re
import runpy
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from nbformat import NotebookNode

ROOT = Path(__file__).parent.parent
STORING = runpy.run_path(str(ROOT / "tests" / "store_notebooks.py"))
read, code_cells, digest = STORING["read"], STORING["code_cells"], STORING["digest"]
HOW = "run: python tests/store_notebooks.py"

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
PICTURES = {"01_first_call.ipynb": 3, "02_watching_it_learn.ipynb": 3, "03_reading_the_report.ipynb": 3}
LARGEST_BYTES = 400_000
MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|var|usr|opt|mnt|Users|private)/|\b[A-Z]:\\")

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)


def kinds(cell: NotebookNode) -> list[list[str]]:
    """What a cell shows: for each output its type, its stream and its media types."""
    return [
        [output.output_type, output.get("name", ""), *sorted(output.get("data", {}))]
        for output in cell.outputs
    ]


def printed(cell: NotebookNode) -> str:
    return "".join(output["text"] for output in cell.outputs if output.get("name") == "stdout")


def check_story(path: Path, notebook: NotebookNode) -> None:
    cells = code_cells(notebook)
    shown = [kind for cell in cells for kind in kinds(cell)]
    assert [kind for kind in shown if kind[:2] not in (["stream", "stdout"], ["display_data", ""])] == []
    assert sum("image/png" in kind for kind in shown) == PICTURES[path.name]
    STORIES[path.name]([printed(cell) for cell in cells])


def the_story_of_the_first_call(printed_by_cell: list[str]) -> None:
    opening, call, why, candidates, graph, mermaid, own, agent, learnt, grid, chain = printed_by_cell
    assert opening == candidates == graph == grid == ""
    assert re.search(r"model_used +sim/", call)
    assert re.search(r"audit_hash +[0-9a-f]{64}", call)
    steps = re.findall(r"(\w+) [\d.]+ ms", why)
    assert steps[:5] == ["lookup_cache", "classify", "estimate_difficulty", "thompson_select", "dispatch"]
    assert steps[-4:] == ["judge", "update_posterior", "audit", "stage_check"]
    assert len(re.findall(r"^sim/", why, re.MULTILINE)) == 6
    assert "judge -.-> dispatch;" in mermaid
    assert own.startswith("langchain/sim/")
    assert agent.startswith("sim/")
    assert len(re.findall(r"^sim/", learnt, re.MULTILINE)) >= 3
    assert chain == "31 entries, intact\n"


def the_story_of_learning(printed_by_cell: list[str]) -> None:
    opening, helpers, early, late, rates, asked, shares, bill, other = printed_by_cell
    assert opening == helpers == rates == shares == ""
    judged = [sum(map(int, re.findall(r"from (\d+) judged", text))) for text in (early, late)]
    assert 0 < judged[0] < judged[1]
    assert len(re.findall(r"^calls ", asked, re.MULTILINE)) == 3
    always, routed = map(float, re.findall(r"\$([\d.]+), [\d.]+% right", bill))
    assert routed < always
    assert other == "0 models known to the other org\n"


def the_story_of_the_report(printed_by_cell: list[str]) -> None:
    opening, points, savings, baselines, plane, trust, calibration, page = printed_by_cell
    assert savings == plane == calibration == ""
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


@each_notebook
def test_what_a_notebook_stores_is_of_one_run_of_its_code(path: Path) -> None:
    notebook = read(path)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1)), HOW
    assert notebook.metadata.get("code_digest") == digest(notebook), HOW


@each_notebook
def test_what_a_notebook_stores_shows_what_it_tells(path: Path) -> None:
    check_story(path, read(path))


@each_notebook
def test_a_notebook_is_small_and_names_nobodys_machine(path: Path) -> None:
    assert path.stat().st_size <= LARGEST_BYTES
    notebook = read(path)
    assert notebook.metadata["language_info"] == {"name": "python"}
    assert [cell.metadata for cell in notebook.cells] == [{}] * len(notebook.cells)
    for cell in code_cells(notebook):
        for output in cell.outputs:
            output.get("data", {}).pop("image/png", None)  # letters that happen to look like a path
    assert MACHINE_PATH.findall(json.dumps(notebook, ensure_ascii=False)) == []


@pytest.mark.parametrize("text", ["in /home/ann/x25", '"/tmp/a"', "file=/work/b", "C:\\Users"])
def test_a_path_of_a_machine_is_recognised(text: str) -> None:
    assert MACHINE_PATH.search(text)
    assert not MACHINE_PATH.search("http://localhost/tmp/a, sim/tiny-1, <p>start</p>, x25/work/b")


def imported(notebook: NotebookNode) -> set[str]:
    """The packages that the cells import, less the standard library's."""
    found = set()
    for cell in code_cells(notebook):
        for node in ast.walk(ast.parse(cell.source)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found |= {name.partition(".")[0] for name in names}
    return found - sys.stdlib_module_names


def distributions(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return {re.split(r"[^\w-]", line)[0] for line in lines}


def test_one_extra_holds_every_package_that_the_notebooks_import() -> None:
    names = set().union(*(imported(read(path)) for path in NOTEBOOKS)) - {"x25"}
    assert names >= {"langchain_openai", "langgraph", "matplotlib"}
    owners = importlib.metadata.packages_distributions()
    held = distributions("notebooks", "gateway")
    assert {name for name in names if not held & set(owners[name])} == set()


@pytest.fixture(scope="module")
def fonts() -> None:
    STORING["warm_fonts"]()


@pytest.mark.slow
@pytest.mark.usefixtures("fonts")
@each_notebook
async def test_a_notebook_runs_without_a_warning_and_shows_what_is_stored(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    stored = [kinds(cell) for cell in code_cells(notebook)]
    await STORING["client"](notebook, tmp_path).async_execute()
    check_story(path, notebook)
    assert [kinds(cell) for cell in code_cells(notebook)] == stored, HOW
