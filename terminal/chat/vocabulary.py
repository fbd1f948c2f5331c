"""The words that the reader knows, what they stand for, and which of them make which question."""

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import yaml

_WRITTEN: dict[str, Any] = yaml.safe_load((files(__package__) / "words.yaml").read_text("utf-8"))
WORDS: dict[str, str] = {
    word: concept for concept, words in _WRITTEN["concepts"].items() for word in words.split()
}
"""What each word stands for."""
IGNORED = frozenset(_WRITTEN["ignored"].split())
"""Words that say nothing of what is asked."""

PHRASES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), tuple(concepts.split()))
    for pattern, concepts in (
        (r"\bhow many times\b|\bhow often\b|\bhow frequently\b", "many"),
        (r"\b(?:llm|model|ai) (?:calls?|requests?|queries|prompts?)\b", "calls"),
        (r"\bhow (?:expensive|costly|dear)\b", "spend"),
        (r"\b(?:most recent|last|most recently made) (?=calls?\b|requests?\b|prompts?\b)", "newest"),
        (r"\b(?:may|can) (?:we|i) still (?:spend|pay)\b|\bleft to spend\b|\bleft in the budget\b", "budget"),
        (r"\btampered with the log\b|\baudit log\b|\baudit trail\b", "audit"),
        (r"\bis (?:anything|something) wrong\b|\bwhat is wrong\b", "alert"),
        (r"\bwould like\b|\bi'd like\b|\bas well as\b", ""),
        (r"\bgoing to\b", "forecast"),
        (r"\b(?:go|goes|going|gone|went) (?:up|down)\b", "compare"),
        (r"\bresponse times?\b|\bhow long\b|\btime taken\b|\bwait(?:ing)? times?\b", "latency"),
        (
            (
                r"\bper call\b|\ba call\b|\beach call\b|\bone (?:call|request)\b|\bper request\b|\ba request\b|"
                r"\bof a (?:single )?(?:call|request)\b"
            ),
            "percall",
        ),
        (r"\bper day\b|\ba day\b|\beach day\b|\bevery day\b|\bday by day\b|\bover time\b", "day"),
        (r"\bmonth[- ]end\b|\bmonthend\b", "forecast"),
        (r"\bfell back\b|\bfall back\b|\bfalls back\b", "fallback"),
        (
            r"\bkinds? of (?:task|work|prompt)s?\b|\btask types?\b|\btypes? of (?:task|work|prompt)s?\b",
            "task",
        ),
        (r"\bbroken? down\b|\bbreak(?:ing)? down\b|\bsplit up\b|\bdivided\b", "share"),
        (r"\brun(?:ning)? out\b", "budget"),
        (r"\b(?:thank you|thanks|please)\b", ""),
        (r"\bin (?:dollars|total|all|sum|percent)\b", ""),
        (r"\bright now\b|\bat the moment\b", ""),
        (r"\bget wrong\b", "fail"),
        (r"\b(?:per|by|for each|of each|each|every) (?:model|llm)\b", "model share"),
        (r"\b(?:per|by|for each|of each|each|every) tier\b", "tier share"),
        (
            (
                r"\b(?:per|by|for each|of each|each|every) (?:org|organi[sz]ation|tenant)\b|"
                r"\bby (?:orgs|organi[sz]ations)\b"
            ),
            "org share",
        ),
    )
)


REFUSED = re.compile(
    r"\brate[- ]limit|\b(?:should|shall|could|can|must) (?:we|i) (?:use|pick|choose|take|route)\b|\bdo (?:we|i) need\b"
)
"""What no rule answers, though its words are known: limits a minute, and advice."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of question."""

    kind: str
    needs: frozenset[str]
    may: frozenset[str]
    accepts: frozenset[str]
    """What it may be narrowed to: "model", "tier", "task", "call_id", "count"."""
    wants: frozenset[str]
    """What it must be narrowed to."""
    has_span: bool
    example: str


