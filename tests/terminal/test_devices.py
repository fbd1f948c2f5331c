from dataclasses import replace

from x25.state.accounts import make_account
from x25.terminal.devices import device_of, new_device

ANN = make_account("ann", "$argon2id$salt$hash", orgs=["acme"])


def test_a_device_is_known_for_the_account_that_was_signed_in_with_it_and_its_password():
    shown = new_device(ANN)
    name, _, signature = shown.partition(".")
    assert device_of(ANN, shown) == name
    assert new_device(ANN) != shown
    assert device_of(make_account("bob", ANN.password_hash, orgs=["acme"]), shown) is None
    assert device_of(replace(ANN, password_hash="$argon2id$salt$other"), shown) is None
    for forged in (f"other.{signature}", f"{name}.{'0' * 64}", name, ".", "", "é.ü", None):
        assert device_of(ANN, forged) is None
    assert device_of(None, shown) is None
