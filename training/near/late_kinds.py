"""Kinds written after features, rules and threshold stood, to measure and not to fit."""

import random

from . import topics

Rng = random.Random


def _fill(rng: Rng, forms: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, str]:
    form = rng.choice(forms)
    a, b = rng.sample(names, 2)
    return form.format(a), form.format(b)


def _audience(rng: Rng) -> tuple[str, str]:
    forms = ("Write a complaint to my {}.", "Draft a short note for my {}", "How do I apologize to my {}?")
    return _fill(
        rng, forms, ("boss", "landlord", "teacher", "neighbour", "sister", "bank", "dentist", "mayor")
    )


def _frequency(rng: Rng) -> tuple[str, str]:
    forms = (
        "Set a reminder that comes {}.",
        "Is it healthy to run {}?",
        "how do i schedule a {} report",
        "Bill me {}",
    )
    return _fill(rng, forms, ("daily", "weekly", "monthly", "hourly", "yearly", "nightly"))


def _version(rng: Rng) -> tuple[str, str]:
    forms = ("How do I update to iOS {}?", "What is new in Python 3.{}?", "Does the API v{} support paging?",
             "is windows {} still supported")  # fmt: skip
    return _fill(rng, forms, ("7", "8", "10", "11", "12", "13", "16", "17"))


def _era(rng: Rng) -> tuple[str, str]:
    forms = ("Which bands were popular in the {}?", "fashion of the {}", "How was life in the {}?")
    return _fill(rng, forms, ("1950s", "1960s", "1970s", "1980s", "1990s", "Middle Ages", "Bronze Age"))


def _cause(rng: Rng) -> tuple[str, str]:
    forms = (
        "{} of migraine",
        "what are the {} of diabetes",
        "List the {} of asthma.",
        "tell me about {} of eczema",
    )
    return _fill(rng, forms, ("causes", "symptoms", "treatments", "complications", "statistics", "types"))


def _material(rng: Rng) -> tuple[str, str]:
    forms = ("How do I clean a {} table?", "can i paint {}", "Where can I recycle {}?", "Is {} waterproof?")
    return _fill(rng, forms, ("glass", "wood", "steel", "leather", "plastic", "marble", "copper", "denim"))


def _season(rng: Rng) -> tuple[str, str]:
    forms = ("What should I plant in {}?", "is lisbon nice in {}", "Which constellations are visible in {}?")
    return _fill(rng, forms, ("spring", "summer", "autumn", "winter", "March", "October"))


def _colour(rng: Rng) -> tuple[str, str]:
    forms = ("What does a {} traffic sign mean?", "how do i mix {} paint", "Show {} shoes in size 42")
    return _fill(rng, forms, ("red", "blue", "green", "yellow", "purple", "brown", "white", "black"))


def _also_only(rng: Rng) -> tuple[str, str]:
    person = rng.choice(topics.PEOPLE)
    pairs = (
        ("Invite {} as well", "Invite only {}"), ("Everyone but {} signed. What now?",
        "Everyone and {} signed. What now?"),
        ("Did {} reply yet?", "Did {} reply again?"), ("Was {} nearly fired?", "Was {} fired?"),
        ("Could {} have known?", "Could {} know?"), ("{} is still ill, what do I write?",
        "{} is ill, what do I write?"),
        ("What if {} comes?", "What if {} leaves?"), ("Why did {} stop smoking?", "Why did {} stop to smoke?"),
        ("Is {} to blame?", "Whom is {} to blame?"), ("Did {} lose the case?", "Did {} win the case?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(person), b.format(person)


def _who_does_it(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(
        ("the tenant", "the seller", "a doctor", "the school", "an employer", "the state", "a parent"), 2
    )
    form = rng.choice(
        ("Can {} sue {}?", "Must {} inform {}?", "Does {} have to pay {}?", "when may {} fire {}")
    )
    return form.format(a, b), form.format(b, a)


def _grammar(rng: Rng) -> tuple[str, str]:
    forms = ("Put this in the {}: she runs home.", "what is the {} of go", "Conjugate to be in the {}")
    return _fill(
        rng,
        forms,
        ("past tense", "future tense", "present tense", "passive voice", "imperative", "conditional"),
    )


def _shape(rng: Rng) -> tuple[str, str]:
    forms = (
        "What is the {} of a circle?",
        "formula for the {} of a cone",
        "How do I compute the {} of this cylinder?",
    )
    return _fill(rng, forms, ("area", "circumference", "radius", "volume", "diameter", "height", "slope"))


def _is_there_a_way(rng: Rng) -> tuple[str, str]:
    action = rng.choice(topics.ACTIONS)
    a, b = rng.sample(
        (
            "Is there a way to {}?",
            "How do I {}?",
            "I'd like to know how to {}",
            "how can one {}",
            "How might I {}?",
        ),
        2,
    )
    return a.format(action), b.format(action)


def _reordered(rng: Rng) -> tuple[str, str]:
    drug, food = rng.choice(topics.DRUGS), rng.choice(topics.FOODS)
    pairs = (
        ("If I have a fever, can I take {0}?", "Can I take {0} if I have a fever?"),
        ("For six people, how much {1} do I need?", "How much {1} do I need for six people?"),
        ("In simple words, what is {0}?", "What is {0} in simple words?"),
        ("Before surgery, is {0} allowed?", "Is {0} allowed before surgery?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(drug, food), b.format(drug, food)


def _greeting_and_thanks(rng: Rng) -> tuple[str, str]:
    base = rng.choice(topics.BASES)
    inner = base if base[1].isupper() else base[0].lower() + base[1:]
    before = rng.choice(("Hi, ", "Hello! ", "Hey ")) + rng.choice(
        ("please tell me, ", "quick question: ", "")
    )
    return base, f"{before}{inner} Thank you!"


PARAPHRASES = {
    "is there a way": _is_there_a_way, "clause first": _reordered,
    "greeting and thanks": _greeting_and_thanks,
}  # fmt: skip
NEAR_MISSES = {
    "audience": _audience, "frequency": _frequency, "version": _version, "era": _era, "cause or cure": _cause,
    "material": _material, "season": _season, "colour": _colour, "only, also, still": _also_only,
    "who does it to whom": _who_does_it, "grammar": _grammar, "measure of a shape": _shape,
}  # fmt: skip
LOOKED_AT = frozenset({"only, also, still"})
"""Kinds whose misses a rule was found by: `routing.prompt.near` compares the forms of words since."""
