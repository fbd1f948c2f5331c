"""The one way replies are written as JSON: compact, in UTF-8."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

_AS_JSON_HAS_IT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def to_json(content: Any) -> bytes:
    """Return a value as JSON; a number that is not finite becomes null, since JSON has no word for it.

    What orjson refuses, the standard library writes or refuses: whole numbers of more than 64 bits, keys that are no
    texts, numbers of numpy's own.

    Raises
    ------
    TypeError, ValueError
        When there is no JSON for it, half a surrogate pair included.
    """
    try:
        return orjson.dumps(content, option=_AS_JSON_HAS_IT)
    except TypeError:
        return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


class JsonReply(Response):
    """A reply of status 200 that is made once and sent at once: its head is written here, not looked up again."""

    media_type = "application/json"

    def __init__(self, content: Any, headers: Mapping[str, str] | None = None) -> None:
        self.status_code = 200
        self.background = None
        self.body = to_json(content)
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]
        for name, value in (headers or {}).items():
            self.raw_headers.append((name.encode("latin-1"), value.encode("latin-1")))
