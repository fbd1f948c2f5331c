"""Families of tasks whose right answer can be computed.

Each family has two independent halves. `compose` builds a prompt and knows the truth because it chose the
parts; `work_out` reads a prompt and recovers the truth from its words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from math import prod
from random import Random

Worked = tuple[str, float, tuple[str, ...]]
"""Truth, difficulty before clipping, and values of the same kind found in the text."""


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of task; `work_out` may raise LookupError or ValueError on text that only resembles it."""

    name: str
    task_type: str
    pattern: re.Pattern[str]
    compose: Callable[[Random], tuple[str, str]]
    work_out: Callable[[re.Match[str]], Worked]


def _compose_arithmetic(rng: Random) -> tuple[str, str]:
    digits, terms = rng.randint(1, 4), rng.randint(2, 4)
    numbers = [rng.randint(10 ** (digits - 1), 10**digits - 1) for _ in range(terms)]
    text, total, product = str(numbers[0]), 0, numbers[0]
    for number in numbers[1:]:
        operator = rng.choice("+-*")
        text += f" {operator} {number}"
        if operator == "*":
            product *= number
        else:
            total, product = total + product, number if operator == "+" else -number
    return f"Calculate {text}. Give the number.", str(total + product)


def _work_out_arithmetic(match: re.Match[str]) -> Worked:
    expression = match[1]
    summands = expression.replace(" - ", " + -").split(" + ")
    truth = sum(prod(int(factor) for factor in summand.split(" * ")) for summand in summands)
    operators, times = expression.count(" ") // 2, expression.count("*")
    digits = max(map(len, re.findall(r"\d+", expression)))
    return str(truth), -3.2 + 0.6 * operators + 0.7 * digits + 0.6 * times, ()


_SYLLABLES = [
    "ba", "ce", "di", "fo", "gu", "ha", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "zo",
    "bel", "car", "dor", "fin", "gar", "lum", "mer", "nol", "ras", "tin",
]  # fmt: skip


def _word(rng: Random, syllables: int) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(syllables))


def _compose_strings(rng: Random) -> tuple[str, str]:
    kind = rng.choice(("reverse", "count", "sort"))
    if kind == "reverse":
        word = _word(rng, rng.randint(2, 7))
        return f'Reverse the letters of the word "{word}".', word[::-1]
    if kind == "count":
        phrase = " ".join(_word(rng, rng.randint(2, 3)) for _ in range(rng.randint(1, 8)))
        letter = rng.choice(phrase.replace(" ", ""))
        return f'How often does the letter "{letter}" occur in "{phrase}"?', str(phrase.count(letter))
    words = sorted({_word(rng, rng.randint(2, 3)) for _ in range(rng.randint(3, 10))} | {"abel", "zorin"})
    shuffled = rng.sample(words, len(words))
    return f"Sort these words alphabetically: {', '.join(shuffled)}.", ", ".join(words)


def _work_out_strings(match: re.Match[str]) -> Worked:
    word, letter, phrase, words = match.groups()
    if word is not None:
        return "".join(reversed(word)), -2.6 + 0.22 * len(word), ()
    if letter is not None:
        return str(len(phrase.split(letter)) - 1), -2.2 + 0.09 * len(phrase), ()
    ordered = sorted(words.split(", "))
    return ", ".join(ordered), -2.4 + 0.35 * len(ordered), ()


_NAMES = [
    "Mira", "Jonas", "Aiko", "Pavel", "Lena", "Tomas", "Ines", "Ravi", "Greta", "Omar", "Nora", "Felix",
    "Yara", "Hugo", "Alma", "Idris",
]  # fmt: skip
_CITIES = [
    "Oslo",
    "Lima",
    "Turin",
    "Porto",
    "Ghent",
    "Quito",
    "Kyoto",
    "Perth",
    "Riga",
    "Sofia",
    "Dakar",
    "Hanoi",
]
_JOBS = [
    "pilot",
    "baker",
    "nurse",
    "welder",
    "tailor",
    "painter",
    "chemist",
    "gardener",
    "surveyor",
    "plumber",
]
_FIELDS = ("e-mail address", "date of payment", "amount paid")


