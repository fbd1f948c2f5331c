import pytest

from x25.simulator.faults import KIND_TO_PARAMETERS, Fault, parse_fault, parse_scenario


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("429;retry_after=2.5", Fault("429", {"retry_after": 2.5})),
        ("429", Fault("429", {"retry_after": -1})),
        (" timeout ; seconds=2; billed=1 ", Fault("timeout", {"seconds": 2, "billed": 1})),
        ("cut_stream;after=0", Fault("cut_stream", {"after": 0})),
    ],
)
def test_a_spec_names_a_fault_and_its_parameters(spec: str, fault: Fault) -> None:
    assert parse_fault(spec) == fault


@pytest.mark.parametrize("kind", KIND_TO_PARAMETERS)
def test_every_kind_needs_no_parameters(kind: str) -> None:
    assert parse_fault(kind).kind == kind


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("timout", "unknown fault 'timout'; did you mean 'timeout'"),
        ("", "unknown fault ''; known: 400"),
        ("429;retry=2", "429 has no parameter 'retry'"),
        ("500;seconds=2", "500 has no parameter 'seconds'; known: none"),
        ("timeout;seconds=soon", "timeout;seconds must be a number of at least 0, got 'soon'"),
        ("latency;ms=-5", "got '-5'"),
        ("latency;ms=nan", "got 'nan'"),
    ],
)
def test_a_wrong_spec_is_refused_with_the_reason(spec: str, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_fault(spec)
    assert sentence in str(refused.value)


def kinds(rules: list, models: list[str], seed: int = 1) -> list[str]:
    scenario = parse_scenario(rules, seed)
    return [fault.kind if (fault := scenario.fault_for(model)) is not None else "" for model in models]


def test_nth_strikes_once_among_the_models_it_matches() -> None:
    rules = [{"match": {"model": "sim/a*", "nth": 2}, "fault": "500"}]
    assert kinds(rules, ["sim/a1", "sim/b", "sim/a2", "sim/a1"]) == ["", "", "500", ""]


def test_every_strikes_each_kth_request() -> None:
    assert kinds([{"match": {"every": 3}, "fault": "503"}], ["m"] * 6) == ["", "", "503", "", "", "503"]


def test_the_first_rule_that_strikes_wins_and_the_others_still_count() -> None:
    rules = [{"match": {"nth": 1}, "fault": "401"}, {"match": {"nth": 2}, "fault": "402"}, {"fault": "empty"}]
    assert kinds(rules, ["m"] * 3) == ["401", "402", "empty"]


def test_probability_strikes_the_stated_share_and_the_seed_decides_which() -> None:
    rules = [{"match": {"probability": 0.3}, "fault": "500"}]
    struck = kinds(rules, ["m"] * 2000)
    assert 530 < struck.count("500") < 670  # 600 expected, sd 20.5
    assert struck == kinds(rules, ["m"] * 2000)
    assert struck != kinds(rules, ["m"] * 2000, seed=2)


def test_rules_may_stand_under_a_key() -> None:
    assert kinds({"rules": [{"fault": "500"}]}, ["m"]) == ["500"]


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ("500", "must be a list of rules"),
        ([{"match": {}}], "rule 0 must have the keys match and fault"),
        ([{"fault": "500"}, {"fault": "500", "when": 1}], "rule 1 must have"),
        ([{"match": {"modle": "x"}, "fault": "500"}], "did you mean 'model'"),
        ([{"match": {"nth": 0}, "fault": "500"}], "nth must be a whole number of at least 1, got 0"),
        ([{"match": {"every": True}, "fault": "500"}], "every must be a whole number"),
        ([{"match": {"probability": 1.5}, "fault": "500"}], "between 0 and 1, got 1.5"),
        ([{"fault": "oops"}], "unknown fault 'oops'"),
    ],
)
def test_a_wrong_scenario_is_refused_with_the_reason(rules: object, sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        parse_scenario(rules, 1)
    assert sentence in str(refused.value)
