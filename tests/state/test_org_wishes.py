import pytest

from x25.state.org_wishes import AS_THE_GATEWAY, OrgWishes, is_unstored


def test_each_step_of_privacy_keeps_what_the_one_before_keeps():
    kept = {name: (OrgWishes(privacy=name).keeps_inputs, OrgWishes(privacy=name).keeps_words)
            for name in ("hashes", "inputs", "prompts")}  # fmt: skip
    assert kept == {"hashes": (False, False), "inputs": (True, False), "prompts": (True, True)}


def test_an_org_that_wishes_nothing_keeps_what_the_gateway_does_and_is_judged():
    assert (AS_THE_GATEWAY.keeps_inputs, AS_THE_GATEWAY.keeps_words) == (True, True)
    assert not AS_THE_GATEWAY.is_unjudged
    assert OrgWishes(judge="none").is_unjudged


def test_a_request_that_says_store_false_has_no_more_kept_than_hashes_and_no_other_value_does():
    for org in (AS_THE_GATEWAY, OrgWishes(privacy="inputs"), OrgWishes(privacy="prompts", quality_bar=0.9)):
        narrowed = org.of_call({"store": False, "temperature": 0})
        assert (narrowed.keeps_inputs, narrowed.keeps_words) == (False, False)
        assert (narrowed.privacy, narrowed.quality_bar) == (org.privacy, org.quality_bar)
        for options in ({}, {"store": True}, {"store": None}, {"store": 0}, {"store": "false"}):
            assert org.of_call(options) is org


@pytest.mark.parametrize("options", [None, [], "store", [("store", False)], 7])
def test_what_is_no_object_of_parameters_says_nothing(options):
    assert not is_unstored(options)
