from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from x25.routing.answer.verifier import VERIFIER_INPUTS, Verifier
from x25.routing.answer.verifier_evidence import TierEvidence
from x25.routing.answer.verifier_trees import LogisticHead
from x25.routing.belief.judge_table import JudgeTable

SURE = JudgeTable(
    "verifier", (-2.0, -1.0, 1.0, 2.0), (0.01, 0.01, 0.01, 0.01, 0.96), (0.96, 0.01, 0.01, 0.01, 0.01)
)


class Planted:
    """Stands where the store's verifiers are looked up: every answer gets the same evidence, in logits."""

    table = SURE

    def __init__(self, evidence: float, **manifest: Any) -> None:
        weights = np.zeros(len(VERIFIER_INPUTS))
        weights[VERIFIER_INPUTS.index("prior_logit")] = 1.0
        head = LogisticHead(np.zeros(len(weights)), np.ones(len(weights)), weights, evidence)
        tier = TierEvidence(1.0, 0.0, SURE, 2_000, 0.9)
        tiers = dict.fromkeys(("slm", "mid", "frontier"), tier)
        self.verifier = Verifier(head, tiers, {}, "enc", manifest or {"cell_auc": {"qa": 0.9}})

    async def verifier_of(self, *_: Any) -> Verifier:
        return self.verifier


@pytest.fixture
def planted() -> Callable[..., Planted]:
    """Return a function that makes the verifiers of an org that has one, audited on questions and answers."""
    return Planted
