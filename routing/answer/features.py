"""Cheap features of an answer, from which a verifier that costs nothing predicts whether it is right.

Features say how an answer was reached, never which option was chosen: the length and the letter of a
multiple-choice option tell of the answer key, not of the answer.
"""

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log1p, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import run_checks
from .choices import CHOICE_FEATURE_NAMES, choice_features, find_choices, hide_choice, share
from .final_answer import (
    FINAL_FORMS,
    NUMBER,
    FinalAnswer,
    agree,
    find_final,
    find_numbers,
    has_wrong_equation,
)
from .logprobs import LOGPROB_FEATURE_NAMES, logprob_features

MOST_CHARS = 6_000
"""Characters of a prompt or an answer that are looked at."""
_SHORTEST_REASONING = 30

HEDGES: dict[str, tuple[str, ...]] = {
    "doubts": (
        "maybe", "perhaps", "possibly", "probably", "might", "likely", "unsure", "uncertain", "unclear",
        "seems", "guess", "assume", "assuming", "presumably", "i think", "not sure",
    ),
    "corrections": (
        "wait", "however", "actually", "oops", "mistake", "correction", "incorrect", "instead", "apologize",
        "error", "recheck", "alternatively", "hmm",
    ),
    "near_misses": (
        "approximately", "closest", "nearest", "none of the", "not listed", "cannot be determined",
        "not possible", "insufficient",
    ),
}  # fmt: skip
"""The 37 words and phrases of hedging and correction, counted in the lower-cased answer."""

_SHAPE = (
    "log_chars", "length_z", "length_z_squared", "log_prompt_chars", "log_words", "log_lines",
    "mean_sentence_log_words", "digit_share", "log_equals_signs", "log_latex_commands", "log_list_items",
)  # fmt: skip
_REPETITION = ("distinct_word_share", "repeated_line_share", "repeated_trigram_share", "compression_ratio")
_FINAL = (
    "final_position", "final_log_tail_chars", "final_log_statements", "final_contradicted",
    "final_log_in_reasoning", "final_in_question", "final_is_last_reasoned", "final_log_chars",
    "final_log_words", "final_is_integer", "final_is_fraction", "final_is_negative", "final_log_magnitude",
    "final_is_list", "final_is_formula", "final_is_decimal", "final_is_word", "log_reasoning_chars", "is_bare",
)  # fmt: skip
_NUMBERS = (
    "log_numbers",
    "log_longest_number",
    "prompt_numbers_used_share",
    "numbers_from_prompt_share",
    "log_new_numbers",
)
_CHECKS = ("is_empty", "is_cut_off", "is_refused", "breaks_schema", "has_code", "code_breaks", "ends_open")

ANSWER_FEATURE_NAMES: tuple[str, ...] = (
    *_SHAPE, *_REPETITION, *(f"log_{name}" for name in HEDGES), "hedge_share",
    *(f"final_form_{form}" for form in FINAL_FORMS), *_FINAL, *_NUMBERS, *CHOICE_FEATURE_NAMES, *_CHECKS,
    "wrong_equation", *LOGPROB_FEATURE_NAMES,
)  # fmt: skip
"""What each entry of `AnswerFeatures.values` is."""

PAIR_FEATURE_NAMES: tuple[str, ...] = (
    "same_final", "word_cosine", "log_length_gap", "own_logit", "other_logit", "own_prior_logit",
    "other_prior_logit",
)  # fmt: skip
"""What each entry of `pair_features` is."""

