import importlib
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import httpx
import pytest

from x25.api.app import create_app
from x25.state.names import RESERVED_ORGS

PATHS = {
    "/route", "/v1/chat/completions", "/v1/models", "/v1/models/{model}", "/stats/all",
    "/stats/{project}", "/stage/{project}",
    "/thompson/{project}", "/verify", "/keys/me", "/judge/{project}", "/healthz",
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
        module = importlib.import_module(f"x25.api.routes.{room}")
        served = {route.path.replace(":path}", "}") for route in module.router.routes}
        assert path in served, f"{path} is not in api/routes/{room}.py"
        assert operations


def test_no_path_stands_in_the_way_of_an_orgs_name() -> None:
    paths = create_app().openapi()["paths"]
    rooms = {path.removesuffix("{project}") for path in paths if path.endswith("{project}")}
    beside = {path.removeprefix(room) for room in rooms for path in paths if path.startswith(room)} - {
        "{project}"
    }
    assert beside == RESERVED_ORGS


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
