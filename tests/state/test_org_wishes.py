from x25.state.org_wishes import AS_THE_GATEWAY, OrgWishes


def test_each_step_of_privacy_keeps_what_the_one_before_keeps():
    kept = {name: (OrgWishes(privacy=name).keeps_inputs, OrgWishes(privacy=name).keeps_words)
            for name in ("hashes", "inputs", "prompts")}  # fmt: skip
    assert kept == {"hashes": (False, False), "inputs": (True, False), "prompts": (True, True)}


def test_an_org_that_wishes_nothing_keeps_what_the_gateway_does_and_is_judged():
    assert (AS_THE_GATEWAY.keeps_inputs, AS_THE_GATEWAY.keeps_words) == (True, True)
    assert not AS_THE_GATEWAY.is_unjudged
    assert OrgWishes(judge="none").is_unjudged
