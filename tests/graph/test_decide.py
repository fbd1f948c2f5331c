import socket
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from x25.graph.question import Question
from x25.providers.gateway import Gateway
from x25.state.errors import NoEligibleModel
from x25.state.schema import metadata

ASKED = Question(prompt="Prove that there are infinitely many primes.")


async def rows(store):
    """Return how many rows each table has."""

    def count(connection):
        return {table.name: connection.scalar(select(func.count()).select_from(table))
                for table in metadata.sorted_tables}  # fmt: skip

    return await store.query(count)


def mu_of(decided):
    return {one["model_id"]: one["mu"] for one in decided.logged.facts["candidates"]}


async def test_nobody_is_asked_and_one_record_is_written(cascade, monkeypatch):
    await cascade.decide(ASKED)  # the org's own row
    before = await rows(cascade.services.store)

    def refuse(*_args, **_more):
        raise AssertionError("a decision opened a connection")

    async def refuse_too(*_args, **_more):
        refuse()

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(Gateway, "complete", refuse_too)
    await cascade.decide(ASKED)
    after = await rows(cascade.services.store)
    assert {name: after[name] - count for name, count in before.items() if after[name] != count} == {
        "decisions": 1, "audit": 1,
    }  # fmt: skip


@pytest.mark.parametrize("router", ["auto", "cheap-pair", "x25-classic", "xrouter-classic", "sim/medium-3"])
@pytest.mark.parametrize("policy", [{}, {"max_tier": "mid", "quality_bar": 0.8}])
async def test_the_calling_door_asks_the_same_model_first(open_gateway, tmp_path, router, policy):
    weights = {
        "cost": 0.5,
        "quality": 0.5,
        "latency": 0.0,
    }  # how long calls took is known to the caller alone
    deciding = await open_gateway(data_dir=tmp_path / "a")
    calling = await open_gateway(data_dir=tmp_path / "b")
    for n in range(6):
        prompt = f"What is {n} * 23? Then prove that it is divisible by {n}."
        # Each gateway's draws begin alike, and a call takes more of them than a decision.
        deciding.services.rng.bit_generator.state = calling.services.rng.bit_generator.state
        decided = await deciding.decide(
            Question(prompt=prompt, config=router, policy=policy, optimize_for=weights)
        )
        reply = await calling.route(
            {"prompt": prompt, "router": router, "policy": policy, "org": f"o{n}", "optimize_for": weights}
        )
        first = reply["explain"]["first_decision"]
        assert decided.logged.facts["selected"] == [first["model_id"]]
        assert decided.logged.propensity == first["propensity"]


async def test_a_given_task_is_not_ignored(cascade, teach):
    await teach(cascade.services.store, "frontier", org="default", cell="code")
    classic = replace(ASKED, config="x25-classic")
    code, other = [await cascade.decide(replace(classic, task=task)) for task in ("code", "summary")]
    assert (code.logged.task_type, other.logged.task_type) == ("code", "summary")
    assert mu_of(code) != mu_of(other)
    assert code.logged.facts["selected"][0] in {"sim/large-5", "sim/xlarge-6"}


async def test_more_evidence_makes_a_belief_surer(cascade):
    def sigma(decided):
        return {one["model_id"]: one["sigma"] for one in decided.logged.facts["candidates"]}

    before = sigma(await cascade.decide(replace(ASKED, task="code")))
    assert len(set(before.values())) > 1
    for n in range(30):
        await cascade.services.store.posteriors.add_evidence(
            "default", f"c{n}", 0, task_cell="code", model_id="sim/tiny-1", tier="slm", success=0.5, failure=0.5,
            selection=(0.5, 0.5), org_calls=n, gamma=1.0,
        )  # fmt: skip
    after = sigma(await cascade.decide(replace(ASKED, task="code")))
    surer = {name for name in before if after[name] < before[name]}
    assert surer == {"sim/tiny-1"}


async def test_lambdas_move_the_choice_monotonically(cascade):
    everybody = replace(ASKED, completion_threshold=0.0)

    async def sweep(**fixed):
        (name, grid), *others = fixed.items()
        return [
            (await cascade.decide(replace(everybody, **{name: value}, **dict(others)))).logged
            for value in grid
        ]

    grid = (0.0, 0.01, 0.1, 1.0, 10.0, 1000.0)
    by_latency = [one.latency_ms for one in await sweep(lambda_latency=grid, lambda_cost=1.0)]
    by_cost = [one.cost_nusd for one in await sweep(lambda_cost=grid, lambda_latency=1.0)]
    assert by_latency == sorted(by_latency, reverse=True)
    assert by_cost == sorted(by_cost, reverse=True)


async def test_thresholds_decide(cascade):
    easy = await cascade.decide(replace(ASKED, completion_threshold=0.0))
    assert easy.logged.facts["selected"] == ["sim/tiny-1"]
    mu = mu_of(easy)
    sure = await cascade.decide(replace(ASKED, completion_threshold=0.75))
    assert sure.logged.expected_quality >= 0.75
    best = await cascade.decide(replace(ASKED, completion_threshold=1.0, fallback_quality_margin=0.0))
    assert best.logged.facts["selected"] == [max(mu, key=mu.__getitem__)]


async def test_several_models_are_selected_where_they_are_asked_for(cascade):
    alone = await cascade.decide(replace(ASKED, completion_threshold=0.95))
    together = await cascade.decide(replace(ASKED, completion_threshold=0.95, max_k=3))
    mu, selected = mu_of(together), together.logged.facts["selected"]
    assert len(alone.logged.facts["selected"]) == 1 < len(selected) <= 3
    missed = 1.0
    for name in selected:
        missed *= 1.0 - mu[name]
    assert together.logged.expected_quality == pytest.approx(1.0 - missed, abs=1e-4)


async def test_modalities_are_preferred_where_somebody_reads_them(cascade):
    asked = replace(ASKED, preferred_input_modalities=("image",))
    nobody = await cascade.decide(asked)
    assert nobody.modality_preference == {"requested": ["image"], "applied": False}
    models = dict(cascade.services.models)
    models["sim/tiny-1"] = replace(models["sim/tiny-1"], modalities=frozenset({"text", "image"}))
    cascade.services = replace(cascade.services, models=models)
    one = await cascade.decide(asked)
    assert one.modality_preference == {"requested": ["image"], "applied": True}
    assert one.logged.facts["selected"] == ["sim/tiny-1"]
    assert all(why.startswith("prefer_modalities") for why in one.removed.values())


async def test_what_constraints_forbid_is_refused_and_not_logged(cascade):
    with pytest.raises(NoEligibleModel):
        await cascade.decide(replace(ASKED, policy={"allowed_providers": ["nobody"]}))
    assert await cascade.services.store.history.count("default") == 0


async def test_words_are_kept_only_where_they_may_be(open_gateway, tmp_path):
    for keeps in (False, True):
        cascade = await open_gateway(data_dir=tmp_path / str(keeps), store_prompts=keeps)
        decided = await cascade.decide(replace(ASKED, user_id="ada"))
        logged = await cascade.services.store.history.get("default", decided.logged.call_id)
        assert logged.row.prompt == (ASKED.prompt if keeps else None)
        assert (logged.row.user_id, len(logged.prompt_sha256)) == ("ada", 64)
