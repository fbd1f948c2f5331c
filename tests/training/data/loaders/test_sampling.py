import pytest

from x25.training.data.loaders.sampling import Sampling

PLACES = {
    f"{task}/{model}": (task, "test", model)
    for task in ("math", "code", "law")
    for model in ("a", "b", "c", "d")
}


def test_without_bounds_all_is_kept():
    assert Sampling().files(PLACES) == PLACES.keys()
    assert Sampling().records(["p", "q"]) == [0, 1]


def test_bounds_hold():
    files = Sampling(max_models=2, max_tasks=2, max_files=3).files(PLACES)
    assert len(files) == 3
    assert len({PLACES[name][0] for name in files}) <= 2
    assert len({PLACES[name][2] for name in files}) <= 2
    assert len(Sampling(max_models=2, max_tasks=2).files(PLACES)) == 4


def test_the_sample_depends_on_the_seed_and_not_on_the_order():
    backwards = dict(reversed(PLACES.items()))
    samples = [Sampling(seed=seed, max_files=4).files(PLACES) for seed in range(10)]
    assert samples == [Sampling(seed=seed, max_files=4).files(backwards) for seed in range(10)]
    assert len({frozenset(sample) for sample in samples}) > 5


def test_a_larger_bound_keeps_what_a_smaller_one_did():
    assert Sampling(max_files=3).files(PLACES) < Sampling(max_files=6).files(PLACES)


def test_every_file_keeps_the_same_prompts():
    prompts = [f"p{index}" for index in range(20)]
    first = Sampling(max_records_per_file=5).records(prompts)
    second = Sampling(max_records_per_file=5).records(prompts[::-1])
    assert {prompts[index] for index in first} == {prompts[::-1][index] for index in second}
    assert first == sorted(first)
    assert len(first) == 5


def test_records_of_one_prompt_count_one_by_one():
    assert Sampling(max_records_per_file=2).records(["p", "p", "p"]) == [0, 1]


@pytest.mark.parametrize("name", ["max_files", "max_records_per_file", "max_models", "max_tasks"])
def test_a_bound_is_at_least_one(name):
    with pytest.raises(ValueError, match=f"expected {name} to be at least 1, got 0"):
        Sampling(**{name: 0})
