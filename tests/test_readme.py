"""Every Python snippet of the README runs as it stands there."""

import re
from pathlib import Path

import pytest

import x25
from x25.demo.gateway import gateway_process

README = (Path(x25.__file__).parent / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def gateway_url(simulator, tmp_path_factory):
    with gateway_process(tmp_path_factory.mktemp("readme"), simulator.url) as gateway:
        yield gateway.url


def run(index: int, capsys, url: str = "", **names) -> tuple[dict, str]:
    """Run a snippet against the test's gateway instead of the one at the usual address."""
    source = SNIPPETS[index].replace("http://localhost:8000", url)
    exec(compile(source, f"README.md, snippet {index}", "exec"), names)
    return names, capsys.readouterr().out


def test_there_is_a_snippet_for_each_way_of_use():
    assert len(SNIPPETS) == 6


@pytest.mark.slow
def test_the_sdk_snippet_prints_an_answer_and_its_receipt(gateway_url, capsys):
    names, out = run(0, capsys, gateway_url)
    assert names["reply"].text in out
    assert names["reply"].audit_hash in out
    assert names["reply"].task_type == "reasoning"


def test_the_openai_snippet_works_with_the_official_client(gateway_url, capsys):
    names, out = run(1, capsys, gateway_url)
    assert names["chat"].choices[0].message.content in out
    assert names["chat"].model_extra["x25"]["tier"] in {"slm", "mid", "frontier"}


def test_the_graph_snippet_prints_the_path_of_a_call(simulator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_UPSTREAM", "simulator")
    monkeypatch.setenv("X25_SIMULATOR_URL", simulator.url)
    _, out = run(2, capsys, __name__="readme")
    assert "'lookup_cache', 'classify', 'estimate_difficulty', 'thompson_select', 'dispatch', 'judge'" in out
    assert (tmp_path / ".x25" / "x25.db").is_file()


def test_the_thread_snippet_holds_a_conversation(simulator, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("X25_UPSTREAM", "simulator")
    monkeypatch.setenv("X25_SIMULATOR_URL", simulator.url)
    names, out = run(3, capsys)
    assert names["reply"]["text"] in out
    assert "['human', 'ai', 'human', 'ai']" in out


def test_the_subgraph_snippet_answers_from_the_agents_own_models(capsys):
    names, out = run(4, capsys)
    assert out.strip() in {"a small answer", "a better answer", "the best answer"}
    assert names["result"]["messages"][-1].type == "ai"


def test_the_ensemble_snippet_predicts_chooses_a_set_and_fuses_its_answers(capsys):
    names, out = run(5, capsys)
    assert out.count("%") == len(names["pool"]) == 3
    assert names["together"].chosen.size == 2
    assert f"{names['together'].author} writes the answer: Several assistants" in out
