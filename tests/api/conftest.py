import asyncio
import itertools
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from x25.api.app import create_app
from x25.graph.settings import load_settings
from x25.simulator.child import ChildServer
from x25.simulator.process import SimulatorProcess
from x25.state.store import open_store

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Gateway:
    """A gateway in a process of its own, and the database it writes."""

    url: str
    database: Path

    @property
    def store_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.database}"

    def new_key(self, org: str, **more: Any) -> str:
        """Issue a key as `x25 keys create` does, from another process than the gateway's."""

        async def create() -> str:
            async with await open_store(self.store_url) as store:
                return (await store.keys.create(org, **more))[0]

        return asyncio.run(create())


@pytest.fixture(scope="session")
def start_gateway(
    simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Gateway]]:
    servers: list[ChildServer] = []

    def start(**settings: str) -> Gateway:
        folder = tmp_path_factory.mktemp("gateway")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("X25_")}
        ours = {
            "X25_DATA_DIR": str(folder),
            "X25_UPSTREAM": "simulator",
            "X25_SIMULATOR_URL": simulator.url,
            "X25_LOG_LEVEL": "WARNING",
            "X25_SEED": "7",
            "X25_BREAKER_FAILURES": "1000",  # what one test makes fail is asked by the next
        }
        server = ChildServer(
            "gateway",
            ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"],
            environ={**inherited, **ours, **settings},
        )
        servers.append(server.__enter__())
        return Gateway(server.url, folder / "x25.db")

    yield start
    for server in servers:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    """An open gateway, shared: each test takes an org of its own."""
    return start_gateway()


@pytest.fixture(scope="session")
def strict_gateway(start_gateway: Callable[..., Gateway]) -> Gateway:
    return start_gateway(X25_REQUIRE_KEY="true")


class Rows:
    """A gateway of one test's own, and what its database holds."""

    def __init__(self, gateway: Gateway) -> None:
        self.url = gateway.url
        self._database = gateway.database

    def __call__(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with closing(sqlite3.connect(self._database)) as database:
            return database.execute(sql).fetchall()


@pytest.fixture
def rows(start_gateway: Callable[..., Gateway]) -> Rows:
    return Rows(start_gateway())


@pytest.fixture
def http(gateway: Gateway) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=30) as client:
        yield client


@pytest.fixture
def org() -> str:
    return f"org-{next(_numbers)}"


@pytest.fixture
def route(http: httpx.Client, org: str) -> Callable[..., dict]:
    """Route a prompt of the test's own org and return the reply."""

    def post(prompt: str = "What is 17 * 23?", **more: object) -> dict:
        return http.post("/route", json={"prompt": prompt, "org": org, **more}).raise_for_status().json()

    return post


OpenApp = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def open_app(simulator: SimulatorProcess, tmp_path: Path) -> OpenApp:
    """Open the application in this process: for what it logs, and for two that begin alike."""

    @asynccontextmanager
    async def open_(name: str = "app", **overrides: object) -> AsyncIterator[httpx.AsyncClient]:
        settings = load_settings(
            {}, data_dir=tmp_path / name, upstream="simulator", simulator_url=simulator.url, **overrides
        )
        app = create_app(settings)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://x25.test", timeout=30) as client,
        ):
            yield client

    return open_


@pytest.fixture
def issue_key(tmp_path: Path) -> Callable[..., Awaitable[str]]:
    """Issue a key for an application opened by `open_app`."""

    async def issue(org: str, name: str = "app") -> str:
        async with await open_store(f"sqlite+aiosqlite:///{tmp_path / name / 'x25.db'}") as store:
            return (await store.keys.create(org))[0]

    return issue
