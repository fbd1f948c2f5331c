"""How likely a question asks for hard work, by its words: proofs, designs, analyses, works of art, plans in stages.

    p = 1 / (1 + exp(-(b + sum of weight x signal)))

The signals are counts of English words. Weights are a logistic regression on the golden requests of the classes
`trivial` and `standard` against `complex` and `multi_step` (`python -m x25.training.fit.demand tests/golden`).
"""

import re
from collections.abc import Mapping
from math import exp, log1p

MOST_CHARS = 700
"""Of each end of a question that are looked at: instructions stand there."""
_CLAUSE_ENDS = re.compile(r"[.,;:!?\n]|\b(?:and|then)\b")
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_LONG_WORD_CHARS, _LONG_TEXT_CHARS = 9, 200


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_DEMANDS = _words(
    "analyse analyze apply argue assess build calculate carry challenge check choose classify compare "
    "complete compose compute construct convert cover create criticise criticize critique debug decide "
    "define defend derive design determine develop devise diagnose discuss draft estimate evaluate "
    "explain find finish forecast formulate generalise generalize give identify implement include "
    "interpret investigate justify list make model name optimise optimize order organise organize outline "
    "plan predict prepare prioritise prioritize propose prove quantify rank recommend reconcile "
    "reconstruct research resolve review revise set show simulate solve specify state suggest summarise "
    "summarize tell test trace translate verify weigh work write"
)
_SEQUENCE = _words(
    "first second third then next after before finally lastly until once each every step steps phase "
    "phases stage stages part parts order iterate afterwards start finish begin one"
)
_DEEP = _words(
    "prove proof derive theorem lemma counterexample rigorous rigorously formally axiom axioms analyse "
    "analyze critically critique assess evaluate whether determine design architect architecture argue "
    "defend assumptions bound bounds strategy framework model equilibrium robust trade-offs tradeoffs "
    "mechanism mechanisms causal identification optimal optimise optimize formulate construct investigate "
    "reconstruct likely causes hypotheses failure modes"
)
_WORKS = _words(
    "story novel poem sonnet villanelle screenplay scene play chapter essay monologue song lyrics ballad epic"
)

WEIGHTS: Mapping[str, float] = {
    "log_words": 0.4787,
    "long_words": 0.4121,
    "demands": 0.199,
    "demands_first": 0.2606,
    "sequence_words": 0.3084,
    "deep_words": 1.2619,
    "works": 1.6061,
    "log_clauses": -0.521,
    "brings_a_text": 0.8459,
    "question_marks": -1.6234,
    "mean_word_chars": -0.537,
}
INTERCEPT = 0.0079
SIGNALS = tuple(WEIGHTS)
"""`demands_first` counts verbs that a clause begins with; `brings_a_text` is 1 where a text to be worked on comes with
it, whose words do not count; words are counted once each, but in `log_words`."""


def ends_of(text: str) -> str:
    """Return both ends of a text, or all of a short one, in lower case."""
    is_long = len(text) > 2 * MOST_CHARS
    return (f"{text[:MOST_CHARS]}\n{text[-MOST_CHARS:]}" if is_long else text).lower()


def instruction_of(text: str) -> str:
    """Return a text without what it brings to be worked on: lines, and what follows a colon, of some length."""
    short = [line for line in text.splitlines() if len(line) <= _LONG_TEXT_CHARS]
    if any(line.strip() for line in short):
        return "\n".join(short)
    before, _, after = text.partition(":")
    return before if before.strip() and len(after) > _LONG_TEXT_CHARS >= len(before) else text


def signals_of(text: str) -> tuple[float, ...]:
    """Return the signals of a question, in the order of `SIGNALS`, each >= 0."""
    whole = ends_of(text)
    lower = instruction_of(whole)
    words = _WORD.findall(lower)
    distinct = set(words)
    clauses = [clause.split() for clause in _CLAUSE_ENDS.split(lower)]
    firsts = {clause[0] for clause in clauses if clause}
    return (
        log1p(len(words)),
        sum(len(word) >= _LONG_WORD_CHARS for word in distinct),
        len(distinct & _DEMANDS),
        len(firsts & _DEMANDS),
        len(distinct & _SEQUENCE),
        len(distinct & _DEEP),
        len(distinct & _WORKS),
        log1p(len(clauses)),
        float(len(lower) < len(whole)),
        lower.count("?"),
        sum(map(len, words)) / max(len(words), 1),
    )


def demanding_prob(text: str) -> float:
    """Return how likely a question asks for hard work, 0 to 1."""
    score = INTERCEPT + sum(
        weight * signal for weight, signal in zip(WEIGHTS.values(), signals_of(text), strict=True)
    )
    return 1.0 / (1.0 + exp(-min(max(score, -30.0), 30.0)))
