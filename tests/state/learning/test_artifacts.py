from hashlib import sha256


async def test_versions_count_up_for_each_kind_and_org(store):
    made = [
        await store.artifacts.add_candidate(org, kind, "{}", {})
        for org, kind in (("acme", "own"), ("acme", "own"), ("acme", "other"), ("umbrella", "own"))
    ]
    assert [one.version for one in made] == [1, 2, 1, 1]
    assert [one.status for one in await store.artifacts.list("acme", "own")] == ["rejected", "candidate"]


async def test_two_kinds_of_an_org_may_be_live_at_once(store):
    for kind in ("own", "other"):
        await store.artifacts.go_live(await store.artifacts.add_candidate("acme", kind, kind, {}), {}, {})
    assert [(await store.artifacts.live("acme", kind)).parameters for kind in ("own", "other")] == [
        "own",
        "other",
    ]


async def test_parameters_are_named_by_their_hash(store):
    made = await store.artifacts.add_candidate("acme", "own", '{"a":1}', {"x": 0.5})
    assert made.parameters_sha256 == sha256(b'{"a":1}').hexdigest()
    (kept,) = await store.artifacts.list("acme", "own")
    assert (kept, kept.metrics) == (made, {"x": 0.5})
