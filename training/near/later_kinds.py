"""Kinds written after the forms of words had to agree, to measure and not to fit."""

import random

from . import topics

Rng = random.Random


def pick(rng: Rng, *pairs: tuple[str, str], **names: tuple[str, ...]) -> tuple[str, str]:
    """Return one of some pairs, each name in it replaced by one word of its list."""
    a, b = rng.choice(pairs)
    chosen = {name: rng.choice(words) for name, words in names.items()}
    return a.format(**chosen), b.format(**chosen)


def _prefix(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("Is it legal to sell {food}?", "Is it illegal to sell {food}?"),
        ("How do I install the {thing} driver?", "How do I uninstall the {thing} driver?"),
        ("Can I heat {food}?", "Can I reheat {food}?"), ("Why is my {thing} visible?", "Why is my {thing} invisible?"),
        ("How do I pay {person}?", "How do I repay {person}?"), ("Is {person} able to drive?",
        "Is {person} unable to drive?"),
        ("should i lock my {thing}", "should i unlock my {thing}"),
        food=topics.FOODS, thing=topics.THINGS, person=topics.PEOPLE,
    )  # fmt: skip


def _agent(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("What does {person} owe the lender?", "What does {person} owe the borrower?"),
        ("Write a letter from {person} to the employer.", "Write a letter from {person} to the employee."),
        ("What rights does an interviewer have in {country}?", "What rights does an interviewee have in {country}?"),
        ("Who trains a trainer in {country}?", "Who trains a trainee in {country}?"),
        ("Duties of a buyer in {country}", "Duties of a seller in {country}"),
        person=topics.PEOPLE, country=topics.COUNTRIES,
    )  # fmt: skip


def _compound(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("What is a house boat in {country}?", "What is a boat house in {country}?"),
        ("When did car racing come to {country}?", "When did racing cars come to {country}?"),
        ("Where is chocolate milk sold in {country}?", "Where is milk chocolate sold in {country}?"),
        ("Tell me about the history of philosophy in {country}.",
        "Tell me about the philosophy of history in {country}."),
        ("what is a computer science degree worth in {country}", "what is a science computer worth in {country}"),
        ("Is {person} my brother's wife?", "Is {person} my wife's brother?"),
        country=topics.COUNTRIES, person=topics.PEOPLE,
    )  # fmt: skip


def _degree(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("Is the {thing} hot enough?", "Is the {thing} too hot?"),
        ("May I eat a little {food}?", "May I eat a lot of {food}?"),
        ("Why is {person} rarely late?", "Why is {person} often late?"),
        ("Is {food} almost ready?", "Is {food} ready?"), ("Why is {person} always ill?", "Why is {person} ill?"),
        ("How do I clean part of a {thing}?", "How do I clean a whole {thing}?"),
        food=topics.FOODS, thing=topics.THINGS, person=topics.PEOPLE,
    )  # fmt: skip


