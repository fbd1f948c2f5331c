import json


def test_a_log_is_exported_and_a_router_tried_on_it(x25, routed, langsmith, monkeypatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "k")
    monkeypatch.setenv("X25_STORE_PROMPTS", "true")
    for number in range(2):
        routed(f"What is {number} * 23?", "--org", "acme")
    result = x25("langsmith", "export", "acme", "--url", langsmith.url, "--evaluate", "cheap-pair", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["dataset"], found["examples"], found["skipped"]) == ("x25-acme", 2, 0)
    assert (found["evaluated"]["router"], found["evaluated"]["examples"], found["evaluated"]["failed"]) == (
        "cheap-pair", 2, 0,
    )  # fmt: skip
    assert {one["key"] for one in langsmith.feedback} == {"quality", "cost_usd", "latency_ms"}
    again = x25("langsmith", "evaluate", "x25-acme", "--url", langsmith.url)
    assert (again.exit_code, "2 prompts by router auto, 0 failed" in again.stderr) == (0, True)


def test_a_log_without_prompts_is_not_exported(x25, routed, langsmith, monkeypatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "k")
    routed("What is 2 * 23?", "--org", "acme")
    result = x25("langsmith", "export", "acme", "--url", langsmith.url)
    assert (result.exit_code, "X25_STORE_PROMPTS" in result.stderr) == (1, True)
    assert langsmith.asked == []


def test_without_a_key_or_with_an_unknown_router_nothing_is_sent(x25, langsmith, monkeypatch) -> None:
    result = x25("langsmith", "export", "acme", "--url", langsmith.url)
    assert (result.exit_code, "LANGSMITH_API_KEY" in result.stderr) == (1, True)
    monkeypatch.setenv("LANGSMITH_API_KEY", "k")
    result = x25("langsmith", "export", "acme", "--url", langsmith.url, "--evaluate", "bogus")
    assert (result.exit_code, "bogus" in result.stderr) == (1, True)
    assert langsmith.asked == []


def test_the_endpoint_may_come_from_the_environment(x25, langsmith, monkeypatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "k")
    monkeypatch.setenv("LANGSMITH_ENDPOINT", langsmith.url)
    result = x25("langsmith", "evaluate", "nothing")
    assert (result.exit_code, langsmith.url in result.stderr) == (1, True)
