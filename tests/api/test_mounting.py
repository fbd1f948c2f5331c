from collections import defaultdict
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from x25.api.app import create_app
from x25.api.mounting import mount
from x25.graph.settings import load_settings


@pytest.fixture
def chosen(tmp_path, simulator):
    return load_settings(
        {}, data_dir=tmp_path / "data", upstream="simulator", simulator_url=simulator.url, seed=7
    )


@asynccontextmanager
async def served(parent):
    transport = httpx.ASGITransport(parent, raise_app_exceptions=False)
    async with (
        parent.router.lifespan_context(parent),
        httpx.AsyncClient(transport=transport, base_url="http://parent.test", timeout=30) as client,
    ):
        yield client


async def test_every_door_works_below_the_prefix_and_the_parents_own_beside_it(chosen):
    events = []

    @asynccontextmanager
    async def lifespan(app):
        events.append("opened")
        yield
        events.append("closed")

    parent = FastAPI(lifespan=lifespan)
    parent.get("/mine")(lambda: {"mine": True})
    app = mount(parent, "/x25/router", chosen)
    async with served(parent) as client:
        assert events == ["opened"]
        assert (await client.get("/mine")).json() == {"mine": True}
        chat = {"messages": [{"role": "user", "content": "What is 2 + 2?"}]}
        bodies = {
            "/route": {"prompt": "What is 2 + 2?"},
            "/api/route": {"prompt": "x"},
            "/v1/chat/completions": chat,
        }
        names = defaultdict(lambda: "x", project="default", org="default", model="auto")
        made = {}
        for path, methods in app.openapi()["paths"].items():
            for method in methods:
                if method not in {"get", "post"} or (method == "post" and path not in bodies):
                    continue
                filled = path.format_map(names)
                reply = await client.request(method, f"/x25/router{filled}", json=bodies.get(path))
                expected = (
                    401
                    if path == "/keys/me"
                    else 404
                    if "{job_id}" in path or "{response_id}" in path
                    else 200
                )
                assert reply.status_code == expected, (path, reply.text)
                made[path] = reply.json() if "json" in reply.headers["content-type"] else reply.text
        erased = await client.delete(f"/x25/router/api/calls/{made['/api/route']['id']}")
        assert erased.status_code == 200
        assert (await client.get("/route")).status_code == 404
        nowhere = await client.get("/x25/router/no-such")
        assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "not_found")
    assert events == ["opened", "closed"]


async def test_calls_below_the_prefix_are_admitted_and_take_the_short_way_like_others(chosen, monkeypatch):
    parent = FastAPI()
    app = mount(parent, "/x25", chosen)
    async with served(parent) as client:
        app.state.admission.limit = 0
        for path in ("/x25/route", "/x25/api/route"):
            refused = await client.post(path, json={"prompt": "hi"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        app.state.admission.limit = 10
        monkeypatch.setattr("fastapi.routing.run_endpoint_function", None)  # FastAPI itself can serve nothing
        assert (await client.post("/x25/route", json={"prompt": "hi"})).status_code == 200


@pytest.mark.parametrize("prefix", ["", "/", "x25", "/x25/"])
def test_a_prefix_that_is_none_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        mount(FastAPI(), prefix)


def test_an_application_of_its_own_has_no_prefix():
    assert create_app().root_path == ""