def _addressee(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(topics.PEOPLE, 2)
    form = rng.choice(("Write to {} about {}.", "Thank {} on behalf of {}.", "Introduce {} to {} in one line.",
                       "Why does {} report to {}?"))  # fmt: skip
    return form.format(a, b), form.format(b, a)


def _condition(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("What do I do if the {thing} breaks?", "What do I do when I break the {thing}?"),
        ("Can I travel to {country} because of a visa?", "Can I travel to {country} despite a visa?"),
        ("What happens before {person} signs?", "What happens while {person} signs?"),
        ("Is {food} safe although it is old?", "Is {food} safe because it is old?"),
        ("Who pays once {person} leaves?", "Who pays so that {person} leaves?"),
        thing=topics.THINGS, country=topics.COUNTRIES, person=topics.PEOPLE, food=topics.FOODS,
    )  # fmt: skip


def _subject(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("Does {person} want to leave?", "Does {person} want me to leave?"),
        ("Ask {person} to call.", "Ask {person} whom to call."), ("What did {person} say?",
        "What did they say of {person}?"),
        ("Is the {thing} easy to sell?", "Is the {thing} easy to buy?"),
        ("What does {person} see in me?", "What do I see in {person}?"),
        ("Does {person} believe me?", "Do I believe {person}?"), ("When does {person} expect us?",
        "When do we expect {person}?"),
        person=topics.PEOPLE, thing=topics.THINGS,
    )  # fmt: skip


def _standard(rng: Rng) -> tuple[str, str]:
    names = (
        "USB-A",
        "USB-C",
        "HDMI",
        "JPEG",
        "PNG",
        "IPv4",
        "IPv6",
        "HTTP",
        "HTTPS",
        "CO",
        "CO2",
        "DNA",
        "RNA",
    )
    a, b = rng.sample(names, 2)
    form = rng.choice(("What is {} used for?", "how does {} differ from older standards", "Is {} dangerous?"))
    return form.format(a), form.format(b)


def _period(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("breakfast", "lunch", "dinner", "sunrise", "sunset", "school", "work", "bedtime"), 2)
    form = rng.choice(("What should I do before {}?", "Is exercise after {} healthy?", "ideas for {}"))
    return form.format(a), form.format(b)


def _viewpoint(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("Arguments for {food} in schools", "Arguments against {food} in schools"),
        ("Explain {thing} repair to a beginner.", "Explain {thing} repair to an expert."),
        ("Why do people love {food}?", "Why do people hate {food}?"),
        ("Praise the {thing} in a review.", "Criticise the {thing} in a review."),
        ("A formal invitation to {person}", "An informal invitation to {person}"),
        food=topics.FOODS, thing=topics.THINGS, person=topics.PEOPLE,
    )  # fmt: skip


def _sum(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("sum", "product", "difference", "mean", "median", "maximum", "minimum"), 2)
    form = rng.choice(
        ("What is the {} of 4 and 9?", "how do i compute the {} of a column", "Show the {} of these scores.")
    )
    return form.format(a), form.format(b)


def _tense_later(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("Who leads {country}?", "Who led {country}?"), ("Does {person} work there?", "Did {person} work there?"),
        ("Is {person} moving out?", "Has {person} moved out?"), ("What is {person} cooking?",
        "What has {person} cooked?"),
        ("Who will own the {thing}?", "Who owns the {thing}?"), ("Where does {person} live?",
        "Where did {person} live?"),
        country=topics.COUNTRIES, person=topics.PEOPLE, thing=topics.THINGS,
    )  # fmt: skip


def _soft(rng: Rng) -> tuple[str, str]:
    base = rng.choice(topics.BASES)
    inner = base if base[1].isupper() else base[0].lower() + base[1:]
    before = rng.choice(("Quick question: ", "Well, ", "Dear assistant, ", "Okay so "))
    return base, before + inner


def _ways(rng: Rng) -> tuple[str, str]:
    action = rng.choice(topics.ACTIONS)
    a, b = rng.sample(
        ("What is the best way to {}?", "How can I {}?", "how would i {}", "What are the steps to {}?",
        "How do you {}?"), 2
    )  # fmt: skip
    return a.format(action), b.format(action)


def _own_words(rng: Rng) -> tuple[str, str]:
    return pick(
        rng, ("What's the price of a {thing}?", "What does a {thing} cost?"),
        ("How big is {country}?", "How large is {country}?"),
        ("Could you give me a recipe for {food}?", "Recipe for {food}, please"),
        ("Explain how a {thing} works.", "How does a {thing} work?"),
        ("What's the {country} capital?", "What is the capital of {country}?"),
        ("Where can I purchase a {thing}?", "where can i buy a {thing}"),
        thing=topics.THINGS, country=topics.COUNTRIES, food=topics.FOODS,
    )  # fmt: skip


PARAPHRASES = {"softened": _soft, "ways to do it": _ways, "own words": _own_words}
NEAR_MISSES = {
    "prefix": _prefix, "agent and patient": _agent, "compound turned round": _compound, "degree": _degree,
    "addressee": _addressee, "condition": _condition, "subject": _subject, "standard": _standard,
    "time of day": _period,
    "viewpoint": _viewpoint, "kind of sum": _sum, "tense again": _tense_later,
}  # fmt: skip
LOOKED_AT = frozenset({"subject"})
"""Kinds whose misses a rule was found by: pronouns and question words must agree since."""
