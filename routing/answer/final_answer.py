"""What an answer finally says, and whether its sums are right: read from the text alone.

Every pattern is bounded or possessive, so that the time is linear in the length of the text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

FinalForm = Literal["json", "tag", "box", "phrase", "label", "letter", "number"]
FINAL_FORMS: tuple[FinalForm, ...] = ("json", "tag", "box", "phrase", "label", "letter", "number")
"""Ways to state a final answer, the most explicit first; the first that occurs in an answer is believed."""

_LONGEST_FINAL = 300
_MOST_STATEMENTS = 8

_JSON_KEY = re.compile(r'"(?:final[_ ]?)?(?:answer|result|output|solution)"\s*+:\s*+', re.IGNORECASE)
_TAG = re.compile(
    rf"<(?:final[_ ]?)?(?:answer|result|output|solution)>([^<]{{1,{_LONGEST_FINAL}}}+)", re.IGNORECASE
)
_BOX = re.compile(r"\\boxed\s?\{")
_PHRASE = re.compile(
    r"\b(?:answer|(?:correct|best|right) (?:option|choice|one))(?: to [^.\n:]{1,80})?"
    # What follows is looked at, not consumed: another statement may stand in the same line.
    rf" (?:is|would be|should be|must be)\b:?[ ]?\n?(?=([^\n]{{1,{_LONGEST_FINAL}}}+))",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[ \t>*_#]{0,8}(?:(?:the )?(?:final )?(?:answer|result)[*_ ]{0,4}:|####)[*_]{0,2}[ ]?\n?"
    rf"([^\n]{{1,{_LONGEST_FINAL}}}+)",
    re.IGNORECASE | re.MULTILINE,
)
_BARE_LETTER = re.compile(r"\A[\s(*]{0,4}([A-P])(?=[).:,*]|\s*+\Z)|\n[ (*]{0,4}([A-P])[).*]{0,4}\s*+\Z")
_BRACKETED_LETTER = re.compile(r"\(([A-P])\)")
NUMBER = re.compile(r"(?<![\w.])-?[0-9]{1,15}+(?:,[0-9]{3})*+(?:\.[0-9]{1,15})?+")
"""A number as people write it, thousands divided by commas."""

_CHOSEN = re.compile(
    r"[\s(*$\"'\[{\\]{0,6}(?:text|boxed|option|choice)?[ {(]{0,2}([A-P])(?=[).:,*}\]\"']|\s*+\Z)",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s|\Z)|(?<=\S)\*\*(?=\s|\Z)")


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """The answer within an answer."""

    text: str
    """As written, at most 300 characters."""
    normal: str
    """What two answers are compared by: `normalise_final`, or the letter of the chosen option."""
    form: FinalForm
    start: int
    """Where the statement begins, characters from the beginning of the answer."""
    choice: str | None = None
    """Letter of the prompt's option that is meant, if one is."""
    statements: int = 1
    """How often a final answer is stated in this form, up to 8."""
    is_consistent: bool = True
    """Whether all those statements say the same."""


def find_final(answer_text: str, choices: Mapping[str, str] | None = None) -> FinalAnswer | None:
    """Return the last statement of the most explicit form in which `answer_text` gives its result.

    `choices` are the prompt's lettered options; a letter alone counts only among them. None if nothing is stated.
    """
    known = choices or {}
    for form in FINAL_FORMS:
        statements = list(_statements(form, answer_text, known))[-_MOST_STATEMENTS:]
        if not statements:
            continue
        meanings = [_meaning(text, known) for _, text in statements]
        (start, text), (normal, choice) = statements[-1], meanings[-1]
        return FinalAnswer(
            text, normal, form, start, choice, len(statements), all(a == b for a, b in pairwise(meanings))
        )
    return None


def find_numbers(text: str) -> list[str]:
    """Return the numbers of a text in order, without thousands' commas."""
    return [number.replace(",", "") for number in NUMBER.findall(text)]


def agree(a: FinalAnswer | None, b: FinalAnswer | None) -> bool | None:
    """Return whether two answers to one prompt say the same; None where one of them says nothing."""
    if a is None or b is None:
        return None
    return a.normal == b.normal


