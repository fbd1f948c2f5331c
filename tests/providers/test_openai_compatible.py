import socket

import aiohttp
import pytest

from x25.providers.base import ProviderRequest
from x25.providers.openai_compatible import OpenAICompatible
from x25.state.errors import (
    ContextLengthExceeded,
    ProviderAuth,
    ProviderBadRequest,
    ProviderBilling,
    ProviderConnection,
    ProviderMalformed,
    ProviderRateLimit,
    ProviderServer,
    ProviderTimeout,
)
from x25.state.usage import Usage

BODY = {"messages": [{"role": "user", "content": "Capital of France?"}]}


@pytest.fixture
def ask(client, upstream, deployed):
    async def ask(body=BODY, api_key=None, timeout_s=5.0, url=None, **changes):
        spec = deployed(url or upstream.url, **changes)
        request = ProviderRequest(spec, spec.deployments[0], body, "att-1", timeout_s, api_key)
        return await OpenAICompatible(client).complete(request)

    return ask


async def test_the_body_passes_untouched_but_for_model_and_stream(ask, upstream):
    body = BODY | {
        "model": "auto",
        "stream": True,
        "made_up": {"deep": [1, None, "é"]},
        "temperature": 0.0,
        "tools": [],
    }
    await ask(body, upstream_model="up/model")
    assert upstream.requests[0]["body"] == body | {"model": "up/model", "stream": False}
    assert upstream.requests[0]["path"] == "/v1/chat/completions"


async def test_logprobs_are_asked_for_and_come_back_in_the_completion(ask, upstream, answer, scripted):
    token = {"token": "Paris", "logprob": -0.25, "bytes": [80, 97, 114, 105, 115], "top_logprobs": []}
    body = answer()
    body["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
    upstream.reply(scripted(body=body), scripted(body=body))
    found = await ask(BODY | {"logprobs": True, "top_logprobs": 0})
    assert upstream.requests[0]["body"]["logprobs"] is True
    assert found.logprobs == {"content": [token], "refusal": None}
    assert (await ask()).logprobs is None  # nobody asked


async def test_stream_options_are_left_out_because_nothing_streams(ask, upstream):
    await ask(BODY | {"stream": True, "stream_options": {"include_usage": True}})
    assert "stream_options" not in upstream.requests[0]["body"]


async def test_the_callers_body_is_not_changed(ask):
    body = BODY | {"model": "auto", "stream_options": {}}
    await ask(body)
    assert body == BODY | {"model": "auto", "stream_options": {}}


async def test_the_attempt_id_and_the_deployments_headers_are_sent(ask, upstream):
    await ask(api_key="k1", headers={"X-Title": "x25"})
    headers = upstream.requests[0]["headers"]
    assert headers["idempotency-key"] == headers["x-request-id"] == "att-1"
    assert (headers["x-title"], headers["authorization"]) == ("x25", "Bearer k1")


async def test_no_key_sends_no_authorization(ask, upstream):
    await ask()
    assert "authorization" not in upstream.requests[0]["headers"]


async def test_a_message_in_openais_form_comes_back_as_received(ask, upstream, scripted, answer):
    body = answer()
    call = {"id": "t", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    body["choices"][0] |= {"finish_reason": "tool_calls"}
    body["choices"][0]["message"] |= {"content": None, "tool_calls": [call], "reasoning": "hm"}
    upstream.reply(scripted(body=body))
    completion = await ask()
    assert completion.message == body["choices"][0]["message"]
    assert (completion.finish_reason, completion.model, completion.deployment) == (
        "tool_calls",
        "up/model",
        "d0",
    )
    assert completion.usage == Usage(10, 5)
    assert 0 < completion.latency_ms < 5000


async def test_missing_usage_is_unknown_not_zero(ask, upstream, scripted, answer):
    upstream.reply(scripted(body=answer(usage=None)))
    assert (await ask()).usage is None


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {}, ProviderAuth),
        (402, {}, ProviderBilling),
        (429, {}, ProviderRateLimit),
        (400, {"error": {"code": "context_length_exceeded"}}, ContextLengthExceeded),
        (422, {}, ProviderBadRequest),
        (503, {}, ProviderServer),
        (302, {}, ProviderMalformed),
        (200, b"<html>", ProviderMalformed),
        (200, [], ProviderMalformed),
        (200, {"choices": []}, ProviderMalformed),
        (200, {"choices": [{"message": None}]}, ProviderMalformed),
        (200, {"choices": [{"message": {}}], "usage": "none"}, ProviderServer),
        (200, {"error": {"code": 429, "message": "upstream is busy"}}, ProviderRateLimit),
        (200, {"error": "broken"}, ProviderServer),
    ],
)
async def test_an_answer_that_is_no_completion_raises_its_own_error(
    ask, upstream, scripted, status, body, kind
):
    upstream.reply(scripted(status, body, {"Location": "http://127.0.0.1:1/"} if status == 302 else {}))
    with pytest.raises(kind) as caught:
        await ask()
    assert type(caught.value) is kind
    assert len(upstream.requests) == 1


async def test_a_server_that_hangs_is_left_after_the_timeout(ask, upstream, scripted):
    upstream.reply(scripted(hang=True))
    with pytest.raises(ProviderTimeout) as caught:
        await ask(timeout_s=0.2)
    assert caught.value.may_have_billed


async def test_a_connection_cut_after_sending_may_have_been_billed(ask, upstream, scripted):
    upstream.reply(scripted(hang_up=True))
    with pytest.raises(ProviderConnection) as caught:
        await ask()
    assert caught.value.may_have_billed
    assert isinstance(caught.value.__cause__, aiohttp.ClientConnectionError)


async def test_a_refused_connection_was_never_billed(ask):
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderConnection) as caught:
            await ask(url=f"http://127.0.0.1:{bound_but_deaf.getsockname()[1]}/v1")
    assert not caught.value.may_have_billed
