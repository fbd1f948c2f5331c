"""How does a router do on a LangSmith dataset? Every prompt is routed, and judged score, cost and latency recorded."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from ...state.errors import ConfigError, X25Error
from ...state.types import Reply, Request
from .langsmith_dataset import langsmith_errors

if TYPE_CHECKING:
    from langsmith import Client
    from langsmith.schemas import Example

Route = Callable[[Request], Awaitable[Reply]]
JUDGED = {"judged_share": 1.0}
"""Policy under which every answer is judged."""


@dataclass(frozen=True, slots=True)
class Experiment:
    """What a router did."""

    experiment: str
    dataset: str
    router: str
    examples: int
    failed: int
    """Prompts that got no answer."""
    mean_quality: float | None
    """Of the answers with a score."""
    mean_cost_usd: float | None
    mean_latency_ms: float | None


def judge_score(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the quality score of a routed answer, with who says so."""
    return {"key": "quality", "score": outputs.get("quality_score"), "comment": outputs.get("quality_source")}


def cost(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return what a routed answer cost, US dollars, without its judge."""
    return {"key": "cost_usd", "score": outputs.get("cost_usd")}


def latency(outputs: dict[str, Any]) -> dict[str, Any]:
    """Return how long a routed answer took, milliseconds."""
    return {"key": "latency_ms", "score": outputs.get("latency_ms")}


EVALUATORS = (judge_score, cost, latency)


async def run_experiment(  # noqa: PLR0913 - what an experiment depends on
    client: "Client", dataset: str, route: Route, *, router: str, org: str, concurrency: int = 4
) -> Experiment:
    """Route every example of a dataset and record answers and evaluators' scores as an experiment.

    Written with the client's plain requests: its own `aevaluate` adds the checkout's author and branch, prints, and
    goes on where a record is lost.

    Raises
    ------
    ConfigError
        When LangSmith cannot be reached, has no such dataset, refuses, or an example has no prompt.
    """
    name = f"x25-{router}-{uuid4().hex[:8]}"
    project, examples = await asyncio.to_thread(_open, client, dataset, name, router)
    gate = asyncio.Semaphore(concurrency)

    async def one(example: "Example") -> dict[str, Any] | None:
        async with gate:
            began = datetime.now(UTC)
            outputs, error = await _routed(route, example, router, org)
            await asyncio.to_thread(_record, client, (name, project), example, began, outputs, error)
            return outputs

    rows = await asyncio.gather(*(one(example) for example in examples))
    await asyncio.to_thread(_close, client, project, name, router)
    return _summary(name, dataset, router, rows)


def _open(client: "Client", dataset: str, name: str, router: str) -> tuple[UUID, list["Example"]]:
    with langsmith_errors(client):
        found = client.read_dataset(dataset_name=dataset)
        examples = list(client.list_examples(dataset_id=found.id))
        if any(not isinstance((one.inputs or {}).get("prompt"), str) for one in examples):
            raise ConfigError(f"every example of dataset {dataset!r} needs inputs with a text under 'prompt'")
        made = client.create_project(name, reference_dataset_id=found.id, metadata={"router": router})
    return made.id, examples


def _close(client: "Client", project: UUID, name: str, router: str) -> None:
    with langsmith_errors(client):
        # Said again, since the client sends null for whatever is left out.
        client.update_project(project, name=name, metadata={"router": router}, end_time=datetime.now(UTC))


async def _routed(
    route: Route, example: "Example", router: str, org: str
) -> tuple[dict[str, Any] | None, str | None]:
    """Return what came of a prompt, or why nothing did."""
    prompt = (example.inputs or {})["prompt"]
    try:
        reply = await route({"prompt": prompt, "org": org, "router": router, "policy": JUDGED})
    except X25Error as error:
        return None, f"{type(error).__name__}: {error}"
    return {
        "text": reply["text"], "model_id": reply["model_used"], "quality_score": reply["quality_score"],
        "quality_source": reply["quality_source"], "cost_usd": reply["cost_usd"], "latency_ms": reply["latency_ms"],
    }, None  # fmt: skip


def _record(  # noqa: PLR0913, PLR0917 - one run, spelled out
    client: "Client", project: tuple[str, UUID], example: "Example", began: datetime,
    outputs: dict[str, Any] | None, error: str | None,
) -> None:  # fmt: skip
    run_id, (name, project_id) = uuid4(), project
    with langsmith_errors(client):
        client.create_run(
            "x25", inputs=example.inputs or {}, run_type="chain", project_name=name, id=run_id, outputs=outputs,
            error=error, start_time=began, end_time=datetime.now(UTC), reference_example_id=example.id,
        )  # fmt: skip
        for found in [] if outputs is None else [evaluator(outputs) for evaluator in EVALUATORS]:
            if found["score"] is not None:
                client.create_feedback(
                    run_id,
                    **found,
                    trace_id=run_id,
                    session_id=project_id,
                    start_time=began,
                    stop_after_attempt=1,
                )


def _summary(experiment: str, dataset: str, router: str, rows: list[dict[str, Any] | None]) -> Experiment:
    answered = [row for row in rows if row is not None]

    def mean(name: str) -> float | None:
        values = [one[name] for one in answered if one.get(name) is not None]
        return fmean(values) if values else None

    return Experiment(
        experiment, dataset, router, len(rows), len(rows) - len(answered), mean("quality_score"), mean("cost_usd"),
        mean("latency_ms"),
    )  # fmt: skip
