import json


def test_settings_are_shown_and_changed_one_by_one(x25) -> None:
    changed = (
        "--set",
        "quality_bar=0.9",
        "--set",
        "optimize_for=cost-first",
        "--set",
        "budgets.usd_per_day=5",
    )
    made = json.loads(x25("orgs", "settings", "acme", *changed, "--json").stdout)
    assert (made["quality_bar"], made["optimize_for"], made["budgets"]["usd_per_day"]) == (
        0.9,
        "cost-first",
        5,
    )
    x25("orgs", "settings", "acme", "--set", "quality_bar=null", "--set", "budgets.usd_per_month=7")
    kept = json.loads(x25("orgs", "settings", "acme", "--json").stdout)
    assert (kept["quality_bar"], kept["optimize_for"]) == (None, "cost-first")
    assert kept["budgets"] == {"usd_per_call": None, "usd_per_day": 5, "usd_per_month": 7}
    assert json.loads(x25("orgs", "settings", "other", "--json").stdout)["optimize_for"] is None
    assert 'optimize_for: "cost-first"' in x25("orgs", "settings", "acme").stdout


def test_wrong_settings_are_one_sentence_and_change_nothing(x25) -> None:
    for wrong, said in (
        ("quality_bar=2", "quality_bar must be a number between 0 and 1, got 2"),
        ("budgets.usd_per_year=2", "budgets.usd_per_year is unknown"),
        ("privacy=none", "privacy must be one of hashes, inputs, prompts"),
        ("judge=vendor/model", "checked by the gateway"), ("quality_bar", "--set takes NAME=VALUE"),
    ):  # fmt: skip
        result = x25("orgs", "settings", "acme", "--set", wrong)
        assert (result.exit_code, said in result.stderr) == (1, True), result.stderr
    assert json.loads(x25("orgs", "settings", "acme", "--json").stdout)["quality_bar"] is None


def test_an_org_is_deleted_once_that_is_meant(x25) -> None:
    made = json.loads(x25("keys", "create", "acme", "--json").stdout)
    x25("orgs", "settings", "acme", "--set", "quality_bar=0.9")
    assert x25("orgs", "delete", "acme").exit_code != 0  # nobody says yes
    told = json.loads(x25("orgs", "delete", "acme", "--yes", "--json").stdout)
    assert (told["org"], told["under_way"], told["store"]["rows"]["org_settings"]) == ("acme", 0, 1)
    assert made["key_id"] not in x25("keys", "list", "--json").stdout
    assert json.loads(x25("orgs", "settings", "acme", "--json").stdout)["quality_bar"] is None
    assert "no org 'nobody'" in x25("orgs", "delete", "nobody", "--yes").stderr
