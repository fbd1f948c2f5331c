import pytest

from x25.nodes.reuse import reuse


@pytest.mark.parametrize(
    ("memory", "destination"), [({}, "classify"), ({"hit": None}, "classify"),
        ({"hit": {"type": "exact"}}, "serve_hit")]
)  # fmt: skip
async def test_an_answer_that_was_bought_before_is_served(memory, destination):
    assert await reuse(memory) == destination
