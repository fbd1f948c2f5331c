"""How long a decision takes, without network and store: `python -m x25.bench.decision [--rounds 500]`."""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from ..graph.estimators import read_estimators
from ..providers.embeddings import open_encoder
from ..routing.answer.features import extract_answer
from ..routing.belief.judge_table import DEFAULT_TABLE
from ..routing.belief.thompson import DEFAULT_LEARNER, combine, offset_posterior
from ..routing.plan.cascade import PlanPrices
from ..routing.plan.decide import select
from ..routing.plan.terms import Terms
from ..routing.prompt.features import extract
from ..state.records import Arm, Evidence

PROMPT = ("Consider f(x) = x^2 + 3. If x is an integer, list all primes below 100. " * 60)[:4_000]
ANSWER = "First, 12 * 3 = 36. " * 70 + "\nAnswer: 36"
ARMS = [
    Arm(f"vendor/{tier}-{number}", "vendor", tier, cost, latency, prob, 1.0, 4.0, 128_000, 4_096)
    for number in range(2)
    for tier, cost, latency, prob in (
        ("slm", 100, 800.0, 0.6),
        ("mid", 900, 2_000.0, 0.75),
        ("frontier", 9_000, 5_000.0, 0.85),
    )
]

TERMS = Terms("plan", PlanPrices(), 10_000, 5_000.0, DEFAULT_TABLE)


def measure(rounds: int) -> dict[str, tuple[float, float]]:
    """Return median and 99th percentile, milliseconds, of each part of a decision."""
    messages = [{"role": "user", "content": PROMPT}]
    features = extract(messages, {})
    estimators = read_estimators(open_encoder())
    encode = estimators.encoder.embed_many
    (embedding,) = encode([features.text])
    inputs = [*embedding.tolist(), *features.values.tolist()]
    evidence = {
        arm.model_id: Evidence(
            arm.model_id, "qa", arm.tier, 8.0, 4.0, 8.0, 7.5, 12.0, 90, reward_total=30.0, predicted_total=28.0,
            weight_total=40.0,
        )
        for arm in ARMS
    }  # fmt: skip
    weights = DEFAULT_TABLE.reward_weights()
    rng = np.random.default_rng(0)

    def decide() -> object:
        return select(ARMS, combine(evidence, evidence, DEFAULT_LEARNER), TERMS, rng)

    def understand() -> object:
        seen = extract(messages, {})
        vector = encode([seen.text])[0]
        estimators.classifier.classify(seen, vector, None)
        return estimators.difficulty.estimate([*vector.tolist(), *seen.values.tolist()])

    def update() -> object:
        posterior = DEFAULT_TABLE.posterior(0.7, 3)
        return posterior, float(weights[3]), offset_posterior(0.7, evidence[ARMS[0].model_id])

    parts: dict[str, Callable[[], object]] = {
        "features of 4,000 characters": lambda: extract(messages, {}),
        "embedding of 4,000 characters": lambda: encode([features.text]),
        "classify": lambda: estimators.classifier.classify(features, embedding, None),
        "estimate difficulty, with its uncertainty": lambda: estimators.difficulty.estimate(inputs),
        "all four: 4,000 characters to task and difficulty": understand,
        "select among 6 arms, with propensity": decide,
        "update: bin, learning weight, belief": update,
        "features of a 1,400-character answer": lambda: extract_answer(PROMPT, ANSWER, "stop", {}, 6.5, 1.0),
    }
    return {name: _timed(part, rounds) for name, part in parts.items()}


def _timed(part: Callable[[], object], rounds: int) -> tuple[float, float]:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        part()
        seconds.append(time.perf_counter() - began)
    return 1e3 * statistics.median(seconds), 1e3 * float(np.quantile(seconds, 0.99))


def main(arguments: list[str] | None = None) -> None:
    """Measure and print one line a part."""
    parser = argparse.ArgumentParser(prog="python -m x25.bench.decision", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    for name, (median_ms, p99_ms) in measure(parser.parse_args(arguments).rounds).items():
        print(f"{name:50} p50 {median_ms:.3f} ms   p99 {p99_ms:.3f} ms")


if __name__ == "__main__":
    main()
