"""Which of an org's calls may be trained on, and what do they say? The others are counted, each with its reason."""

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver

from ...graph.checkpoints import values_of
from ...graph.memory.messages import to_openai
from ...state.errors import ConfigError, InvalidRequest, NotFound
from ...state.gathering import HOW_TO_KEEP, Gathering
from ...state.improvements import Rated
from ...state.store import Store
from .chats import Row, row_of
from .personal_data import redacted, require_libraries

SAYS_EVERY = 50
"""Calls between two words of how far it is."""
Note = Callable[[str, int, int], Awaitable[None]]
"""Told the phase, and how many calls of how many were looked at."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row, and what is known of the call it comes from."""

    row: Row
    key: str
    """Hash of the prompt, whatever its case and spaces: the same prompt asked again has the same."""
    call: Rated


@dataclass(frozen=True, slots=True)
class Gathered:
    """What may be trained on, and what became of every other call."""

    train: list[Example]
    held_out: list[Example]
    looked_at: int
    """Calls with a score above the least."""
    left_out: dict[str, int]
    redacted: dict[str, int]
    """How many pieces of personal data were replaced, by kind."""
    is_simulated: bool
    """Whether simulated models gave the answers: fit for trying the way out, for nothing else."""


@dataclass
class _Tally:
    left_out: Counter[str] = field(default_factory=Counter)
    redacted: Counter[str] = field(default_factory=Counter)


async def gather(
    store: Store, saver: BaseCheckpointSaver[Any] | None, org: str, wanted: Gathering, note: Note
) -> Gathered:
    """Return the org's examples, each prompt once, with some held out by the hash of the prompt.

    Raises
    ------
    InvalidRequest
        The org wants none of its calls trained on.
    ConfigError
        There are too few examples: the sentence says what to set, and about how many calls are missing.
    """
    since = await store.improvements.opted_out_since(org)
    if since is not None:
        raise InvalidRequest(f"org {org!r} has opted out of training since {since:%Y-%m-%d}", field="project")
    if wanted.personal_data != "keep":
        require_libraries()
    rated = await store.improvements.rated(org, wanted.min_quality)
    own = {one.model_id for one in await store.own_models.of(org)}
    is_simulated = bool(rated) and all(one.is_simulated for one in rated)
    tally, found = _Tally(), list[Example]()
    for number, call in enumerate(rated):
        if number % SAYS_EVERY == 0:
            await note("reading calls", number, len(rated))
        reason = _hindrance(call, wanted, own, is_simulated=is_simulated)
        example = reason or await _example(saver, org, call, wanted, tally)
        if isinstance(example, str):
            tally.left_out[example] += 1
        else:
            found.append(example)
    await note("reading calls", len(rated), len(rated))
    examples = _once_each(found, wanted.max_examples, tally.left_out)
    if len(examples) < wanted.min_examples:
        raise ConfigError(await _what_is_missing(store, org, wanted, len(examples), tally.left_out))
    train, held_out = split(examples, wanted.held_out_share)
    return Gathered(train, held_out, len(rated), dict(tally.left_out), dict(tally.redacted), is_simulated)


def split(examples: list[Example], share: float) -> tuple[list[Example], list[Example]]:
    """Return the examples to train on and those held out, at least one of each; which is which the prompt decides."""
    ranked = sorted(examples, key=lambda one: _lot(one.key))
    count = sum(_lot(one.key) < share for one in ranked)
    count = min(max(count, 1), len(ranked) - 1)
    held_out = {one.key for one in ranked[:count]}
    return [one for one in examples if one.key not in held_out], [
        one for one in examples if one.key in held_out
    ]


def prompt_key(row: Row) -> str:
    """Return the hash that tells prompts apart: letter case and white space do not count."""
    asked = "\x1f".join(" ".join(text.casefold().split()) for text in (row.instruction, row.input))
    return sha256(asked.encode("utf-8", "surrogatepass")).hexdigest()


