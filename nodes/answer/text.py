"""The text of a message, for people, features and digests."""

import json

from ...state.types import JSONObject


def message_text(message: JSONObject) -> str:
    """Return the text of an OpenAI message; text parts are joined, a call of tools alone is shown as JSON."""
    content = message.get("content")
    if isinstance(content, list):
        texts = (part.get("text") for part in content if isinstance(part, dict))
        return "".join(text for text in texts if isinstance(text, str))
    if content is None and message.get("tool_calls"):
        return json.dumps(message["tool_calls"], ensure_ascii=False)
    return content or ""
