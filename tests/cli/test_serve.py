import json
import signal
import socket
from pathlib import Path

import httpx
import pytest
import yaml

from x25.graph.settings import PACKAGE_DIR

PROMPT = {"prompt": "What is 17 * 23?", "org": "a"}


def test_without_keys_or_files_it_routes_offline_and_ends_without_a_trace(start, tmp_path: Path) -> None:
    child = start("serve", "--port", "0", "--json", X25_LOG_LEVEL="INFO")
    url = child.url()
    reply = httpx.post(f"{url}/route", json=PROMPT, timeout=30)
    assert (reply.status_code, reply.json()["simulated"]) == (200, True)
    assert url.startswith("http://127.0.0.1:")
    assert (tmp_path / ".x25" / "x25.db").is_file()
    assert len(child.family()) == 2, "the gateway and its simulator"
    assert child.stop(signal.SIGTERM) == -signal.SIGTERM
    assert child.survivors() == []
    said = child.stderr.read_text()
    assert "simulated models" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_ctrl_c_ends_it_too(start, simulator) -> None:
    child = start("serve", "--port", "0", "--json", X25_UPSTREAM="simulator", X25_SIMULATOR_URL=simulator.url)
    child.url()
    assert child.stop(signal.SIGINT) == 130
    assert child.survivors() == []
    assert "Traceback" not in child.stderr.read_text()


def shifted_artifact(folder: Path) -> Path:
    artifact = json.loads((PACKAGE_DIR / "artifacts" / "difficulty.json").read_text())
    artifact["head"]["level"] += 1.0
    path = folder / "shifted.json"
    path.write_text(json.dumps(artifact))
    return path


def difficulty_of(reply: httpx.Response) -> float:
    return reply.raise_for_status().json()["explain"]["difficulty"]["value"]


@pytest.mark.slow
def test_each_flag_changes_what_is_served(start, x25, routed, home: Path) -> None:
    bundled = routed("What is 17 * 23?")["explain"]["difficulty"]["value"]
    models, routers, db = home / "models", home / "routers", home / "elsewhere" / "calls.db"
    for folder in (models, routers, db.parent):
        folder.mkdir()
    for name in ("tiny-1", "xlarge-6"):
        source = PACKAGE_DIR / "simulator" / "models" / f"sim--{name}.yaml"
        (models / source.name).write_text(source.read_text())
    config = {"name": "mine", "description": "one model", "models": ["sim/tiny-1"]}
    (routers / "mine.yaml").write_text(yaml.safe_dump(config))
    secret = x25("keys", "create", "a", "--db", db).stdout.strip()
    child = start(
        "serve", "--json", "--port", "0", "--host", "127.0.0.2", "--db", db,
        "--model", shifted_artifact(home),
        "--models-dir", models, "--routers-dir", routers, "--require-key", X25_DATA_DIR=str(home / "data"),
    )  # fmt: skip
    with httpx.Client(base_url=child.url(), timeout=30) as http:
        assert http.base_url.host == "127.0.0.2"
        assert http.post("/route", json=PROMPT).status_code == 401
        http.headers["Authorization"] = f"Bearer {secret}"
        assert http.get("/healthz").json()["models"] == 2
        assert difficulty_of(http.post("/route", json=PROMPT)) == pytest.approx(bundled + 1.0, abs=1e-3)
        assert http.post("/route", json={**PROMPT, "router": "mine"}).json()["model_used"] == "sim/tiny-1"
    assert json.loads(x25("verify", "a", "--db", db, "--json").stdout)["orgs"][0]["total_records"] == 2
    assert not (home / "data" / "x25.db").exists()


def test_a_port_that_is_taken_is_said_to_be(x25) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = x25("serve", "--port", port)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port\n"
    )


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [
        ("--model", "nowhere: not a difficulty artifact"),
        ("--routers-dir", "the routers folder nowhere does not exist"),
        ("--models-dir", "nowhere"),
    ],
)
def test_a_wrong_file_ends_as_one_sentence(x25, flag: str, sentence: str) -> None:
    result = x25("serve", "--port", "0", flag, "nowhere")
    assert result.exit_code == 1
    assert result.stderr.startswith("error ")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.slow
def test_it_stops_when_the_parent_ends(start, simulator) -> None:
    child = start(
        "serve", "--port", "0", "--json", "--exit-with-parent",
        X25_UPSTREAM="simulator", X25_SIMULATOR_URL=simulator.url,
    )  # fmt: skip
    assert child.process.wait(timeout=30) == -signal.SIGTERM, "its standard input ended before it began"


def test_beyond_this_machine_it_wants_keys_or_a_word(x25) -> None:
    result = x25("serve", "--host", "0.0.0.0", "--port", "0")
    assert result.exit_code == 1
    assert "add --require-key" in result.stderr
    assert "--open" in result.stderr
