from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from x25.api.counted import Counted
from x25.state.meter import Meter


class Services:
    def __init__(self):
        self.services = self
        self.meter = Meter()


def test_paths_that_strangers_make_up_count_as_one():
    app = Starlette(routes=[Route("/route", lambda _: PlainTextResponse("ok"))])
    app.state.cascade = Services()
    app.add_middleware(Counted, paths={"/route", "/stats/{project}", "/v1/models"})
    with TestClient(app) as client:
        for number in range(50):
            client.get(f"/x{number}")
            client.get(f"/stats/org-{number}")
            client.get(f"/v1/o{number}")
        client.get("/route")
    counts = {tuple(labels): value for _, labels, value in app.state.cascade.meter.told()["counts"]}
    assert counts == {
        ("other", "404"): 50, ("/stats", "404"): 50, ("/v1", "404"): 50, ("/route", "200"): 1,
    }  # fmt: skip
