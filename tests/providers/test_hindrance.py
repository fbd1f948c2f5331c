import pytest

from x25.providers.breakers import BreakerBook
from x25.providers.hindrance import hindrance_of
from x25.providers.keyring import Keyring, OwnKey
from x25.state.errors import BreakerOpen, ProviderAuth, ProviderRateLimit, ProviderServer


@pytest.fixture
def spec(deployed):
    return deployed("https://a.example", "https://b.example", key_envs=("K",))


def test_each_hindrance_is_named_and_says_when_it_ends(spec):
    keyring, book = Keyring({"K": "k1"}), BreakerBook()
    assert isinstance(hindrance_of(spec, Keyring({}), book, 0.0), ProviderAuth)
    assert hindrance_of(spec, keyring, book, 0.0) is None
    for deployment in spec.deployments:
        keyring.rest("k1", deployment, 7.0)
    resting = hindrance_of(spec, keyring, book, 0.0)
    assert (type(resting), resting.retry_after_s) == (ProviderRateLimit, 7.0)
    for deployment in spec.deployments:
        for _ in range(8):
            book.failed(spec, deployment, None, ProviderServer("down"), 8.0, "mine")
    failing = hindrance_of(spec, keyring, book, 8.0, org="mine")
    assert (type(failing), failing.retry_after_s) == (BreakerOpen, 5.0)
    assert hindrance_of(spec, keyring, book, 8.0, org="other") is None


def test_one_way_that_is_open_is_enough_and_so_is_a_key_of_the_orgs_own(spec):
    keyring, book = Keyring({"K": "k1"}), BreakerBook()
    keyring.rest("k1", spec.deployments[0], 7.0)
    assert hindrance_of(spec, keyring, book, 0.0) is None
    own = (OwnKey("d1", "id", "s"),)
    assert hindrance_of(spec, Keyring({}), book, 0.0, own_keys=own) is None


def test_keys_that_were_refused_are_not_called_busy(spec):
    keyring, book = Keyring({"K": "k1,k2"}), BreakerBook()
    for deployment in spec.deployments:
        keyring.refuse("k1", deployment, 300.0)
        keyring.rest("k2", deployment, 7.0)
    assert isinstance(hindrance_of(spec, keyring, book, 0.0), ProviderRateLimit)  # the second is rested soon
    for deployment in spec.deployments:
        keyring.exhaust("k2", deployment, 300.0)
    refused = hindrance_of(spec, keyring, book, 0.0)
    assert type(refused) is ProviderAuth
    assert "refused, or has no credit left; tried again in 300 s" in str(refused)
    keyring.accept("k1", spec.deployments[0])
    keyring.rest("k1", spec.deployments[0], 400.0)
    assert isinstance(hindrance_of(spec, keyring, book, 0.0), ProviderRateLimit)
    assert keyring.replace({"K": "k9"})
    assert hindrance_of(spec, keyring, book, 0.0) is None
