"""A vendor whose model lists the folder by the tool for commands that it is offered, and says what it was told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMANDS = {"exec_command": {"cmd": "ls"}, "Bash": {"command": "ls", "description": "List files"}}
"""Arguments of the tools that coding agents run commands by."""


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """Return the assistant message that answers a request."""
    offered = [tool["function"]["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    if results:
        return {"content": f"The folder holds {'seen.txt' if 'seen.txt' in str(results) else 'nothing'}."}
    for name in COMMANDS.keys() & set(offered):
        called = {"name": name, "arguments": json.dumps(COMMANDS[name])}
        return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": called}]}
    return {"content": json.dumps({"title": "Files"})}  # agents name their sessions beside


class ShellVendor:
    """Answers on a free port of the loopback, whole also where a stream is asked for."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        message = answer(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        reason = "tool_calls" if message.get("tool_calls") else "stop"
        choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
        usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
        said = json.dumps({"id": "a", "choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
