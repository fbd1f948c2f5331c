"""Whether two questions want the same answer: what a vector cannot tell, told from their words.

Numbers, names, negations, dates, units, code, signs, scripts, question words, the forms of words, to whom something is
done and whose it is must agree, whatever else is alike; of what is left a logistic regression says how likely the same
answer will do. Its weights are fitted by `training.near` on pairs written by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...state.errors import ConfigError
from . import near_words as words

FEATURE_NAMES = (
    "only_a", "only_b", "overlap", "inversions", "relations_differ", "pairs_differ", "question_differs",
    "past_differs", "modals_differ", "owners_differ", "length_ratio", "negation_place_differs",
)  # fmt: skip
MOST_COUNTED = 3


@dataclass(frozen=True, slots=True)
class _Read:
    """One question, read."""

    words: list[str]
    content: list[str]
    """Stems of the words that carry meaning, in order."""
    numbers: tuple[str, ...]
    names: frozenset[str]
    code: frozenset[str]
    signs: tuple[str, ...]
    letters: tuple[str, ...]
    two_faced: frozenset[str]
    units: frozenset[str]
    script: frozenset[str]
    negations: int
    asked: str
    objects: frozenset[str]
    relations: tuple[str, ...]
    pairs: frozenset[tuple[str, str]]
    """Each word of relation or negation with the content word after it."""
    owned: frozenset[tuple[str, str]]
    """Each word of an owner with the content word after it."""
    forms: dict[str, frozenset[str]]
    """By stem, the forms that it stands in: `owned` is another question than `owns`, `smoking` than `to smoke`."""


@lru_cache(maxsize=4096)
def _read(text: str) -> _Read:
    plain = words.plain(text)
    found = words.words_of(plain)
    skipped = words.FILLERS | words.RELATIONS | words.NEGATIONS | words.PAST | words.MODALS | words.OWNERS
    skipped |= {"what", "who", "whom", "whose", "when", "where", "why", "how", "will", "would"}
    content, pairs, waiting = [], set(), ""
    owned, owner = set(), ""
    forms: dict[str, set[str]] = {}
    for one in found:
        if one in words.RELATIONS or one in words.NEGATIONS:
            waiting = one
        elif one in words.OWNERS:
            owner = one
        elif one not in skipped:
            root = words.stem(one)
            content.append(root)
            forms.setdefault(root, set()).add(words.form_of(one))
            if waiting:
                pairs.add((waiting, root))
                waiting = ""
            if owner:
                owned.add((owner, root))
                owner = ""
    return _Read(
        words=found, content=content, numbers=words.numbers_of(plain), names=words.names_of(text),
        code=words.code_of(text), signs=words.signs_of(text), letters=words.letters_of(text),
        two_faced=words.two_faced_of(text), units=words.units_of(found), script=words.script_of(text),
        negations=sum(one in words.NEGATIONS for one in found), asked=words.question_word(plain),
        objects=words.objects_of(plain),
        relations=tuple(sorted(one for one in found if one in words.RELATIONS)), pairs=frozenset(pairs),
        owned=frozenset(owned),
        forms={root: frozenset(found) for root, found in forms.items()},
    )  # fmt: skip


_MUST_AGREE = {
    "numbers": "numbers", "code": "code", "signs": "signs", "letters": "letters", "two_faced": "names",
    "units": "units", "script": "script", "negations": "negations",
    "objects": "to whom it is done",
}  # fmt: skip
"""What of two questions is the same wherever one answer serves both, and what it is called."""


def disagreement(a: str, b: str) -> str | None:
    """Return what of two questions must agree and does not: one answer cannot serve both; None where all does."""
    x, y = _read(a), _read(b)
    for name, why in _MUST_AGREE.items():
        if getattr(x, name) != getattr(y, name):
            return why
    is_order = x.asked in words.ASKED_BY_ORDERS and y.asked in words.ASKED_BY_ORDERS
    if x.asked != y.asked and not (is_order and "" in (x.asked, y.asked)):
        return "question word"
    if any(found != y.forms.get(root, found) for root, found in x.forms.items()):
        return "form of a word"
    if _changed_hands(x, y) and _changed_hands(y, x):
        return "owners"
    # A name at the beginning of one question may stand in the middle of the other.
    said_x, said_y = {one.removesuffix("'s") for one in x.words}, {one.removesuffix("'s") for one in y.words}
    if x.names - said_y or y.names - said_x:
        return "names"
    return None


def _changed_hands(x: _Read, y: _Read) -> bool:
    """Return whether something that both speak of has an owner in one and none in the other."""
    return any(thing in y.content and all(thing != one for _, one in y.owned) for _, thing in x.owned)


def features_of(a: str, b: str) -> NDArray[np.float64]:
    """Return what the regression sees of a pair, shape (len(FEATURE_NAMES),)."""
    x, y = _read(a), _read(b)
    of_x, of_y = set(x.content), set(y.content)
    shared = of_x & of_y
    union = len(of_x | of_y) or 1
    longest = max(len(x.words), len(y.words)) or 1
    only_x, only_y = _left_over(x.content, y.content), _left_over(y.content, x.content)
    return np.array(
        [
            min(only_x, MOST_COUNTED), min(only_y, MOST_COUNTED), len(shared) / union,
            min(_inversions(x.content, y.content), MOST_COUNTED), float(x.relations != y.relations),
            float(x.pairs != y.pairs), float(x.asked != y.asked), float(_of(x, words.PAST) != _of(y, words.PAST)),
            float(_of(x, words.MODALS) != _of(y, words.MODALS)), float(_of(x, words.OWNERS) != _of(y, words.OWNERS)),
            min(len(x.words), len(y.words)) / longest,
            float({pair for pair in x.pairs ^ y.pairs if pair[0] in words.NEGATIONS} != set()),
        ]
    )  # fmt: skip


def _left_over(ours: list[str], theirs: list[str]) -> int:
    """Return how many of our content words they have not, each as often as it stands."""
    left = list(theirs)
    count = 0
    for one in ours:
        if one in left:
            left.remove(one)
        else:
            count += 1
    return count


def _inversions(ours: list[str], theirs: list[str]) -> int:
    """Return how many neighbours among the shared content words stand the other way round in the other question."""
    place = {one: index for index, one in reversed(list(enumerate(theirs)))}
    shared = [place[one] for one in dict.fromkeys(ours) if one in place]
    return sum(later < earlier for earlier, later in pairwise(shared))


def _of(read: _Read, kind: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in read.words if one in kind)


@dataclass(frozen=True, slots=True)
class NearVerifier:
    """The fitted regression.

    Parameters
    ----------
    weights, intercept
        Of the features, in the order of `FEATURE_NAMES`.
    threshold
        Probability from which an answer is given again.
    """

    weights: NDArray[np.float64]
    intercept: float
    threshold: float

    @classmethod
    def from_dict(cls, parameters: Mapping[str, Any]) -> "NearVerifier":
        """Return the verifier of an artifact; ConfigError where it was fitted on other features."""
        if tuple(parameters["features"]) != FEATURE_NAMES:
            raise ConfigError("fitted on other features than this version reads")
        weights = np.array([float(one) for one in parameters["weights"]])
        return cls(weights, float(parameters["intercept"]), float(parameters["threshold"]))

    def same_prob(self, a: str, b: str) -> float:
        """Return the probability that two questions want the same answer; 0 where something must agree and does not.

        Their vectors have no say in it: near misses are nearer to each other than many a rewording. They choose who is
        looked at.
        """
        if disagreement(a, b) is not None:
            return 0.0
        logit = float(features_of(a, b) @ self.weights) + self.intercept
        return 1.0 / (1.0 + exp(-max(-60.0, min(60.0, logit))))
