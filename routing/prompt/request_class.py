"""Which class a request is of by its looks, and which tier the published tiers promise that class.

| class          | looks                                                              | tier     |
|----------------|--------------------------------------------------------------------|----------|
| `long_context` | `LONG_TOKENS` and more                                             | frontier |
| `schema_heavy` | a JSON schema that names `MANY_PROPERTIES` and more                | frontier |
| `multi_step`   | stages to be gone through                                          | frontier |
| `complex`      | proofs, designs, analyses, creative works; explicit deep reasoning | frontier |
| `tools`        | tools are offered                                                  | mid      |
| `standard`     | code, summaries, extraction, explanations, JSON, some text         | mid      |
| `trivial`      | chat, facts, labels, short translations                            | slm      |

The first that fits counts. A question is hard by named patterns, or by what `demand` makes of its words; both are
English: other languages are told apart by the task type, by length and by what the request demands. Patterns and
weights were made with the golden requests (`tests/golden`); those in `tests/golden/held_out` were written afterwards,
and measure them.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ...state.types import TIERS, Tier
from .complexity import MessageList, capabilities_of, complexity_of, count_properties
from .demand import demanding_prob, ends_of
from .tokens import content_text

ClassName = Literal["long_context", "schema_heavy", "multi_step", "complex", "tools", "standard", "trivial"]
CLASS_TO_TIER: Mapping[ClassName, Tier] = {
    "long_context": "frontier", "schema_heavy": "frontier", "multi_step": "frontier", "complex": "frontier",
    "tools": "mid", "standard": "mid", "trivial": "slm",
}  # fmt: skip
LONG_TOKENS = 4_000
MANY_PROPERTIES = 8
HIGH_COMPLEXITY = 0.75
"""Of `complexity_of`, from which a request is complex whatever its words are."""
MOST_TRIVIAL_CHARS, MOST_TRIVIAL_WORDS = 300, 20
MOSTLY_LATENCY, LEANS_DOWN, LEANS_UP = 0.5, 2.5, 0.4
LEAST_PROB = 0.5
"""Of being hard by its words, from which a question is complex."""
_STAGES_NAMED = 3
_NUMBERS_OF_A_SUM = 3

_STAGED = re.compile(
    r"\b(?:numbered|each|every|following|these|in) (?:steps?|stages|phases)\b"
    r"|\bin (?:several|three|four|five|six) (?:steps|stages|phases)\b"
    r"|\bbefore (?:(?:you )?go(?:ing)?|continuing) on\b|\bbefore moving (?:on|to the next)\b"
    r"|\b(?:sub-?goals?|sub-?tasks?|sub-?problems?|milestones|roadmap|work ?plan|action plan)\b"
    r"|\bbreak (?:it|this|that|them|the \w+|\w+) (?:down|up|into)\b"
    r"|\b(?:act|work|behave) as an? (?:autonomous )?agent\b"
    r"|\b(?:one after the other|one after another|one at a time|step after step|end to end)\b|\bfrom start to finish\b"
    r"|\b(?:revise|update|adjust|correct) (?:the|your) plan\b"
    r"|\buse (?:the|that|its|each) (?:result|output|answer)s? (?:of|from|to|in|for)\b"
    r"|\b(?:carry|work) (?:it |this |them )?(?:out|through) .{0,40}\b(?:steps?|stages|phases|end to end)\b"
)
_IN_ORDER = tuple(
    map(
        re.compile,
        (r"\bfirst\b", r"\bthen\b", r"\b(?:finally|finish|lastly|at the end|after that|once that)\b"),
    )
)
_NUMBERED = re.compile(r"\(\d\)|\b(?:step|stage|phase|part) (?:\d|one|two|three)\b|(?:^|\n)\s*\d[.)] ")
_STAGE_WORDS = re.compile(
    r"\b(?:clarif|hypothes|evidence|decision|decide|plan\b|verify|check|test|review|deliver|implement|recommend|draft"
    r"|gather|collect|analy[sz]|compare|design|research|outline)"
)
_DEEP = {
    "a proof or a derivation": re.compile(
        r"\b(?:prove|disprove|proofs?|derive|derivation|theorems?|lemma|counter-?examples?|undecidab\w+|rigorous\w*"
        r"|axioms?|axiomatic\w*|formali[sz]e|formally|invariants?|asymptotic\w*|np-(?:hard|complete))\b"
        r"|\bfind all (?:integer|real|positive|functions|pairs|solutions|groups)\b|\bclassify all\b"
        r"|\bsolve the (?:recurrence|pde|ode|system)\b|\bfind the flaw\b|\bfrom first principles\b"
    ),
    "a design": re.compile(
        r"\b(?:design|architect|devise|develop) (?:a|an|the|and)\b|\barchitecture of\b|\bmigration path\b"
        r"|\bthreat model\b|\b(?:two|three|five|ten|multi)-year\b"
    ),
    "an analysis": re.compile(
        r"\b(?:analy[sz]e|in-depth|critically|critique|game-theoretic\w*|root cause|causal|econometric\w*|reconciles?"
        r"|steelman|strongest (?:objection|argument|evidence)|for and against)\b"
        r"|\b(?:evaluate|assess|discuss|determine) (?:whether|how|why|the extent)\b"
    ),
}
_USUAL = {
    "a text to be told again or taken apart": re.compile(
        r"\b(?:summar|tl;?dr|extract|main points|key points|rewrite|rephrase|paraphrase|proofread|improve|edit|shorten"
        r"|turn (?:this|these|the)|convert (?:this|these|the)|(?:fill|structure|parse) (?:in |out )?(?:this|the))"
    ),
    "an explanation or a comparison": re.compile(
        r"\b(?:explain|describe|compare|contrast|differences?\b|pros and cons|advantages"
        r"|(?:how|what|which) (?:do|can|should|would) (?:i|we)\b|why (?:do|does|is|are|did)\b"
        r"|show (?:the|your|each|all)\b|give (?:me )?(?:an example|examples|reasons|tips)\b)"
    ),
    "a text or a plan to be written": re.compile(
        r"\b(?:write (?:a|an|the|some|two|three|five|to)\b|draft|outline|plan (?:a|an|my|the|for)\b|itinerary"
        r"|recipe|advice|suggest|recommend|in about \d+|in \d+ words|e-?mail|letter\b|report\b|memo\b|article\b"
        r"|blog|agenda)"
    ),
    "code": re.compile(r"\b(?:fix|debug|refactor|function|regular expression|regex|sql|script|bug)\b"),
}
_NUMBER = re.compile(r"\d+(?:[.,/]\d+)?")
_HOW_MUCH = re.compile(r"\bhow (?:many|much|long|far|fast)\b")


@dataclass(frozen=True, slots=True)
class RequestClass:
    """The class of a request, and what made it one of it."""

    name: ClassName
    why: str

    @property
    def tier(self) -> Tier:
        """The tier that is promised for it."""
        return CLASS_TO_TIER[self.name]


def class_of(
    messages: MessageList, options: Mapping[str, Any], *, task_type: str, prompt_tokens: int
) -> RequestClass:
    """Return the class of a request.

    Parameters
    ----------
    task_type
        One of the seven task types, or "general".
    prompt_tokens
        Estimated tokens of the whole request.
    """
    asked = ends_of(_newest_question(messages))
    properties = count_properties(options.get("response_format"))
    tools = len(options.get("tools") or ())
    name: ClassName = "trivial"
    why = "short, and nothing but a fact, a label or a chat is asked for"
    if prompt_tokens >= LONG_TOKENS:
        name, why = "long_context", f"about {prompt_tokens} tokens"
    elif properties >= MANY_PROPERTIES:
        name, why = "schema_heavy", f"a schema of {properties} properties"
    elif found := _stages(asked):
        name, why = "multi_step", found
    elif found := _demanding(asked, messages, options, task_type):
        name, why = "complex", found
    elif tools:
        name, why = "tools", f"{tools} offered"
    elif found := _usual_work(asked, options, task_type):
        name, why = "standard", found
    return RequestClass(name, why)


def promised_tier(tier: Tier, weights: Mapping[str, float]) -> Tier:
    """Return the tier to begin with under a caller's weights: a class's own unless they lean far.

    Latency above half of all begins with the lowest tier; cost at `LEANS_DOWN` times quality's weight and more begins
    one tier lower, at `LEANS_UP` times and less one higher.
    """
    if weights["latency"] > MOSTLY_LATENCY:
        return TIERS[0]
    ratio = weights["cost"] / max(weights["quality"], 1e-9)
    rank = TIERS.index(tier) + (ratio <= LEANS_UP) - (ratio >= LEANS_DOWN)
    return TIERS[min(max(rank, 0), len(TIERS) - 1)]


def nearest_tier(wanted: Tier, there: Collection[str]) -> Tier:
    """Return the tier nearest to the wanted one of those that somebody can be asked of; a higher one before a lower."""
    rank = TIERS.index(wanted)
    by_distance = sorted(TIERS, key=lambda tier: (abs(TIERS.index(tier) - rank), -TIERS.index(tier)))
    return next((tier for tier in by_distance if tier in there), wanted)


def _newest_question(messages: MessageList) -> str:
    for message in reversed(messages):
        if message.get("role") == "user":
            return content_text(message.get("content"))
    return content_text(messages[-1].get("content")) if messages else ""


def _stages(asked: str) -> str | None:
    if _STAGED.search(asked) or _are_in_order(asked):
        return "work in stages is asked for"
    stages, words = len(set(_NUMBERED.findall(asked))), set(_STAGE_WORDS.findall(asked))
    return f"{stages} numbered stages" if min(stages, len(words)) >= _STAGES_NAMED else None


def _demanding(asked: str, messages: MessageList, options: Mapping[str, Any], task_type: str) -> str | None:
    if "reasoning" in capabilities_of(messages, options):
        return "explicit reasoning is asked for"
    score = complexity_of(messages, options).score
    if score >= HIGH_COMPLEXITY:
        return f"complexity {score:.2f}"
    brings_a_text = task_type in {"summary", "extraction"} and len(asked) > MOST_TRIVIAL_CHARS
    if not brings_a_text and (why := _named(_DEEP, asked)):
        return why
    prob = demanding_prob(asked)
    return f"hard by its words (probability {prob:.2f})" if prob >= LEAST_PROB else None


def _usual_work(asked: str, options: Mapping[str, Any], task_type: str) -> str | None:
    if task_type == "code":
        return "code"
    if (options.get("response_format") or {}).get("type") in {"json_object", "json_schema"}:
        return "JSON"
    if len(asked) > MOST_TRIVIAL_CHARS:
        return f"more than {MOST_TRIVIAL_CHARS} characters"
    if task_type != "classification" and len(asked.split()) > MOST_TRIVIAL_WORDS:
        return f"more than {MOST_TRIVIAL_WORDS} words"
    if why := _named(_USUAL, asked):
        return why
    numbers = len(_NUMBER.findall(asked)) + (_HOW_MUCH.search(asked) is not None)
    return "a sum in words" if task_type == "reasoning" and numbers >= _NUMBERS_OF_A_SUM else None


def _are_in_order(asked: str) -> bool:
    """Return whether the words of an order stand in it, each after the one before."""
    at = 0
    for pattern in _IN_ORDER:
        found = pattern.search(asked, at)
        if found is None:
            return False
        at = found.end()
    return True


def _named(rules: Mapping[str, re.Pattern[str]], asked: str) -> str | None:
    """Return the name of the first rule that a text meets: what is told holds no word of the prompt."""
    return next((name for name, pattern in rules.items() if pattern.search(asked)), None)
