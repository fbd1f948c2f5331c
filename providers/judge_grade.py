"""Read a judge's grade out of whatever it is wrapped in: fences, thoughts, prose, other words, another scale.

A number beyond 1 whose scale is not stated ("8", "85") is no grade: whether it is of 10 or of 100 would be a guess.
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_REPLY = 20_000
"""Characters of a reply that are looked at, the last ones."""
LONGEST_REASON = 1_000
_MOST_OBJECTS = 200
_MOST_MENDED = 12
_LONGEST_MENDED = 5_000
_DEEPEST = 4
_LARGEST_SCALE = 100.0

_AMOUNT_SOURCE = (
    r"(?P<sign>[-−]?)(?P<number>\d{1,6}(?:[.,]\d{1,9})?|\.\d{1,9})(?![\w]|[.,]\d)"
    r"(?:\s{0,2}(?P<percent>%|percent\b|pct\b)"
    r"|\s{0,2}(?:/|out of|of|von|sur|de|из)\s{0,2}(?P<scale>\d{1,3}(?:\.\d{1,3})?)(?![\w/]|\.\d))?"
)
_AMOUNT = re.compile(_AMOUNT_SOURCE, re.IGNORECASE)
_BARE = re.compile(
    rf"[\s*_`\"'(\[$]{{0,8}}(?:\\boxed\{{)?{_AMOUNT_SOURCE}[\s*_`\"')\]}}$.]{{0,8}}", re.IGNORECASE
)
_NOUN = (
    r"(?:score|rating|grade|mark|quality|bewertung|punktzahl|note|puntuación|valutazione|voto|оценка"
    r"|评分|得分|分数|評分|スコア|評価|점수)"
)
_BETWEEN = r"(?: ?\([^()\n]{1,30}\))?[\s\"'*_`>|)\]]{0,6}(?:[:：=|>–—]|\bis\b|→)[\s\"'*_`(\[<|]{0,6}"
_LABELLED = re.compile(
    rf"^[\s>*_#`|\"'<({{,\-]{{0,8}}(?:(?:the|my|final|overall|total)[ _-]?){{0,3}}{_NOUN}{_BETWEEN}{_AMOUNT_SOURCE}",
    re.IGNORECASE | re.MULTILINE,
)
_KEYED = re.compile(
    rf"[\"'](?:final_?|overall_?|total_?)?{_NOUN}[\"']\s{{0,4}}[:=]\s{{0,4}}[\"']?{_AMOUNT_SOURCE}",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"(?:\b(?:my|final|overall) {_NOUN}(?: is|:| of| would be)|(?<=[.!?] ){_NOUN}(?: is|:)"
    rf"|\bi(?:'d| would| will)? (?:give|rate|score|grade|assign)\b[^.\n\"0-9]{{0,60}}?)"
    rf"[\s*_`]{{1,4}}{_AMOUNT_SOURCE}",
    re.IGNORECASE,
)
_THOUGHTS = r"(?:think|thinking|thoughts?|reasoning|scratchpad|analysis|reflection)"
_THOUGHT_ENDS = re.compile(rf"(?:<|\[|◁)/{_THOUGHTS}(?:>|\]|▷)|<\|message\|>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(rf"\s*(?:<|\[|◁){_THOUGHTS}(?:>|\]|▷)", re.IGNORECASE)

_SCORE_KEYS = (
    "score", "finalscore", "overallscore", "totalscore", "qualityscore", "grade", "finalgrade", "overallgrade",
    "rating", "finalrating", "overallrating", "overall", "quality", "mark", "value",
)  # fmt: skip
"""Letters of the keys a score may stand under, the most explicit first."""
_SCALED_KEY = re.compile(
    rf"(?P<key>{'|'.join(_SCORE_KEYS)})(?:outof(?P<scale>\d{{1,3}})|(?P<percent>percent|percentage|pct))"
)
_SCALE_KEYS = {"scale", "max", "maxscore", "maximum", "outof", "scoremax"}
_REASON_KEYS = {
    "reason", "reasoning", "rationale", "explanation", "justification", "comment", "feedback", "analysis",
}  # fmt: skip
_BRACE = re.compile(r"[{}]")
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_COMMENT = re.compile(r"(?<![:\w\"'])//[^\n]*")
_BARE_KEY = re.compile(r"(?<=[{,\n])(\s{0,20})([A-Za-z_]\w{0,40})(?=\s{0,4}:)")


@dataclass(frozen=True, slots=True)
class Grade:
    """A judge's grade of one answer."""

    score: float
    """0 to 1."""
    reason: str
    """Empty where none was given."""


