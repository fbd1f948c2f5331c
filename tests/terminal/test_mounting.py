import subprocess
import sys

import httpx
import pytest

from x25.simulator.child import ChildServer
from x25.terminal.mounting import PREFIX


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
        assert httpx.get(f"{server.url}{PREFIX}/").status_code == 404
        assert httpx.get(f"{server.url}/livez").status_code == 200
