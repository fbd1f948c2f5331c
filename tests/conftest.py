"""A running simulator, and a whole gateway on a folder of the test's own."""

import asyncio
import gc
import os
import runpy
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import certifi
import hypothesis
import pytest

from x25.simulator.process import SimulatorProcess
from x25.state import sqlite_driver
from x25.state.store import open_store

MODELS = {"slm": ("sim/tiny-1", "sim/small-2"), "mid": ("sim/medium-3", "sim/medium-4"),
          "frontier": ("sim/large-5", "sim/xlarge-6")}  # fmt: skip

EXECUTOR = os.environ.get("X25_TEST_EXECUTOR")
"""The executor of cascades that a test opens; the shipped default where it is not set."""


class Checkout:
    """Collects the checkout as a plain folder: a package would be imported by the folder's name, which may be any."""

    @staticmethod
    def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Dir | None:
        return pytest.Dir.from_parent(parent, path=path) if path == parent.config.rootpath else None


# Both judge by the wall clock, which a busy machine stretches; what an example must satisfy stays as it is.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(50_000, 20, 20)  # a heap of imports and traces is not walked for every few objects
    config.pluginmanager.register(Checkout())  # from here, as a hook of this file hears of tests/ alone


LONGEST = (
    "graph/test_convergence.py", "contracts/test_workers_contract.py", "system/test_generated_replies.py",
    "api/test_generated_requests.py", "terminal/test_home.py", "graph/test_own_model_share.py", "test_notebooks.py",
    "training/off_policy/test_evaluation.py", "routing/belief/test_quality_bound.py", "graph/execution/test_walk.py",
    "bench/test_overload.py", "contracts/test_budget_race_contract.py", "api/test_openapi.py",
    "providers/wire/test_reply.py",
)  # fmt: skip
"""Files that take longest among those with slow tests."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest files where files are dealt out in the order they come in (`--no-loadscope-reorder`).

    xdist begins with those of most tests, and a worker would be alone with a long one at the end.
    """
    if config.getoption("loadscopereorder", True):
        return
    here = Path(__file__).parent
    ranks = {here / name: rank for rank, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in ranks), "a file of LONGEST has another name now"
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Look through the heap once: pytest does so five times at its end, for errors in what nobody holds any more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with one certificate authority: everything is on this machine, and reading them all takes 20 ms."""
    end = "-----END CERTIFICATE-----\n"
    first, _, _ = Path(certifi.where()).read_text(encoding="ascii").partition(end)
    path = tmp_path_factory.mktemp("authority") / "one.pem"
    path.write_text(first[first.index("-----BEGIN") :] + end, encoding="ascii")
    return path


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, authority: Path) -> None:
    """Hide the settings and keys of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("X25_", "LANGSMITH_", "LANGCHAIN_")) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))


@pytest.fixture(scope="session", autouse=True)
def forked_gateways() -> Iterator[None]:
    """Let `ChildServer` fork gateways from a process that has imported them; tests/cli starts them as users do."""
    module = runpy.run_path(str(Path(__file__).parent / "forked_gateways.py"))
    with closing(module["Forge"]()) as forge, pytest.MonkeyPatch.context() as patch:
        patch.setattr("x25.simulator.child.subprocess", forge)
        yield


@pytest.fixture(scope="session", autouse=True)
def copied_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Begin new SQLite files of this process as copies of one that was made once; tests/state makes each as shipped."""
    path = tmp_path_factory.mktemp("store") / "empty.db"

    async def make() -> None:
        async with await open_store(f"sqlite+aiosqlite:///{path}"):
            pass

    asyncio.run(make())
    content = path.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            sqlite_driver, "make_private", lambda path: sqlite_driver.make_private_with(path, content)
        )
        yield


@pytest.fixture(scope="session")
def simulator() -> Iterator[SimulatorProcess]:
    with SimulatorProcess(latency=False) as process:
        yield process


@pytest.fixture
def fault(simulator: SimulatorProcess) -> Iterator[Callable[..., None]]:
    """Return a function that makes models fail: `fault("500", "sim/tiny-*")`, `fault("500")` for all."""

    def inject(kind: str, *globs: str, **match: Any) -> None:
        simulator.set_scenario(
            [{"match": {"model": glob, **match}, "fault": kind} for glob in globs or ("*",)]
        )

    yield inject
    simulator.set_scenario([])


@pytest.fixture
def settings(tmp_path: Path, simulator: SimulatorProcess, monkeypatch: pytest.MonkeyPatch) -> Any:
    from x25.graph.settings import load_settings

    monkeypatch.chdir(tmp_path)  # no .env but the test's own
    return load_settings(
        {}, data_dir=tmp_path / "data", upstream="simulator", simulator_url=simulator.url, seed=25,
        executor=EXECUTOR,
    )  # fmt: skip


@pytest.fixture
async def open_gateway(settings: Any) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Return a function that opens a cascade with some settings changed; all are closed at the end."""
    from x25.graph.run import open_cascade

    async with AsyncExitStack() as stack:

        async def open_one(**changes: Any) -> Any:
            return await stack.enter_async_context(open_cascade(settings.model_copy(update=changes)))

        yield open_one


@pytest.fixture
async def cascade(open_gateway: Callable[..., Awaitable[Any]]) -> Any:
    return await open_gateway()


@pytest.fixture
def bills(simulator: SimulatorProcess) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that lists what the simulator billed for one call."""
    from x25.nodes.records.attempts import attempt_prefix

    def of_call(call_id: str, org: str = "default", *, judge: bool | None = None) -> list[dict[str, Any]]:
        prefix = attempt_prefix(org, call_id, "answer", 0).removesuffix("a0")
        mine = [bill for bill in simulator.bills() if bill["attempt_id"].startswith(prefix)]
        return [bill for bill in mine if judge is None or bill["judge"] is judge]

    return of_call


@pytest.fixture
def langsmith() -> Iterator[Any]:
    """LangSmith's API on the loopback, with nothing in it."""
    server = runpy.run_path(str(Path(__file__).parent / "langsmith_server.py"))["LangSmithServer"]()
    yield server
    server.close()


@pytest.fixture
def teach() -> Callable[..., Awaitable[None]]:
    """Return a function that shows an org 1,000 answers of each model, better ones of one tier."""

    async def prefer(store: Any, tier: str, *, org: str = "default", cell: str = "qa") -> None:
        for name, model_ids in MODELS.items():
            for model_id in model_ids:
                good = 850.0 if name == tier else 500.0
                await store.posteriors.add_evidence(
                    org, f"lesson-{cell}-{model_id.replace('/', '-')}", 0, task_cell=cell, model_id=model_id,
                    tier=name, success=good, failure=1000.0 - good, selection=None, org_calls=0, gamma=1.0,
                )  # fmt: skip

    return prefer


@pytest.fixture
def redis(tmp_path):
    """A Redis of the test's own. Without one the test is skipped, or fails if `X25_TEST_REQUIRE_REDIS` is set."""
    module = runpy.run_path(str(Path(__file__).parent / "redis_server.py"))
    missing = [] if module["IS_THERE"] else ["redis-server"]
    missing += [] if find_spec("redis") else ["redis-py (pip install 'x25[redis]')"]
    if missing and os.environ.get("X25_TEST_REQUIRE_REDIS"):
        pytest.fail(f"X25_TEST_REQUIRE_REDIS is set, but {' and '.join(missing)} is not installed")
    if missing:
        pytest.skip(f"{' and '.join(missing)} is not installed")
    with module["redis_server"](tmp_path) as server:
        yield server
