"""On what can the training commands be tried? A small synthetic corpus; nobody's model was asked.

    difficulty = (steps - 6.5) / 2 + noise,             noise ~ N(0, .5)
    P(complete) = sigmoids(4 capability - difficulty - 1.5)
    cost = price (80 + 12 characters) / 1e6 dollars,    price in dollars per million tokens

A prompt chains `steps` additions, subtractions and multiplications, 1 to 12 of them, so that difficulty shows in
the text. Six subjects have published benchmarks; two agents have none.
"""

import numpy as np

from ...routing.belief.irt import Profile
from ...routing.prompt.logistic import sigmoids
from .outcomes import Outcome, Outcomes

SOURCE = "synthetic"
PROMPTS = 240
_STEPS = 12
_SUBJECTS = {
    "synthetic/tiny": (0.25, 0.1),
    "synthetic/small": (0.40, 0.3),
    "synthetic/medium": (0.55, 0.9),
    "synthetic/large": (0.65, 3.0),
    "synthetic/huge": (0.80, 9.0),
    "synthetic/best": (0.90, 30.0),
}
"""Capability and price, dollars per million tokens."""
_AGENTS = {"agent/plain": 0.45, "agent/careful": 0.70}
_OPENINGS = ("What is", "Compute", "Work out step by step", "Give only the number:")
_SIGNS = ("+", "-", "*")


def synthetic_outcomes(seed: int = 42, prompts: int = PROMPTS) -> Outcomes:
    """Return the corpus; the same seed gives the same corpus, and a longer one begins with a shorter one."""
    rows = []
    for number in range(prompts):
        rng = np.random.default_rng([seed, number])
        steps = 1 + number % _STEPS
        difficulty = (steps - 6.5) / 2.0 + rng.normal(0.0, 0.5)
        text = _prompt(rng, steps)
        abilities = {**{name: ability for name, (ability, _) in _SUBJECTS.items()}, **_AGENTS}
        for model_id, ability in abilities.items():
            chance = float(sigmoids(np.array(4.0 * ability - difficulty - 1.5)))
            rows.append(_outcome(f"{SOURCE}:{seed}:{number}", text, model_id, rng.uniform() < chance))
    return Outcomes(tuple(rows))


def synthetic_profiles() -> dict[str, Profile]:
    """Return the published benchmarks of the six subjects that have any: both equal to 100 capability."""
    return {
        name: Profile(name, {"gpqa_diamond": 100.0 * ability, "livecodebench": 100.0 * ability})
        for name, (ability, _) in _SUBJECTS.items()
    }


def _prompt(rng: np.random.Generator, steps: int) -> str:
    parts = [str(rng.integers(2, 10 + 8 * steps))]
    for _ in range(steps):
        parts += [str(rng.choice(_SIGNS)), str(rng.integers(2, 10 + 8 * steps))]
    return f"{rng.choice(_OPENINGS)} {' '.join(parts)}"


def _outcome(prompt_id: str, text: str, model_id: str, completed: bool) -> Outcome:
    price = _SUBJECTS[model_id][1] if model_id in _SUBJECTS else None
    return Outcome(
        prompt_id=prompt_id,
        prompt=text,
        model_id=model_id,
        score=float(completed),
        source=SOURCE,
        cost_usd=None if price is None else price * (80 + 12 * len(text)) / 1e6,
        task="reasoning",
        subject_profiled=model_id in _SUBJECTS,
    )
