"""Calls of tools in pieces: put together whatever their chunking and numbering, and passed on in OpenAI's own."""

import json
from dataclasses import dataclass, field
from typing import Any

from ...state.errors import ProviderMalformed
from ...state.types import JSONObject
from .halves import Halves
from .reply import MAX_TOOL_CALLS, NO_ARGUMENTS

_KEYS = {"function": "arguments", "custom": "input"}
_FLAT = ("name", "arguments")
"""What some vendors say of a call without the object around it."""


@dataclass(slots=True)
class _Call:
    """One call as far as it has come."""

    place: int
    index: Any
    kind: str
    id: str | None = None
    name: str = ""
    arguments: list[str] = field(default_factory=list)
    more: JSONObject = field(default_factory=dict)
    """What else a vendor says of it, such as a signature that goes back with the result."""
    sent: int = 0
    """Pieces of the arguments that were passed on."""
    is_bare: bool = False
    """Whether it was said to have no arguments, which some vendors say of every call before its arguments come."""
    is_begun: bool = False
    """Whether its id and name were passed on."""


class ToolFragments:
    """The calls of one answer.

    A fragment belongs to the call of its index; where it brings another id it begins a new one, since some vendors
    number all calls 0. Without an index it belongs to the call of its id, or to the newest.

    Calls are passed on one after another, in the order in which they began. Some vendors send fragments of several in
    turns, and clients take for granted that a call is whole once the next one begins, as OpenAI's and Anthropic's are.
    """

    def __init__(self, deployment: str) -> None:
        self._deployment = deployment
        self._calls: list[_Call] = []
        self._turn = 0
        """The place of the call that is passed on at present; those after it wait."""
        self._ids: set[str] = set()
        self._halves = Halves()

    def add(self, given: Any) -> list[JSONObject]:
        """Take the fragments of one chunk; return what can be passed on, with indices from 0 up.

        A call is passed on from the first piece of its arguments on: until then its name may go on. The next one
        waits until its arguments are whole JSON, or, where they never are, until the end.

        Raises
        ------
        ProviderMalformed
            When they are no list of fragments, or there are too many calls.
        """
        if not isinstance(given, list):
            raise ProviderMalformed(f"{self._deployment}: tool_calls of a chunk is no list")
        found: list[JSONObject] = []
        for fragment in given:
            if not isinstance(fragment, dict):
                raise ProviderMalformed(f"{self._deployment}: a fragment of a tool call is no object")
            call = self._call_of(fragment)
            self._extend(call, fragment)
            if call.place < self._turn:  # what follows a whole JSON is the vendor's fault, and not hidden
                found += self._passed_on(call)
        while self._turn < len(self._calls):
            call = self._calls[self._turn]
            if call.is_bare and not call.arguments and call is not self._calls[-1]:
                call.arguments.append("{}")
            found += self._passed_on(call)
            if call is self._calls[-1] or not (call.is_begun and _is_whole(call)):
                break
            self._turn += 1
        return found

    def rest(self) -> list[JSONObject]:
        """Return what is left to pass on at the end: calls without arguments."""
        for place, text in self._halves.rest().items():
            self._calls[int(str(place))].arguments.append(text)
        waiting = self._calls[self._turn :]
        return [piece for call in waiting for piece in self._passed_on(call, is_whole=True)]

    def calls(self) -> list[JSONObject]:
        """Return the calls as an answer that does not stream has them."""
        return [
            {
                "id": self._id_of(call),
                "type": call.kind,
                call.kind: {
                    **({"name": call.name} if call.name else {}),
                    _KEYS[call.kind]: "".join(call.arguments) or ("{}" if call.kind == "function" else ""),
                },
                **call.more,
            }
            for call in self._calls
        ]

    def _call_of(self, fragment: JSONObject) -> _Call:
        given_id, index = _text(fragment.get("id")), fragment.get("index")
        index = index if isinstance(index, int | str) else None
        call = next((one for one in reversed(self._calls) if index is not None and one.index == index), None)
        if index is None:
            named = next((one for one in self._calls if given_id and one.id == given_id), None)
            newest = self._calls[-1] if self._calls else None
            is_next = newest is not None and _names(fragment) and _is_whole(newest)
            call = named or (None if is_next else newest)
        if call is None or (given_id and call.id and given_id != call.id):
            if len(self._calls) >= MAX_TOOL_CALLS:
                raise ProviderMalformed(f"{self._deployment} calls more than {MAX_TOOL_CALLS} tools")
            kind = "custom" if isinstance(fragment.get("custom"), dict) else "function"
            call = _Call(len(self._calls), index, kind)
            self._calls.append(call)
        if call.id is None and not call.is_begun:
            call.id = given_id
        return call

    def _extend(self, call: _Call, fragment: JSONObject) -> None:
        called = fragment.get(call.kind)
        called = called if isinstance(called, dict) else {key: fragment.get(key) for key in _FLAT}
        call.more |= {
            key: value
            for key, value in fragment.items()
            if key not in ("index", "id", "type", call.kind, *_FLAT) and value is not None
        }
        arguments = called.get(_KEYS[call.kind])
        name = _text(called.get("name"))
        # Most say it once, some with every fragment, a few in pieces.
        is_repeated = name == call.name and bool(fragment.get("id") or arguments)
        if name and not call.is_begun and not is_repeated:
            call.name += name
        if (
            call.kind == "function"
            and not call.arguments
            and isinstance(arguments, str)
            and arguments.strip() in NO_ARGUMENTS
        ):
            call.is_bare = call.is_bare or bool(arguments.strip())
            return  # true arguments may follow; where none do, the next call or the end says so
        if arguments is not None and arguments != "":
            text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
            call.arguments.append(self._halves.join(call.place, text))

    def _passed_on(self, call: _Call, *, is_whole: bool = False) -> list[JSONObject]:
        new = "".join(call.arguments[call.sent :])
        if not call.is_begun and not (call.name and (new or is_whole)):
            return []
        if call.is_begun and not new:
            return []
        piece: JSONObject = {"index": call.place}
        if not call.is_begun:
            new = new or ("{}" if call.kind == "function" else "")
            piece |= {"id": self._id_of(call), "type": call.kind, **call.more}
            piece[call.kind] = {"name": call.name, _KEYS[call.kind]: new}
        else:
            piece[call.kind] = {_KEYS[call.kind]: new}
        call.is_begun, call.sent = True, len(call.arguments)
        return [piece]

    def _id_of(self, call: _Call) -> str:
        """Return its id, made up where the vendor gave none and told apart where it gave one twice."""
        if not call.is_begun or call.id is None:
            found = call.id or f"call_{call.place}"
            call.id = f"{found}_{call.place}" if found in self._ids else found
            self._ids.add(call.id)
        return call.id


def _names(fragment: JSONObject) -> bool:
    """Return whether a fragment says whom it calls."""
    places = (fragment, *(fragment.get(kind) for kind in _KEYS))
    return any(isinstance(place, dict) and _text(place.get("name")) for place in places)


def _is_whole(call: _Call) -> bool:
    """Return whether nothing can follow in a call; of a free text nobody knows."""
    if call.kind != "function" or not call.arguments or not call.arguments[-1].rstrip().endswith("}"):
        return False
    try:
        json.loads("".join(call.arguments))
    except (ValueError, RecursionError):
        return False
    return True


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
