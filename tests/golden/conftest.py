"""The golden requests of each class, read from their files, and the first decision of each."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.nodes.classify import classify
from x25.nodes.estimate_difficulty import estimate_difficulty
from x25.nodes.lookup_cache import lookup_cache
from x25.nodes.thompson_select import thompson_select
from x25.state.types import Context
from x25.state.working_memory import Classified, Estimated, Opened, Routed

FOLDER = Path(__file__).parent
_SECTIONS = (FOLDER / "long_context_sections.txt").read_text(encoding="utf-8").splitlines()
_STEPS = ((Classified, classify), (Estimated, estimate_difficulty), (Routed, thompson_select))
Decide = Callable[..., Awaitable[Routed]]


@pytest.fixture
def requests_of() -> Callable[..., list[dict[str, Any]]]:
    """Return a function that reads the requests of a class: `messages`, and `options` where there are some."""
    return lambda name, folder="": list(_requests_of(name, folder))


def _requests_of(name: str, folder: str = "") -> Iterator[dict[str, Any]]:
    for line in (FOLDER / folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield row if "messages" in row else {"messages": [{"role": "user", "content": _document(**row)}]}


def _document(question: str, stride: int, sections: int) -> str:
    """Return a document of numbered sections, in an order that the stride gives, and a question about it."""
    chosen = (_SECTIONS[(place * (stride + 1) + stride) % len(_SECTIONS)] for place in range(sections))
    body = "\n\n".join(f"Section {place}. {text}" for place, text in enumerate(chosen, 1))
    return f"{body}\n\n{question}"


@pytest.fixture
async def decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Decide]:
    """Return a function that decides a request as a gateway that reaches all bundled models would."""
    monkeypatch.setenv("OPENROUTER_API_KEY", "none")
    settings = load_settings({}, data_dir=tmp_path, upstream="real", seed=7)
    async with open_cascade(settings, does_chores=False) as cascade:
        services = cascade.services

        async def first(**request: Any) -> Routed:
            held = dict(await lookup_cache(request, services, Context()))
            call: Any = _at(Opened, held)
            for stage, node in _STEPS:
                held |= await node(call, services)
                call = _at(stage, held)
            return call

        yield first


def _at(stage: type[Any], held: dict[str, Any]) -> Any:
    return stage(**{name: held[name] for name in stage.__dataclass_fields__ if name in held})
