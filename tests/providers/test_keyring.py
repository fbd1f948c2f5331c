from x25.providers.keyring import Keyring
from x25.providers.specs import Deployment

TWO = Deployment("d", "u", "m", ("A_KEYS", "B_KEY"))


def keys_of(keyring, deployment, times, now_s=0.0):
    return [keyring.next_key(deployment, now_s).key for _ in range(times)]


def test_keys_of_all_variables_take_turns_each_once():
    keyring = Keyring({"A_KEYS": "k1, k2,,k1", "B_KEY": "k3"})
    assert keys_of(keyring, TWO, 4) == ["k1", "k2", "k3", "k1"]


def test_a_resting_key_is_passed_over_until_it_is_rested():
    keyring = Keyring({"A_KEYS": "k1,k2"})
    keyring.rest("k1", TWO, 10.0)
    assert keys_of(keyring, TWO, 3, now_s=9.0) == ["k2", "k2", "k2"]
    assert set(keys_of(keyring, TWO, 2, now_s=10.0)) == {"k1", "k2"}


def test_when_all_rest_the_first_free_one_comes_with_its_wait():
    keyring = Keyring({"A_KEYS": "k1,k2"})
    keyring.rest("k1", TWO, 30.0)
    keyring.rest("k2", TWO, 20.0)
    lease = keyring.next_key(TWO, 15.0)
    assert (lease.key, lease.wait_s) == ("k2", 5.0)


def test_a_shorter_rest_does_not_end_a_longer_one():
    keyring = Keyring({"A_KEYS": "k1"})
    keyring.rest("k1", TWO, 30.0)
    keyring.rest("k1", TWO, 5.0)
    assert keyring.next_key(TWO, 10.0).wait_s == 20.0


OTHER = Deployment("d", "u", "other", ("A_KEYS", "B_KEY"))
ELSEWHERE = Deployment("e", "v", "m", ("A_KEYS", "B_KEY"))


def waits(keyring):
    return [keyring.next_key(one, 0.0).wait_s for one in (TWO, OTHER, ELSEWHERE)]


def test_a_key_rests_for_the_model_that_was_busy_alone():
    keyring = Keyring({"A_KEYS": "k1"})
    keyring.rest("k1", TWO, 10.0)
    assert waits(keyring) == [10.0, 0.0, 0.0]


def test_a_key_refused_for_one_model_rests_there_and_for_two_models_everywhere_at_that_address():
    keyring = Keyring({"A_KEYS": "k1"})
    keyring.refuse("k1", TWO, 10.0)
    keyring.refuse("k1", TWO, 10.0)
    assert waits(keyring) == [10.0, 0.0, 0.0]
    keyring.refuse("k1", OTHER, 20.0)
    third = Deployment("d", "u", "third", ("A_KEYS",))
    assert waits(keyring) == [20.0, 20.0, 0.0]
    assert keyring.next_key(third, 0.0).wait_s == 20.0


def test_an_answer_in_between_shows_that_the_key_is_good():
    keyring = Keyring({"A_KEYS": "k1"})
    keyring.refuse("k1", TWO, 10.0)
    keyring.accept("k1", Deployment("d", "u", "third", ("A_KEYS",)))
    keyring.refuse("k1", OTHER, 20.0)
    assert keyring.next_key(Deployment("d", "u", "third", ("A_KEYS",)), 0.0).wait_s == 0.0


def test_a_deployment_without_key_variables_needs_no_key():
    assert Keyring({}).next_key(Deployment("d", "u", "m"), 0.0).key is None


def test_a_deployment_whose_key_or_switch_is_missing_cannot_be_used():
    assert Keyring({"A_KEYS": " "}).next_key(TWO, 0.0) is None
    assert Keyring({"A_KEYS": ","}).next_key(TWO, 0.0) is None
    assert Keyring({}).next_key(Deployment("d", "u", "m", enabled_by="ON"), 0.0) is None


def test_blank_variables_count_as_unset():
    keyring = Keyring({"A_KEYS": "  ", "B_KEY": "k"})
    assert not keyring.has("A_KEYS")
    assert keyring.has("B_KEY")


def test_no_key_is_ever_shown():
    keyring = Keyring({"A_KEYS": "sk-very-secret"})
    lease = keyring.next_key(TWO, 0.0)
    assert "secret" not in repr(keyring) + repr(lease) + str(lease)


def test_the_first_key_of_a_variable_can_be_had_by_name():
    keyring = Keyring({"K": " one , two", "EMPTY": " "})
    assert (keyring.key_of("K"), keyring.key_of("EMPTY"), keyring.key_of("ABSENT")) == ("one", None, None)