def _compose_extraction(rng: Random) -> tuple[str, str]:
    names = rng.sample(_NAMES, rng.randint(1, 7))
    records = {name: _payment(name, rng) for name in names}
    asked, field = rng.choice(names), rng.randrange(3)
    text = " ".join(
        f"{name} ({email}) paid {amount} on {day}." for name, (email, day, amount) in records.items()
    )
    return f'Extract the {_FIELDS[field]} of {asked} from this message: "{text}"', records[asked][field]


def _payment(name: str, rng: Random) -> tuple[str, str, str]:
    email = f"{name.lower()}.{_word(rng, 2)}@{_word(rng, 2)}.example"
    day = date(2024, 1, 1) + timedelta(days=rng.randrange(900))
    return email, day.isoformat(), f"${rng.randint(5, 4000)}.{rng.randint(10, 99)}"


def _work_out_extraction(match: re.Match[str]) -> Worked:
    asked = _FIELDS.index(match[1])
    rows = re.findall(r"(\w+) \((\S+?)\) paid (\$[\d.]+\d) on (\d{4}-\d\d-\d\d)", match[3])
    fields = {name: (email, day, amount)[asked] for name, email, amount, day in rows}
    return fields[match[2]], -2.4 + 0.45 * len(fields) + 0.3 * asked, tuple(fields.values())


def _compose_paragraph(rng: Random) -> tuple[str, str]:
    count = rng.randint(2, 7)
    people = list(
        zip(rng.sample(_NAMES, count), rng.sample(_CITIES, count), rng.sample(_JOBS, count), strict=True)
    )
    years = rng.sample(range(1960, 2024), count)
    text = " ".join(
        f"{name} moved to {city} in {year} and works as a {job}."
        for (name, city, job), year in zip(people, years, strict=True)
    )
    name, city, job = rng.choice(people)
    question, truth = rng.choice((
        (f"In which city does {name} live?", city),
        (f"What is the name of the {job}?", name),
        ("Where does the person live who moved first?", people[years.index(min(years))][1]),
    ))  # fmt: skip
    return f"Read the paragraph and answer the question.\nParagraph: {text}\nQuestion: {question}", truth


def _work_out_paragraph(match: re.Match[str]) -> Worked:
    rows = re.findall(r"(\w+) moved to (\w+) in (\d+) and works as a (\w+)\.", match[1])
    names, cities = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    base = -2.6 + 0.3 * len(rows)
    if match[2] is not None:
        return cities[names.index(match[2])], base, cities
    if match[3] is not None:
        return names[[row[3] for row in rows].index(match[3])], base + 0.6, names
    return min(rows, key=lambda row: int(row[2]))[1], base + 2.2, cities


_GOOD = ["excellent", "friendly", "spotless", "quick", "generous", "delightful"]
_BAD = ["rude", "dirty", "slow", "broken", "stale", "overpriced"]
_THINGS = ["service", "food", "room", "staff", "breakfast", "delivery", "music", "location"]
_MOODS = ("positive", "negative", "mixed")


def _compose_review(rng: Random) -> tuple[str, str]:
    mood = rng.choice(_MOODS)
    things = rng.sample(_THINGS, rng.randint(2, 6))
    good = {"positive": len(things), "negative": 0}.get(mood, rng.randint(1, len(things) - 1))
    marks = [rng.choice(_GOOD) for _ in range(good)] + [rng.choice(_BAD) for _ in range(len(things) - good)]
    rng.shuffle(marks)
    clauses = ", ".join(f"the {thing} was {mark}" for thing, mark in zip(things, marks, strict=True))
    return (
        f'Classify the sentiment of this review as positive, negative or mixed: "On our visit {clauses}."',
        mood,
    )


def _work_out_review(match: re.Match[str]) -> Worked:
    marks = re.findall(r"was (\w+)", match[1])
    good = sum(mark in _GOOD for mark in marks)
    truth = "positive" if good == len(marks) else "negative" if good == 0 else "mixed"
    uneven = truth == "mixed" and min(good, len(marks) - good) == 1
    return truth, -2.7 + 0.35 * len(marks) + 1.0 * (truth == "mixed") + 1.0 * uneven, _MOODS


