"""Which requests are the same: digests of everything that changes an answer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from hashlib import blake2b
from typing import Any

from ...state.types import JSONObject
from ...state.working_memory import Start
from ..prompt.tokens import content_text
from .configs import RouterConfig

VERSION = 1
"""Of what is hashed: another one finds nothing that was kept before."""
WITHOUT_EFFECT = frozenset(
    {"user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "store", "stream",
     "stream_options"}
)  # fmt: skip
"""Options that no answer depends on: for whom, under which label, by which way, and what is kept of it."""
REMOTE = ("http://", "https://")


def request_key(
    checked: Mapping[str, Any], sent: Sequence[JSONObject], router: RouterConfig, rules: Sequence[Any]
) -> str:
    """Return the digest of a request, 64 hex digits.

    Parameters
    ----------
    checked
        As `check_request` returns it.
    sent
        The messages that models read: what was remembered is among them.
    rules
        Whatever else the answer depends on, such as the org's quality bar.
    """
    start: Start = checked["start"]
    parts = [
        VERSION, list(sent), _plain(checked["options"]), checked["optimize_for"], checked["policy"],
        checked["hint"], checked["memory_hit"], astuple(start), repr(router), list(rules),
    ]  # fmt: skip
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=32).hexdigest()


def question_apart(sent: Sequence[JSONObject]) -> tuple[str, list[JSONObject]] | None:
    """Return the newest question and the messages with nothing in its place; None where it is no plain text.

    Where the newest message is not the user's, as after a tool answered, no other words ask the same.
    """
    if not sent or sent[-1].get("role") != "user" or not isinstance(sent[-1].get("content"), str):
        return None
    question = content_text(sent[-1]["content"]).strip()
    if not question or any(one.get("role") in ("tool", "function") for one in sent):
        return None
    return question, [*sent[:-1], {**sent[-1], "content": ""}]


def why_uncacheable(sent: Sequence[JSONObject], options: Mapping[str, Any]) -> str | None:
    """Return why the same request may want another answer, or more than one; None where it does not."""
    if options.get("store"):
        return "store asks the vendor to keep the answer, too"
    if options.get("web_search_options") is not None:
        return "the web is searched anew for every request"
    if any(one.get("type") not in ("function", "custom") for one in options.get("tools") or ()):
        return "a tool that the vendor runs may answer otherwise"
    if "audio" in (options.get("modalities") or ()):
        return "spoken answers are kept by their vendor for a while only"
    for message in sent:
        content = message.get("content")
        if isinstance(content, list) and any(map(_is_remote, content)):
            return "what an address of an attachment shows may change"
    return None


def is_one_question(options: Mapping[str, Any]) -> bool:
    """Return whether an answer to a reworded question may do: no tools, no schema, nothing beside a text is wanted."""
    return not any(
        options.get(name)
        for name in ("tools", "functions", "response_format", "logprobs", "prediction", "seed")
    ) and options.get("n", 1) in (None, 1)


def _is_remote(part: Mapping[str, Any]) -> bool:
    inner = part.get(part.get("type", ""))
    address = inner.get("url", inner.get("file_url")) if isinstance(inner, Mapping) else inner
    return isinstance(address, str) and address.startswith(REMOTE) and part.get("type") != "text"


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that matter; 0 and 0.0 are the same temperature."""
    return {
        name: float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        for name, value in options.items()
        if name not in WITHOUT_EFFECT
    }
