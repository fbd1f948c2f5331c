import json

import pytest

from x25.providers.errors_map import HttpAnswer
from x25.providers.wire.vendor_reply import reply_in
from x25.state.errors import ProviderRateLimit, ProviderServer


def said(payload):
    return HttpAnswer(200, {}, json.dumps(payload).encode())


def test_a_completion_is_read_and_a_failure_inside_a_200_named():
    good = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}
    assert reply_in(said(good), "d", {}, None).message["content"] == "hi"
    for error, kind in (
        ({"code": 429}, ProviderRateLimit),
        ({"message": "no"}, ProviderServer),
        ("x", ProviderServer),
    ):
        with pytest.raises(kind):
            reply_in(said({"error": error}), "d", {}, None)
