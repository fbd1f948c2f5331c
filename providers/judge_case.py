"""What a judge is shown: one question, one answer and what else was said, between lines that no text can forge."""

import json
import re
from collections.abc import Sequence

from ..state.types import JSONObject

CUT_MARK = "\n[… {count} characters cut …]\n"
_CASE = re.compile(r"^<case-(?P<nonce>[0-9a-f]+)>\n(?P<case>.*)\n</case-(?P=nonce)>$", re.MULTILINE)


def write_case(
    messages: Sequence[JSONObject], answer: str | JSONObject, *, nonce: str, max_chars: int
) -> str:
    """Return the case as one JSON document between two lines that carry `nonce` (hexadecimal).

    JSON writes a line break inside a text as two characters, so no text can hold a line of its own, and none
    can know the nonce: whatever the answer says, it cannot close the fence.
    """
    asked = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=None)
    said = [f"{m.get('role')}: {_text(m)}" for i, m in enumerate(messages) if i != asked]
    case = {"question": "" if asked is None else _cut(_text(messages[asked]), max_chars)}
    if said:
        case["context"] = _cut("\n\n".join(said), max_chars)
    case["answer"] = _cut(answer if isinstance(answer, str) else _text(answer), max_chars)
    return f"<case-{nonce}>\n{json.dumps(case, ensure_ascii=False)}\n</case-{nonce}>"


def parse_case(text: str) -> dict[str, str]:
    """Return the case written in `text`: question, answer and, where there was more, context.

    Raises
    ------
    ValueError
        There is no case, or it is not a JSON object.
    """
    found = _CASE.search(text)
    if found is None:
        raise ValueError("expected a case between the lines <case-…> and </case-…>")
    return dict(json.loads(found["case"]))


def _text(message: JSONObject) -> str:
    """Return the words of a message; other parts by their type, tool calls as JSON."""
    content = message.get("content") or ""
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", f"[{part.get('type')}]")) for part in content)
    calls = message.get("tool_calls")
    return "\n".join(part for part in (content, json.dumps(calls) if calls else "") if part)


def _cut(text: str, max_chars: int) -> str:
    left_out = len(text) - max_chars
    if left_out <= 0:
        return text
    head = max_chars // 2
    return text[:head] + CUT_MARK.format(count=left_out) + text[len(text) - (max_chars - head) :]
