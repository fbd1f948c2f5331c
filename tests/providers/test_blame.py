import pytest

from x25.providers.blame import lies_with_the_body, lies_with_the_key
from x25.state.errors import ContextLengthExceeded, ProviderAuth, ProviderRateLimit, ProviderServer


@pytest.mark.parametrize(
    ("error", "body", "key"),
    [
        (ContextLengthExceeded("long"), True, False),
        (ProviderAuth("who?"), False, True),
        (ProviderRateLimit("busy"), False, True),
        (ProviderServer("down"), False, False),
    ],
)
def test_whose_fault_it_is(error, body, key):
    assert (lies_with_the_body(error), lies_with_the_key(error, "k")) == (body, key)
    assert not lies_with_the_key(error, None)
