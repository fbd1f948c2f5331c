"""Cheap features of a request: the same code in serving and in training.

Every count reads the text once; no pattern can backtrack over more than a few characters.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log1p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .asked import conversation_of
from .tokens import count_images, estimate_prompt_tokens, messages_text

MOST_CHARS = 6_000
"""Characters of a request that are looked at."""
_PIECE_CHARS = MOST_CHARS // 3
_USER_MARKERS = ("\nUser:", "\nHuman:", "\nQuestion:", "\nQ:")

_WORDS: dict[str, str] = {
    "code_keywords": "def return import class const function elif print lambda void",
    "code_words": (
        "code python javascript typescript java sql regex bash rust html script program implement "
        "debug refactor compile api algorithm endpoint dataframe query loop function"
    ),
    "assertions": "assert assertion assertions",
    "math_words": (
        "prove proof theorem integer integers polynomial equation equations matrix vector "
        "probability prime derivative integral triangle modulo sum solve compute calculate"
    ),
    "science_words": (
        "energy velocity mass temperature pressure voltage molar enthalpy equilibrium electron "
        "frequency wavelength statute liability gene protein current force"
    ),
    "reasoning_words": (
        "if then therefore because given suppose assume must exactly each reason deduce puzzle logic"
    ),
    "negations": "not no never none neither except without cannot false",
    "question_words": "what which who whom where when why how",
    "task_verbs": "write give list explain describe find create make show tell",
    "summary_words": (
        "summary summaries summarize summarise summarizes summarizing summarising tldr condense "
        "shorten recap takeaways gist summarized"
    ),
    "classification_words": (
        "classify classification categorize categorise category categories sentiment label spam toxic intent"
    ),
    "extraction_words": "extract extracting extraction field fields parse entities invoice mentioned",
    "creative_words": (
        "story poem haiku song lyrics slogan tagline novel fiction limerick screenplay imagine "
        "creative brainstorm character sonnet joke dialogue fairy rap"
    ),
    "format_words": "json csv table bullet markdown yaml xml format",
    "first_person": "i my me we our",
}
"""Words counted in the lower-cased text; each feature is log(1 + count)."""

_PHRASES: dict[str, str] = {
    "output_prediction": "output of|expected output|what does this print|is the output",
    "reasoning_phrases": "step by step|explain why|at least|at most|how many|how much|real number",
    "factual_phrases": "what is|what are|who is|who was|who wrote|where is|when did|capital of",
    "summary_phrases": "tl;dr|key points|main points|in brief|boil down|main idea",
    "classification_phrases": (
        "positive or negative|true or false|which category|is this|positive, negative"
    ),
    "extraction_phrases": (
        "pull out|pull the|find all|list all|identify all|email address|phone number|key-value|"
        "all the|mentioned in"
    ),
    "creative_phrases": "blog post|names for|name for|once upon|short story|opening line|in the style",
    "length_limits": "words or less|words or fewer|no more than|at most|in one sentence|under 1",
}
"""Phrases, divided by "|", counted in the lower-cased text; each feature is log(1 + count)."""

_CHARS: dict[str, str] = {
    "code_fences": "`",
    "code_symbols": "{};=<>",
    "backslashes": "\\",
    "dollar_signs": "$",
    "math_symbols": "∑∫√π≤≥≠∞∂∈∀∃±·²³^",
    "arithmetic_signs": "+*/×÷",
    "question_marks": "?",
    "exclamation_marks": "!",
    "commas": ",",
    "colons": ":",
    "quotes": '"“”«»',
    "brackets": "([",
    "newlines": "\n",
}
"""Characters counted; each feature is log(1 + count)."""

_PATTERNS: dict[str, re.Pattern[str]] = {
    "long_numbers": re.compile(r"[0-9]{4,}"),
    "decimal_numbers": re.compile(r"[0-9]\.[0-9]"),
    "greetings": re.compile(r"\A\s*(?:hi|hello|hey|say|thanks|thank you|good morning)\b"),
    "lettered_options": re.compile(r"(?:\A|\n)[ (]{0,4}[a-j][).:]\s"),
    "list_items": re.compile(r"\n[ ]{0,4}(?:[-*•]|[0-9]{1,3}[.)])\s"),
    "grid_lines": re.compile(r"\n\S \S \S "),
    "worked_examples": re.compile(r"\n(?:example|answer:|input:|output:|q:|a:)"),
    "sentences": re.compile(r"[.!?]\s"),
    "blank_lines": re.compile(r"\n\n"),
    "urls": re.compile(r"https?://"),
}
"""Matches counted in the lower-cased text; each feature is log(1 + count)."""

_SHARED = (
    "latin_share",
    "cyrillic_greek_share",
    "cjk_share",
    "digit_share",
    "uppercase_share",
    "space_share",
)
_SHAPE = (
    "log_chars",
    "log_words",
    "mean_word_chars",
    "longest_word_log_chars",
    "distinct_word_share",
    "log_mean_line_chars",
)
_REQUEST = ("turns", "has_system", "tools", "has_schema", "images", "answer_limit_log_tokens")

FEATURE_NAMES: tuple[str, ...] = (
    *_SHAPE, *_SHARED, *_REQUEST, *_WORDS, *_PHRASES, *_CHARS, *_PATTERNS,
)  # fmt: skip
"""What each entry of `Features.values` is."""

DOCUMENTED_FEATURES: dict[str, str] = {
    "log_chars": "length of the conversation without system messages: log(1 + characters)",
    "log_words": "length of the conversation without system messages: log(1 + words)",
    "turns": "depth of the conversation: log(1 + user messages)",
    "has_system": "1 if there is a system or developer message",
    "tools": "tools offered: log(1 + count)",
    "has_schema": "1 if the answer must be JSON, free or by a schema",
    "images": "images attached: log(1 + count)",
    "answer_limit_log_tokens": "longest answer allowed: log(1 + tokens), 0 without a limit",
    "code_fences": "backticks around code: log(1 + count)",
    "code_words": "words of programming: log(1 + count)",
    "math_words": "words of mathematics: log(1 + count)",
    "reasoning_words": "words that join steps of an argument: log(1 + count)",
    "digit_share": "digits among the characters, 0 to 1",
    "question_marks": "question marks: log(1 + count)",
    "lettered_options": "answers to choose from: log(1 + count)",
    "worked_examples": "examples shown before the request: log(1 + count)",
    "format_words": "formats asked for by name: log(1 + count)",
    "length_limits": "limits on the length put into words: log(1 + count)",
    "latin_share": "Latin letters among the letters, 0 to 1",
}
"""What a person is told of a request, by name; further inputs of the estimators are in `FEATURE_NAMES`."""

_WORD = re.compile(r"\w+")
_NAME_TO_WORDS = {name: tuple(words.split()) for name, words in _WORDS.items()}
_WORD_TO_LISTS: dict[str, list[int]] = {}
"""Places among `_NAME_TO_WORDS` of the lists that a word stands in: prompts have fewer words than the lists do."""
for _place, _words in enumerate(_NAME_TO_WORDS.values()):
    for _word in _words:
        _WORD_TO_LISTS.setdefault(_word, []).append(_place)
_NAME_TO_PHRASES = {name: tuple(phrases.split("|")) for name, phrases in _PHRASES.items()}


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of a request before anybody answers it."""

    values: NDArray[np.float64]
    """Shape (len(FEATURE_NAMES),), finite."""
    text: str
    """The conversation's text, at most 6,000 characters of it."""
    prompt_tokens: int
    """Estimated tokens of the whole request, system messages included."""

    def __getitem__(self, name: str) -> float:
        """Return one feature by name."""
        return float(self.values[_NAME_TO_INDEX[name]])

    def documented(self) -> dict[str, float]:
        """Return the features a person is told of, by name."""
        return documented(self.values)