def _meaning(text: str, choices: Mapping[str, str]) -> tuple[str, str | None]:
    """Return what is compared, and the letter of the option meant."""
    if choices:
        found = _CHOSEN.match(text)
        if found and found[1].upper() in choices:
            return found[1].upper(), found[1].upper()
        normal = normalise_final(text)
        for letter, choice in choices.items():
            if normal and normalise_final(choice) == normal:
                return letter, letter
        return normal, None
    return normalise_final(text), None


def _statements(form: FinalForm, text: str, choices: Mapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield (start, result) of every statement of one form, in order; none of them is blank."""
    if form == "json":
        # Only the last is decoded: each could run to the end of the text.
        found = [(match.start(), match.end()) for match in _JSON_KEY.finditer(text)][-1:]
        pairs = [(start, _json_value(text, end)) for start, end in found]
    elif form == "tag":
        pairs = [(match.start(), match[1]) for match in _TAG.finditer(text)]
    elif form == "box":
        boxes = list(_BOX.finditer(text))[-_MOST_STATEMENTS:]
        pairs = [(match.start(), _braced(text, match.end())) for match in boxes]
    elif form in {"phrase", "label"}:
        pattern = _PHRASE if form == "phrase" else _LABEL
        pairs = [(match.start(), _sentence(match[1])) for match in pattern.finditer(text)]
    elif form == "letter":
        pairs = list(_letters(text)) if choices else []
    else:
        pairs = [(match.start(), match[0]) for match in NUMBER.finditer(text)][-1:]
    return ((start, value.strip()) for start, value in pairs if value.strip())


def _json_value(text: str, start: int) -> str:
    """Return the JSON value at `start` as text; the rest of the line where none can be read."""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return text[start : start + _LONGEST_FINAL].split("\n", 1)[0].strip(' ",}')
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_LONGEST_FINAL]


def _braced(text: str, start: int) -> str:
    """Return what stands before the brace that closes the one before `start`."""
    depth = 1
    for index, char in enumerate(text[start : start + _LONGEST_FINAL], start):
        depth += (char == "{") - (char == "}")
        if depth == 0:
            return text[start:index]
    return text[start : start + _LONGEST_FINAL]


def _sentence(text: str) -> str:
    """Return the first sentence of a line, without its mark and emphasis."""
    text = text.lstrip(" *_:`")
    end = _SENTENCE_END.search(text, 1)
    return text[: end.start()] if end else text


def _letters(text: str) -> Iterator[tuple[int, str]]:
    if found := _BARE_LETTER.search(text):
        yield found.start(), found[1] or found[2]
        return
    for match in _BRACKETED_LETTER.finditer(text):
        yield match.start(), match[1]


# Normal form of a final answer.

_LATEX_WRAPPER = re.compile(r"\\(?:boxed|text|textbf|mathrm|mathbf|mbox|operatorname)\s?\{([^{}]*+)\}")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\s?\{([^{}]*+)\}\s?\{([^{}]*+)\}")
_LATEX_ROOT = re.compile(r"\\sqrt\s?\{([^{}]*+)\}")
_LATEX_NOISE = re.compile(r"\\(?:left|right|displaystyle|[,!;: ]|[()\[\]])|\^\{?\\circ\}?|\$")
_LATEX_SIGNS = {
    r"\%": "%",
    r"\cdot": "*",
    r"\times": "*",
    r"\pi": "pi",
    r"\infty": "infinity",
    "−": "-",
    "×": "*",
}
_AROUND_MARK = re.compile(r" ?([^\w\s]) ?")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_LEADING = re.compile(r"\A(?:[a-z]\w?=|about |approximately |exactly |[$€£¥≈~]+)+")
_WITH_UNIT = re.compile(
    r"\A([-+]?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:/[0-9]++)?+)"
    r"(?:[%°]|(?:mm|cm|km|mg|kg|ml|ms|hz|mhz|nm|m|g)(?![a-z])|"
    r" (?!(?:pi|sqrt|thousand|million|billion|trillion|hundred|dozen|and|or|to|am|pm|mod|of)\b|[xyznit]\b)"
    r"[a-zµ°][a-z°/^ 0-9]{0,40})?\Z"
)


def normalise_final(text: str) -> str:
    r"""Return the form in which final answers are compared.

    Case, spaces, quotes, emphasis, LaTeX markup, thousands' commas and a trailing period or unit do not count;
    a number becomes a lowest fraction: "0.50 m", r"\frac{1}{2}" and "2/4" are all "1/2".
    """
    text = text[:_LONGEST_FINAL]
    for _ in range(3):  # wrappers within wrappers
        text = _LATEX_WRAPPER.sub(r" \1 ", text)
        text = _LATEX_ROOT.sub(r"sqrt(\1)", _LATEX_FRACTION.sub(r"\1/\2", text))
    text = _LATEX_NOISE.sub("", text)
    for latex, plain in _LATEX_SIGNS.items():
        text = text.replace(latex, plain)
    text = " ".join(text.casefold().split()).strip(" ,;:!*_`").rstrip(" .*_`").replace('"', "'").strip("' ")
    if not text.startswith(("[", "(", "{")):  # between brackets a comma divides
        text = _THOUSANDS.sub("", text)
    text = _LEADING.sub("", _AROUND_MARK.sub(r"\1", text)).rstrip(".")
    found = _WITH_UNIT.match(text)
    return _lowest(found[1]) if found else text


def _lowest(number: str) -> str:
    """Return a decimal or a quotient as a lowest fraction; as written where the divisor is 0."""
    above, _, below = number.partition("/")
    divisor = Fraction(below or 1)
    return str(Fraction(above) / divisor) if divisor else number


# Sums.

_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "$": None, "\t": " "})
_LATEX_OPERATORS = {r"\times": "*", r"\cdot": "*", r"\div": "/", " x ": " * "}
_TERM = r"[0-9]{1,15}+(?:,[0-9]{3}(?![0-9]))*+(?:\.[0-9]{1,15})?+"
_EQUATION = re.compile(
    # What stands before must not continue the expression to the left: an operator, a bracket, a factor.
    r"(?<![\w.,:^/*+)(\]}%√-])(?<![-+*/^)(0-9\]}%] )"
    rf"((?:(?<!\w )-)?{_TERM}(?: ?[-+*/] ?-?{_TERM}){{1,8}}+) ?= ?(-?{_TERM})"
    # Nor may what follows continue it to the right; "mod" and "R" (remainder) are other arithmetic.
    r"(?! ?[-+*/^%!(=√\\0-9]|\w|[.,:][0-9]| (?:mod|r|R|rem|remainder)\b)"
)
_OPERATION = re.compile(rf"([-+*/]?) ?(-?{_TERM}) ?")


def has_wrong_equation(text: str) -> bool:
    """Return whether `text` states a sum of plain numbers ("12 * 3 = 35") that does not hold.

    Reads +, -, *, / without brackets. A rounded result is right: within 1 % or less than one unit of the last
    place written, and within 1 of a quotient. Everything it cannot read is passed over.
    """
    if "=" not in text:
        return False
    text = text.translate(_SIGNS)
    for written, plain in _LATEX_OPERATORS.items():
        text = text.replace(written, plain)
    text = re.sub(r" {2,}", " ", text)
    return any(not _holds(match[1], match[2]) for match in _EQUATION.finditer(text))


def _holds(expression: str, result: str) -> bool:
    value = _evaluate(expression)
    if value is None:
        return True
    stated = float(result.replace(",", ""))
    off = abs(value - stated)
    decimals = len(result.partition(".")[2])
    if "/" in expression and decimals == 0:
        return off < 1.0
    if "." in expression or decimals or "/" in expression:
        return off < max((1.0 - 1e-9) * 10.0**-decimals, 0.01 * abs(value))
    return off <= 1e-9 * abs(value)


def _evaluate(expression: str) -> float | None:
    """Return the value, products before sums; None where a divisor is 0."""
    terms: list[float] = []
    for operator, number in _OPERATION.findall(expression):
        value = float(number.replace(",", ""))
        if operator == "*":
            terms[-1] *= value
        elif operator == "/":
            if value == 0.0:
                return None
            terms[-1] /= value
        else:
            terms.append(-value if operator == "-" else value)
    return sum(terms)
