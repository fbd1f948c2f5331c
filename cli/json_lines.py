"""The log as JSON, one object a line: for machines that collect it."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path
from traceback import extract_tb
from typing import Any

from ..providers.errors_map import redact
from ..state.errors import X25Error
from ..state.log_context import OF_CALL

MOST_CHARS = 2_000
"""Longest message, characters."""
MOST_FRAMES = 20


class JsonLines(logging.Formatter):
    """Writes a record with its time (UTC), level and logger, and the call it belongs to: org and call id.

    What looks like a key is left out. Of an exception its class and the places it came through are told; its words,
    which may quote a prompt, where prompts are kept.
    """

    def __init__(self, *, keeps_text: bool = False) -> None:
        super().__init__()
        self._keeps_text = keeps_text

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        told: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(record.getMessage())[:MOST_CHARS],
        }
        if (of_call := OF_CALL.get()) is not None:
            told["org"], told["call_id"] = of_call
        told |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1] is not None:
            told["exception"] = self._exception(record.exc_info[1])
        return json.dumps(told, default=str)

    def _exception(self, error: BaseException) -> dict[str, Any]:
        frames = extract_tb(error.__traceback__)[-MOST_FRAMES:]
        told: dict[str, Any] = {
            "type": type(error).__name__,
            "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
        }
        if isinstance(error, X25Error):
            told["code"] = error.code
        if self._keeps_text:
            told["message"] = redact(str(error))[:MOST_CHARS]
        return told
