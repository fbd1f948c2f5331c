import pytest

from x25.routing.prompt.features import FEATURE_NAMES


async def test_a_hint_wins_over_the_classifier(walk):
    task = (await walk("classify", prompt="Write a poem about the sea.", hint="code")).task
    assert (task.type, task.cell, task.source) == ("code", "code", "hint")


@pytest.mark.parametrize(
    ("prompt", "task_type"),
    [
        ("What is the capital of France?", "qa"),
        ("Summarize the following article in two sentences: The sea rose.", "summary"),
    ],
)
async def test_without_a_hint_the_type_comes_from_the_text(walk, prompt, task_type):
    task = (await walk("classify", prompt=prompt, hint=None)).task
    assert (task.type, task.source) == (task_type, "classifier")
    assert 0 < task.confidence <= 1


async def test_tokens_and_features_of_the_whole_request_are_measured(walk):
    short, long = await walk("classify", prompt="hi"), await walk("classify", prompt="hi " * 400)
    assert 0 < short.task.prompt_tokens < long.task.prompt_tokens
    assert len(short.inputs.features) == len(FEATURE_NAMES)
    assert all(type(value) is float for value in short.inputs.features)
