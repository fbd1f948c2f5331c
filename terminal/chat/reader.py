"""The built-in reader: which of the known questions a text asks, with what it is narrowed to; or that it asks none.

Every word must be understood. A word that is none of the vocabulary, or that the matching rule has no use for, makes
the reader give up: it would otherwise answer another question than the one that was asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ...state.queries.periods import Period
from ...state.types import TASK_TYPES, TIERS
from .spans import Span, last_days, spans_in
from .vocabulary import IGNORED, PHRASES, REFUSED, RULES, WORDS, Rule

DEFAULT_DAYS = 30
MOST_CHARS = 500
CALL_ID = re.compile(r"\b[0-9a-f]{24,32}\b")
_TOKEN = re.compile(r"[a-z0-9][a-z0-9_'’.-]*")
_COUNT = re.compile(
    r"\b(?:top|the) (\d{1,2}|three|five|ten)\b|\b(\d{1,2}|three|five|ten) (?:most|dearest|costliest|priciest)\b"
)
_MONTH_END = re.compile(r"\b(?:(?:by|at|for|until) )?(?:the )?end of (?:(?:the|this|current) )*month\b")
MEASURES = frozenset({"spend", "save", "calls", "quality"})
OF_NOW = frozenset({"forecast", "budget_forecast", "budget"})
MEASURELESS = frozenset({"model", "tier", "most", "least"})
_SIZE = re.compile(r"\b(?:biggest|largest|greatest|heaviest|highest|maximum|max|smallest|lowest|minimum)\b")
_NUMBERS = {"three": 3, "five": 5, "ten": 10}


@dataclass(frozen=True, slots=True)
class Known:
    """What a question may name: only what its asker may see."""

    orgs: Sequence[str] = ()
    models: Sequence[str] = ()
    today: date = field(default_factory=date.today)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was understood."""

    kind: str
    span: Span
    other: Span | None = None
    """What to compare with."""
    is_default_span: bool = False
    model: str | None = None
    tier: str | None = None
    task: str | None = None
    call_id: str | None = None
    org: str | None = None
    count: int | None = None
    """How many rows are wanted."""

    @property
    def period(self) -> Period:
        """The days it is about."""
        return self.span.period


def read(text: str, known: Known) -> Asked | None:
    """Return what a text asks; None where that is not sure."""
    words = " " + re.sub(r"\s+", " ", text.lower().replace("’", "'")).strip() + " "
    if len(words) > MOST_CHARS or REFUSED.search(words):
        return None
    slots: dict[str, str] = {}
    words = _take_names(words, known, slots)
    words = _MONTH_END.sub(" monthend ", words)
    spans, words = spans_in(words, known.today)
    count, words = _take_count(words)
    concepts = _concepts(words, slots)
    # The largest model: by its calls, its parameters, its price?
    is_vague = concepts is not None and concepts <= MEASURELESS and _SIZE.search(words) is not None
    if concepts is None or is_vague or len(spans) > 2:
        return None
    if len(spans) == 2:
        # Two figures in two stretches are two questions.
        if "compare" not in concepts and len(concepts & MEASURES) > 1:
            return None
        concepts.add("compare")
    rule = _matching(concepts, slots, has_count=count is not None)
    if rule is None or (spans and not rule.has_span) or (len(spans) == 2 and rule.kind != "compare"):
        return None
    if rule.kind in OF_NOW and any(known.today not in one.period for one in spans):
        return None  # of the day and month of today alone
    return _asked(rule, spans, known, slots, count)


def _asked(rule: Rule, spans: list[Span], known: Known, slots: dict[str, str], count: int | None) -> Asked:
    span = spans[0] if spans else last_days(known.today, 7 if rule.kind == "compare" else DEFAULT_DAYS)
    if rule.kind != "compare":
        span, other = span.up_to(known.today), None
    else:
        span, other = _two(spans, span, known.today)
    return Asked(rule.kind, span, other, is_default_span=not spans, count=count, **slots)


def _two(spans: list[Span], span: Span, today: date) -> tuple[Span, Span]:
    """Return what to compare: the newer stretch first. One that is over is compared with what came after it."""
    if len(spans) == 2:
        return max(spans, key=_last), min(spans, key=_last)
    if span.period.last < today:
        first = span.period.last + timedelta(days=1)
        last = min(today, first + timedelta(days=span.period.length - 1))
        return Span(f"{first} to {last}", Period(first, last)), span
    return span, Span(f"the {span.period.length} days before", span.period.before)


def _last(span: Span) -> date:
    return span.period.last


def _take_names(words: str, known: Known, slots: dict[str, str]) -> str:
    """Take names out of the text, the longest first, so that a model's name is never read as a word."""
    if match := CALL_ID.search(words):
        slots["call_id"] = match.group(0)
        words = words.replace(match.group(0), " ")
    short = {model.partition("/")[2]: model for model in known.models if "/" in model}
    names = [
        *((name, "model", name) for name in known.models),
        *((name, "model", model) for name, model in short.items()),
    ]
    for written, slot, value in sorted(names, key=lambda one: -len(one[0])):
        pattern = rf"(?<![\w/.-]){re.escape(written.lower())}(?![\w/-])"
        if slot not in slots and re.search(pattern, words):
            slots[slot] = value
            words = re.sub(pattern, " ", words)
    for org in known.orgs:
        before = r"\b(?:(?:by|of|for|in|at|did|does|has|from) )?(?:org(?:anisation|anization)? )?"
        pattern = rf"{before}{re.escape(org)}(?:'s)?(?![\w-])"
        if "org" not in slots and org not in WORDS and org not in IGNORED and re.search(pattern, words):
            slots["org"] = org
            words = re.sub(pattern, " ", words)
    return words


def _take_count(words: str) -> tuple[int | None, str]:
    match = _COUNT.search(words)
    if match is None:
        return None, words
    written = match.group(1) or match.group(2)
    count = _NUMBERS.get(written) or int(written)
    return (count, words.replace(written, " ", 1)) if 1 <= count <= 50 else (None, words)


def _concepts(words: str, slots: dict[str, str]) -> set[str] | None:
    """Return what the words stand for; None where one is not known."""
    found: set[str] = set()
    for pattern, concepts in PHRASES:
        if pattern.search(words):
            words = pattern.sub(" ", words)
            found.update(concepts)
    for token in _TOKEN.findall(words):
        word = token.strip("'.-").removesuffix("'s")
        if word in TIERS or word == "small":
            slots["tier"] = "slm" if word == "small" else word
        elif word in TASK_TYPES or (word.rstrip("s") in TASK_TYPES):
            slots["task"] = word if word in TASK_TYPES else word.rstrip("s")
        elif word in WORDS:
            found.add(WORDS[word])
        elif word and word not in IGNORED:
            return None
    return found


def _matching(concepts: set[str], slots: dict[str, str], *, has_count: bool) -> Rule | None:
    named = {*slots, *(("count",) if has_count else ())}
    fitting = [
        rule for rule in RULES
        if rule.needs <= concepts <= rule.needs | rule.may and named <= rule.accepts | {"org"}
        and rule.wants <= named
    ]  # fmt: skip
    return max(fitting, key=lambda rule: len(rule.needs) + len(rule.wants), default=None)
