"""Words as the near verifier reads them: what is said alike, what only is polite, and what turns a question round."""

import re
import unicodedata


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


CONTRACTIONS = (
    ("can't", "can not"), ("won't", "will not"), ("shan't", "shall not"), ("n't", " not"), ("let's", "let us"),
    ("'re", " are"), ("'ve", " have"), ("'ll", " will"), ("'m", " am"), ("cannot", "can not"),
    ("what's", "what is"), ("who's", "who is"), ("where's", "where is"), ("when's", "when is"), ("how's", "how is"),
    ("that's", "that is"), ("there's", "there is"), ("it's", "it is"), ("i'd", "i would"), ("you'd", "you would"),
)  # fmt: skip
POLITE = re.compile(
    r"^(?:(?:hi|hello|hey|dear assistant|good (?:morning|evening|afternoon)|ok|okay|so|well|please|kindly"
    r"|quick question)\b[\s,.:!-]*)+"
    r"|\b(?:please|kindly|thanks(?: a lot| in advance)?|thank you(?: very much| in advance)?|cheers)\b[\s,.!]*"
    r"|\b(?:(?:can|could|would|will) you (?:please )?(?:tell me|let me know|explain to me|show me|help me(?: to)?)"
    r"|(?:can|could|would|will) you(?: please)?(?= (?:\w+))"
    r"|(?:do you know|any idea|i wonder|i was wondering|i am wondering|i would like to know|i want to know"
    r"|i need to know|i'd like to know|tell me|let me know|help me(?: to)? understand|my question is)\b[\s,:]*)"
)
HOW_TO = re.compile(
    r"\bhow (?:can|do|could|would|does|might) (?:i|you|we|one|someone|somebody|a person)\b"
    r"|\bwhat (?:is|are|would be) the (?:best |right |correct |proper )?(?:way|ways|method|steps) (?:to|of|for)\b"
    r"|\bhow to\b"
)
WHAT_IS = re.compile(r"\bwhat (?:exactly )?(?:is|are) (?:the )?(?:meaning|definition) of\b|\bdefine\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_OF = re.compile(r"\b([a-z]{3,}) of (?:the |a |an )?([a-z]{3,})\b")
FILLERS = _set(
    """
    a an the of is are am be been being do does i me you we us it its this that these those there here s to
    have has had just actually basically really exactly simply currently so then very quite any some
    one's which let
    """
)
"""Words that paraphrases add and leave out freely."""
NEGATIONS = _set(
    """
    not no never none neither nor nothing nobody without cannot except unless hardly false impossible
    """
)
RELATIONS = _set(
    """
    for as by from into before after with without over under above below more less most least fewer all every only first
    last and or if until since between in on at up down off out than through during against about within per
    across for by as both either each same different other another next previous inside outside behind toward
    towards onto via
    """
)
"""Words that say how the rest belongs together: another one is another question."""
PAST = _set(
    """
    was were did had used
    """
)
MODALS = _set(
    """
    should must can could may might will would shall ought need
    """
)
OWNERS = _set(
    """
    my your his her our their mine yours his hers ours theirs he she they him them
    """
)
NUMBER_WORDS = {
    name: str(number)
    for number, name in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
        "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]
    )
} | {"thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "hundred": "100", "thousand": "1000",
        "dozen": "12",
     "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "half": "1/2",
        "double": "2x",
     "twice": "2x", "triple": "3x"}  # fmt: skip
QUESTIONS = ("how many", "how much", "how long", "how often", "how far", "how old", "how", "what", "who", "whom",
             "whose", "when", "where", "why", "which")  # fmt: skip
