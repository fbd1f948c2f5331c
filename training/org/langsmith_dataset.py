"""What is an org's log as a LangSmith dataset? An example for each call whose prompt was kept."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...state.errors import ConfigError
from ...state.records import Call, usd_from_nusd
from ...state.store import Store

if TYPE_CHECKING:
    from langsmith import Client

BATCH = 100
"""Examples sent in one request."""
CONNECT_MS, READ_MS = 3_000, 15_000
API_KEY = "LANGSMITH_API_KEY"


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was made."""

    dataset: str
    dataset_id: str
    examples: int
    skipped: int
    """Calls of the org whose prompt is not kept."""


def open_client(api_url: str | None, api_key: str | None) -> "Client":
    """Return a client that repeats nothing, waits for nobody for long and sends nothing in the background.

    Raises
    ------
    ConfigError
        When there is no key, or the package is not installed.
    """
    if not api_key:
        raise ConfigError(f"LangSmith needs a key: set {API_KEY}")
    try:
        from langsmith import Client  # noqa: PLC0415 - sixty modules, for this command alone
        from urllib3.util import Retry  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError("this command needs the langsmith package: pip install langsmith") from error
    return Client(
        api_url, api_key=api_key, timeout_ms=(CONNECT_MS, READ_MS), retry_config=Retry(total=0),
        auto_batch_tracing=False, omit_traced_runtime_info=True,
    )  # fmt: skip


@contextmanager
def langsmith_errors(client: "Client") -> Iterator[None]:
    """Raise what the LangSmith client raises as a ConfigError that names the address, without what was sent."""
    from langsmith.utils import LangSmithError  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    try:
        yield
    except (LangSmithError, RequestException) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise ConfigError(f"LangSmith at {client.api_url} did not do it: {first}") from error


def example_of(call: Call) -> dict[str, Any]:
    """Return a call as an example: its prompt, and as metadata what became of it. Answers are not kept by the log."""
    return {
        "inputs": {"prompt": call.prompt, "task_type": call.task_type},
        "metadata": {
            "call_id": call.call_id, "model_id": call.model_id, "router": call.router, "task_type": call.task_type,
            "quality_score": call.quality_score, "quality_source": call.quality_source,
            "cost_usd": usd_from_nusd(call.cost_nusd), "latency_ms": call.latency_ms,
        },
    }  # fmt: skip


async def prompts_of(store: Store, org: str, limit: int) -> tuple[list[Call], int]:
    """Return the org's newest calls with a prompt, oldest first, and how many others there are.

    Raises
    ------
    ConfigError
        When no prompt is kept.
    """
    calls = [call for call in await store.calls.with_prompts(org, limit) if call.prompt]
    others = (await store.calls.stats(org)).total_calls - len(calls)
    if not calls:
        raise ConfigError(
            f"org {org!r} has no call to export ({others:,} without their prompt): prompts are kept only with "
            "X25_STORE_PROMPTS=true"
        )
    return calls, others


def export_dataset(client: "Client", name: str, org: str, calls: Sequence[Call], skipped: int) -> Dataset:
    """Make a dataset of the calls.

    Raises
    ------
    ConfigError
        When LangSmith cannot be reached, refuses, or has a dataset of that name.
    """
    with langsmith_errors(client):
        made = client.create_dataset(
            name, description=f"{len(calls)} calls of org {org}, as logged by x25", metadata={"org": org}
        )
        for start in range(0, len(calls), BATCH):
            examples = [example_of(call) for call in calls[start : start + BATCH]]
            client.create_examples(dataset_id=made.id, examples=examples)
    return Dataset(name, str(made.id), len(calls), skipped)
