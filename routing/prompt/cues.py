"""Patterns that name a kind of work, and the lexicon that decides by them where nothing fitted is at hand."""

import re
from collections.abc import Mapping
from math import exp

from ...state.types import TASK_TYPES
from .features import Features

_CUE_CHARS = 400  # instructions stand at the beginning or at the end of a prompt

_TYPE_TO_BIAS: dict[str, float] = {"qa": 0.3}
_TYPE_TO_FEATURE_WEIGHTS: dict[str, dict[str, float]] = {
    "summary": {"summary_words": 4.0, "summary_phrases": 2.5},
    "code": {
        "code_fences": 0.8, "code_words": 2.0, "code_keywords": 0.7, "assertions": 1.0, "code_symbols": 0.3,
        "output_prediction": 0.5, "math_words": -0.3,
    },
    "classification": {"classification_words": 3.2, "classification_phrases": 2.0, "greetings": -1.0},
    "extraction": {"extraction_words": 2.6, "extraction_phrases": 1.8, "has_schema": 1.0},
    "qa": {
        "question_words": 0.6, "factual_phrases": 1.2, "question_marks": 0.6, "lettered_options": 0.5,
        "greetings": 1.0, "science_words": 0.2,
    },
    "reasoning": {
        "math_words": 1.5, "reasoning_words": 0.5, "reasoning_phrases": 1.3, "digit_share": 4.0,
        "backslashes": 0.8, "dollar_signs": 0.5, "math_symbols": 0.7, "arithmetic_signs": 0.6,
        "grid_lines": 0.8,
    },
    "creative": {"creative_words": 3.4, "creative_phrases": 2.2, "first_person": 0.1},
}  # fmt: skip
_CUE_WEIGHTS: tuple[tuple[str, float, str], ...] = (
    (
        "summary",
        2.0,
        (
            r"\b(?:summar[iy]|tl;?dr|condense|shorten|boil .{1,40} down|key takeaways|gist|in (?:one|two|"
            r"three) sentences?\b)"
        ),
    ),
    (
        "summary",
        2.0,
        (
            r"\b(?:paragraph|article|report|minutes|transcript|text) (?:below )?(?:to|in|into) (?:one|two|"
            r"three|\d)"
        ),
    ),
    (
        "code",
        3.5,
        (
            r"\b(?:write|implement|create|fix|debug|refactor|optimi[sz]e) .{0,40}\b(?:functions?|class|"
            r"script|method|program|queries|query|regex|code|decorator|tests?|bug|component|endpoint|"
            r"dockerfile|loop)\b"
        ),
    ),
    (
        "code",
        2.5,
        (
            r"\b(?:traceback|typeerror|keyerror|null ?pointer|segfault|stack trace|compil\w+ error|"
            r"git \w+|def \w+\(|select .{1,80} from\b)"
        ),
    ),
    ("code", 2.0, r"\bwhat (?:does|will) (?:this|the following) (?:code|function|snippet|program)"),
    (
        "classification",
        3.0,
        (
            r"\b(?:classif|categori[sz]e|(?:one of|which of) (?:these|the following) labels|label (?:this|"
            r"the|each)|sentiment|is this (?:\w+ ){0,3}(?:spam|toxic|positive|negative|urgent)|spam or|"
            r"positive, negative|one of the following (?:categories|labels|topics))"
        ),
    ),
    (
        "classification",
        2.5,
        (
            r"\b(?:which|what)(?: is the)? (?:category|topic|label|intent|department|emotion|genre|"
            r"language)\b"
        ),
    ),
    ("classification", 1.5, r"\b(?:spam|toxic|bug report|complaint)\b.{0,40}\bor\b"),
    (
        "extraction",
        3.2,
        (
            r"\b(?:extract|pull (?:out|the)|parse|get (?:all )?the (?:names?|dates?)|(?:list|find|"
            r"identify|return|give me) (?:all|every|the) .{0,40}(?:mentioned|in (?:this|the) (?:text|"
            r"sentence|email|contract|passage|paragraph|invoice|message|article|document)|from (?:this|"
            r"the)|names?|dates?|entities))"
        ),
    ),
    ("extraction", 1.5, r"\b(?:fill|return) .{0,30}\bjson\b|\binto (?:json|a table|csv)\b"),
    (
        "qa",
        1.5,
        (
            r"\A\W*(?:who|where|when|which|what (?:is|are|was|were|year|country|does)|is it|does|do|did|"
            r"can you tell me|why|how (?:does|do|did|far|old|tall))\b"
        ),
    ),
    ("qa", 1.2, r"\b(?:difference between|capital of|explain (?:what|how|the)|tell me about)\b"),
    (
        "reasoning",
        3.0,
        (
            r"\b(?:prove|solve|compute|calculate|evaluate|simplify|how (?:many|much|long|fast)|"
            r"step[ -]by[ -]step|logic|puzzle|deduce|what is (?:the )?(?:probability|sum|product|"
            r"remainder|area|value)|find (?:the )?(?:value|number|smallest|largest|all (?:integers|real|"
            r"positive|functions|pairs|solutions)|x\b))"
        ),
    ),
    ("reasoning", 3.0, r"\d ?[-+*/×÷^=] ?\(?\d|\b\d+ ?(?:%|percent)|\bx ?="),
    ("reasoning", 1.0, r"\b(?:if|all|every|either) .{1,80}\b(?:who|which|what|then|how)\b"),
    (
        "creative",
        3.5,
        (
            r"\b(?:write|compose|invent|create|draft|make up|imagine|come up with|give me|"
            r"tell me) .{0,40}\b(?:story|poem|haiku|song|lyrics|slogans?|taglines?|limerick|sonnet|joke|"
            r"dialogue|monologue|scene|novel|fairy ?tale|names? for|ode|rap|letter|blog post|toast|speech|"
            r"characters?|riddle|advert(?:isement)?)\b"
        ),
    ),
    ("creative", 2.0, r"\b(?:brainstorm|once upon a time|in the style of)\b"),
)
"""Type, what finding the pattern adds, and the pattern; looked for at both ends of the lower-cased text."""

