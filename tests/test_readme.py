"""Every Python snippet of README.md and of docs/ runs as it stands there."""

import re
from pathlib import Path

import pytest

import x25
from x25.demo.gateway import gateway_process

ROOT = Path(x25.__file__).parent
SNIPPETS = [
    snippet
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for snippet in re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
]


@pytest.fixture(scope="module")
def gateway_url(simulator, tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("readme"), simulator.url) as gateway:
        yield gateway.url


def run(words: str, capsys, url: str = "", **names) -> tuple[dict, str]:
    """Run the one snippet that has these words against the test's gateway instead of the one at the usual address."""
    (source,) = [snippet for snippet in SNIPPETS if words in snippet]
    exec(compile(source.replace("http://localhost:8000", url), f"the snippet with {words}", "exec"), names)
    return names, capsys.readouterr().out


def test_there_is_a_snippet_for_each_way_of_use():
    assert len(SNIPPETS) == 10


@pytest.mark.slow
def test_the_sdk_snippet_prints_an_answer_and_its_receipt(gateway_url, capsys):
    names, out = run('cost-first", gateway_url', capsys, gateway_url)
    assert names["reply"].text in out
    assert names["reply"].audit_hash in out
    assert names["reply"].task_type == "reasoning"


def test_the_openai_snippet_works_with_the_official_client(gateway_url, capsys):
    names, out = run("stream_mode", capsys, gateway_url)
    assert names["chat"].choices[0].message.content in out
    assert names["chat"].model_extra["x25"]["tier"] in {"slm", "mid", "frontier"}


def test_the_graph_snippet_prints_the_path_of_a_call(simulator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_UPSTREAM", "simulator")
    monkeypatch.setenv("X25_SIMULATOR_URL", simulator.url)
    _, out = run("open_cascade", capsys, __name__="readme")
    assert "'lookup_cache', 'classify', 'estimate_difficulty', 'thompson_select', 'dispatch', 'judge'" in out
    assert (tmp_path / ".x25" / "x25.db").is_file()


def test_the_thread_snippet_holds_a_conversation(simulator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_UPSTREAM", "simulator")
    monkeypatch.setenv("X25_SIMULATOR_URL", simulator.url)
    names, out = run("InMemorySaver", capsys)
    assert names["reply"]["text"] in out
    assert "['human', 'ai', 'human', 'ai']" in out


def test_the_subgraph_snippet_answers_from_the_agents_own_models(capsys):
    names, out = run("as_node", capsys)
    assert out.strip() in {"a small answer", "a better answer", "the best answer"}
    assert names["result"]["messages"][-1].type == "ai"


@pytest.mark.slow
def test_the_memory_snippet_answers_from_what_was_said_before(gateway_url, capsys):
    names, out = run("memory=", capsys, gateway_url)
    assert "K-7719" in out
    assert 0 < names["reply"].remembered["tokens"] <= 300


def test_the_cache_snippet_pays_once(gateway_url, capsys):
    _, out = run('cache="exact"', capsys, gateway_url)
    first, second = (line.split() for line in out.splitlines())
    assert (first[0], second) == ("False", ["True", "0.0"])
    assert float(first[1]) > 0


def test_the_steering_snippet_names_a_tier_within_its_limit(gateway_url, capsys):
    _, out = run("routing_hints", capsys, gateway_url)
    assert out.strip() in {"slm", "mid"}


def test_the_ensemble_snippet_predicts_chooses_a_set_and_fuses_its_answers(capsys):
    names, out = run("choose_ensemble", capsys)
    assert out.count("%") == len(names["pool"]) == 3
    assert names["together"].chosen.size == 2
    assert f"{names['together'].author} writes the answer: Several assistants" in out


def test_the_keys_snippet_makes_a_key_spends_under_its_budget_and_renews_it(gateway_url, capsys):
    names, out = run("keys/create", capsys, gateway_url)
    assert names["reply"]["org"] == "my-team"
    assert 0 < names["me"]["spent_today_usd"] < names["me"]["budgets"]["usd_per_day"] == 5
    assert f"{names['renewed']['prefix']} takes over" in out
    assert names["renewed"]["replaces"] == names["key"]["key_id"]
