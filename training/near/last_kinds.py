"""Kinds written after pronouns and question words had to agree, to measure and not to fit."""

import random

from . import topics
from .later_kinds import pick

Rng = random.Random


def _comparison(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(topics.FOODS, 2)
    form = rng.choice(
        (
            "Is {} healthier than {}?",
            "Why does {} cost more than {}?",
            "can {} replace {}",
            "Serve {} after {}?",
        )
    )
    return form.format(a, b), form.format(b, a)


def _receiver(rng: Rng) -> tuple[str, str]:
    return pick(
        rng,
        ("Does {person} owe us money?", "Does {person} owe them money?"),
        ("Can {person} help me move?", "Can {person} help her move?"),
        ("Why did {person} leave us?", "Why did {person} leave?"),
        ("How do I make {person} laugh?", "How does {person} make me laugh?"),
        ("Did {person} invite me?", "Did I invite {person}?"),
        person=topics.PEOPLE,
    )


def _possibility(rng: Rng) -> tuple[str, str]:
    return pick(
        rng,
        ("Is {food} banned in {country}?", "Is {food} sold in {country}?"),
        ("Do I have to tip in {country}?", "Do I get to tip in {country}?"),
        ("Must I refuse {food} in {country}?", "May I refuse {food} in {country}?"),
        ("When did {country} join?", "When will {country} join?"),
        food=topics.FOODS,
        country=topics.COUNTRIES,
    )


def _amount(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("a pinch", "a spoon", "a cup", "a bowl", "a slice", "a bag", "a bottle"), 2)
    form = rng.choice(("How many calories has {} of rice?", "what does {} of sugar weigh", "Add {} of salt?"))
    return form.format(a), form.format(b)


def _task(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(
        ("Translate", "Shorten", "Proofread", "Rhyme", "Expand", "Simplify", "Title", "Encrypt"), 2
    )
    text = rng.choice(topics.BASES)
    return f"{a} this: {text}", f"{b} this: {text}"


def _reported(rng: Rng) -> tuple[str, str]:
    return pick(
        rng,
        ("Tell {person} why it broke.", "Ask {person} why it broke."),
        ("Remind {person} when to pay.", "Remind {person} to pay."),
        ("Show {person} where to park.", "Show {person} how to park."),
        ("Warn {person} that the {thing} is hot.", "Warn {person} if the {thing} is hot."),
        person=topics.PEOPLE,
        thing=topics.THINGS,
    )


def _place_in_row(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("second", "third", "fourth", "fifth", "next", "previous", "final"), 2)
    form = rng.choice(("Who came {} in the race?", "What is the {} step?", "Delete the {} paragraph."))
    return form.format(a), form.format(b)


def _noun_or_verb(rng: Rng) -> tuple[str, str]:
    return pick(
        rng,
        ("How do I paint a {thing}?", "How do I draw a {thing}?"),
        ("How do I book a flight to {country}?", "Which book is about a flight to {country}?"),
        ("Where do swimmers train in {country}?", "Where do trains swim in {country}?"),
        ("Is farming hard in {country}?", "Are farms hard in {country}?"),
        ("What was discovered in {country}?", "What was uncovered in {country}?"),
        thing=topics.THINGS,
        country=topics.COUNTRIES,
    )


def _asked_for(rng: Rng) -> tuple[str, str]:
    action = rng.choice(topics.ACTIONS)
    a, b = rng.sample(
        (
            "How do I {}?",
            "Can you tell me how to {}?",
            "Explain how to {}, please.",
            "I need to know how to {}.",
        ),
        2,
    )
    return a.format(action), b.format(action)


def _emphasis(rng: Rng) -> tuple[str, str]:
    food, country = rng.choice(topics.FOODS), rng.choice(topics.COUNTRIES)
    base = rng.choice((f"How long does {food} keep?", f"What is the capital of {country}?"))
    word = rng.choice(("exactly ", "actually ", "really "))
    verb = " does " if " does " in base else " is "
    return base, base.replace(verb, verb + word, 1) if verb == " is " else base.replace(
        " keep", f" {word}keep"
    )


PARAPHRASES = {"asked for": _asked_for, "emphasis": _emphasis}
NEAR_MISSES = {
    "comparison turned round": _comparison, "receiver": _receiver, "possibility": _possibility, "amount": _amount,
    "task with a text": _task, "reported": _reported, "place in a row": _place_in_row,
    "noun or verb": _noun_or_verb,
}  # fmt: skip
