import pytest

from x25.api.surfaces.asking import require_name
from x25.state.errors import ModelNotFound

HELLO = [{"role": "user", "content": "Explain why the sky is blue."}]
DOORS = {
    "/v1/chat/completions": {"messages": HELLO},
    "/v1/completions": {"prompt": HELLO[0]["content"]},
    "/v1/responses": {"input": HELLO[0]["content"]},
    "/v1/messages": {"max_tokens": 1024, "messages": HELLO},
}


@pytest.mark.parametrize("door", DOORS)
async def test_every_door_decides_alike(open_app, door):
    """Two gateways of one seed: the first call of each is the same decision, whatever words it came in."""
    async with open_app("a", seed=3) as first, open_app("b", seed=3) as second:
        plain = {
            "prompt": HELLO[0]["content"],
            **({"options": {"max_tokens": 1024}} if door == "/v1/messages" else {}),
        }
        expected = (await first.post("/route", json=plain)).json()
        told = (await second.post(door, json=DOORS[door])).json()
    assert told["x25"]["model_used"] == told["model"] == expected["model_used"]
    assert told["x25"]["propensity"] == expected["propensity"]


@pytest.mark.parametrize("door", DOORS)
def test_names_are_the_same_at_every_door(http, door):
    unknown = http.post(door, json={**DOORS[door], "model": "gpt-nope"})
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "model_not_found")
    direct = http.post(door, json={**DOORS[door], "model": "sim/medium-4"}).json()
    assert direct["model"] == "sim/medium-4"
    overridden = http.post(
        door, json={**DOORS[door], "model": "sim/tiny-1", "routing_override": {"model": "sim/large-5"}}
    )
    assert overridden.json()["model"] == "sim/large-5"


@pytest.mark.parametrize("door", DOORS)
def test_steering_is_refused_by_name_at_every_door(http, door):
    for hints, field in (({"mod": "x"}, "routing_hints.mod"), ({"mode": "x"}, "routing_hints.mode")):
        answer = http.post(door, json={**DOORS[door], "routing_hints": hints})
        assert (answer.status_code, answer.json()["error"]["param"]) == (422, field)
    twice = {"routing_hints": {"mode": "fast"}, "x25": {"routing_hints": {"mode": "fast"}}}
    answer = http.post(door, json={**DOORS[door], **twice})
    assert (answer.status_code, answer.json()["error"]["param"]) == (422, "routing_hints")
    wrong = http.post(door, json={**DOORS[door], "routing_override": {"model": "nope"}})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (404, "routing_override.model")


def test_a_long_name_is_cut():
    with pytest.raises(ModelNotFound) as refused:
        require_name("x" * 5_000, ["auto"])
    assert len(str(refused.value)) < 300