_NAME_TO_INDEX = {name: index for index, name in enumerate(ANSWER_FEATURE_NAMES)}
_WORD = re.compile(r"\w+")
_SENTENCE_END = re.compile(r"[.!?](?=\s)")
_LIST_ITEM = re.compile(r"^[ \t]{0,4}(?:[-*•]|[0-9]{1,3}[.)])\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class AnswerFeatures:
    """What is known of an answer before anybody is paid to look at it."""

    values: NDArray[np.float64]
    """Shape (len(ANSWER_FEATURE_NAMES),), finite."""
    final: FinalAnswer | None
    """The answer within the answer; None where none is stated."""

    def __getitem__(self, name: str) -> float:
        """Return one feature by name."""
        return float(self.values[_NAME_TO_INDEX[name]])


@dataclass(frozen=True, slots=True)
class HeldAnswer:
    """One of two answers to the same prompt, as the pair verifier sees it."""

    text: str
    final: FinalAnswer | None
    verifier_logit: float
    """Log odds of being right, from the features of this answer alone."""
    prior_logit: float
    """Log odds of being right, from the prompt alone."""


def extract_answer(  # noqa: PLR0913, PLR0917 - all that is known of an answer
    prompt_text: str,
    answer_text: str,
    finish_reason: str | None,
    options: Mapping[str, Any],
    model_length_mean: float,
    model_length_sd: float,
    logprobs: Sequence[float] | None = None,
) -> AnswerFeatures:
    """Return the features of an answer; about half a millisecond for 1,500 characters.

    `options` are those of the request, in OpenAI's words. `model_length_mean` and `model_length_sd` describe
    log(1 + characters) of this model's answers; without a spread (sd 0) the answer counts as of mean length.
    `logprobs` are the natural logarithms of the tokens' probabilities. Multiple-choice options are read from
    the prompt.
    """
    prompt, text = prompt_text[-MOST_CHARS:], _shorten(answer_text)
    choices = find_choices(prompt)
    final = find_final(text, choices)
    reasoning = (text if final is None else text[: final.start]).lower()
    body = hide_choice(text, final, choices)
    lower, chars = body.lower(), len(answer_text) - len(text) + len(body)
    words = _WORD.findall(lower)
    z = (log1p(chars) - model_length_mean) / model_length_sd if model_length_sd > 0.0 else 0.0
    z = min(max(z, -5.0), 5.0)
    values = (
        log1p(chars), z, z * z, log1p(len(prompt_text)), *_shape(body, words),
        *_repetition(body, words), *_hedges(lower, words),
        *(float(final is not None and final.form == form) for form in FINAL_FORMS),
        *_final(final, reasoning, prompt, body), *_numbers(prompt, body), *choice_features(final, choices, reasoning),
        *_checks(body, finish_reason, options, prompt), float(has_wrong_equation(body)), *logprob_features(logprobs),
    )  # fmt: skip
    return AnswerFeatures(np.array(values, dtype=np.float64), final)


def pair_features(own: HeldAnswer, other: HeldAnswer) -> NDArray[np.float64]:
    """Return the seven inputs of the pair verifier, in the order of `PAIR_FEATURE_NAMES`.

    `same_final` is 1 or 0, and 1/2 where one of the two states no final answer; `word_cosine` lies between 0
    and 1; the gap is log(1 + characters) of `own` minus that of `other`.
    """
    same = agree(own.final, other.final)
    texts = _shorten(own.text), _shorten(other.text)
    cosine = _cosine(*(Counter(_WORD.findall(text.lower())) for text in texts))
    gap = log1p(len(own.text)) - log1p(len(other.text))
    logits = own.verifier_logit, other.verifier_logit, own.prior_logit, other.prior_logit
    return np.array([0.5 if same is None else float(same), cosine, gap, *logits], dtype=np.float64)


def _cosine(a: Counter[str], b: Counter[str]) -> float:
    """Return the cosine of two bags of words; 0 where one is empty."""
    norm = sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return sum(n * b[word] for word, n in a.items()) / norm if norm else 0.0


def _shorten(text: str) -> str:
    """Return head and tail of a long answer, half of the room each."""
    half = MOST_CHARS // 2
    return text if len(text) <= MOST_CHARS else text[:half] + text[-half:]


def _shape(text: str, words: Sequence[str]) -> tuple[float, ...]:
    return (
        log1p(len(words)),
        log1p(text.count("\n")),
        log1p(len(words) / (1 + len(_SENTENCE_END.findall(text)))),
        share(sum(map(text.count, "0123456789")), len(text)),
        log1p(text.count("=")),
        log1p(text.count("\\")),
        log1p(len(_LIST_ITEM.findall(text))),
    )


def _repetition(text: str, words: Sequence[str]) -> tuple[float, ...]:
    lines = [line for line in text.split("\n") if line.strip()]
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    raw = text.encode("utf-8", "surrogatepass")
    return (
        share(len(set(words)), len(words)),
        share(len(lines) - len(set(lines)), len(lines)),
        share(len(trigrams) - len(set(trigrams)), len(trigrams)),
        share(len(zlib.compress(raw, 1)), len(raw)),
    )


def _hedges(lower: str, words: Sequence[str]) -> Iterator[float]:
    word_counts = Counter(words)
    total = 0
    for hedges in HEDGES.values():
        count = sum(lower.count(hedge) if " " in hedge else word_counts[hedge] for hedge in hedges)
        total += count
        yield log1p(count)
    yield share(total, len(words))


def _final(final: FinalAnswer | None, reasoning: str, prompt: str, text: str) -> tuple[float, ...]:
    """Return the `_FINAL` features; of a chosen option, nothing that depends on which it is."""
    reasoned = log1p(len(reasoning)), float(len(reasoning.strip()) < _SHORTEST_REASONING)
    if final is None:
        return (*[0.0] * (len(_FINAL) - 2), *reasoned)
    tail = len(text) - final.start - len(final.text)
    stated = (
        share(final.start, len(text)),
        log1p(max(tail, 0) if final.choice is None else 0),
        log1p(final.statements),
        float(not final.is_consistent),
    )
    if final.choice is not None:
        mentions = reasoning.count(f"({final.choice.lower()})")
        return (*stated, log1p(mentions), *[0.0] * 12, *reasoned)
    found = final.text.lower()
    numbers = find_numbers(reasoning)
    is_number = NUMBER.fullmatch(found) is not None
    plain = found.replace(",", "")
    return (
        *stated,
        log1p(numbers.count(plain) if is_number else reasoning.count(found)),
        float(plain in find_numbers(prompt) if is_number else found in prompt.lower()),
        float(is_number and numbers[-1:] == [plain]),
        *_kind(final.normal),
        float(is_number and "." in found),
        float(final.normal.isalpha()),
        *reasoned,
    )


def _kind(normal: str) -> tuple[float, ...]:
    """Return what sort of thing a final answer is, from its normal form."""
    digits = normal.removeprefix("-")
    is_integer = digits.isascii() and digits.isdigit()
    above, _, below = digits.partition("/")
    return (
        log1p(len(normal)),
        log1p(len(_WORD.findall(normal))),
        float(is_integer),
        float(above.isdigit() and below.isdigit()),
        float(normal.startswith("-")),
        float(len(digits)) if is_integer else 0.0,
        float(normal.startswith(("[", "(", "{"))),
        float(any(mark in normal for mark in ("\\", "^", "sqrt", "=", "+"))),
    )


def _numbers(prompt: str, text: str) -> tuple[float, ...]:
    asked, stated = set(find_numbers(prompt)), find_numbers(text)
    new = set(stated) - asked
    return (
        log1p(len(stated)),
        log1p(max(map(len, stated), default=0)),
        share(len(asked.intersection(stated)), len(asked)),
        share(sum(number in asked for number in stated), len(stated)),
        log1p(len(new)),
    )


def _checks(text: str, finish_reason: str | None, options: Mapping[str, Any], prompt: str) -> Iterable[float]:
    report = run_checks({"role": "assistant", "content": text}, finish_reason, options, asked=prompt)
    stripped = text.rstrip()
    is_open = stripped.count("```") % 2 == 1 or stripped[-1:].isalpha() or stripped[-1:] in {",", "(", "="}
    return map(
        float,
        (
            report.failed == "not_empty",
            finish_reason == "length",
            report.failed == "not_refused",
            report.failed == "json_valid",
            "code_parses" in report.made,
            report.failed == "code_parses",
            is_open,
        ),
    )
