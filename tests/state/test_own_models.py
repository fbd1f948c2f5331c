from datetime import UTC, datetime, timedelta

from x25.state.lessons import Watch
from x25.state.own_models import OwnModel

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def model(org="acme", model_id="own/m", after_s=0, **spec):
    return OwnModel(org, model_id, spec, NOW + timedelta(seconds=after_s))


async def test_models_are_kept_by_org_and_a_second_takes_the_place_of_the_first(store):
    assert await store.own_models.add(model(tier="slm"))
    assert await store.own_models.add(model(org="other"))
    assert not await store.own_models.add(model(after_s=1, tier="mid"))
    assert [one.spec for one in await store.own_models.of("acme")] == [{"tier": "mid"}]
    assert [(one.org, one.spec) for one in await store.own_models.all()] == [
        ("acme", {"tier": "mid"}),
        ("other", {}),
    ]


async def test_every_change_changes_the_mark(store):
    marks = [await store.own_models.mark()]
    await store.own_models.add(model())
    marks.append(await store.own_models.mark())
    await store.own_models.add(model(after_s=1))
    marks.append(await store.own_models.mark())
    await store.own_models.remove("acme", "own/m")
    marks.append(await store.own_models.mark())
    assert len({*marks}) == 3
    assert marks[0] == marks[3]


async def test_only_the_org_itself_can_remove_its_model(store):
    await store.own_models.add(model())
    assert not await store.own_models.remove("other", "own/m")
    assert await store.own_models.remove("acme", "own/m")
    assert not await store.own_models.remove("acme", "own/m")


async def test_what_was_learnt_of_a_model_goes_with_it_and_nothing_else(store):
    lesson = {
        "task_cell": "qa", "model_id": "own/m", "tier": "slm", "success": 1.0, "failure": 0.0,
        "selection": (1.0, 0.5), "rescued": None, "org_calls": 1, "watch": Watch(), "gamma": 1.0,
    }  # fmt: skip
    await store.own_models.add(model())
    await store.posteriors.add_evidence("acme", "c1", 0, **lesson)
    await store.posteriors.add_evidence("acme", "c2", 0, **lesson | {"model_id": "v/m"})
    await store.posteriors.add_evidence("other", "c1", 0, **lesson)
    await store.own_models.add(model(after_s=1))
    assert {one.model_id for one in await store.posteriors.read_all("acme")} == {"v/m"}
    assert {one.model_id for one in await store.posteriors.read_all("other")} == {"own/m"}


async def test_the_chain_of_its_org_says_when_a_model_came_and_went(store):
    await store.own_models.add(model(tier="slm"))
    await store.own_models.remove("acme", "own/m")
    await store.own_models.remove("acme", "own/m")
    entries = [entry.record for entry in await store.audit.tail("acme", 9)]
    assert [(one["kind"], one["action"], one["model_id"]) for one in entries] == [
        ("own_model", "registered", "own/m"), ("own_model", "unregistered", "own/m"),
    ]  # fmt: skip
    assert (await store.audit.verify("acme")).intact
    assert await store.audit.tail("other", 9) == []
    assert await store.orgs.call_count("acme") == 0