_NAME_TO_INDEX = {name: index for index, name in enumerate(FEATURE_NAMES)}


def documented(values: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Return the features a person is told of, by name; `values` as in `Features.values`."""
    return {name: round(float(values[_NAME_TO_INDEX[name]]), 4) for name in DOCUMENTED_FEATURES}


def extract(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> Features:
    """Return the features of a chat request; under a millisecond for 4,000 characters.

    They are those of the conversation: of system and developer messages it is noted only that there are some.
    """
    conversation = conversation_of(messages)
    whole = messages_text(conversation)
    text = _shorten(whole, conversation)
    lower = text.lower()
    words = _WORD.findall(lower)
    counts = _counts(lower, Counter(words))
    values = np.array([*_shape(text, whole, words), *_shares(text), *_request(messages, options), *counts])
    return Features(values=values, text=text, prompt_tokens=estimate_prompt_tokens(messages, options))


def _shorten(text: str, messages: Sequence[Mapping[str, Any]]) -> str:
    """Return head, the user's own request and tail of a long text, a third of the room each."""
    if len(text) <= MOST_CHARS:
        return text
    request = _last_request_start(text, messages)
    last = len(text) - _PIECE_CHARS
    if request < _PIECE_CHARS or request + _PIECE_CHARS > last:
        # The request lies in the head or the tail: the longer of both pieces takes its room.
        split = 2 * _PIECE_CHARS if request < _PIECE_CHARS else _PIECE_CHARS
        return text[:split] + text[len(text) - (MOST_CHARS - split) :]
    return text[:_PIECE_CHARS] + text[request : request + _PIECE_CHARS] + text[last:]


def _last_request_start(text: str, messages: Sequence[Mapping[str, Any]]) -> int:
    """Return where the last user message begins, or the last marker of one within it."""
    last_user = max(
        (index for index, message in enumerate(messages) if message.get("role") == "user"), default=0
    )
    start = len(messages_text(messages[:last_user]))
    return max(start, *(text.rfind(marker, start) for marker in _USER_MARKERS))


def _counts(text: str, word_counts: Counter[str]) -> Iterator[float]:
    """Yield log(1 + count) of every word list, phrase list, character set and pattern."""
    totals = [0] * len(_NAME_TO_WORDS)
    for word in word_counts.keys() & _WORD_TO_LISTS.keys():
        for place in _WORD_TO_LISTS[word]:
            totals[place] += word_counts[word]
    yield from map(log1p, totals)
    for phrases in _NAME_TO_PHRASES.values():
        yield log1p(sum(map(text.count, phrases)))
    for chars in _CHARS.values():
        yield log1p(sum(map(text.count, chars)))
    for pattern in _PATTERNS.values():
        yield log1p(len(pattern.findall(text)))


def _shape(text: str, whole: str, words: Sequence[str]) -> tuple[float, ...]:
    count = max(len(words), 1)
    lengths = list(map(len, words))
    return (
        log1p(len(whole)),
        log1p(count * len(whole) / max(len(text), 1)),
        min(sum(lengths) / count, 20.0),
        log1p(max(lengths, default=0)),
        len(set(words)) / count,
        log1p(len(text) / (text.count("\n") + 1)),
    )


def _shares(text: str) -> tuple[float, ...]:
    """Return shares of scripts and capitals among the letters, of digits and spaces among the characters."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    chars = max(len(codes), 1)

    def among(*bounds: tuple[int, int]) -> int:
        return sum(int(np.count_nonzero((codes >= low) & (codes <= high))) for low, high in bounds)

    upper, lower = among((65, 90)), among((97, 122))
    latin = upper + lower + among((0xC0, 0x24F))
    other, cjk = among((0x370, 0x52F)), among((0x2E80, 0x9FFF), (0xAC00, 0xD7AF))
    letters = max(latin + other + cjk, 1)
    digits, spaces = among((48, 57)), among((9, 13), (32, 32))
    return latin / letters, other / letters, cjk / letters, digits / chars, upper / letters, spaces / chars


def _request(messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]) -> tuple[float, ...]:
    limit = options.get("max_completion_tokens") or options.get("max_tokens") or 0
    kind = (options.get("response_format") or {}).get("type")
    return (
        log1p(sum(message.get("role") == "user" for message in messages)),
        float(any(message.get("role") in {"system", "developer"} for message in messages)),
        log1p(len(options.get("tools") or ())),
        float(kind in {"json_object", "json_schema"}),
        log1p(count_images(messages)),
        log1p(limit),
    )
