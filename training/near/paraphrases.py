"""Ways of asking the same in other words."""

import random

from . import topics

Rng = random.Random


def _base(rng: Rng) -> str:
    return rng.choice(topics.BASES)


def _lower_first(text: str) -> str:
    return text if text[:2].isupper() or text.startswith("I ") else text[0].lower() + text[1:]


def _polite_before(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    before = rng.choice(
        ("Please: ", "Hi! ", "Hello, ", "Quick question: ", "Hey, ", "Good morning. ", "OK, so ")
    )
    return base, before + (base if before.endswith((". ", "! ", ": ")) else _lower_first(base))


def _polite_after(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    return base, f"{base} {rng.choice(('Thanks!', 'Thank you.', 'Please.', 'Thanks in advance.', 'Cheers!'))}"


def _lower_case(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    return base, base.lower().rstrip("?.!")


def _how_to(rng: Rng) -> tuple[str, str]:
    action = rng.choice(topics.ACTIONS)
    forms = ("How do I {}?", "How can I {}?", "How to {}?", "What is the best way to {}?", "Tell me how to {}.",
             "Could you tell me how to {}?", "How would I {}?", "What are the steps to {}?")  # fmt: skip
    a, b = rng.sample(forms, 2)
    return a.format(action), b.format(action)


def _attribute(rng: Rng) -> tuple[str, str]:
    country, attribute = rng.choice(topics.COUNTRIES), rng.choice(topics.ATTRIBUTES)
    forms = ("What is the {1} of {0}?", "What's {0}'s {1}?", "Tell me the {1} of {0}.", "What is {0}'s {1}?",
             "I would like to know the {1} of {0}.", "Do you know the {1} of {0}?")  # fmt: skip
    a, b = rng.sample(forms, 2)
    return a.format(country, attribute), b.format(country, attribute)


def _contraction(rng: Rng) -> tuple[str, str]:
    thing = rng.choice(topics.THINGS)
    pairs = (
        ("Why isn't my {} working?", "Why is my {} not working?"), ("What's a {}?", "What is a {}?"),
        ("My {} won't turn on. What should I do?", "My {} will not turn on, what should I do?"),
        ("Why can't I connect my {}?", "Why can I not connect my {}?"), ("Where's the {} made?",
        "Where is the {} made?"),
        ("I don't have a {}. Can I rent one?", "I do not have a {}, can I rent one?"),
        ("It's a new {}; what's covered?", "It is a new {}; what is covered?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(thing), b.format(thing)


def _synonym(rng: Rng) -> tuple[str, str]:
    fill = {
        "thing": rng.choice(topics.THINGS),
        "book": rng.choice(topics.BOOKS),
        "food": rng.choice(topics.FOODS),
    }
    pairs = (
        ("How do I fix a broken {thing}?", "How do I repair a broken {thing}?"),
        ("Where can I buy a {thing}?", "Where can I purchase a {thing}?"),
        ("Summarize {book}.", "Summarise {book}."), ("Explain the ending of {book}.",
        "Describe the ending of {book}."),
        ("Is {food} hard to make?", "Is {food} difficult to make?"), ("Show a picture of a {thing}.",
        "Show a photo of a {thing}."),
        ("What is the price of a {thing}?", "What is the cost of a {thing}?"),
        ("What are the advantages of a {thing}?", "What are the benefits of a {thing}?"),
        ("Which errors does a {thing} make?", "Which mistakes does a {thing} make?"),
        ("Is {food} quick to prepare?", "Is {food} fast to prepare?"), ("Delete my {thing} settings",
        "Remove my {thing} settings"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(**fill), b.format(**fill)


def _article(rng: Rng) -> tuple[str, str]:
    pairs = (
        ("What is the recipe for {}?", "What is a recipe for {}?"), ("List the ingredients of {}",
        "List ingredients of {}"),
        ("Give me a recipe for {}.", "Give a recipe for {}."), ("Describe the taste of {}.",
        "Describe taste of {}."),
        ("What is the origin of {}?", "What is origin of {}"), ("Name the calories in {}", "Name calories in {}"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    food = rng.choice(topics.FOODS)
    return a.format(food), b.format(food)


def _filler(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    words = base.split(" ")
    at = rng.randrange(1, min(4, len(words)))
    return base, " ".join(
        [*words[:at], rng.choice(("actually", "basically", "really", "exactly", "simply")), *words[at:]]
    )


def _wonder(rng: Rng) -> tuple[str, str]:
    city = rng.choice(topics.CITIES)
    inner, direct = rng.choice((
        ("how old {} is", "How old is {}?"), ("what the weather in {} is like", "What is the weather in {} like?"),
        ("how far away {} is", "How far away is {}?"), ("where {} is", "Where is {}?"),
        ("how many people live in {}", "How many people live in {}?"), ("who founded {}", "Who founded {}?"),
    ))  # fmt: skip
    lead = rng.choice(
        ("I wonder ", "I was wondering ", "Do you know ", "Can you tell me ", "I need to know ")
    )
    return direct.format(city), (lead + inner).format(city) + rng.choice((".", "?", ""))


def _number_word(rng: Rng) -> tuple[str, str]:
    word, digit = rng.choice(
        (("three", "3"), ("five", "5"), ("ten", "10"), ("seven", "7"), ("two", "2"), ("twelve", "12"))
    )
    form = rng.choice(("Name {} rivers in {}.", "List {} museums in {}.", "Give me {} facts about {}.",
                       "Recommend {} restaurants in {}", "Suggest {} walks through {}"))  # fmt: skip
    city = rng.choice(topics.CITIES)
    return form.format(word, city), form.format(digit, city)


def _punctuation(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    return base, base.rstrip("?.!") + rng.choice(("", "??", "?!", " ?", "...", "!"))


def _plural(rng: Rng) -> tuple[str, str]:
    form = rng.choice(("How long do {} live?", "What do {} eat?", "Do {} sleep at night?", "How fast do {} run?",
                       "Are {} good for children?", "Where do {} come from?"))  # fmt: skip
    one = rng.choice([name for name in topics.ANIMALS if name not in ("sheep", "goldfish")])
    single = (
        form.replace("do {} ", "does a {} ", 1)
        .replace("Do {} ", "Does a {} ")
        .replace("Are {} good", "Is a {} good")
    )
    return form.format(one + "s"), single.format(one)


def _imperative(rng: Rng) -> tuple[str, str]:
    book = rng.choice(topics.BOOKS)
    verb = rng.choice(("summarize the plot of {}", "explain the title of {}", "describe the main character of {}",
                       "list the themes of {}", "compare the first and last chapter of {}"))  # fmt: skip
    lead = rng.choice(("Can you {}?", "Could you please {}?", "Would you {}?", "Please {}.", "Will you {}?"))
    plain = verb[0].upper() + verb[1:] + "."
    return plain.format(book), lead.format(verb.format(book))


def _typed_twice(rng: Rng) -> tuple[str, str]:
    base = _base(rng)
    return base, "  ".join(base.split(" ")) + rng.choice(("", "\n", "\n\n"))


def _meaning(rng: Rng) -> tuple[str, str]:
    word = rng.choice(("entropy", "idempotent", "amortization", "osmosis", "inertia", "liquidity", "recursion",
        "tort",
                       "sepsis", "quorum"))  # fmt: skip
    a, b = rng.sample(
        (
            "What is {}?",
            "Define {}.",
            "What is the definition of {}?",
            "What is the meaning of {}?",
            "What's {}?",
        ),
        2,
    )
    return a.format(word), b.format(word)


def _spelling(rng: Rng) -> tuple[str, str]:
    thing = rng.choice(topics.THINGS)
    pairs = (
        ("What colour is the {}?", "What color is the {}?"), ("How do I organise my {} files?",
        "How do I organize my {} files?"),
        ("Customise my {}", "Customize my {}"), ("Where is the {} centre?", "Where is the {} center?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(thing), b.format(thing)


KINDS = {
    "polite before": _polite_before, "polite after": _polite_after, "lower case": _lower_case, "how to": _how_to,
    "attribute of": _attribute, "contraction": _contraction, "synonym": _synonym, "article": _article,
    "filler word": _filler, "indirect question": _wonder, "number word": _number_word, "punctuation": _punctuation,
    "plural": _plural, "imperative": _imperative, "white space": _typed_twice, "meaning of": _meaning,
    "british spelling": _spelling,
}  # fmt: skip
