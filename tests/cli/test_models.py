import json

import pytest

from x25.cli.models import describe
from x25.graph.bootstrap import BUNDLED_MODELS
from x25.graph.settings import PACKAGE_DIR
from x25.providers.keyring import Keyring
from x25.providers.registry import load_registry
from x25.state.types import TIERS


def test_every_model_is_listed_with_prices_and_its_way_in(x25) -> None:
    result = x25("models", "--json")
    rows = json.loads(result.stdout)
    priced = [
        row for row in rows if (row["input_usd_per_mtok"] or 0) > 0 and (row["output_usd_per_mtok"] or 0) > 0
    ]
    assert result.exit_code == 0
    assert len(priced) >= 24
    assert {row["tier"] for row in rows} == set(TIERS)
    assert [row["tier"] for row in rows] == sorted((row["tier"] for row in rows), key=TIERS.index)
    assert all(row["as_of"] and row["context_tokens"] > 0 for row in rows)
    assert all(bool(row["why_not"]) is not row["routable"] for row in rows)


def test_a_key_opens_models(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = sum(row["routable"] for row in json.loads(x25("models", "--json").stdout))
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-test")
    opened = sum(row["routable"] for row in json.loads(x25("models", "--json").stdout))
    assert closed < 5
    assert opened > 20


def test_the_table_shows_what_the_json_says(x25) -> None:
    shown = x25("models").stdout
    rows = describe(load_registry(BUNDLED_MODELS), Keyring({}))
    assert all(row["model_id"][:12] in shown for row in rows)


def test_further_folders_are_listed(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X25_MODELS_DIR", str(PACKAGE_DIR / "simulator" / "models"))
    assert "sim/tiny-1" in {row["model_id"] for row in json.loads(x25("models", "--json").stdout)}


def test_a_folder_that_is_not_there_is_one_sentence(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X25_MODELS_DIR", "nowhere")
    result = x25("models")
    assert (result.exit_code, result.stderr[:6], "nowhere" in result.stderr) == (1, "error ", True)