def _lot(key: str) -> float:
    """Return a number from 0 to 1 that belongs to a prompt for ever: held out once, held out always."""
    return int(sha256(f"held out {key}".encode()).hexdigest()[:12], 16) / 16.0**12


def _hindrance(call: Rated, wanted: Gathering, own: set[str], *, is_simulated: bool) -> str | None:
    if call.right is not None and call.right <= wanted.min_quality:
        return "labelled_wrong"
    if wanted.judged_only and not call.is_looked_at:
        return "not_judged"
    if call.model_id in own:
        return "answered_by_own_model"
    if call.is_simulated and not is_simulated:
        return "simulated"
    return None if call.has_prompt else "prompt_not_kept"


async def _example(
    saver: BaseCheckpointSaver[Any] | None, org: str, call: Rated, wanted: Gathering, tally: _Tally
) -> Example | str:
    try:
        kept = {} if saver is None else await values_of(saver, org, call.call_id)
    except NotFound:
        kept = {}
    answer, messages = kept.get("message"), kept.get("messages")
    if not isinstance(answer, Mapping) or not messages:
        return "answer_not_kept"
    options = kept.get("options") or {}
    if options.get("store") is False:
        return "opted_out"
    row = row_of(to_openai(messages)[:-1], answer, options, kept.get("finish_reason"))
    if isinstance(row, str):
        return row
    if wanted.personal_data != "keep":
        row, found = _without_personal_data(row)
        if found and wanted.personal_data == "drop":
            return "personal_data"
        tally.redacted.update(found)
    return Example(row, prompt_key(row), call)


def _without_personal_data(row: Row) -> tuple[Row, Counter[str]]:
    texts = [redacted(text) for text in (row.instruction, row.input, row.output)]
    found = Counter[str]()
    for _, counted in texts:
        found.update(counted)
    return Row(*(text for text, _ in texts)), found


def _once_each(found: list[Example], most: int, left_out: Counter[str]) -> list[Example]:
    """Return one example a prompt, the one best known to be good, and the best `most` of them, oldest first."""
    best: dict[str, Example] = {}
    for one in found:
        other = best.get(one.key)
        if other is None or _worth(one) >= _worth(other):
            best[one.key] = one
    kept = sorted(best.values(), key=_worth, reverse=True)[:most]
    left_out["asked_again"] += len(found) - len(best)
    left_out["beyond_max_examples"] += len(best) - len(kept)
    for reason in [reason for reason, count in left_out.items() if not count]:
        del left_out[reason]
    return sorted(kept, key=lambda one: (one.call.created_at, one.call.call_id))


def _worth(example: Example) -> tuple[bool, float, Any]:
    call = example.call
    return call.is_looked_at, call.right if call.right is not None else call.quality_score, call.created_at


async def _what_is_missing(
    store: Store, org: str, wanted: Gathering, found: int, left_out: Mapping[str, int]
) -> str:
    calls, kept = await store.orgs.call_count(org), await store.improvements.prompts_kept(org)
    lacking = wanted.min_examples - found
    said = f"{found} of the {calls} calls of {org!r} can be trained on, {wanted.min_examples} are needed"
    reasons = f"; left out: {json.dumps(left_out)}" if left_out else ""
    if kept == 0:
        needed = _calls_for(wanted.min_examples, None)
        return f"{said}: no prompt is kept. {HOW_TO_KEEP}; then about {needed} more calls"
    more = _calls_for(lacking, found / kept if found else None)
    hint = f". {HOW_TO_KEEP}" if kept < calls or left_out.get("answer_not_kept") else ""
    return f"{said}: about {more} more calls of the kind there are{reasons}{hint}"


def _calls_for(examples: int, rate: float | None) -> int:
    """Return how many calls bring so many examples; where no rate is known, at least so many."""
    return ceil(examples / rate) if rate else examples
