"""A store with forty days of made-up calls, a gateway that shows it, and a browser to look at it with."""

import asyncio
import os
import random
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.simulator.child import ChildServer
from x25.simulator.process import SimulatorProcess
from x25.state.records import Attempt, Call
from x25.state.store import open_store
from x25.terminal.passwords import hash_password

SCRIPT = "<img src=x onerror=window.pwned=1>"
MODELS = [
    ("sim/tiny-1", "slm", 20), ("sim/small-2", "slm", 60), ("sim/medium-4", "mid", 160), (SCRIPT, "mid", 120),
    ("sim/large-5", "frontier", 900),
]  # fmt: skip
TASKS = ("qa", "code", "summary")
PASSWORD = "correct horse battery"
COUNT, DAYS = 330, 40
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def make_calls(now: datetime, seed: int = 4) -> list[Call]:
    """Return calls of two orgs over forty days, one model of which is called like a script."""
    rng, calls = random.Random(seed), []
    for n in range(COUNT):
        model, tier, cost = rng.choice(MODELS) if rng.random() > 0.03 else (None, None, 0)
        at = now - timedelta(days=DAYS * (1 - n / COUNT), seconds=5)
        cost_nusd = cost * rng.randrange(500, 1500)
        arms = {
            name: [("slm", "mid", "frontier").index(kind), 0.2, 0.7, 0.75, 40, price * 1000, 90, 1.0]
            for name, kind, price in MODELS
        }
        calls.append(Call(
            call_id=f"{n:028x}", org=rng.choice(["acme", "acme", "beta"]), created_at=at,
            status="answered" if model else "failed", task_type=rng.choice(TASKS), task_cell="qa", difficulty=0.1,
            model_id=model, provider="sim", tier=tier, cost_nusd=cost_nusd,
            judge_cost_nusd=rng.choice([0, 9_000]), reference_cost_nusd=rng.randrange(10**5, 2 * 10**6) if model else 0,
            quality_score=rng.random() if model else None,
            quality_source=rng.choice(["judge", "estimate"]) if model else "none",
            latency_ms=rng.random() * 900, cascade_steps=1, escalations=int(rng.random() < 0.2),
            fallbacks=int(rng.random() < 0.1), propensity=0.2, router="auto", simulated=True, record_hash="",
            prompt=f"What is {n}? {SCRIPT}",
            decision={
                "model_id": model or "sim/tiny-1", "reason": f"slm: best {SCRIPT}", "arms": arms,
                "right_prob": rng.random() if model else None, "optimize_for": {},
                "tokens": [rng.randrange(500), 0, rng.randrange(200)],
            },
        ))  # fmt: skip
    return calls


def apart(work: Coroutine[Any, Any, None]) -> None:
    """Run something on a loop of its own: playwright's synchronous form keeps one running in this thread."""
    with ThreadPoolExecutor(1) as executor:
        executor.submit(asyncio.run, work).result()


async def fill(url: str, calls: list[Call]) -> None:
    async with await open_store(url) as store:
        for call in calls:
            await store.calls.record(call, {"kind": "call", "call_id": call.call_id})
        last = calls[-1]
        await store.attempts.start(Attempt(
            attempt_id="a1", org=last.org, call_id=last.call_id, step=0, kind="answer", model_id=SCRIPT, tier="mid",
            deployment="d", status="started", reserved_nusd=7, started_at=last.created_at,
        ))  # fmt: skip


@dataclass(frozen=True)
class Pages:
    """A gateway in a process of its own, with its pages."""

    url: str
    folder: Path
    calls: list[Call] = field(default_factory=list)

    @staticmethod
    def apart(work: Coroutine[Any, Any, None]) -> None:
        """Run something on a loop of its own."""
        apart(work)

    @property
    def store_url(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder}/x25.db"

    def of(self, org: str | None, days: int | None = None, today: datetime | None = None) -> list[Call]:
        """Return the calls of an org over so many days that end today."""
        first = None if days is None else ((today or datetime.now(UTC)) - timedelta(days=days - 1)).date()
        return [
            one
            for one in self.calls
            if org in (None, one.org) and (first is None or one.created_at.date() >= first)
        ]

    @contextmanager
    def client(self, name: str | None = None) -> Iterator[httpx.Client]:
        """Yield a client that is signed in."""
        accept = {"accept": "text/html"}
        with httpx.Client(base_url=f"{self.url}/terminal/", headers=accept, timeout=30) as client:
            if name is not None:
                assert client.post("sign-in", data={"name": name, "password": PASSWORD}).status_code == 303
            yield client