_CUES = tuple((task_type, weight, re.compile(pattern)) for task_type, weight, pattern in _CUE_WEIGHTS)

CUES: tuple[str, ...] = tuple(pattern for _, _, pattern in _CUE_WEIGHTS)
"""The patterns; an input each of the fitted classifier."""


def cue_hits(text: str) -> list[bool]:
    """Return which of `CUES` occur at the beginning or at the end of a text, in their order."""
    lower = text.lower()
    window = lower if len(lower) <= 2 * _CUE_CHARS else f"{lower[:_CUE_CHARS]}\n{lower[-_CUE_CHARS:]}"
    return [cue.search(window) is not None for _, _, cue in _CUES]


def lexicon_probs(features: Features) -> dict[str, float]:
    """Return the probability of each of the seven task types by hand-set weights of features and cues."""
    scores: dict[str, float] = {task_type: _feature_score(task_type, features) for task_type in TASK_TYPES}
    for (task_type, weight, _), is_hit in zip(_CUES, cue_hits(features.text), strict=True):
        scores[task_type] += weight * is_hit
    return _softmax(scores)


def _feature_score(task_type: str, features: Features) -> float:
    weights = _TYPE_TO_FEATURE_WEIGHTS[task_type]
    return _TYPE_TO_BIAS.get(task_type, 0.0) + sum(
        weight * features[name] for name, weight in weights.items()
    )


def _softmax(scores: Mapping[str, float]) -> dict[str, float]:
    highest = max(scores.values())
    shares = {name: exp(score - highest) for name, score in scores.items()}
    total = sum(shares.values())
    return {name: share / total for name, share in shares.items()}
