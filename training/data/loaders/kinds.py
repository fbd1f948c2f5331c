"""Which reader reads a dataset? The one of the format its name begins with."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ..outcomes import Outcomes
from .agentic import load_agentic
from .jsonl_csv import load_csv, load_jsonl
from .llmrouterbench import load_llmrouterbench
from .recorded import load_recorded
from .routerbench import load_routerbench
from .xagent_labels import load_xagent_labels

KINDS: Mapping[str, Callable[[Path], Outcomes]] = MappingProxyType(
    {
        "agentic": load_agentic,
        "csv": load_csv,
        "jsonl": load_jsonl,
        "llmrouterbench": load_llmrouterbench,
        "recorded": load_recorded,
        "routerbench": load_routerbench,
        "xagent-labels": load_xagent_labels,
    }
)
"""The reader of each format."""


def parse_dataset_argument(argument: str) -> tuple[str, Path]:
    """Return the kind and the path of an argument such as `llmrouterbench:./results`.

    Raises
    ------
    ValueError
        If there is no colon, the kind is unknown or the path is empty.
    """
    kind, colon, path = argument.partition(":")
    if not colon or not path:
        raise ValueError(f"expected a dataset as kind:path, got {argument!r}")
    _reader(kind)
    return kind, Path(path).expanduser()


def load(kind: str, path: Path) -> Outcomes:
    """Return the outcomes at a path.

    Raises
    ------
    FileNotFoundError
        If there is nothing at the path.
    ValueError
        If the kind is unknown, or what is there cannot be read.
    """
    return _reader(kind)(path)


def _reader(kind: str) -> Callable[[Path], Outcomes]:
    if kind not in KINDS:
        raise ValueError(f"expected a kind of dataset among {', '.join(KINDS)}, got {kind!r}")
    return KINDS[kind]
