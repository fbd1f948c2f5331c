"""LangSmith's API as its client calls it, in memory: datasets, examples, sessions, runs, feedback."""

import email
import json
import re
import threading
import uuid
from datetime import UTC, datetime
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

NOW = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


class LangSmithServer:
    """Answers on a free port of the loopback; `fail` = HTTP status that every request gets."""

    def __init__(self) -> None:
        self.datasets: dict[str, dict[str, Any]] = {}
        self.examples: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self.feedback: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.keys: set[str | None] = set()
        self.fail: int | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Return status and body of a reply."""
        room, name, more = re.fullmatch(r"(?:/v1/platform)?/(\w+)(?:/([^/]+))?(?:/(\w+))?", path).groups()
        if room == "info":
            return 200, {"version": "0", "instance_flags": {"dataset_examples_multipart_enabled": True}}
        if room == "datasets" and more == "examples":
            return 200, self._add_examples(name, body)
        if room == "datasets":
            return self._dataset(method, name, query, body)
        if room == "examples":
            mine = [one for one in self.examples.values() if one["dataset_id"] == query["dataset"][0]]
            start, limit = (int(query.get(key, ["0"])[0]) for key in ("offset", "limit"))
            return 200, mine[start : start + limit] if limit else mine[start:]
        if room == "sessions":
            return 200, self._session(method, name, query, body)
        return 200, self._record(room, name, body)

    def _record(self, room: str, name: str | None, body: Any) -> Any:
        if room == "feedback":
            self.feedback.append(body)
            return body | {"created_at": NOW, "modified_at": NOW}
        run_id = name or body["id"]
        self.runs[run_id] = self.runs.get(run_id, {}) | body
        return self.runs[run_id]

    def _dataset(self, method: str, name: str | None, query: Any, body: Any) -> tuple[int, Any]:
        names = {one["name"] for one in self.datasets.values()}
        if method == "POST" and body["name"] in names:
            return 409, {"detail": "Dataset with this name already exists"}
        if method == "POST":
            made = body | {"id": body.get("id") or str(uuid.uuid4()), "created_at": NOW, "modified_at": NOW}
            self.datasets[made["id"]] = made
            return 200, made
        if name is not None:
            return 200, self.datasets[name]
        wanted = query.get("name", [None])[0]
        return 200, [one for one in self.datasets.values() if wanted in {None, one["name"]}]

    def _add_examples(self, dataset_id: str, parts: Any) -> dict[str, Any]:
        made: list[str] = []
        for key, value in parts.items():
            if key.count(".") == 0:
                self.examples[key] = value | {
                    "id": key, "dataset_id": dataset_id, "created_at": NOW, "modified_at": NOW, "outputs": None,
                    "inputs": parts.get(f"{key}.inputs", {}),
                }  # fmt: skip
                made.append(key)
        return {"count": len(made), "example_ids": made}

    def _session(self, method: str, name: str | None, query: Any, body: Any) -> Any:
        if method == "POST":
            made = body | {"id": body.get("id") or str(uuid.uuid4()), "tenant_id": str(uuid.uuid4())}
            made["start_time"] = made.get("start_time") or NOW
            self.sessions[made["id"]] = made
            return made
        if name is not None:
            self.sessions[name] = self.sessions[name] | (body or {})
            return self.sessions[name]
        wanted = query.get("name", [None])[0]
        return [one for one in self.sessions.values() if wanted in {None, one["name"]}]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        langsmith = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # or a body waits 40 ms for its head to be acknowledged

            def _serve(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                langsmith.asked.append(f"{self.command} {url.path}")
                langsmith.keys.add(self.headers.get("x-api-key"))
                status, reply = langsmith.fail, {"detail": "told to fail"}
                if status is None:
                    body = _read(raw, self.headers.get("Content-Type") or "")
                    status, reply = langsmith.answer(self.command, url.path, parse_qs(url.query), body)
                sent = json.dumps(reply).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve  # noqa: N815 - names of the base class

            def log_message(self, *args: object) -> None:
                return

        return Handler


def _read(raw: bytes, kind: str) -> Any:
    if not raw:
        return None
    if not kind.startswith("multipart/"):
        return json.loads(raw)
    message = email.message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + raw, policy=HTTP)
    return {
        part.get_param("name", header="content-disposition"): json.loads(part.get_payload(decode=True))
        for part in message.iter_parts()
    }
