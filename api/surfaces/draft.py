"""An answer as it grows, for dialects that tell it part by part: words, refusals, calls of tools."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ...state.types import JSONObject
from .words import calls_of, pieces_of, text_of

Kind = Literal["text", "refusal", "function", "custom"]
_SAID = {"function": "arguments", "custom": "input"}


@dataclass(slots=True)
class Part:
    """One part of an answer."""

    place: int
    """Among all parts, from 0."""
    number: int
    """Among the calls, or among the other parts, from 0."""
    kind: Kind
    id: str = ""
    name: str = ""
    """Of a call."""
    logprobs: list[Any] = field(default_factory=list)
    is_open: bool = True
    _said: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Its words, a call's arguments as JSON in a text, or a custom call's free text."""
        return "".join(self._said)

    def add(self, said: str) -> None:
        """Let it grow."""
        self._said.append(said)

    @property
    def is_call(self) -> bool:
        """Whether it is a call of a tool."""
        return self.kind in _SAID


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a part."""

    verb: Literal["begin", "grow", "end"]
    part: Part
    said: str = ""
    logprobs: tuple[Any, ...] = ()


class Draft:
    """Puts pieces of a message together, in OpenAI's form with indices from 0 up, and tells each step.

    A part ends before the next one begins: clients of both dialects take that for granted. Fragments of calls come one
    call after another; words that a vendor sends amid a call's arguments wait until these are whole.
    """

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self._held: list[tuple[Kind, str, tuple[Any, ...]]] = []
        """Words, with their tokens, that wait for a call to end."""

    def take(self, delta: JSONObject, logprobs: JSONObject | None = None) -> Iterator[Step]:
        """Take a piece; thoughts and what else a vendor adds are passed over."""
        likely = logprobs or {}
        for kind, name in (("text", "content"), ("refusal", "refusal")):
            words, tokens = delta.get(name), tuple(likely.get(name) or ())
            if isinstance(words, list):
                words = text_of({"content": words})
            if words or tokens:
                yield from self._grow_words(kind, words or "", tokens)  # type: ignore[arg-type]
        for fragment in delta.get("tool_calls") or ():
            yield from self._grow_call(fragment)

    def whole(self, message: JSONObject, logprobs: Mapping[str, Any] | None = None) -> Iterator[Step]:
        """Take a whole message, its words in pieces that end after a word where they can."""
        likely = logprobs or {}
        for kind, words in (("text", text_of(message)), ("refusal", message.get("refusal") or "")):
            tokens = tuple(likely.get("content" if kind == "text" else "refusal") or ())
            for piece in pieces_of(words) if words else ():
                yield from self._grow_words(kind, piece, tokens)  # type: ignore[arg-type]
                tokens = ()  # told once, with the first piece: tokens end elsewhere than pieces
        for index, call in enumerate(calls_of(message)):
            named = {"name": call.name, _SAID[call.kind]: call.said}
            yield from self._grow_call({"index": index, "id": call.id, "type": call.kind, call.kind: named})
        yield from self.finish()

    def finish(self) -> Iterator[Step]:
        """End what is open; an answer without any part has one without words."""
        if not self.parts:
            yield self._begin(Part(0, 0, "text"))
        yield from self._end_open()

    def message(self) -> JSONObject:
        """Return the message as far as it has come."""
        texts = {
            kind: "".join(one.said for one in self.parts if one.kind == kind) for kind in ("text", "refusal")
        }
        calls = [
            {"id": one.id, "type": one.kind, one.kind: {"name": one.name, _SAID[one.kind]: one.said}}
            for one in self.parts
            if one.is_call
        ]
        return {
            "role": "assistant",
            "content": texts["text"] or (None if calls or texts["refusal"] else ""),
            **({"refusal": texts["refusal"]} if texts["refusal"] else {}),
            **({"tool_calls": calls} if calls else {}),
        }

    def _grow_words(self, kind: Kind, words: str, tokens: tuple[Any, ...]) -> Iterator[Step]:
        part = next((one for one in self.parts if one.kind == kind and one.is_open), None)
        if part is None:
            if any(one.is_open and one.is_call and not _is_whole(one) for one in self.parts):
                self._held.append((kind, words, tokens))
                return
            yield from self._end_open()
            part = Part(len(self.parts), sum(not one.is_call for one in self.parts), kind)
            yield self._begin(part)
        part.add(words)
        part.logprobs += tokens
        if words or tokens:
            yield Step("grow", part, words, tokens)

    def _grow_call(self, fragment: JSONObject) -> Iterator[Step]:
        index, kind = fragment["index"], _kind_of(fragment)
        part = next((one for one in self.parts if one.is_call and one.number == index), None)
        if part is None:
            yield from self._end_open()
            called = fragment.get(kind) or {}
            part = Part(len(self.parts), index, kind, str(fragment.get("id")), str(called.get("name") or ""))
            yield self._begin(part)
        said = (fragment.get(part.kind) or {}).get(_SAID[part.kind])
        if said and part.is_open:  # what follows a whole JSON belongs to nothing
            part.add(said)
            yield Step("grow", part, said)
            if self._held and _is_whole(part):
                yield from self._end_open()

    def _end_open(self) -> Iterator[Step]:
        """End the part that is open, and tell the words that waited for that."""
        for part in self.parts:
            if part.is_open:
                yield self._end(part)
        held, self._held = self._held, []
        for kind, words, tokens in held:
            yield from self._grow_words(kind, words, tokens)
        if held:
            yield from self._end_open()

    def _begin(self, part: Part) -> Step:
        self.parts.append(part)
        return Step("begin", part)

    def _end(self, part: Part) -> Step:
        part.is_open = False
        return Step("end", part)


def _kind_of(fragment: JSONObject) -> Kind:
    return "custom" if fragment.get("type") == "custom" else "function"


def _is_whole(part: Part) -> bool:
    """Return whether nothing can follow in a call; of a free text nobody knows."""
    if part.kind != "function":
        return False
    try:
        json.loads(part.said)
    except (ValueError, RecursionError):
        return False
    return True
