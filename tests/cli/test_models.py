import json
import socket
from pathlib import Path

import pytest

from x25.cli.models import describe
from x25.graph.bootstrap import BUNDLED_MODELS
from x25.graph.settings import PACKAGE_DIR
from x25.providers.keyring import Keyring
from x25.providers.profiles import SOURCE_LEVELS, Figure, load_profiles
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


@pytest.mark.slow
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


def test_the_list_is_readable_at_80_columns(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = x25("models").stdout
    assert max(map(len, shown.splitlines())) <= 80
    rows = describe(load_registry(BUNDLED_MODELS), Keyring({}))
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for row in rows:
        mark = "*" if row["unverified"] else ""
        assert any(line.startswith(f"{row['model_id']}{mark} {row['tier']} ") for line in lines), row[
            "model_id"
        ]
    assert "set OPENROUTER_API_KEY" in shown


def test_figures_of_another_routers_repository_are_marked(x25) -> None:
    rows = json.loads(x25("models", "--json").stdout)
    marked = {row["model_id"] for row in rows if row["unverified"]}
    assert len(marked) > 20
    assert all("xrouter-llm" in url for row in rows for url in row["unverified"])
    assert "unverified at their source" in x25("models").stdout


def test_further_folders_are_listed(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X25_MODELS_DIR", str(PACKAGE_DIR / "simulator" / "models"))
    assert "sim/tiny-1" in {row["model_id"] for row in json.loads(x25("models", "--json").stdout)}


def test_a_folder_that_is_not_there_is_one_sentence(x25, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X25_MODELS_DIR", "nowhere")
    result = x25("models")
    assert (result.exit_code, result.stderr[:6], "nowhere" in result.stderr) == (1, "error ", True)


def test_every_benchmark_figure_is_listed_with_its_source_and_level(x25) -> None:
    rows = {row["model_id"]: row for row in json.loads(x25("models", "--json").stdout)}
    figures = [figure for row in rows.values() for figure in row["benchmarks"].values()]
    assert len(figures) > 40
    assert all(figure["level"] in SOURCE_LEVELS and 0 <= figure["score"] <= 100 for figure in figures)
    assert rows["google/gemini-3.1-pro-preview"]["benchmarks"]["gpqa_diamond"]["level"] == "model_card"
    assert "image" in rows["google/gemini-3.1-pro-preview"]["modalities"]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Two models' outcomes on two tasks."""
    folder = tmp_path / "results" / "bench"
    for model, shift in (("acme/small", 0), ("acme/large", 1)):
        for task in ("maths", "code"):
            place = folder / task / "test" / model.split("/")[1]
            place.mkdir(parents=True)
            records = [{"index": i, "score": float((i + shift) % 4 > 0)} for i in range(40)]
            (place / "run.json").write_text(json.dumps({"model_name": model, "records": records}))
    return folder


def test_a_sample_is_a_part_of_the_results_and_the_same_for_a_seed(
    x25, results: Path, tmp_path: Path
) -> None:
    arguments = ("models", "sample", results, "--max-records-per-file", 7, "--max-records", 20, "--seed", 3)
    first, second = tmp_path / "one", tmp_path / "two"
    said = json.loads(x25(*arguments, "--out", first).stdout)
    x25(*arguments, "--out", second)
    assert said == {"files": 3, "records": 20, "files_found": 4}
    texts = {path.relative_to(first): path.read_text() for path in first.rglob("*.json")}
    assert texts == {path.relative_to(second): path.read_text() for path in second.rglob("*.json")}
    again = x25(*arguments, "--out", first)
    assert (again.exit_code, "--overwrite" in again.stderr) == (1, True)
    assert x25(*arguments, "--out", first, "--overwrite").exit_code == 0


def test_extracted_profiles_stack_on_the_bundled_ones(x25, results: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    said = json.loads(x25("models", "extract-profile", results, "--out", file).stdout)
    profiles = load_profiles(f"bundled,{file}")
    assert (said["models"], said["figures"]) == (2, 4)
    assert profiles["acme/small"].figures["maths"] == Figure(75.0, "dataset_aggregate", "")
    assert "openai/gpt-5.6-luna" in profiles


def test_download_copies_a_file_and_checks_its_digest(x25, tmp_path: Path) -> None:
    (tmp_path / "outcomes.jsonl").write_text('{"score": 1}\n')
    said = json.loads(
        x25("models", "download", tmp_path / "outcomes.jsonl", "--out", tmp_path / "data").stdout
    )
    assert Path(said["file"]).read_text() == '{"score": 1}\n'
    refused = x25(
        "models", "download", tmp_path / "outcomes.jsonl", "--out", tmp_path / "no", "--sha256", "0" * 64
    )
    assert (refused.exit_code, "not the expected" in refused.stderr) == (1, True)
    assert list((tmp_path / "no").iterdir()) == []


def test_without_a_network_download_says_what_to_do_instead(x25, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = x25("models", "download", f"http://{address}/outcomes.tar.gz", "--out", tmp_path)
    assert result.exit_code == 1
    assert f"cannot reach {address}" in result.stderr
    assert "x25 models sample" in result.stderr
    assert not (tmp_path / "outcomes.tar.gz").exists()