_SAME_QUESTION = {"whom": "who", "which": "what"}
SYNONYMS = """
big large huge|small little tiny|begin start commence|end finish conclude|buy purchase|fix repair
quick fast rapid|car automobile|movie film|photo picture photograph|child kid|job occupation|error mistake|shop store
reply respond response|ask inquire|choose pick select|show display|make create|delete remove erase|get obtain
give provide|need require|help assist|use utilise utilize|explain describe clarify|summarise summarize|rich wealthy
hard difficult|easy simple|smart intelligent clever|happy glad|correct right|wrong incorrect|doctor physician
lawyer attorney|phone telephone|mail email e-mail|cheap inexpensive|costly expensive|price cost|cancel terminate
holiday vacation|apartment flat|lift elevator|autumn fall|cause reason|result outcome|list enumerate
advantage benefit|disadvantage drawback|important significant|main primary principal|bug defect|story tale
meeting appointment|firm company|customer client|author writer|invent devise|find discover locate|happen occur
allow permit|forbid prohibit|improve enhance|reduce decrease|increase raise|speak talk|close shut|entire whole
rewrite rephrase reword|verify check|compute calculate|gift present|garbage trash rubbish|sofa couch|bicycle bike
television tv|fridge refrigerator|ad advertisement|info information|app application|approximately roughly
brief short|colour color|organise organize|customise customize|centre center|analyse analyze|realise realize
licence license|grey gray|metre meter|litre liter|kilometre kilometer|programme program|favourite favorite
"""
"""Words of one meaning, a group between two bars or in a line of its own; spellings of one word among them."""
_GROUPS: dict[str, str] = {}
for _group in re.split(r"[|\n]", SYNONYMS.strip()):
    _names = _group.split()
    _GROUPS.update(dict.fromkeys(_names, _names[0]))
_SUFFIXES = ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "s", "ly")
_FORMS = {
    "ations": "ation", "ation": "ation", "ings": "ing", "ing": "ing", "ied": "ed", "ed": "ed", "ly": "ly",
}  # fmt: skip
"""Suffixes that make another word of a root: another time, a doing, a manner. Plurals and persons do not."""
_GERUND = re.compile(r"\bhow to (\w{3,})ing\b")
_FOR_ME = re.compile(r"(?:^|[.!?,;:]\s*)\w+ (?:(?:to|for) )?(?:me|us)\b")
_OBJECT = re.compile(r"\b(?:me|us)\b")
_KEPT_WHOLE = _set(
    """
    is was has its his news always does during less ads yes us bus gas plus thus this
    """
)
_WORD = re.compile(r"[^\W_]+(?:[.'’\-/:@][^\W_]+)*|[+\-*/=<>^%$€£&|~#]+", re.UNICODE)
_CODE = re.compile(
    r"`[^`]+`|\"[^\"]+\"|'[^'\s][^']*'(?!\w)|“[^”]+”|\w*\[[^\]]*\]|\w+[?!]+\.\w+"
    r"|\b\w+\([^)]*\)|\b\w+(?:\.\w+)+\b|(?<!\w)--?[a-z][\w-]*|\b\w*_\w+\b"
    r"|\b[a-z]+[A-Z]\w*\b|https?://\S+|/[\w./-]{2,}|\b[A-Z]{2,}[0-9]*\b|[{}\[\]<>;$#@\\^*=+%|~]+"
)
_SHOUTED = frozenset({"OK", "FAQ", "ASAP"})
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*(?:st|nd|rd|th|k|m|x|%)?")
_OPENS = "([{\"'“‘"
_ENDS = ".,;:!?…)]}\"'”’"
_LONE = frozenset(("", "-", "–", "—", "&"))
_JOINT = re.compile(r"(?<=\w)[.,:/’'\-–—&](?=\w)")
_SIGN = re.compile(r"[^\w\s%$€£¥°]")
_TWO_FACED = _set(
    "august bill chad chase china chip drew faith frank grace guinea japan jersey job jordan lent march mark may "
    "mobile nice norman olive pat polish rich rose sue swede tangier turkey will"
)
"""Capitalised, these are people, places, peoples or months."""
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'’-]*")
_UNITS = _set(
    """
    km kilometer kilometre mile meter metre m cm mm inch foot feet yard kg kilogram gram g pound lb ounce oz
    liter litre l ml gallon celsius fahrenheit kelvin dollar euro usd eur gbp yen usd second minute hour day
    week month year decade century percent mb gb tb kb byte bit watt volt amp mph kmh
    """
)
_MONTHS = _set(
    """
    january february march april may june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday today tomorrow yesterday tonight morning noon evening midnight
    """
)


def plain(text: str) -> str:
    """Return a question in lower case with its contractions written out, without what only is polite."""
    lowered = unicodedata.normalize("NFKC", text).replace("’", "'").lower().strip()
    for short, long in CONTRACTIONS:
        lowered = lowered.replace(short, long)
    lowered = POLITE.sub(" ", _THOUSANDS.sub("", lowered))
    lowered = _GERUND.sub(r"how to \1", HOW_TO.sub("how to", lowered))  # a way of doing is a way to do
    lowered = " ".join(WHAT_IS.sub("what is", " ".join(lowered.split())).split())
    return _OF.sub(r"\2 \1", lowered)


