import openai
import pytest

from x25.api.surfaces.completions import CompletionRequest, messages_of, options_of
from x25.state.errors import InvalidRequest

ASKED = "What is 17 * 23?"


def test_the_official_client_completes_a_text_and_streams_one(gateway):
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        said = client.completions.create(model="auto", prompt=ASKED, max_tokens=200)
        assert (said.object, said.choices[0].index) == ("text_completion", 0)
        assert said.usage.total_tokens > 0
        chunks = list(
            client.completions.create(
                model="sim/medium-4",
                prompt=[ASKED],
                stream=True,
                echo=True,
                stream_options={"include_usage": True},
            )
        )
    text = "".join(choice.text for chunk in chunks for choice in chunk.choices)
    assert text.startswith(ASKED)
    assert chunks[-1].usage.total_tokens > 0
    assert [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason] == [
        "stop"
    ]


def test_logprobs_come_in_the_older_form(http):
    body = {"prompt": ASKED, "logprobs": 2, "routing_hints": {"required_capabilities": ["logprobs"]}}
    choice = http.post("/v1/completions", json=body).raise_for_status().json()["choices"][0]
    told = choice["logprobs"]
    assert {len(column) for column in told.values()} == {len(told["tokens"])}
    assert len(told["top_logprobs"][0]) <= 2
    assert told["text_offset"][1] == len(told["tokens"][0])


def test_what_no_completion_has_is_refused_by_name():
    for name, value in {"tools": [], "suffix": "x", "made_up": 1}.items():
        with pytest.raises(InvalidRequest) as refused:
            options_of(CompletionRequest.model_validate({"prompt": "x", name: value}))
        assert refused.value.field == name


@pytest.mark.parametrize("prompt", ["", "  ", [], ["a", "b"], [1, 2], [[1, 2]], 3, {"a": 1}])
def test_a_prompt_is_one_text(prompt):
    with pytest.raises(InvalidRequest) as refused:
        messages_of(CompletionRequest.model_validate({"prompt": prompt}))
    assert refused.value.field == "prompt"


@pytest.mark.parametrize(("name", "value"), [("n", 9), ("temperature", 3), ("logprobs", 6), ("best_of", 2)])
def test_values_out_of_range_are_refused(http, name, value):
    answer = http.post("/v1/completions", json={"prompt": "x", name: value})
    assert answer.status_code == 422
    assert name in answer.json()["error"]["param"]
