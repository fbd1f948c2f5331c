from random import Random

import pytest

from x25.simulator.families import FAMILIES

PROMPT_TO_TRUTH = {
    "Calculate 12 * 3 - 4 + 5. Give the number.": "37",
    "Calculate 2 - 3 * 4 - 5. Give the number.": "-15",
    'Reverse the letters of the word "lumen".': "nemul",
    'How often does the letter "o" occur in "foso moki"?': "3",
    "Sort these words alphabetically: zorin, abel, mera.": "abel, mera, zorin",
    'Extract the amount paid of Omar from this message: "Lena (l@a.example) paid $9.10 on 2024-01-02. '
    'Omar (o@b.example) paid $17.25 on 2025-11-30."': "$17.25",
    "Classify the sentiment of this review as positive, negative or mixed: "
    '"On our visit the food was stale, the staff was friendly."': "mixed",
    "What does this Python program print?\n```python\ntotal = 4\nfor i in range(2, 5):\n    total += i * 10\n"
    "print(total)\n```": "94",
    "What does this Python program print?\n```python\nvalues = [3, 6, 8, 9]\n"
    "print(sum(v for v in values if v % 3 == 0))\n```": "18",
    "What does this Python program print?\n```python\ndef f(n):\n    return 2 if n < 2 else "
    "f(n - 1) + f(n - 2)\nprint(f(5))\n```": "16",
    "Paragraph: Mira moved to Oslo in 1998 and works as a pilot. "
    "Hugo moved to Lima in 1971 and works as a baker.\n"
    "Question: Where does the person live who moved first?": "Lima",
    "Paragraph: Mira moved to Oslo in 1998 and works as a pilot.\n"
    "Question: What is the name of the pilot?": "Mira",
}


@pytest.mark.parametrize(("prompt", "truth"), PROMPT_TO_TRUTH.items())
def test_truth_worked_out_by_hand_is_found_in_the_text(prompt: str, truth: str) -> None:
    worked = [
        family.work_out(match)[0]
        for family in FAMILIES
        if (match := family.pattern.search(prompt)) is not None
    ]
    assert worked == [truth]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_reads_what_it_composes_and_nobody_elses(family) -> None:
    rng = Random(3)
    for _ in range(300):
        prompt, truth = family.compose(rng)
        readers = [other.name for other in FAMILIES if other.pattern.search(prompt)]
        assert readers == [family.name]
        assert family.work_out(family.pattern.search(prompt))[0] == truth


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_has_easy_and_hard_tasks(family) -> None:
    rng = Random(5)
    found = []
    for _ in range(300):
        prompt, _truth = family.compose(rng)
        found.append(family.work_out(family.pattern.search(prompt))[1])
    assert min(found) < -1.3
    assert max(found) > 1.0