def serve(folder: Path, simulator: SimulatorProcess, **settings: str) -> ChildServer:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("X25_")}
    ours = {
        "X25_DATA_DIR": str(folder), "X25_UPSTREAM": "simulator", "X25_SIMULATOR_URL": simulator.url,
        "X25_LOG_LEVEL": "INFO", "X25_SEED": "7", **settings,
    }  # fmt: skip
    arguments = ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"]
    return ChildServer("gateway", arguments, environ={**inherited, **ours}, folder=folder)


@pytest.fixture
def serve_pages(simulator: SimulatorProcess) -> Any:
    """Return a function that serves an empty store's pages while its context is open."""

    @contextmanager
    def served(folder: Path, **settings: str) -> Iterator[Pages]:
        with serve(folder, simulator, **settings) as server:
            yield Pages(server.url, folder)

    return served


@pytest.fixture(scope="session")
def pages(simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Pages without any account: whoever is on this machine is their owner."""
    folder = tmp_path_factory.mktemp("pages")
    calls = make_calls(datetime.now(UTC))
    apart(fill(f"sqlite+aiosqlite:///{folder}/x25.db", calls))
    with serve(folder, simulator) as server:
        yield Pages(server.url, folder, calls)


@pytest.fixture
def serve_locked(serve_pages: Any, tmp_path: Path) -> Any:
    """Return a function that serves pages with accounts and without calls, on which passwords can be got wrong."""

    @contextmanager
    def served() -> Iterator[Pages]:
        apart(make_accounts(f"sqlite+aiosqlite:///{tmp_path}/x25.db"))
        with serve_pages(tmp_path) as found:
            yield found

    return served


async def make_accounts(url: str) -> None:
    """Add an admin, `root`, and `ann`, who sees the org acme."""
    async with await open_store(url) as store:
        hashed = hash_password(PASSWORD)
        await store.accounts.create("root", hashed, is_admin=True)
        await store.accounts.create("ann", hashed, orgs=["acme"])


@pytest.fixture(scope="module")  # a module's wrong passwords throttle no other's
def locked_pages(simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Pages with accounts: an admin, `root`, and `ann`, who sees the org acme."""
    folder = tmp_path_factory.mktemp("locked")
    calls = make_calls(datetime.now(UTC))
    url = f"sqlite+aiosqlite:///{folder}/x25.db"

    async def prepare() -> None:
        await fill(url, calls)
        await make_accounts(url)

    apart(prepare())
    with serve(folder, simulator) as server:
        yield Pages(server.url, folder, calls)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def filled(simulator: SimulatorProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """Return a cascade in this process over a store of the same calls, and the calls."""
    folder = tmp_path_factory.mktemp("filled")
    calls = make_calls(datetime.now(UTC))
    settings = load_settings({}, data_dir=folder, upstream="simulator", simulator_url=simulator.url, seed=25)
    await fill(settings.store_url, calls)
    async with open_cascade(settings, does_chores=False) as cascade:
        yield cascade, calls


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Return a browser that is installed on this machine; a module's, as no coroutine can run meanwhile."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


class Tab:
    """A tab of the browser; collects what goes wrong in it, and every address it asks for."""

    def __init__(self, browser: Any, base: str, width: int = 1440, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="Europe/Berlin", locale="en-GB",
            accept_downloads=True,
        )  # fmt: skip
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.base, self.errors, self.asked = f"{base}/terminal/", [], []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda told: self.errors.append(told.text) if told.type == "error" else None)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str = "") -> Any:
        """Open a page and wait until its ticker is there, that is until its connection is."""
        self.page.goto(self.base + path)
        self.page.locator("[data-tick]").first.wait_for()
        return self.page

    def sign_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(self.base + "sign-in")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Any]:
    """Return a function that opens tabs; each must end without an error and without having asked another host."""
    opened: list[Tab] = []

    def open_tab(pages: Pages, **more: Any) -> Tab:
        opened.append(Tab(chromium, pages.url, **more))
        return opened[-1]

    yield open_tab
    for one in opened:
        assert one.errors == []
        assert {url.split("/")[2] for url in one.asked if not url.startswith(("data:", "blob:"))} <= {
            one.base.split("/")[2]
        }
        one.context.close()
