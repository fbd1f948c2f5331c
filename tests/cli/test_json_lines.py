import json
import logging

import pytest

from x25.cli.json_lines import JsonLines
from x25.state.errors import StoreError
from x25.state.log_context import OF_CALL

SECRET, PROMPT = "sk-x25-abcdefghijklmnopqrstuvwxyz", "my marmalade recipe"


def line(formatter, message, *arguments, error=None, **extra):
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("x25.test", logging.INFO, __file__, 1, message, arguments, exc_info)
    record.__dict__.update(extra)
    (one,) = formatter.format(record).splitlines()
    return one


@pytest.fixture
def of_call():
    token = OF_CALL.set(("lab", "c1"))
    yield
    OF_CALL.reset(token)


def fail(error):
    raise error


def raised(error):
    try:
        fail(error)
    except StoreError as caught:
        return caught


def test_a_line_says_whose_call_it_is_and_keeps_secrets(of_call):
    said = line(JsonLines(), "asked with %s\nand more", f"Bearer {SECRET}", facts={"tier": "slm"})
    told = json.loads(said)
    assert (told["org"], told["call_id"], told["level"], told["tier"]) == ("lab", "c1", "INFO", "slm")
    assert SECRET not in said
    assert told["message"].startswith("asked with")


def test_an_exception_is_told_by_where_it_came_from_and_not_by_its_words():
    error = raised(StoreError(f"{PROMPT} {SECRET}"))
    said = line(JsonLines(), "failed", error=error)
    assert PROMPT not in said
    told = json.loads(said)["exception"]
    assert (told["type"], told["code"]) == ("StoreError", StoreError.code)
    assert told["at"][-1].endswith(" fail")
    kept = line(JsonLines(keeps_text=True), "failed", error=error)
    assert PROMPT in kept
    assert SECRET not in kept


def test_outside_of_a_call_nobody_is_named():
    assert "org" not in json.loads(line(JsonLines(), "hello"))