def words_of(text: str) -> list[str]:
    """Return the words of a plain question in order, numbers as digits; signs of arithmetic are words, too."""
    return [NUMBER_WORDS.get(one, one) for one in _WORD.findall(text)]


def stem(word: str) -> str:
    """Return what a word has in common with its other forms, and with others of one meaning."""
    word = word.removesuffix("'s").removesuffix("'")
    if word in _GROUPS:
        return _GROUPS[word]
    if word not in _KEPT_WHOLE:
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                root = word[: -len(suffix)]
                root = root + "y" if suffix in ("ies", "ied") else root
                if len(root) > 3 and root[-1] == root[-2] and suffix in ("ing", "ed"):
                    root = root[:-1]
                for known in (root, root + "e", word):
                    if known in _GROUPS:
                        return _GROUPS[known]
                return root.removesuffix("e")
    return _GROUPS.get(word, word.removesuffix("e") if len(word) > 4 else word)


def form_of(word: str) -> str:
    """Return which form of its root a word is: "ed", "ing", "ation", "ly", or "" for the plain one and its plural."""
    word = word.removesuffix("'s").removesuffix("'")
    if word in _GROUPS or word in _KEPT_WHOLE:
        return ""
    found = (one for one in _SUFFIXES if word.endswith(one) and len(word) - len(one) >= 3)
    return _FORMS.get(next(found, ""), "")


def objects_of(text: str) -> frozenset[str]:
    """Return which of "me" and "us" something is done to in a plain question: "give me a list" does nothing to me."""
    return frozenset(_OBJECT.findall(_FOR_ME.sub(" ", text)))


def numbers_of(text: str) -> tuple[str, ...]:
    """Return the numbers of a plain question, sorted."""
    spelled = " ".join(words_of(text))
    return tuple(sorted(_NUMBER.findall(spelled)))


def code_of(text: str) -> frozenset[str]:
    """Return what of a question as it was written is code, quoted, or an abbreviation in capitals."""
    return frozenset(one.strip("`\"'“”") for one in _CODE.findall(text)) - _SHOUTED


def signs_of(text: str) -> tuple[str, ...]:
    """Return the parts of a question that hold a sign which no prose needs there, in order: `!x`, `x^2`, `../a`, 👍.

    What ends or encloses a sentence, joins a word, or stands for money and shares is no such sign.
    """
    parts = (one.lstrip(_OPENS).rstrip(_ENDS) for one in text.split())
    return tuple(one for one in parts if one not in _LONE and _SIGN.search(_JOINT.sub("", one)))


def letters_of(text: str) -> tuple[str, ...]:
    """Return the single letters of a question in order, where one of them is a name of something and no article."""
    found = tuple(one for one in words_of(plain(text)) if len(one) == 1 and one.isalpha() and one != "i")
    return found if any(one != "a" for one in found) else ()


def two_faced_of(text: str) -> frozenset[str]:
    """Return the words that are a name where they are capitalised, and something else where they are not."""
    return names_of(text) & _TWO_FACED


def names_of(text: str) -> frozenset[str]:
    """Return capitalised words that do not begin a sentence."""
    found = (one.removesuffix("'s").removesuffix("’s") for one in _NAME.findall(text))
    return frozenset(one.lower() for one in found if one.lower() not in ("i", "i'm", "i'd", "i've", "i'll"))


def units_of(words: list[str]) -> frozenset[str]:
    """Return units of measure, days and months among words."""
    found = {stem(one) for one in words if one in _UNITS or one.removesuffix("s") in _UNITS}
    return frozenset(found | {one for one in words if one in _MONTHS})


def script_of(text: str) -> frozenset[str]:
    """Return the scripts that a text's letters are of, by the first word of their Unicode names."""
    return frozenset(unicodedata.name(one, "?").split(" ", 1)[0] for one in set(text) if one.isalpha())


ASKED_BY_ORDERS = ("", "what", "how", "is")
"""Question words that an order can do without: "name the capital", "explain it". It says who, when, where, why."""


def question_word(text: str) -> str:
    """Return how a plain question begins to ask; "" for a request that names no question word, "is" for a yes or no."""
    for one in QUESTIONS:
        if re.search(rf"\b{one}\b", text):
            return _SAME_QUESTION.get(one, one)
    first = text.split(" ", 1)[0] if text else ""
    return "is" if first in ("is", "are", "do", "does", "did", "was", "were", "has", "have", *MODALS) else ""
