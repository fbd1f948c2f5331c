import logging

import pytest

from x25.api.vendor_words import classes_of, without_vendor_words
from x25.state.errors import AllBusy, CallFailed

SECRET = "marmalade zeppelin"
VENDORS_WORDS = "the upstream failed"


def test_a_reply_keeps_the_class_of_a_failure_and_none_of_its_words() -> None:
    failure = {
        "step": 0,
        "model_id": "m",
        "code": "bad_request",
        "error": "ProviderBadRequest",
        "status": 400,
    }
    reply = {"explain": {"failures": [{**failure, "message": f"cannot parse {SECRET}"}], "path": []}}
    shown = without_vendor_words(reply)
    assert shown["explain"]["failures"] == [{**failure, "message": "ProviderBadRequest (HTTP 400)"}]
    assert SECRET in str(reply), "the reply that was given is left as it was"
    assert without_vendor_words({"explain": {}}) == {"explain": {}}


def test_a_failed_call_is_told_by_its_attempts() -> None:
    error = CallFailed(SECRET, attempts=[{"model_id": "m", "error": "timeout"}])
    assert classes_of(error) == "no model answered (m: timeout)"
    busy = AllBusy(SECRET, attempts=[], retry_after_s=6.2)
    assert classes_of(busy) == "every model is busy; the first may answer again in 7 s"
    assert classes_of(CallFailed("", attempts=[])) == "no model answered (nobody was asked)"


@pytest.mark.parametrize("path", ["/route", "/v1/chat/completions"])
@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.slow
async def test_words_of_a_vendor_that_may_quote_the_prompt_are_neither_logged_nor_returned(
    open_app, fault, caplog: pytest.LogCaptureFixture, path: str, keeps: bool
) -> None:
    fault("500")
    message = {"messages": [{"role": "user", "content": "hello"}]}
    with caplog.at_level(logging.DEBUG):
        async with open_app(store_prompts=keeps) as client:
            answer = await client.post(path, json=message)
    assert answer.status_code == 502
    assert keeps or "server" in answer.json()["error"]["message"]
    assert keeps or VENDORS_WORDS not in caplog.text
    assert (VENDORS_WORDS in answer.text) is keeps
