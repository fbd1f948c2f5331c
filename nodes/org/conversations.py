"""Which conversation a request goes on with, and who gave its newest answer: clients send what was said, not by whom.

A request that names its conversation belongs to that one. Any other belongs to the conversation in which the longest
beginning of its history that ends with an answer was answered: for the same org, and the same user where one is given.
Where no beginning is known, as after a client dropped the oldest turns, the newest question and answer decide, if one
conversation alone had them. Anything else begins a conversation.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, NamedTuple

from cachetools import LRUCache

from ...routing.plan.affinity import Author
from ...routing.plan.turns import Turns, said, turns_of
from ...routing.prompt.tokens import content_text
from ...state.errors import StoreError
from ...state.store import Store
from ...state.types import JSONObject
from ...state.working_memory import Opened
from .author_table import AuthorTable
from .memory import user_of

if TYPE_CHECKING:
    from ..services import Services

MOST_AUTHORS = 65_536
"""Answers of all orgs together whose author is remembered: those given last."""
MOST_TURNS = 10_000
"""Turns of all orgs together whose conversation is remembered; of older ones the call log knows it."""
MOST_NAMES = 8
"""Conversations that one turn may be part of; beyond that the oldest are forgotten."""
MOST_LOOKED_UP = 32
"""Turns of a history that are looked for in the store, the newest."""
LOOK_AGAIN_S = 60.0
"""How long a history that the store does not know is not looked for again: examples are sent with every request."""
_SEVERAL = ""


class Place(NamedTuple):
    """Where a turn belongs."""

    conversation_id: str
    user: str | None
    """Who speaks, where the request says so."""


class ConversationBook:
    """Digests of turns with their conversation and author, in this process; no words are kept.

    The author of an answer given elsewhere, before a restart, or longer ago than `MOST_AUTHORS` answers is not known;
    the conversation is, from the call log, where nothing of its history was changed. For the author, older messages
    may be left out or rewritten: only the newest answer and the question before it are looked at.
    """

    def __init__(self, most_turns: int = MOST_TURNS, most_authors: int = MOST_AUTHORS) -> None:
        self._authors = AuthorTable(most_authors)
        self._answered: LRUCache[bytes, tuple[str, ...]] = LRUCache(most_turns)
        self._asked: LRUCache[bytes, str] = LRUCache(most_turns)
        self._pairs: LRUCache[bytes, str] = LRUCache(most_turns)
        self._unknown: LRUCache[bytes, float] = LRUCache(most_turns // 10 + 1)
        self._org_to_erasures: dict[str, int] = {}

    def remember(
        self,
        org: str,
        messages: Sequence[JSONObject],
        answer: JSONObject,
        author: Author,
        place: Place | None = None,
    ) -> None:
        """Note who answered these messages, and in which conversation."""
        self._authors.put(self._here(org, _digest(org, messages, answer)), author)
        if place is None:
            return
        conversation_id = place.conversation_id
        turns = turns_of(org, place.user, [*messages, {**answer, "role": "assistant"}])
        for place_of, key in enumerate(self._here(org, one) for one in turns.answered[:2]):
            known = self._answered.get(key, ())
            # Of the turn before: whoever went on from it goes behind those who have not yet. One that nobody here
            # answered, as in examples that are sent along, is no turn of a conversation.
            if known or not place_of:
                others = [one for one in known if one != conversation_id]
                self._answered[key] = (*others, conversation_id)[-MOST_NAMES:]
        if turns.newest_pair is not None:
            pair = self._here(org, turns.newest_pair)
            only = self._pairs.get(pair, conversation_id)
            self._pairs[pair] = conversation_id if only == conversation_id else _SEVERAL

    def remember_chain(self, org: str, chain_id: str, author: Author) -> None:
        """Note who answered last in a chain that has a name."""
        self._authors.put(self._here(org, _chain(org, chain_id)), author)

    def author_in(self, call: Opened) -> Author | None:
        """Return who answered last in a call's chain, where it has a name, or in its conversation."""
        chain_id = call.opening.start.chain_id
        found = (
            None if chain_id is None else self._authors.get(self._here(call.org, _chain(call.org, chain_id)))
        )
        return found or self.author(call.org, call.messages)

    def author(self, org: str, messages: Sequence[JSONObject]) -> Author | None:
        """Return who gave the newest answer among the messages; None where there is none or nothing is known of it."""
        newest = max(
            (index for index, message in enumerate(messages) if message.get("role") == "assistant"),
            default=None,
        )
        if newest is None:
            return None
        return self._authors.get(self._here(org, _digest(org, messages[:newest], messages[newest])))

    async def conversation(
        self, org: str, user: str | None, messages: Sequence[JSONObject], store: Store, now_s: float
    ) -> str | None:
        """Return the conversation that some messages go on with; None where they begin one.

        The store is asked only for a history that this process did not answer.
        """
        turns = turns_of(org, user, messages)
        if not turns.answered:
            return None
        whole = self._here(org, turns.whole)
        found = (
            self._asked.get(whole) or self._known(org, turns) or await self._stored(org, turns, store, now_s)
        )
        if found is None and turns.newest_pair is not None:
            found = self._pairs.get(self._here(org, turns.newest_pair)) or None
        if found is not None:
            self._asked[whole] = found
        return found

    def forget_org(self, org: str) -> None:
        """Know nothing more of what an org's calls said: its digests are others from now on, and the old ones age."""
        self._org_to_erasures[org] = self._org_to_erasures.get(org, 0) + 1

    def _here(self, org: str, digest: bytes) -> bytes:
        """Return a digest as it is kept here: none of before an org was erased is found by it."""
        erasures = self._org_to_erasures.get(org)
        if erasures is None:
            return digest
        return blake2b(digest + erasures.to_bytes(8), digest_size=len(digest)).digest()

    def _known(self, org: str, turns: Turns) -> str | None:
        keys = (self._here(org, one) for one in turns.answered)
        return next((self._answered[key][0] for key in keys if key in self._answered), None)

    async def _stored(self, org: str, turns: Turns, store: Store, now_s: float) -> str | None:
        newest = self._here(org, turns.answered[0])
        if now_s - self._unknown.get(newest, -LOOK_AGAIN_S) < LOOK_AGAIN_S:
            return None
        try:
            found = await store.calls.conversation_after(org, turns.answered[:MOST_LOOKED_UP])
        except StoreError:
            return None  # the call itself will say what is wrong with the store
        if found is None:
            self._unknown[newest] = now_s
        return found


async def conversation_of(checked: Mapping[str, Any], call_id: str, services: "Services") -> str:
    """Return the conversation that a checked request names, or goes on with; else one that begins with this call."""
    if checked["conversation_id"] is not None:
        return str(checked["conversation_id"])
    found = await services.conversations.conversation(
        checked["org"],
        user_of(checked["options"], checked["user_id"]),
        checked["messages"],
        services.store,
        services.clock_s(),
    )
    return f"conv-{call_id}" if found is None else found


def _chain(org: str, chain_id: str) -> bytes:
    return blake2b(json.dumps(["chain", org, chain_id]).encode(), digest_size=16).digest()


def _digest(org: str, before: Sequence[JSONObject], answer: JSONObject) -> bytes:
    question = next((message for message in reversed(before) if message.get("role") == "user"), {})
    words = [org, content_text(question.get("content"))]
    return blake2b(
        json.dumps(words).encode() + said({**answer, "role": "assistant"}), digest_size=16
    ).digest()
