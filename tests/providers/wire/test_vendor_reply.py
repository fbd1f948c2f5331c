import json

import pytest

from x25.providers.errors_map import HttpAnswer
from x25.providers.wire.vendor_reply import reply_in
from x25.state.errors import (
    ModelGone,
    ProviderAuth,
    ProviderBilling,
    ProviderForbidden,
    ProviderRateLimit,
    ProviderServer,
)


def said(payload):
    return HttpAnswer(200, {}, json.dumps(payload).encode())


def test_a_completion_is_read_and_a_failure_inside_a_200_named():
    good = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
    assert reply_in(said(good), "d", {}, None).message["content"] == "hi"
    for error, kind in (
        ({"code": 429}, ProviderRateLimit),
        ({"code": "429"}, ProviderRateLimit),
        ({"code": 429.5}, ProviderServer),
        ({"code": True}, ProviderServer),
        ({"code": "9" * 5000}, ProviderServer),
        ({"code": "invalid_api_key"}, ProviderAuth),
        ({"code": None, "type": "authentication_error"}, ProviderAuth),
        ({"type": "overloaded_error", "message": "Overloaded"}, ProviderRateLimit),
        ({"code": "insufficient_quota", "message": "You exceeded your current quota"}, ProviderBilling),
        ({"status": "RESOURCE_EXHAUSTED"}, ProviderRateLimit),
        ({"status": "PERMISSION_DENIED"}, ProviderForbidden),
        ({"code": "model_not_found"}, ModelGone),
        ({"message": "no"}, ProviderServer),
        ("x", ProviderServer),
    ):
        with pytest.raises(kind):
            reply_in(said({"error": error}), "d", {}, None)


def test_events_are_read_where_a_whole_answer_was_asked_for_or_promised():
    chunks = [
        {"choices": [{"index": 0, "delta": {"content": "Pa"}}]},
        {"choices": [{"index": 0, "delta": {"content": "ris"}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 2}},
    ]
    events = ["", *(f"data: {json.dumps(one)}" for one in chunks), "data: [DONE]", ""]
    found = reply_in(HttpAnswer(200, {}, "\n\n".join(events)), "d", {}, None)
    assert (found.message["content"], found.usage.prompt_tokens) == ("Paris", 7)
    with pytest.raises(ProviderRateLimit):
        reply_in(HttpAnswer(200, {}, b'data: {"error": {"code": 429}}\n\n'), "d", {}, None)
    with pytest.raises(ProviderServer, match="in the middle"):
        reply_in(HttpAnswer(200, {}, "\n\n".join(events[:2])), "d", {}, None)