def read_grade(message: Mapping[str, Any], *, is_cut: bool = False) -> Grade | None:
    """Return the grade in a judge's message, the last one where there are several; None where none can be read.

    Thoughts before the reply are passed over. JSON counts before prose. `is_cut`: whether the reply broke off at
    its token limit; a number at its very end may then lack digits.
    """
    for text in _texts(message):
        said = _after_thoughts(text[-LONGEST_REPLY:])
        grade = _from_objects(said) or _from_words(said, is_cut)
        if grade is not None:
            return grade
    return None


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a message may hold the grade: its text, else the arguments of a call or a field of thoughts."""
    content = message.get("content")
    if isinstance(content, list):
        parts = (part.get("text") for part in content if isinstance(part, Mapping))
        content = "\n".join(part for part in parts if isinstance(part, str))
    if isinstance(content, str) and content.strip():
        yield content
        return
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        arguments = function.get("arguments") if isinstance(function, Mapping) else None
        if arguments:
            yield arguments if isinstance(arguments, str) else json.dumps(arguments)
    # Some servers file a reply that is JSON throughout under the thoughts; thoughts in prose may hold drafts.
    for name in ("reasoning_content", "reasoning"):
        thoughts = message.get(name)
        if isinstance(thoughts, str) and thoughts.strip().startswith("{") and thoughts.strip().endswith("}"):
            yield thoughts


def _after_thoughts(text: str) -> str:
    ends = [found.end() for found in _THOUGHT_ENDS.finditer(text)]
    said = text[ends[-1] :] if ends else text
    return "" if _THOUGHT_BEGINS.match(said) else said


def _from_objects(text: str) -> Grade | None:
    grades = (_graded(value) for value in _objects(text))
    return next(iter([grade for grade in grades if grade is not None][::-1]), None)


def _objects(text: str) -> Iterator[Any]:
    """Yield the values of the outermost JSON objects, mended where that is plain; a bounded number is tried."""
    decoder, text = json.JSONDecoder(strict=False), _unquoted(text)
    position, mended = text.find("{"), 0
    for _ in range(_MOST_OBJECTS):
        if position < 0:
            return
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            mended += 1
            value, end = _mended(text, position) if mended <= _MOST_MENDED else (None, position + 1)
        if value is not None:
            yield value
        position = text.find("{", end)


def _unquoted(text: str) -> str:
    """Return the text within a JSON string that holds JSON; any other text as it is."""
    stripped = text.strip()
    if not stripped.startswith(('"{', '"\\')):
        return text
    try:
        inner = json.loads(stripped, strict=False)
    except (ValueError, RecursionError):
        return text
    return inner if isinstance(inner, str) else text


def _mended(text: str, start: int) -> tuple[Any, int]:
    """Return the value of the object that begins at `start`, and where to go on; None where it cannot be mended."""
    depth = 0
    for brace in _BRACE.finditer(text, start, start + _LONGEST_MENDED):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            value = _parsed(text[start : brace.end()])
            return value, start + 1 if value is None else brace.end()
    return None, start + 1


def _parsed(source: str) -> Any:
    """Return the value of an object with trailing commas, comments, bare keys or Python's quotes, or None."""
    plain = source.replace("“", '"').replace("”", '"')
    plain = _TRAILING_COMMA.sub("", _COMMENT.sub("", plain))
    for text in (plain, _BARE_KEY.sub(r'\1"\2"', plain)):
        try:
            return json.loads(text, strict=False)
        except (ValueError, RecursionError):
            pass
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            pass
    return None


