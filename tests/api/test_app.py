import importlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from x25.api import routes
from x25.api.app import create_app
from x25.state.names import RESERVED_ORGS

ROUTES = Path(routes.__file__).parent
PATHS = {
    "/v1/completions", "/v1/responses", "/v1/responses/{response_id}",
    "/v1/responses/{response_id}/input_items",
    "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings",
    "/route", "/v1/chat/completions", "/v1/models", "/v1/models/{model}", "/stats/all",
    "/stats/{project}", "/stage/{project}",
    "/verify/key", "/verify/{org}/head", "/api/configs", "/api/route", "/api/history", "/api/calls/{call_id}",
    "/feedback", "/api/calls/{call_id}/feedback",
    "/memory/{org}", "/memory/{org}/{memory_id}",
    "/thompson/{project}", "/verify", "/judge/{project}", "/healthz", "/livez", "/readyz", "/metrics",
    "/orgs/{org}/settings", "/orgs/{org}", "/orgs/{org}/provider-keys", "/orgs/{org}/provider-keys/{key_id}",
    "/keys", "/keys/me", "/keys/create", "/keys/{key_id}", "/keys/{key_id}/rotate",
    "/improve/{project}", "/improve/{project}/opt-out", "/improve/{project}/register",
    "/improve/{project}/register/{model_id}", "/improve/{project}/jobs/{job_id}",
    "/improve/{project}/jobs/{job_id}/files/{name}",
}  # fmt: skip


def test_the_contract_lists_every_path_with_a_summary(http: httpx.Client) -> None:
    contract = http.get("/openapi.json").json()
    assert contract["paths"].keys() == PATHS
    assert contract["info"]["version"] == version("x25")
    operations = [operation for path in contract["paths"].values() for operation in path.values()]
    assert all(operation["summary"] and operation["tags"] for operation in operations)


def test_a_url_names_the_file_it_is_served_from() -> None:
    contract = create_app().openapi()
    for path, operations in contract["paths"].items():
        room = re.match(r"/(\w+)", path)[1]
        files = [room, *(file.stem for file in sorted(ROUTES.glob(f"{room}_*.py")))]
        modules = [importlib.import_module(f"x25.api.routes.{name}") for name in files]
        served = {route.path.replace(":path}", "}") for module in modules for route in module.router.routes}
        assert path in served, f"{path} is not in api/routes/{room}.py, nor in one beside it"
        assert operations


def test_no_path_stands_in_the_way_of_an_orgs_name() -> None:
    paths = create_app().openapi()["paths"]
    rooms = {path.removesuffix("{project}") for path in paths if path.endswith("{project}")}
    beside = {path.removeprefix(room) for room in rooms for path in paths if path.startswith(room)}
    assert {name for name in beside if not re.match(r"\{project\}(/|$)", name)} == RESERVED_ORGS


def test_a_report_is_refused_in_the_one_shape_by_the_contract_too() -> None:
    contract = create_app().openapi()
    shapes = {
        operation["responses"][status]["content"]["application/json"]["schema"]["$ref"]
        for path in contract["paths"].values()
        for operation in path.values()
        for status in operation["responses"]
        if status >= "400"
    }
    assert shapes == {"#/components/schemas/Problem"}
    assert "422" in contract["paths"]["/stats/{project}"]["get"]["responses"]


def test_the_documentation_page_is_served(http: httpx.Client) -> None:
    assert "swagger" in http.get("/docs").text.lower()


async def test_an_app_that_is_closed_leaves_a_state_that_the_next_one_continues(open_app) -> None:
    for calls in (1, 2):
        async with open_app() as client:
            (await client.post("/route", json={"prompt": "hello", "org": "a"})).raise_for_status()
            assert (await client.get("/stage/a")).json()["total_calls"] == calls
    async with open_app() as client:
        found = (await client.get("/verify")).json()
    assert (found["intact"], found["total_records"]) == (True, 2)


def test_many_callers_at_once_lose_nothing(http: httpx.Client, route: Callable[..., dict], org: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: route(f"What is {number} + 1?"), range(40)))
    stats, chain = http.get(f"/stats/{org}").json(), http.get("/verify", params={"org": org}).json()
    assert len({reply["audit_hash"] for reply in replies}) == 40
    assert stats["total_calls"] == chain["total_records"] == 40
    assert chain["intact"] is True
    assert stats["total_cost_usd"] == pytest.approx(sum(reply["cost_usd"] for reply in replies), abs=1e-12)
