"""The end of a gateway with streams under way, and what its log and figures tell meanwhile."""

import json
import signal
import socket
import threading
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

HELLO = {
    "model": "sim/small-2",
    "messages": [{"role": "user", "content": "What is 17 * 23?"}],
    "stream": True,
}


@pytest.mark.slow
def test_a_stream_is_finished_before_the_gateway_ends(start, simulator, fault) -> None:
    fault("slow_tokens;ms=60")
    url_of = {"X25_UPSTREAM": "simulator", "X25_SIMULATOR_URL": simulator.url, "X25_DRAIN_DELAY_S": "0.6"}
    child = start("serve", "--port", "0", "--json", **url_of)
    url = child.url()
    ready = []

    def end():
        child.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        ready.append(httpx.get(f"{url}/readyz").status_code)

    with httpx.stream("POST", f"{url}/v1/chat/completions", json=HELLO, timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("data: ")
        ending = threading.Thread(target=end)
        ending.start()
        rest = [line for line in lines if line]
    ending.join()
    assert rest[-1] == "data: [DONE]"
    assert len(rest) > 5
    assert ready == [503]
    assert child.process.wait(timeout=20) == -signal.SIGTERM
    assert "Traceback" not in child.stderr.read_text()


@pytest.mark.slow
def test_the_log_in_json_names_calls_and_holds_no_prompt_answer_or_key(start, simulator, fault) -> None:
    planted = "zanzibar-marmalade"
    key = "sk-x25-" + "planted" * 5
    child = start(
        "serve", "--port", "0", "--json", X25_UPSTREAM="simulator", X25_SIMULATOR_URL=simulator.url,
        X25_LOG_FORMAT="json", X25_LOG_LEVEL="DEBUG", OPENAI_API_KEY=f"sk-{planted}",
    )  # fmt: skip
    url = child.url()
    with httpx.Client(base_url=url, timeout=30, headers={"authorization": "Bearer none"}) as client:
        client.post(
            "/route", json={"prompt": f"Say {planted}", "org": "lab", "call_id": "c1"}
        ).raise_for_status()
        client.post(
            "/v1/chat/completions", json={**HELLO, "messages": [{"role": "user", "content": planted}]}
        )
        client.post("/route", json={"prompt": "hi"}, headers={"authorization": f"Bearer {key}"})
        fault("error_frame;after=3")
        client.post(
            "/v1/chat/completions", json={**HELLO, "messages": [{"role": "user", "content": planted}]}
        )
        fault("500")
        client.post("/route", json={"prompt": planted, "org": "lab", "call_id": "c2"})
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as odd:
        odd.sendall(f"{planted}\r\n\r\n".encode())  # which the server complains of
        odd.recv(100)
    assert child.stop(signal.SIGTERM) == -signal.SIGTERM
    said = child.stderr.read_text()
    told = [json.loads(line) for line in said.splitlines()]
    of_call = {(one["org"], one["call_id"]): one for one in told if one["logger"] == "x25.calls"}
    assert of_call["lab", "c1"]["message"] == "answered"
    assert of_call["lab", "c1"]["model_used"].startswith("sim/")
    assert (of_call["lab", "c2"]["message"], of_call["lab", "c2"]["code"]) == ("failed", "call_failed")
    for secret in (planted, key, "17 * 23"):
        assert secret not in said


@pytest.mark.slow
def test_any_worker_tells_the_figures_of_all(start, simulator) -> None:
    child = start(
        "serve",
        "--port",
        "0",
        "--json",
        "--workers",
        "2",
        X25_UPSTREAM="simulator",
        X25_SIMULATOR_URL=simulator.url,
    )
    url = child.url()
    for _ in range(12):  # each on a connection of its own, so that both are asked
        httpx.post(f"{url}/route", json={"prompt": "hi"}, timeout=30).raise_for_status()
    for _ in range(60):
        found = [
            sample
            for family in text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
            for sample in family.samples
            if sample.name == "x25_http_requests_total" and sample.labels["path"] == "/route"
        ]
        if sum(sample.value for sample in found) == 12:
            break
        time.sleep(0.2)
    assert sum(sample.value for sample in found) == 12
    child.stop(signal.SIGTERM)
    assert child.survivors() == []
