"""Multiple-choice options: read from the prompt, found again in the reasoning, hidden from every other feature.

Which option is chosen, by letter or by length, tells of the answer key, not of the answer.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from .final_answer import FinalAnswer, find_numbers

CHOICE_FEATURE_NAMES = (
    "has_choices", "is_choice", "choice_text_found", "choice_words_share", "choice_words_lead",
    "choice_is_last_found", "other_texts_found_share", "choice_numbers_share",
    "choice_number_reached", "other_number_reached", "choice_number_missed",
)  # fmt: skip
"""What each entry of `choice_features` is."""

_WORD = re.compile(r"\w+")
_CHOICE_LINE = re.compile(r"^[ \t]{0,4}\(?([A-P])[).:][ \t]{1,4}(\S[^\n]*+)", re.MULTILINE)
_CHOICE_LETTER = re.compile(r"(?<![\w'])[A-Pa-p](?![\w'])")


def share(part: int, whole: int) -> float:
    """Return `part` of `whole`; 0 of nothing."""
    return part / whole if whole else 0.0


def find_choices(prompt_text: str) -> dict[str, str]:
    """Return letter → text of the prompt's last list of lettered options ("A. …" on lines of their own).

    Empty unless two or more letters follow each other from A.
    """
    choices: dict[str, str] = {}
    for letter, text in _CHOICE_LINE.findall(prompt_text):
        if letter == "A":
            choices = {}
        if letter == chr(ord("A") + len(choices)):
            choices[letter] = text.strip()
    return choices if len(choices) > 1 else {}


def hide_choice(text: str, final: FinalAnswer | None, choices: Mapping[str, str]) -> str:
    """Return an answer with "_" for every option's letter, and without the chosen text where it is stated."""
    if final is not None and final.choice is not None:
        chosen = re.compile(re.escape(choices[final.choice].strip(" .")), re.IGNORECASE)
        text = text[: final.start] + chosen.sub("", text[final.start :])
    return _CHOICE_LETTER.sub("_", text) if choices else text


def choice_features(
    final: FinalAnswer | None, choices: Mapping[str, str], reasoning: str
) -> tuple[float, ...]:
    """Return how far `reasoning` (lower-cased) speaks of the chosen option and of the others.

    In the order of `CHOICE_FEATURE_NAMES`, each between -1 and 1.
    """
    if final is None or final.choice is None:
        return (float(bool(choices)), *[0.0] * (len(CHOICE_FEATURE_NAMES) - 1))
    texts = {letter: choice.lower().strip(" .") for letter, choice in choices.items()}
    letter_to_last = {letter: reasoning.rfind(text) if text else -1 for letter, text in texts.items()}
    own_last = letter_to_last.pop(final.choice)
    shares = _own_word_shares(texts, set(_WORD.findall(reasoning)))
    own_share = shares.pop(final.choice)
    own_numbers, said = find_numbers(texts[final.choice]), find_numbers(reasoning)
    reached = {letter: _is_reached(find_numbers(text), said) for letter, text in texts.items()}
    own_reached = reached.pop(final.choice)
    return (
        1.0,
        1.0,
        float(own_last >= 0),
        own_share,
        own_share - max(shares.values()),
        float(own_last >= 0 and own_last >= max(letter_to_last.values())),
        share(sum(last >= 0 for last in letter_to_last.values()), len(letter_to_last)),
        share(len(set(own_numbers).intersection(said)), len(set(own_numbers))),
        float(own_reached),
        float(any(reached.values())),
        float(bool(own_numbers and said) and not own_reached),
    )


def _is_reached(numbers: Sequence[str], said: Sequence[str]) -> bool:
    """Return whether the first of an option's numbers is, within 1 %, among the last five of the reasoning."""
    if not numbers:
        return False
    goal = float(numbers[0])
    return any(abs(float(number) - goal) <= 0.01 * abs(goal) for number in said[-5:])


def _own_word_shares(texts: Mapping[str, str], said: set[str]) -> dict[str, float]:
    """Return per option the share of the words only it has that the reasoning says too."""
    letter_to_words = {letter: set(_WORD.findall(text)) for letter, text in texts.items()}
    options_with: Counter[str] = Counter(word for words in letter_to_words.values() for word in words)
    shares = {}
    for letter, words in letter_to_words.items():
        own = {word for word in words if options_with[word] == 1}
        shares[letter] = share(len(own & said), len(own))
    return shares
