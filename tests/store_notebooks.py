"""Execute the notebooks and store what they show.

`python tests/store_notebooks.py` brings the stored outputs up to date with the code; all of them, or those named.
"""

import hashlib
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parent.parent / "notebooks"
CELL_TIMEOUT_S = 300
KERNEL = ["--log-level=ERROR"]
"""Each kernel warns that it listens on a port of this machine, as every one that is started this way does."""


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def digest(notebook: NotebookNode) -> str:
    """Return a short digest of the code, kept beside the outputs that it gave."""
    sources = "\0".join(cell.source for cell in code_cells(notebook))
    return hashlib.sha256(sources.encode()).hexdigest()[:16]


def client(notebook: NotebookNode, folder: Path) -> NotebookClient:
    """Return what executes this notebook in an empty folder; times of day are not recorded."""
    return NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        resources={"metadata": {"path": folder}},
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=KERNEL,
    )


def warm_fonts() -> None:
    """Have the plotting library look for the machine's fonts now: it tells the first who draws that it does."""
    import matplotlib.font_manager  # noqa: F401


def store(path: Path) -> None:
    """Execute one notebook from the start and write it with its outputs."""
    notebook = read(path)
    with tempfile.TemporaryDirectory() as folder:
        client(notebook, Path(folder)).execute()
    # The kernel adds its version and its editor's settings, which differ between machines.
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["code_digest"] = digest(notebook)
    nbformat.write(notebook, path)


if __name__ == "__main__":
    warm_fonts()
    chosen = [FOLDER / name for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb"))
    for one in chosen:
        store(one)
