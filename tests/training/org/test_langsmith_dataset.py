import socket
import time
from datetime import UTC, datetime

import pytest

from x25.state.errors import ConfigError
from x25.state.records import Call
from x25.state.store import open_store
from x25.training.org import langsmith_dataset
from x25.training.org.langsmith_dataset import BATCH, example_of, export_dataset, open_client, prompts_of


def a_call(n=0, prompt="What is 2 + 2?"):
    return Call(
        f"c{n}", "acme", datetime(2026, 1, 1, tzinfo=UTC), "answered", "qa", "qa", 0.0, "v/m", "v", "mid", 5_000, 0, 9,
        0.5, "judge", 12.0, 1, 0, 0, 1.0, "auto", False, "", prompt=prompt,
    )  # fmt: skip


@pytest.fixture
def client(langsmith):
    return open_client(langsmith.url, "secret-key")


def test_each_call_becomes_an_example_with_what_became_of_it(langsmith, client):
    made = export_dataset(client, "mine", "acme", [a_call(n, f"prompt {n}") for n in range(BATCH + 3)], 7)
    assert (made.dataset, made.examples, made.skipped) == ("mine", BATCH + 3, 7)
    assert len(langsmith.examples) == BATCH + 3
    found = next(one for one in langsmith.examples.values() if one["inputs"]["prompt"] == "prompt 2")
    assert found["metadata"]["call_id"] == "c2"
    assert found["metadata"]["cost_usd"] == 5e-6
    assert langsmith.keys == {"secret-key"}


def test_an_example_holds_the_prompt_and_no_answer():
    example = example_of(a_call())
    assert example["inputs"] == {"prompt": "What is 2 + 2?", "task_type": "qa"}
    assert "outputs" not in example


def test_a_name_that_is_taken_is_refused_in_one_sentence(client):
    export_dataset(client, "mine", "acme", [a_call()], 0)
    with pytest.raises(ConfigError, match="LangSmith at http"):
        export_dataset(client, "mine", "acme", [a_call()], 0)


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_a_refusal_is_an_error_and_nothing_is_repeated(langsmith, client, status):
    langsmith.fail = status
    began = time.monotonic()
    with pytest.raises(ConfigError, match=str(status)):
        export_dataset(client, "mine", "acme", [a_call()], 0)
    assert time.monotonic() - began < 5.0
    assert langsmith.asked.count("POST /datasets") == 1


def test_a_dead_address_is_an_error_at_once():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
        export_dataset(open_client(f"http://127.0.0.1:{port}", "k"), "mine", "acme", [a_call()], 0)
    assert time.monotonic() - began < 5.0


def test_an_address_that_never_replies_is_left_after_the_timeout(monkeypatch):
    monkeypatch.setattr(langsmith_dataset, "READ_MS", 200)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        began = time.monotonic()
        with pytest.raises(ConfigError, match="did not do it"):
            export_dataset(
                open_client(f"http://127.0.0.1:{silent.getsockname()[1]}", "k"), "mine", "acme", [a_call()], 0
            )
        assert time.monotonic() - began < 5.0


def test_without_a_key_nothing_is_asked():
    with pytest.raises(ConfigError, match="LANGSMITH_API_KEY"):
        open_client(None, None)


async def test_calls_without_their_prompt_are_counted_and_left_out(tmp_path):
    async with await open_store(f"sqlite+aiosqlite:///{tmp_path}/x25.db") as store:
        for n, prompt in enumerate(("one", None, "two", "")):
            await store.calls.record(a_call(n, prompt), {"kind": "call"})
        calls, others = await prompts_of(store, "acme", 10)
        assert (sorted(call.prompt for call in calls), others) == (["one", "two"], 2)
        with pytest.raises(ConfigError, match="X25_STORE_PROMPTS"):
            await prompts_of(store, "other", 10)
