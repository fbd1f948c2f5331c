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
