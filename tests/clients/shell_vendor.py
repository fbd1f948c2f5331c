"""A vendor whose model lists the folder by the tool for commands that it is offered, and says what it was told."""

import json
from typing import Any

COMMANDS = {"exec_command": {"cmd": "ls"}, "Bash": {"command": "ls", "description": "List files"}}
"""Arguments of the tools that coding agents run commands by."""


def message_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the assistant message that answers a request."""
    offered = [tool["function"]["name"] for tool in body.get("tools") or [] if tool["type"] == "function"]
    results = [message["content"] for message in body["messages"] if message["role"] == "tool"]
    if results:
        return {"content": f"The folder holds {'seen.txt' if 'seen.txt' in str(results) else 'nothing'}."}
    for name in COMMANDS.keys() & set(offered):
        called = {"name": name, "arguments": json.dumps(COMMANDS[name])}
        return {"content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": called}]}
    return {"content": json.dumps({"title": "Files"})}  # agents name their sessions beside


def answer(body: dict[str, Any]) -> tuple[str, bytes]:
    """Return the answer to a request, whole also where a stream is asked for; content type and body."""
    message = message_of(body)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return "application/json", json.dumps({"id": "a", "choices": [choice], "usage": usage}).encode()
