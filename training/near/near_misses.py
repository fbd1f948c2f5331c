"""Ways of asking something else in almost the same words."""

import random
from collections.abc import Callable

from . import topics

Rng = random.Random


def _two(rng: Rng, names: tuple[str, ...]) -> tuple[str, str]:
    a, b = rng.sample(names, 2)
    return a, b


def _swap(names: tuple[str, ...], *forms: str) -> Callable[[Rng], tuple[str, str]]:
    """Return a maker of pairs that differ in one word of a list."""

    def make(rng: Rng) -> tuple[str, str]:
        form = rng.choice(forms)
        a, b = _two(rng, names)
        return form.format(a), form.format(b)

    return make


def _number(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(range(2, 400), 2)
    form = rng.choice(("Convert {} miles to kilometers.", "What is {} percent of 80?",
        "Write {} tips for better sleep.",
                       "Summarize this in {} words: the cat sat on the mat.", "What is {} times 7?",
                       "Is {} a prime number?"))  # fmt: skip
    return form.format(a), form.format(b)


def _negation(rng: Rng) -> tuple[str, str]:
    food, drug = rng.choice(topics.FOODS), rng.choice(topics.DRUGS)
    pairs = (
        ("Which people should take {1}?", "Which people should not take {1}?"), ("Can {0} be frozen?",
        "Can {0} not be frozen?"),
        ("A recipe for {0} with eggs", "A recipe for {0} without eggs"), ("When is {1} safe?",
        "When is {1} not safe?"),
        ("Why do people like {0}?", "Why do people not like {0}?"), ("Foods that contain {1}",
        "Foods that never contain {1}"),
        ("Why did my {0} rise?", "Why didn't my {0} rise?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    return a.format(food, drug), b.format(food, drug)


def _opposite(rng: Rng) -> tuple[str, str]:
    a, b = rng.choice(topics.ANTONYMS)
    thing = rng.choice(topics.THINGS)
    form = rng.choice(("How do I {} my {}?", "What happens when I {} the {}?", "Can I {} a {} remotely?",
                       "Is it safe to {} my {}?"))  # fmt: skip
    return form.format(a, thing), form.format(b, thing)


def _superlative(rng: Rng) -> tuple[str, str]:
    a, b = rng.choice(topics.SUPERLATIVES)
    form = rng.choice(
        ("What is the {} city in {}?", "Name the {} river in {}.", "Which is the {} building in {}?")
    )
    country = rng.choice(topics.COUNTRIES)
    return form.format(a, country), form.format(b, country)


def _direction(rng: Rng) -> tuple[str, str]:
    a, b = _two(rng, topics.CITIES)
    form = rng.choice(("How do I get from {} to {}?", "When does the train from {} to {} leave?",
                       "What does a flight from {} to {} cost?"))  # fmt: skip
    return form.format(a, b), form.format(b, a)


def _roles(rng: Rng) -> tuple[str, str]:
    a, b = _two(rng, topics.PEOPLE)
    form = rng.choice(("Did {} hire {}?", "Why does {} owe {} money?", "Is {} older than {}?",
        "What did {} tell {}?",
                       "Write an apology by {} that is addressed to {}."))  # fmt: skip
    return form.format(a, b), form.format(b, a)


def _lower_direction(rng: Rng) -> tuple[str, str]:
    a, b = _two(
        rng,
        (
            "celsius",
            "fahrenheit",
            "json",
            "yaml",
            "euros",
            "dollars",
            "markdown",
            "html",
            "liters",
            "gallons",
        ),
    )
    form = rng.choice(("how to convert {} to {}", "convert from {} into {}", "formula to go from {} to {}"))
    return form.format(a, b), form.format(b, a)


def _tense(rng: Rng) -> tuple[str, str]:
    pairs = (
        ("Who is the president of {}?", "Who was the president of {}?"), ("Is {} at war?", "Was {} at war?"),
        ("Who will win the election in {}?", "Who won the election in {}?"), ("Does {} have a king?",
        "Did {} have a king?"),
        ("What is the currency of {}?", "What was the currency of {}?"), ("Are taxes in {} rising?",
        "Were taxes in {} rising?"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    country = rng.choice(topics.COUNTRIES)
    return a.format(country), b.format(country)


def _question_word(rng: Rng) -> tuple[str, str]:
    form = rng.choice(
        ("{} did {} write the report?", "{} does {} travel?", "{} was {} promoted?", "{} will {} sing?")
    )
    a, b = rng.sample(("When", "Why", "Where", "How", "How often"), 2)
    person = rng.choice(topics.PEOPLE)
    return form.format(a, person), form.format(b, person)


def _modal(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("Can", "Should", "Must", "May"), 2)
    form = rng.choice(("{} I eat {} before surgery?", "{} I serve {} to guests?", "{} children eat {}?"))
    food = rng.choice(topics.FOODS)
    return form.format(a, food), form.format(b, food)


def _relation(rng: Rng) -> tuple[str, str]:
    a, b = rng.choice((("before", "after"), ("with", "without"), ("above", "below"), ("during", "after"), ("in",
        "outside"),
                       ("since", "until"), ("over", "under"), ("more than", "less than")))  # fmt: skip
    form = rng.choice(("Do I take {} {} a meal?", "What happens to {} {} a fever?", "May I store {} {} the fridge?",
                       "Is {} {} the limit dangerous?"))  # fmt: skip
    drug = rng.choice(topics.DRUGS)
    return form.format(drug, a), form.format(drug, b)


def _owner(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("my", "your", "his", "her", "their"), 2)
    form = rng.choice(
        ("Where is {} {}?", "Who pays for {} {}?", "How old is {} {}?", "Write a note about {} {}.")
    )
    thing = rng.choice(topics.THINGS)
    return form.format(a, thing), form.format(b, thing)


def _narrower(rng: Rng) -> tuple[str, str]:
    city = rng.choice(topics.CITIES)
    extra = rng.choice(
        (" for children", " in winter", " on a budget", " for vegetarians", " at night", " near the station")
    )
    form = rng.choice(
        ("Recommend restaurants in {}", "What can I do in {}", "List museums in {}", "Plan a weekend in {}")
    )
    return form.format(city) + "?", form.format(city) + extra + "?"


def _form_wanted(rng: Rng) -> tuple[str, str]:
    book = rng.choice(topics.BOOKS)
    ends = (" as a table", " as a poem", " as JSON", " in one sentence", " in bullet points", " as an email",
        "", " briefly",
            " in detail", " for a child", " for experts")  # fmt: skip
    a, b = rng.sample(ends, 2)
    form = rng.choice(("Summarize {}{}.", "Explain {}{}.", "Describe the characters of {}{}."))
    return form.format(book, a), form.format(book, b)


def _quantifier(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("all", "some", "most", "no", "only two", "few"), 2)
    form = rng.choice(("Are {} {}s mammals?", "Do {} {}s bite?", "Can {} {}s swim?"))
    animal = rng.choice([one for one in topics.ANIMALS if one not in ("sheep", "goldfish")])
    return form.format(a, animal), form.format(b, animal)


def _code(rng: Rng) -> tuple[str, str]:
    pairs = (
        ("What does x += 1 do?", "What does x -= 1 do?"), ("What does list.append() do?",
        "What does list.extend() do?"),
        ("Explain git reset --hard", "Explain git reset --soft"), ("What does `a && b` mean?",
        "What does `a || b` mean?"),
        ("Is 0 == false?", "Is 0 === false?"), ("Explain chmod 644", "Explain chmod 755"), ("What is os.path?",
        "What is os.walk?"),
        ("What does grep -v do?", "What does grep -i do?"), ("When is a < b true?", "When is a > b true?"),
        ("Fix user_id in my query", "Fix user_ids in my query"), ("What does s[1:] return?",
        "What does s[:1] return?"),
        ("Explain SELECT * FROM users", "Explain SELECT id FROM users"), ("What is a?.b?", "What is a!.b?"),
        ("What is getUser?", "What is getUsers?"), ("Explain ls /etc", "Explain ls /tmp"),
        ("Is HTTP stateless?", "Is HTTPS stateless?"),
    )  # fmt: skip
    return rng.choice(pairs)


def _unit(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("km", "miles", "meters", "feet", "inches", "yards"), 2)
    form = rng.choice(("How tall is the {} in {}?", "How wide is a {} in {}?"))
    thing = rng.choice(topics.THINGS)
    return form.format(thing, a), form.format(thing, b)


def _date(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(
        ("Monday", "Friday", "May 3", "May 4", "2019", "2020", "yesterday", "today", "in June", "in July"), 2
    )
    form = rng.choice(
        ("What happened in {} {}?", "What was the weather in {} {}?", "Which shops in {} were open {}?")
    )
    city = rng.choice(topics.CITIES)
    return form.format(city, a), form.format(city, b)


def _spoken(rng: Rng) -> tuple[str, str]:
    pairs = (
        ("What is the capital of Spain?", "¿Cuál es la capital de España?"), ("How are you?", "Wie geht es dir?"),
        ("Where is the station?", "Où est la gare ?"), ("What is love?", "Что такое любовь?"), ("Good night",
        "Gute Nacht"),
        ("How much is it?", "多少钱？"), ("What is a verb?", "Was ist ein Verb?"), ("Is water wet?",
        "¿Es el agua húmeda?"),
    )  # fmt: skip
    return rng.choice(pairs)


def _part(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("battery", "screen", "manual", "warranty", "cable", "software", "colour", "weight"), 2)
    form = rng.choice(
        (
            "How do I replace the {1} of my {0}?",
            "Tell me about the {1} of the {0}",
            "Is the {1} of this {0} good?",
        )
    )
    thing = rng.choice(topics.THINGS)
    return form.format(thing, a), form.format(thing, b)


def _neighbours(rng: Rng) -> tuple[str, str]:
    pairs = (
        ("affect", "effect"), ("principal", "principle"), ("stationary", "stationery"), ("desert", "dessert"),
        ("insure", "ensure"), ("hyperthermia", "hypothermia"), ("prescribe", "proscribe"), ("immigrant",
        "emigrant"),
        ("inter-state", "intra-state"), ("hypertension", "hypotension"), ("astrology", "astronomy"), ("carat",
        "karat"),
        ("discreet", "discrete"), ("adverse", "averse"), ("complement", "compliment"), ("biannual", "biennial"),
    )  # fmt: skip
    a, b = rng.choice(pairs)
    form = rng.choice(
        ("what does {} mean", "use {} in a sentence", "translate {} to polish", "give an example of {}")
    )
    return form.format(a), form.format(b)


def _order_of_work(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(
        ("translate", "shorten", "correct", "format", "encrypt", "compress", "sort", "filter"), 2
    )
    form = rng.choice(("{} the text, then {} it", "first {} the list and then {} it"))
    return form.format(a, b), form.format(b, a)


def _which_of_both(rng: Rng) -> tuple[str, str]:
    a, b = _two(rng, topics.LANGUAGES)
    form = rng.choice(("Why is {} better than {}?", "Port this snippet from {} to {}", "Call {} code from {}",
                       "Why did we replace {} with {}?"))  # fmt: skip
    return form.format(a, b), form.format(b, a)


def _first_last(rng: Rng) -> tuple[str, str]:
    a, b = rng.sample(("first", "second", "last", "third", "next", "previous"), 2)
    book = rng.choice(topics.BOOKS)
    form = rng.choice(("Who speaks in the {} act of {}?", "Summarize chapter {} of {}"))
    return form.format(a, book), form.format(b, book)


KINDS = {
    "number": _number,
    "country": _swap(topics.COUNTRIES, "What is the capital of {}?", "How many people live in {}?",
        "Do I need a visa for {}?"),
    "negation": _negation, "opposite verb": _opposite, "superlative": _superlative, "direction": _direction,
    "roles": _roles, "lower-case direction": _lower_direction, "tense": _tense, "question word": _question_word,
    "modal": _modal, "relation": _relation, "owner": _owner, "narrower": _narrower, "form wanted": _form_wanted,
    "quantifier": _quantifier, "code": _code, "unit": _unit, "date": _date, "spoken language": _spoken,
    "programming language": _swap(topics.LANGUAGES, "How do I reverse a list in {}?",
        "Write hello world in {}.", "Is {} typed?"),
    "target language": _swap(topics.TONGUES, "Translate good morning into {}.", "How do you say thanks in {}?",
        "Is {} hard to learn?"),
    "lower-case noun": _swap(topics.ANIMALS, "how long does a {} live", "what do i feed my {}", "can a {} swim"),
    "drug": _swap(topics.DRUGS, "what is the dose of {}", "side effects of {}", "can i take {} with alcohol"),
    "attribute": _swap(topics.ATTRIBUTES, "What is the {} of Norway?", "Tell me about the {} of Peru.",
        "Has the {} of Egypt changed?"),
    "dish": _swap(topics.FOODS, "Give me a recipe for {}.", "How long does {} keep?", "What goes well with {}?"),
    "action": _swap(topics.ACTIONS, "How do I {}?", "Where can I {}?", "Does it cost anything to {}?"),
    "person": _swap(topics.PEOPLE, "Write an email to {} about the meeting.", "When is {}'s birthday?",
        "Is {} at work?"),
    "part": _part, "look-alike word": _neighbours, "order of work": _order_of_work, "which of both": _which_of_both,
    "first or last": _first_last,
    "device": _swap(topics.THINGS, "my {} is broken", "how do i clean a {}", "which {} should i buy"),
}  # fmt: skip
