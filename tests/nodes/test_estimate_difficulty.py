async def test_every_model_has_a_probability_and_stronger_ones_a_higher_one(walk, services):
    state = await walk("estimate_difficulty")
    probs = state["completion_probs"]
    assert probs.keys() == services.models.keys()
    assert all(0 < prob < 1 for prob in probs.values())
    ladder = ["sim/tiny-1", "sim/small-2", "sim/medium-3", "sim/medium-4", "sim/large-5", "sim/xlarge-6"]
    assert sorted(probs, key=probs.__getitem__) == ladder


async def test_a_harder_prompt_lowers_every_probability(walk):
    easy = await walk("estimate_difficulty", prompt="Say hi.")
    proof = (
        "Prove, step by step, that there are infinitely many primes congruent to 3 modulo 4, then derive a bound. "
        * 5
    )
    hard = await walk("estimate_difficulty", prompt=proof)
    assert easy["difficulty"] < hard["difficulty"]
    assert all(hard["completion_probs"][name] < prob for name, prob in easy["completion_probs"].items())
    assert {easy["difficulty_band"], hard["difficulty_band"]} <= {"easy", "medium", "hard"}
    assert easy["difficulty_sigma"] > 0