def _rule(  # noqa: PLR0913 - a row of a table
    kind: str, needs: str, may: str, accepts: str, example: str, *, wants: str = "", has_span: bool = True
) -> Rule:
    split = [frozenset(one.split()) for one in (needs, may, f"{accepts} {wants}", wants)]
    return Rule(kind, split[0], split[1], split[2], split[3], has_span, example)


SLOTS = "model tier"
RULES = (
    _rule("spend", "spend", "calls many model tier", SLOTS, "How much did we spend this week?"),
    _rule("spend_by_model", "spend model share", "calls most", "", "Show spending by model, broken down"),
    _rule("spend_by_model", "spend model most", "calls driver", "count", "Which model costs the most?"),
    _rule("spend_by_model", "spend most", "share", "count", "What are our top cost drivers?"),
    _rule("spend_by_tier", "spend tier share", "calls", "", "Breakdown of spend by tier"),
    _rule("spend_by_tier", "spend tier most", "", "", "Which tier costs the most?"),
    _rule("spend_by_day", "spend day", "calls", SLOTS, "Daily spend for the last 14 days"),
    _rule("spend_judge", "spend judge", "calls", "", "What did judging cost last month?"),
    _rule("spend_judge", "judge share spend", "calls", "", "What share of spend is judging?"),
    _rule("spend_per_call", "spend percall", "average calls", SLOTS, "What does a call cost on average?"),
    _rule("spend_per_call", "spend average", "calls percall", SLOTS, "Average cost this month?"),
    _rule("saved", "save", "calls spend many", SLOTS, "How much did routing save last month?"),
    _rule(
        "saved", "save compare reference", "spend model", SLOTS, "How much was saved against the reference?"
    ),
    _rule("saved_share", "save share", "spend calls reference compare", "", "What percentage did we save?"),
    _rule("saved_by_day", "save day", "calls", SLOTS, "Savings per day"),
    _rule("calls", "calls", "many", SLOTS, "How many calls were made yesterday?"),
    _rule("calls", "calls share", "many", "model tier", "What share of calls went to frontier?", wants=""),
    _rule("calls_by_model", "calls model", "share many most", "count", "How many calls by model?"),
    _rule("calls_by_model", "model share", "calls many", "", "Show the model mix"),
    _rule("top_model", "model most", "calls many", "", "Which model is used most?"),
    _rule("least_model", "model least", "calls many", "", "Which model is used least?"),
    _rule("calls_by_tier", "calls tier", "share many most", "", "How many calls by tier?"),
    _rule("calls_by_tier", "tier share", "calls many", "", "Show the tier mix"),
    _rule("calls_by_tier", "tier most", "calls many", "", "Which tier is used most?"),
    _rule("calls_by_day", "calls day", "many average", SLOTS, "Calls per day"),
    _rule("dearest_calls", "calls dear", "most", "count model tier", "Show the five most expensive calls"),
    _rule("dearest_calls", "calls most spend", "", "count model tier", "Which calls cost most?"),
    _rule("spend_by_model", "model dear", "most", "count", "Which model is the most expensive?"),
    _rule("spend_by_tier", "tier dear", "most", "", "Which tier is the most expensive?"),
    _rule(
        "why_call",
        "",
        "why calls model spend",
        "",
        "Why did call 01a2… go where it went?",
        wants="call_id",
        has_span=False,
    ),
    _rule(
        "why_newest",
        "why newest calls",
        "model spend",
        "",
        "Why did the latest call go where it went?",
        has_span=False,
    ),
    _rule("newest_calls", "newest calls", "list", "count", "List the newest calls"),
    _rule("escalations", "escalate", "calls share many average", "", "How many calls were escalated?"),
    _rule("fallbacks", "fallback", "calls share many", "", "What is the fallback rate?"),
    _rule("failures", "fail", "calls share many", "", "How many calls failed?"),
    _rule("latency", "latency", "calls average model", SLOTS, "How fast are answers?"),
    _rule("latency", "latency percall", "average calls", SLOTS, "How long does a call take?"),
    _rule("percentiles", "latency percentile", "calls", "", "What is the p95 latency?"),
    _rule("percentiles", "percentile", "calls", "", "Show the percentiles"),
    _rule("quality", "quality", "calls average many share", SLOTS, "How good are the answers?"),
    _rule(
        "quality_by_task",
        "quality task",
        "share calls most least best average",
        "",
        "Quality by kind of task",
    ),
    _rule("quality_by_model", "quality model", "share calls most least best average", "", "Quality by model"),
    _rule("quality_by_model", "quality most", "model", "", "Which model has the highest quality?"),
    _rule("quality_by_model", "quality best", "model", "", "Best quality this month?"),
    _rule("quality_by_model", "model best", "", "", "Which model is the best?"),
    _rule("compare", "compare spend", "calls", "", "Compare spend this week with last week"),
    _rule("compare", "compare calls", "many", "", "Compare calls this week with last week"),
    _rule("compare", "compare save", "", "", "Compare savings this week with last week"),
    _rule("compare", "compare quality", "calls average", "", "Compare quality this week with last week"),
    _rule("compare", "compare", "", "", "Compare this week with last week"),
    _rule("forecast", "forecast spend", "compare", "", "What will we spend this month?"),
    _rule("forecast", "forecast", "", "", "What will we have spent by the end of the month?"),
    _rule("budget_forecast", "forecast budget", "spend compare", "", "Will we stay within the budget?"),
    _rule("budget", "budget", "spend share many", "", "How much budget is left?"),
    _rule(
        "reference", "save compare model", "", "", "Which model are savings measured against?", has_span=False
    ),
    _rule("reference", "reference", "model save", "", "What is the reference model?", has_span=False),
    _rule("stage", "stage", "next calls many", "", "What stage are we at?", has_span=False),
    _rule("stage", "next", "stage calls many", "", "What unlocks next?", has_span=False),
    _rule("prices", "price", "model list many share", "model", "What are the model prices?", has_span=False),
    _rule("prices", "price token", "model many", "model", "What is the price per token?", has_span=False),
    _rule(
        "prices",
        "spend token",
        "model many",
        "model",
        "What does a token cost?",
        wants="model",
        has_span=False,
    ),
    _rule("prices", "price most", "model", "", "Which model has the highest price?", has_span=False),
    _rule("prices", "price least", "model", "", "Which model has the lowest price?", has_span=False),
    _rule("prices", "model cheap", "price list", "", "Which model is the cheapest?", has_span=False),
    _rule("models", "model list", "", "tier", "List the models", has_span=False),
    _rule("models", "model", "many", "tier", "Which models are there?", has_span=False),
    _rule("judged", "judge share", "calls many", "", "What share of calls is judged?"),
    _rule("judged", "judge calls", "many share", "", "How many calls were judged?"),
    _rule("judge_strength", "judge quality", "", "", "How good is the judge?", has_span=False),
    _rule("judge_strength", "judge", "model", "", "Tell me about the judge", has_span=False),
    _rule("audit", "audit", "", "", "Is the audit chain intact?", has_span=False),
    _rule("alerts", "alert", "", "", "Are there any alerts?", has_span=False),
    _rule("beliefs", "belief", "tier model share", "", "What has been learned of the tiers?", has_span=False),
    _rule("drift", "drift", "model", "", "Has any model drifted?", has_span=False),
    _rule("drift", "model compare", "", "", "Has any model changed?", has_span=False),
    _rule("health", "health", "", "", "Is any provider down?", has_span=False),
    _rule("routers", "router", "list many", "", "Which router configs are there?", has_span=False),
    _rule("keys", "key many", "list", "", "How many API keys are there?", has_span=False),
    _rule("keys", "key list", "many", "", "List the API keys", has_span=False),
    _rule("spend_by_org", "spend org most", "share", "count", "Which organisation spends the most?"),
    _rule("spend_by_org", "spend org share", "", "count", "Spend by organisation"),
    _rule("calls_by_org", "calls org most", "share many", "count", "Which organisation makes most calls?"),
    _rule("calls_by_org", "calls org share", "many", "count", "Calls by organisation"),
    _rule("orgs", "org", "list many", "", "Which organisations are there?", has_span=False),
)
KINDS = tuple(dict.fromkeys(rule.kind for rule in RULES))
