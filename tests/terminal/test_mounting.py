import asyncio
import subprocess
import sys
import threading
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from x25.simulator.child import ChildServer
from x25.terminal import mounting
from x25.terminal.mounting import PREFIX, Lazy

SCRIPT = """
import asyncio, sys, httpx
from x25.api.app import create_app
from x25.cli.serve import with_terminal
from x25.graph.settings import load_settings

async def look():
    settings = load_settings({}, data_dir=sys.argv[1], upstream="simulator", simulator_url=sys.argv[2])
    app = create_app(settings)
    assert with_terminal(app, settings)
    through = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    client = httpx.AsyncClient(transport=through, base_url="http://localhost")
    async with app.router.lifespan_context(app), client as asked:
        for path in ("/livez", "/", "/stats", "/no-such-path"):
            await asked.get(path)
        assert not {"nicegui", "socketio", "argon2"} & set(sys.modules)
        paths = ("", "observatory", "sign-in", "theme.css", "_nicegui_ws/socket.io/?EIO=4&transport=polling")
        found = await asyncio.gather(*(asked.get(f"/terminal/{path}") for path in paths))
        assert [one.status_code for one in found] == [200, 200, 303, 200, 200], found
        from nicegui import app as pages
        assert pages.is_started
    assert pages.is_stopped

asyncio.run(look())
"""


class Rooms:
    """Stands for `terminal.rooms`; counts how often it was asked for."""

    def __init__(self, refusals=0):
        self.asked, self.refusals, self.may_go, self.said = 0, refusals, threading.Event(), []

    def furnish(self):
        self.asked += 1
        self.may_go.wait(10)
        if self.asked <= self.refusals:
            raise RuntimeError("no room")

        @asynccontextmanager
        async def lifespan(app):
            self.said.append("opened")
            yield
            self.said.append("closed")

        app = FastAPI(lifespan=lifespan)
        app.add_route("/page", lambda request: PlainTextResponse("here"))
        return app


@pytest.fixture
def rooms(monkeypatch):
    found = Rooms()
    monkeypatch.setitem(sys.modules, "rooms_of_this_test", found)
    monkeypatch.setattr(mounting, "ROOMS", "rooms_of_this_test")
    return found


def asked(lazy):
    return httpx.AsyncClient(transport=httpx.ASGITransport(lazy), base_url="http://x")


async def test_requests_that_come_together_wait_for_one_load_while_the_loop_goes_on(rooms):
    lazy = Lazy()
    async with asked(lazy) as client:
        waiting = [asyncio.create_task(client.get("/page")) for _ in range(9)]
        await asyncio.sleep(0.05)  # the load stands still in its thread, and this test does not
        waiting[0].cancel()  # whoever came first leaves
        rooms.may_go.set()
        assert [(await one).text for one in waiting[1:]] == ["here"] * 8
    assert (rooms.asked, rooms.said) == (1, ["opened"])
    await lazy.close()
    assert rooms.said == ["opened", "closed"]


async def test_a_load_that_failed_is_tried_again_by_the_next_request(rooms):
    rooms.refusals = 1
    rooms.may_go.set()
    lazy = Lazy()
    async with asked(lazy) as client:
        with pytest.raises(RuntimeError, match="no room"):
            await client.get("/page")
        assert (await client.get("/page")).text == "here"
    await lazy.close()


async def test_an_end_during_the_load_waits_for_it_and_closes(rooms):
    lazy = Lazy()
    async with asked(lazy) as client:
        waiting = asyncio.create_task(client.get("/page"))
        await asyncio.sleep(0.02)
        closing = asyncio.create_task(lazy.close())
        await asyncio.sleep(0.02)
        rooms.may_go.set()
        await asyncio.gather(waiting, closing)
    assert rooms.said == ["opened", "closed"]
    await Lazy().close()  # of which no page was asked


@pytest.mark.slow
def test_a_gateway_loads_the_pages_with_the_first_request_for_one_and_ends_them(simulator, tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), simulator.url], check=False, timeout=120, capture_output=True,
        text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]


@pytest.mark.slow
def test_importing_the_gateway_loads_no_pages():
    check = "import sys, x25.cli.serve, x25.api.app; sys.exit(any(one in sys.modules for one in ('nicegui', 'argon2')))"
    assert subprocess.run([sys.executable, "-c", check], check=False, timeout=60).returncode == 0


@pytest.mark.slow
def test_the_first_address_leads_to_the_pages_and_the_api_is_as_before(pages):
    assert httpx.get(pages.url, follow_redirects=True).url.path == f"{PREFIX}/"
    assert httpx.get(f"{pages.url}/livez").status_code == 200
    missing = httpx.get(f"{pages.url}/no-such-path")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/json")
    assert PREFIX not in httpx.get(f"{pages.url}/openapi.json").text


@pytest.mark.slow
@pytest.mark.parametrize("setting", [{"X25_TERMINAL": "false"}, {"X25_WORKERS": "2"}])
def test_switched_off_or_with_workers_there_are_none(simulator, tmp_path, setting):
    import os

    inherited = {name: value for name, value in os.environ.items() if not name.startswith("X25_")}
    ours = {
        "X25_DATA_DIR": str(tmp_path),
        "X25_UPSTREAM": "simulator",
        "X25_SIMULATOR_URL": simulator.url,
        **setting,
    }
    arguments = ["-m", "x25", "serve", "--port", "0", "--json", "--exit-with-parent"]
    with ChildServer("gateway", arguments, environ={**inherited, **ours}) as server:
        answer = httpx.get(f"{server.url}{PREFIX}/observatory")
        assert answer.status_code == 404
        assert ("x25 terminal" in answer.text) == ("X25_WORKERS" in setting)
        assert httpx.get(f"{server.url}/livez").status_code == 200
