"""Put the chunks of a streamed completion together, and make each piece fit to be passed on."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...state.errors import ProviderMalformed, ProviderServer, Unsupported
from ...state.types import JSONObject
from .fragments import ToolFragments
from .halves import Halves
from .logprobs import streamed_logprobs
from .reply import ChatReply, chat_reply, usage_in

_TEXTS = ("content", "refusal", "reasoning_content", "reasoning")
"""Fields of a delta that go on where the last one ended."""
_THOUGHTS = frozenset({"reasoning_content", "reasoning"})
"""Those of them that some vendors send as objects."""
_PASSED_OVER = frozenset({"role", "tool_calls", "function_call", *_TEXTS})
_JOINED = ("text", "summary", "data", "thinking")
"""Fields of a thought's details that go on likewise."""
PIECES = frozenset({"content", "refusal", "reasoning_content", "reasoning", "arguments", "input", "text"})
"""Fields whose text may end in half a character; see `json_text.parse_json`."""


class Assembly:
    """One completion as far as it has come.

    Parameters
    ----------
    options
        Of the request, as for `reply.chat_reply`.
    """

    def __init__(self, options: Mapping[str, Any], deployment: str) -> None:
        self._options = options
        self._deployment = deployment
        self._texts: dict[str, list[str]] = {}
        self._halves = Halves()
        self._more: JSONObject = {}
        self._tools = ToolFragments(deployment)
        self._legacy: dict[str, list[str]] = {}
        self._logprobs: dict[str, list[Any]] = {}
        self._head: JSONObject = {}
        self._has_content = False
        self._index: Any = None
        """The number of the one choice that is read."""
        self.finish_reason: Any = None
        """Why the answer ended; None until it did."""

    @property
    def usage(self) -> Any:
        """What the vendor counted so far; None where it did not say."""
        return self._head.get("usage")

    def add(self, chunk: Any) -> tuple[JSONObject, JSONObject | None]:
        """Take one chunk; return its piece of the message and of the tokens' probabilities, to be passed on.

        Raises
        ------
        ProviderMalformed
            When it is no chunk.
        Unsupported
            When a text begins without the probabilities that were asked for.
        """
        if not isinstance(chunk, dict):
            raise ProviderMalformed(
                f"{self._deployment} streamed {type(chunk).__name__} instead of an object"
            )
        for name, told in (
            ("model", chunk.get("model")),
            ("service_tier", chunk.get("service_tier")),
            ("usage", usage_in(chunk)),
        ):
            if told:
                self._head[name] = told
        choice = self._choice(chunk.get("choices"))
        if choice is None:
            return {}, None
        given = choice.get("delta")
        if not given and not self.has_words:
            given = choice.get("message")  # of a vendor that says all at once
        if given is not None and not isinstance(given, dict):
            raise ProviderMalformed(f"{self._deployment} streamed a delta that is no object")
        piece = self._piece(given or {})
        likely = self._likely(choice, piece)
        if choice.get("finish_reason") is not None:
            self.finish_reason = choice["finish_reason"]
        return piece, likely

    @property
    def has_words(self) -> bool:
        """Whether anything of an answer has come."""
        return bool(self._texts or self._tools.calls() or self._legacy)

    def close(self) -> None:
        """Take the vendor's word that nothing follows: then an answer is whole, though it did not say why it ended."""
        if self.finish_reason is None and self.has_words:
            self.finish_reason = ""

    def rest(self) -> JSONObject:
        """Return what is left to pass on at the end."""
        held = {str(name): text for name, text in self._halves.rest().items()}
        for name, text in held.items():
            self._texts.setdefault(name, []).append(text)
        calls = self._tools.rest()
        return {**held, "tool_calls": calls} if calls else held

    def payload(self) -> JSONObject:
        """Return what a vendor that does not stream would have answered."""
        choice = {"index": 0, "message": self.message(), "finish_reason": self.finish_reason}
        return {**self._head, "choices": [{**choice, "logprobs": self._logprobs or None}]}

    def reply(self) -> ChatReply:
        """Return the completion.

        Raises
        ------
        ProviderError
            As `reply.chat_reply`; `ProviderServer` where its end is missing.
        """
        if self.finish_reason is None:
            cut = ProviderServer(f"{self._deployment} ended its stream in the middle of the answer")
            cut.may_have_billed = True
            raise cut
        # Probabilities that came late, or stopped coming, are no reason to break off what was sent.
        asked = {name: value for name, value in self._options.items() if name != "logprobs"}
        payload = self.payload()
        found = chat_reply(payload, self._deployment, asked)
        if self._options.get("logprobs") is not True or payload["choices"][0]["logprobs"] is None:
            return found
        return replace(found, logprobs=payload["choices"][0]["logprobs"])

    def message(self) -> JSONObject:
        """Return the message as far as it has come."""
        texts = {name: "".join(parts) for name, parts in self._texts.items()}
        message: JSONObject = {"role": "assistant", "content": None, **self._more, **texts}
        if calls := self._tools.calls():
            message["tool_calls"] = calls
        if self._legacy:
            message["function_call"] = {name: "".join(parts) for name, parts in self._legacy.items()}
        return message

    def _choice(self, choices: Any) -> JSONObject | None:
        """Return the one choice of a chunk; None for one that brings something else, such as the tokens used."""
        if choices is None or choices == []:
            return None
        if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
            raise ProviderMalformed(f"{self._deployment} streamed choices that are no list of objects")
        if self._index is None:  # one choice was asked for, and some vendors count from 1
            self._index = next((one["index"] for one in choices if one.get("index") is not None), None)
        return next((one for one in choices if one.get("index") in (self._index, None)), None)

    def _piece(self, given: JSONObject) -> JSONObject:
        piece: JSONObject = {}
        for name in _TEXTS:
            if name in _THOUGHTS and (value := given.get(name)) and not isinstance(value, str):
                self._more[name] = piece[name] = value
            elif (value := given.get(name)) and (text := self._halves.join(name, self._text(name, value))):
                self._texts.setdefault(name, []).append(text)
                piece[name] = text
        if (calls := given.get("tool_calls")) and (fragments := self._tools.add(calls)):
            piece["tool_calls"] = fragments
        if called := given.get("function_call"):
            piece |= self._function_call(called)
        for name, value in given.items():
            if name not in _PASSED_OVER and value is not None and value != []:
                self._keep(name, value)
                piece[name] = value
        return piece

    def _function_call(self, called: Any) -> JSONObject:
        """Take a fragment in the legacy way: passed on as it is to whoever asked so, else as a call of a tool."""
        if not isinstance(called, dict):
            raise ProviderMalformed(f"{self._deployment}: function_call of a chunk is no object")
        if not self._options.get("functions"):
            calls = self._tools.add([{"index": "legacy", "function": called}])
            return {"tool_calls": calls} if calls else {}
        found = {name: called[name] for name in ("name", "arguments") if isinstance(called.get(name), str)}
        for name, value in found.items():
            self._legacy.setdefault(name, []).append(value)
        return {"function_call": found} if found else {}

    def _text(self, name: str, value: Any) -> str:
        if isinstance(value, str):
            return value
        if name == "content" and isinstance(value, list):
            # What a model thinks comes as parts of another type.
            parts = [part for part in value if isinstance(part, dict) and part.get("type") in ("text", None)]
            texts = [part.get("text") for part in parts]
            return "".join(text for text in texts if isinstance(text, str))
        raise ProviderMalformed(f"{self._deployment}: {name} of a chunk is {type(value).__name__}")

    def _keep(self, name: str, value: Any) -> None:
        kept = self._more.get(name)
        if isinstance(value, list) and isinstance(kept, list):
            for one in value:
                _join(kept, one)
        else:
            self._more[name] = [*value] if isinstance(value, list) else value

    def _likely(self, choice: JSONObject, piece: JSONObject) -> JSONObject | None:
        if self._options.get("logprobs") is not True:
            return None
        found = streamed_logprobs(choice.get("logprobs"), self._deployment)
        if piece.get("content") and not self._has_content:
            self._has_content = True
            if found is None and not self._logprobs:
                passed_over = Unsupported(
                    f"{self._deployment} answered without the logprobs that were asked for",
                    parameter="logprobs",
                )
                passed_over.may_have_billed = True
                raise passed_over
        for name in ("content", "refusal"):
            if found is not None and (tokens := found[name]):
                self._logprobs.setdefault(name, []).extend(tokens)
        return None if found is None else {**found}


def _join(kept: list[Any], one: Any) -> None:
    """Add a part to a list, or to the part that it goes on with: the newest of its index and type."""
    last = kept[-1] if kept else None
    is_next = isinstance(one, dict) and isinstance(last, dict) and "index" in one
    if not is_next or (one["index"], one.get("type")) != (last.get("index"), last.get("type")):  # type: ignore[union-attr]
        kept.append(one)
        return
    joined = dict(last)  # type: ignore[arg-type]
    for name, value in one.items():
        is_text = name in _JOINED and isinstance(value, str) and isinstance(joined.get(name), str)
        joined[name] = joined[name] + value if is_text else joined.get(name) if value is None else value
    kept[-1] = joined
