"""Patterns that name a kind of work: an input each of the task classifier."""

import re

_CUE_CHARS = 400  # instructions stand at the beginning or at the end of a prompt

CUES: tuple[str, ...] = (
    # summary
    (
        r"\b(?:summar[iy]|tl;?dr|condense|shorten|boil .{1,40} down|key takeaways|gist|in (?:one|two|"
        r"three) sentences?\b)"
    ),
    (
        r"\b(?:paragraph|article|report|minutes|transcript|text) (?:below )?(?:to|in|into) (?:one|two|"
        r"three|\d)"
    ),
    # code
    (
        r"\b(?:write|implement|create|fix|debug|refactor|optimi[sz]e) .{0,40}\b(?:functions?|class|"
        r"script|method|program|queries|query|regex|code|decorator|tests?|bug|component|endpoint|"
        r"dockerfile|loop)\b"
    ),
    (
        r"\b(?:traceback|typeerror|keyerror|null ?pointer|segfault|stack trace|compil\w+ error|"
        r"git \w+|def \w+\(|select .{1,80} from\b)"
    ),
    r"\bwhat (?:does|will) (?:this|the following) (?:code|function|snippet|program)",
    # classification
    (
        r"\b(?:classif|categori[sz]e|(?:one of|which of) (?:these|the following) labels|label (?:this|"
        r"the|each)|sentiment|is this (?:\w+ ){0,3}(?:spam|toxic|positive|negative|urgent)|spam or|"
        r"positive, negative|one of the following (?:categories|labels|topics))"
    ),
    (
        r"\b(?:which|what)(?: is the)? (?:category|topic|label|intent|department|emotion|genre|"
        r"language)\b"
    ),
    r"\b(?:spam|toxic|bug report|complaint)\b.{0,40}\bor\b",
    # extraction
    (
        r"\b(?:extract|pull (?:out|the)|parse|get (?:all )?the (?:names?|dates?)|(?:list|find|"
        r"identify|return|give me) (?:all|every|the) .{0,40}(?:mentioned|in (?:this|the) (?:text|"
        r"sentence|email|contract|passage|paragraph|invoice|message|article|document)|from (?:this|"
        r"the)|names?|dates?|entities))"
    ),
    r"\b(?:fill|return) .{0,30}\bjson\b|\binto (?:json|a table|csv)\b",
    # qa
    (
        r"\A\W*(?:who|where|when|which|what (?:is|are|was|were|year|country|does)|is it|does|do|did|"
        r"can you tell me|why|how (?:does|do|did|far|old|tall))\b"
    ),
    r"\b(?:difference between|capital of|explain (?:what|how|the)|tell me about)\b",
    # reasoning
    (
        r"\b(?:prove|solve|compute|calculate|evaluate|simplify|how (?:many|much|long|fast)|"
        r"step[ -]by[ -]step|logic|puzzle|deduce|what is (?:the )?(?:probability|sum|product|"
        r"remainder|area|value)|find (?:the )?(?:value|number|smallest|largest|all (?:integers|real|"
        r"positive|functions|pairs|solutions)|x\b))"
    ),
    r"\d ?[-+*/×÷^=] ?\(?\d|\b\d+ ?(?:%|percent)|\bx ?=",
    r"\b(?:if|all|every|either) .{1,80}\b(?:who|which|what|then|how)\b",
    # creative
    (
        r"\b(?:write|compose|invent|create|draft|make up|imagine|come up with|give me|"
        r"tell me) .{0,40}\b(?:story|poem|haiku|song|lyrics|slogans?|taglines?|limerick|sonnet|joke|"
        r"dialogue|monologue|scene|novel|fairy ?tale|names? for|ode|rap|letter|blog post|toast|speech|"
        r"characters?|riddle|advert(?:isement)?)\b"
    ),
    r"\b(?:brainstorm|once upon a time|in the style of)\b",
)
"""Looked for at both ends of the lower-cased text, in this order."""

_CUES = tuple(map(re.compile, CUES))


def cue_hits(text: str) -> list[bool]:
    """Return which of `CUES` occur at the beginning or at the end of a text, in their order."""
    lower = text.lower()
    window = lower if len(lower) <= 2 * _CUE_CHARS else f"{lower[:_CUE_CHARS]}\n{lower[-_CUE_CHARS:]}"
    return [cue.search(window) is not None for cue in _CUES]
