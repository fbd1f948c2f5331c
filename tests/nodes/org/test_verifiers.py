import json
import logging

import numpy as np
import pytest

from x25.nodes.org.verifiers import LOOK_EVERY_S, Verifiers
from x25.routing.answer.verifier import KIND, VERIFIER_INPUTS, Verifier
from x25.routing.answer.verifier_evidence import TierEvidence
from x25.routing.answer.verifier_trees import LogisticHead
from x25.routing.belief.judge_table import DEFAULT_TABLE
from x25.state.store import open_store


@pytest.fixture
async def store(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as opened:
        yield opened


def planted(intercept=1.0, encoder="enc"):
    zeros, ones = np.zeros(len(VERIFIER_INPUTS)), np.ones(len(VERIFIER_INPUTS))
    head = LogisticHead(zeros, ones, zeros, intercept)
    return Verifier(head, {"slm": TierEvidence(1.0, 0.0, DEFAULT_TABLE, 500, 0.8)}, {}, encoder)


async def put_live(store, verifier, org="acme"):
    text = verifier if isinstance(verifier, str) else json.dumps(verifier.to_dict())
    await store.artifacts.go_live(await store.artifacts.add_candidate(org, KIND, text, {}), {}, {})


async def test_an_org_has_no_verifier_until_one_goes_live_and_none_after_a_rollback(store):
    verifiers = Verifiers()
    assert await verifiers.verifier_of(store, "acme", "enc", 0.0) is None
    await put_live(store, planted())
    assert await verifiers.verifier_of(store, "acme", "enc", LOOK_EVERY_S / 2) is None
    assert (await verifiers.verifier_of(store, "acme", "enc", LOOK_EVERY_S)).head.intercept == 1.0
    assert await verifiers.verifier_of(store, "other", "enc", LOOK_EVERY_S) is None
    await store.artifacts.roll_back("acme", KIND, {}, {})
    assert await verifiers.verifier_of(store, "acme", "enc", 2 * LOOK_EVERY_S) is None


async def test_between_looks_and_after_a_failure_of_the_store_what_is_known_serves(store, caplog):
    verifiers = Verifiers()
    await put_live(store, planted())
    served = await verifiers.verifier_of(store, "acme", "enc", 0.0)
    await store.close()
    assert await verifiers.verifier_of(store, "acme", "enc", LOOK_EVERY_S / 2) is served
    assert caplog.messages == []
    assert await verifiers.verifier_of(store, "acme", "enc", LOOK_EVERY_S) is served
    assert "could not be looked for" in caplog.text


@pytest.mark.parametrize("damaged", ["{", "[]", "{}", json.dumps(planted(encoder="older").to_dict())])
async def test_what_cannot_serve_is_logged_once_and_nobody_looks(store, caplog, damaged):
    verifiers = Verifiers()
    await put_live(store, damaged)
    for look in range(3):
        assert await verifiers.verifier_of(store, "acme", "enc", look * LOOK_EVERY_S) is None
    (line,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "version 1 of the verifier of org acme cannot serve" in line.getMessage()


async def test_the_orgs_longest_unseen_are_let_go(store):
    verifiers = Verifiers(most_orgs=2)
    for org in ("a", "b", "a", "c"):
        await verifiers.verifier_of(store, org, "enc", 0.0)
    assert len(verifiers) == 2
