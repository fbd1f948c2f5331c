import httpx
import pytest

from x25.graph.run import open_cascade
from x25.graph.settings import load_settings
from x25.terminal.alone import create_pages


@pytest.mark.slow
async def test_pages_alone_show_what_a_gateway_logged_and_serve_no_calls(simulator, tmp_path):
    settings = load_settings({}, data_dir=tmp_path, upstream="simulator", simulator_url=simulator.url)
    async with open_cascade(settings) as gateway:
        await gateway.route({"prompt": "What is 17 + 4?", "org": "acme"})
    app = create_pages(settings)
    through = httpx.ASGITransport(app, client=("127.0.0.1", 1))
    client = httpx.AsyncClient(transport=through, base_url="http://localhost", timeout=30)
    async with app.router.lifespan_context(app), client as asked:
        assert (await asked.get("/livez")).text == "ok"
        assert (await asked.get("/")).headers["location"] == "/terminal/"
        assert (await asked.post("/route", json={"prompt": "x"})).status_code == 404