def _compose_code(rng: Random) -> tuple[str, str]:
    kind = rng.choice(("loop", "filter", "recursion"))
    if kind == "loop":
        start, low, factor = rng.randint(0, 50), rng.randint(0, 9), rng.randint(1, 12)
        high = low + rng.randint(2, 12)
        program = f"total = {start}\nfor i in range({low}, {high}):\n    total += i * {factor}\nprint(total)"
        truth = start + factor * (high - low) * (low + high - 1) // 2
    elif kind == "filter":
        values, modulus = [rng.randint(1, 99) for _ in range(rng.randint(3, 10))], rng.randint(2, 4)
        program = f"values = {values}\nprint(sum(v for v in values if v % {modulus} == 0))"
        truth = sum(value if value % modulus == 0 else 0 for value in values)
    else:
        n, step = rng.randint(3, 9), rng.randint(1, 9)
        program = f"def f(n):\n    return {step} if n < 2 else f(n - 1) + f(n - 2)\nprint(f({n}))"
        truth = step * (1, 1, 2, 3, 5, 8, 13, 21, 34, 55)[n]
    return f"What does this Python program print?\n```python\n{program}\n```", str(truth)


def _work_out_code(match: re.Match[str]) -> Worked:
    start, low, high, factor, values, modulus, step, last = match.groups()
    if start is not None:
        numbers = range(int(low), int(high))
        return str(int(start) + sum(i * int(factor) for i in numbers)), -1.9 + 0.25 * len(numbers), ()
    if values is not None:
        listed = [int(value) for value in values.split(", ")]
        return str(sum(v for v in listed if v % int(modulus) == 0)), -1.8 + 0.3 * len(listed), ()
    before = here = int(step)
    for _ in range(int(last) - 1):
        before, here = here, before + here
    return str(here), -2.0 + 0.5 * int(last), ()


FAMILIES: tuple[Family, ...] = (
    Family(
        "arithmetic",
        "reasoning",
        re.compile(r"Calculate (\d[\d +*-]*\d)\. Give the number"),
        _compose_arithmetic,
        _work_out_arithmetic,
    ),
    Family(
        "extraction",
        "extraction",
        re.compile(
            r"Extract the (e-mail address|date of payment|amount paid) of (\w+)"
            r' from this message: "([^"]*)"'
        ),
        _compose_extraction,
        _work_out_extraction,
    ),
    Family(
        "strings",
        "reasoning",
        re.compile(
            r'Reverse the letters of the word "(\w+)"'
            r'|How often does the letter "(\w)" occur in "([^"]+)"'
            r"|Sort these words alphabetically: ([\w, ]+)\."
        ),
        _compose_strings,
        _work_out_strings,
    ),
    Family(
        "sentiment",
        "classification",
        re.compile(r'Classify the sentiment of this review as positive, negative or mixed: "([^"]*)"'),
        _compose_review,
        _work_out_review,
    ),
    Family(
        "code",
        "code",
        re.compile(
            r"What does this Python program print\?\n```python\n(?:"
            r"total = (\d{1,3})\nfor i in range\((\d{1,3}), (\d{1,3})\):\n"
            r"    total \+= i \* (\d{1,3})\nprint\(total\)"
            r"|values = \[([\d, ]+)\]\nprint\(sum\(v for v in values if v % ([1-9]) == 0\)\)"
            r"|def f\(n\):\n    return (\d) if n < 2 else f\(n - 1\) \+ f\(n - 2\)\nprint\(f\(([2-9])\)\)"
            r")\n```"
        ),
        _compose_code,
        _work_out_code,
    ),
    Family(
        "paragraph",
        "qa",
        re.compile(
            r"Paragraph: ([^\n]*)\nQuestion: (?:In which city does (\w+) live"
            r"|What is the name of the (\w+)|Where does the person live who moved first)\?"
        ),
        _compose_paragraph,
        _work_out_paragraph,
    ),
)