def _graded(value: Any, depth: int = 0) -> Grade | None:
    """Return the grade in a JSON value: its own, else that of an inner object or of the last of a list."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        grades = [grade for one in value[-_MOST_OBJECTS:] if (grade := _graded(one, depth + 1)) is not None]
        return grades[-1] if grades else None
    if not isinstance(value, Mapping):
        return None
    named = {re.sub(r"[^a-z0-9]", "", str(key).lower()): inner for key, inner in value.items()}
    reason = next((text for key, text in named.items() if key in _REASON_KEYS and isinstance(text, str)), "")
    score = _own_score(named)
    if score is not None:
        return Grade(score, reason[:LONGEST_REASON])
    for inner in value.values():
        if isinstance(inner, Mapping | list) and (grade := _graded(inner, depth + 1)) is not None:
            return grade if grade.reason else Grade(grade.score, reason[:LONGEST_REASON])
    return None


def _own_score(named: Mapping[str, Any]) -> float | None:
    scale = next((_scale(named[key]) for key in named if key in _SCALE_KEYS), None)
    for key in _SCORE_KEYS:
        if key in named and (score := _score(named[key], scale)) is not None:
            return score
    for key, inner in named.items():
        if (found := _SCALED_KEY.fullmatch(key)) is not None:
            of = _LARGEST_SCALE if found["percent"] else float(found["scale"])
            if (score := _score(inner, of)) is not None:
                return score
    return None


def _score(value: Any, scale: float | None) -> float | None:
    """Return a number or a text that begins with one as a score."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _bounded(float(value) if abs(value) <= _LARGEST_SCALE else -1.0, scale or 1.0)
    found = _AMOUNT.match(value.strip()) if isinstance(value, str) else None
    if found is None:
        return None
    return _amount(found, scale)


def _scale(value: Any) -> float | None:
    """Return the end of a scale given as a number or as "0-10"."""
    numbers = re.findall(r"\d{1,3}(?:\.\d{1,3})?", value[:40] if isinstance(value, str) else str(value)[:40])
    scale = float(numbers[-1]) if numbers else 0.0
    return scale if 1.0 <= scale <= _LARGEST_SCALE else None


def _from_words(text: str, is_cut: bool) -> Grade | None:
    for pattern in (_KEYED, _LABELLED, _SAID):
        found = [
            one for one in pattern.finditer(text) if not (is_cut and one.end() >= len(text.rstrip(" .,")))
        ]
        if found and (score := _amount(found[-1])) is not None:
            return Grade(score, _without(text, found[-1]))
    lines = text.strip().splitlines()
    bare = _BARE.fullmatch(lines[-1]) if lines and not is_cut else None
    # A whole number alone on the last of several lines may be the answer that was graded.
    is_plain = bare is not None and not (bare["percent"] or bare["scale"] or set(bare["number"]) & set(".,"))
    if bare is None or (is_plain and len(lines) > 1) or (score := _amount(bare)) is None:
        return None
    return Grade(score, "\n".join(lines[:-1])[:LONGEST_REASON])


def _without(text: str, found: re.Match[str]) -> str:
    return (text[: found.start()] + text[found.end() :]).strip()[:LONGEST_REASON]


def _amount(found: re.Match[str], scale: float | None = None) -> float | None:
    if found["sign"]:
        return None
    of = _LARGEST_SCALE if found["percent"] else float(found["scale"]) if found["scale"] else scale or 1.0
    return _bounded(float(found["number"].replace(",", ".")), of)


def _bounded(value: float, scale: float) -> float | None:
    if not 1.0 <= scale <= _LARGEST_SCALE:
        return None
    score = value / scale
    return score if 0.0 <= score <= 1.0 else None
