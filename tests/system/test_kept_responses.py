"""A response is found by every process on one store, and after a restart; and is gone from all once it was erased."""

from contextlib import ExitStack

import openai
import pytest

pytestmark = pytest.mark.slow
ASKED = {"model": "sim/medium-4", "input": "Say hello.", "instructions": "Be brief.", "metadata": {"a": "b"}}


@pytest.fixture
def clients(quick_simulator, make_gateway):
    """Return a function that starts gateways on one store, each with a client."""
    with ExitStack() as stack:

        def start(count, **settings):
            gateways = [stack.enter_context(make_gateway(quick_simulator, **settings)) for _ in range(count)]
            return [
                stack.enter_context(openai.OpenAI(base_url=f"{one.url}/v1", api_key="none", max_retries=0))
                for one in gateways
            ]

        yield start


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_another_process_and_a_later_one_know_a_response(clients, stream):
    one, other = clients(2, store_prompts="true")
    if stream:
        with one.responses.stream(**ASKED) as events:
            said = events.get_final_response()
    else:
        said = one.responses.create(**ASKED)
    (later,) = clients(1, store_prompts="true")
    for client in (one, other, later):
        read = client.responses.retrieve(said.id)
        assert (read.id, read.output_text, read.metadata) == (said.id, said.output_text, {"a": "b"})
        (asked,) = client.responses.input_items.list(said.id)
        assert asked.content[0].text == "Say hello."
        plain = client.responses.create(model="sim/medium-4", input="And again.")
        after = client.responses.create(
            model="sim/medium-4", input="And again.", previous_response_id=said.id
        )
        assert after.usage.input_tokens > plain.usage.input_tokens
        named = client.responses.create(
            model="sim/medium-4",
            input=[
                {"type": "item_reference", "id": said.output[0].id},
                {"role": "user", "content": "Again."},
            ],
        )
        assert named.output_text
    other.responses.delete(said.id)
    for client in (one, other, later):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(said.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="auto", input="And?", previous_response_id=said.id)


def test_what_was_not_to_be_stored_is_known_to_nobody(clients):
    one, other = clients(2, store_prompts="true")
    said = one.responses.create(**ASKED, store=False)
    for client in (one, other):
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve(said.id)
        with pytest.raises(openai.NotFoundError):
            client.responses.create(model="auto", input="And?", previous_response_id=said.id)


def test_where_no_words_are_kept_the_refusal_says_which_setting_would(clients):
    one, other = clients(2)
    said = one.responses.create(**ASKED)
    assert one.responses.retrieve(said.id).output_text == said.output_text
    with pytest.raises(openai.NotFoundError, match="X25_STORE_PROMPTS=true"):
        other.responses.retrieve(said.id)
    with pytest.raises(openai.NotFoundError, match="X25_STORE_PROMPTS=true"):
        other.responses.create(model="auto", input="And?", previous_response_id=said.id)
