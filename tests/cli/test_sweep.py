import json

SMALL = ("--dataset", "synthetic:42", "--encoder", "none")


def test_the_json_has_one_entry_a_threshold_and_a_calibration_table(x25) -> None:
    result = x25("sweep-thresholds", *SMALL, "--json", "--thresholds", "0.5,0.7,0.9")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert [one["threshold"] for one in report["thresholds"]] == [0.5, 0.7, 0.9]
    assert {"completion", "average_cost_usd", "average_decision_cost_usd"} <= set(report["thresholds"][0])
    assert sum(one["count"] for one in report["calibration"]) > 0
    assert 0.0 <= report["ece"] <= 1.0
    assert set(report["baselines"]) == {"cheapest", "dearest", "likeliest", "oracle", "random"}


def test_the_table_shows_the_frontier_beside_the_baselines(x25) -> None:
    result = x25("sweep-thresholds", *SMALL)
    assert result.exit_code == 0, result.stderr
    for word in ("0.70", "oracle", "calibration", "ECE"):
        assert word in result.stdout


def test_the_published_recipe_is_another_form(x25) -> None:
    reports = [
        json.loads(x25("sweep-thresholds", *SMALL, "--json", "--form", form).stdout)
        for form in ("estimated", "seed")
    ]
    assert [one["form"] for one in reports] == ["estimated", "seed"]
    assert reports[0]["brier"] != reports[1]["brier"]


def test_thresholds_that_are_none_are_one_sentence(x25) -> None:
    for wrong in ("0.5,high", "2.0"):
        result = x25("sweep-thresholds", *SMALL, "--thresholds", wrong)
        assert (result.exit_code, result.stderr.count("error ")) == (1, 1)
