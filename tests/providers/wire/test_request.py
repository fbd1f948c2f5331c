import pytest

from x25.providers.wire.request import ReasoningOrigins, messages_for

SIGNED = {"reasoning_details": [{"type": "reasoning.encrypted", "data": "SIG"}], "reasoning_content": "hm"}
ANSWER = {"role": "assistant", "content": "Sure.", **SIGNED}


def test_thoughts_go_back_to_the_model_that_had_them_alone():
    origins = ReasoningOrigins()
    origins.note(ANSWER, "big")
    assert messages_for([ANSWER], "big", origins) == [ANSWER]
    assert messages_for([ANSWER], "small", origins) == [{"role": "assistant", "content": "Sure."}]


def test_thoughts_of_nobody_known_are_sent_to_nobody():
    (sent,) = messages_for([ANSWER], "big", ReasoningOrigins())
    assert sent == {"role": "assistant", "content": "Sure."}


def test_thinking_among_the_parts_is_left_out():
    parts = [{"type": "thinking", "thinking": "hm", "signature": "S"}, {"type": "text", "text": "Sure."}]
    (sent,) = messages_for([{"role": "assistant", "content": parts}], "m", ReasoningOrigins())
    assert sent["content"] == parts[1:]


def test_a_user_may_write_of_reasoning():
    message = {"role": "user", "content": "hi", "reasoning": "mine"}
    assert messages_for([message], "m", ReasoningOrigins()) == [message]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [({"city": "Oslo"}, '{"city": "Oslo"}'), (None, "{}"), (" ", "{}"), ({}, "{}"), ('{"a": 1}', '{"a": 1}')],
)
def test_arguments_that_come_back_are_text(arguments, text):
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": arguments}}
    (sent,) = messages_for(
        [{"role": "assistant", "content": None, "tool_calls": [call]}], "m", ReasoningOrigins()
    )
    assert sent["tool_calls"][0]["function"] == {"name": "look", "arguments": text}


def test_only_so_many_origins_are_kept():
    origins = ReasoningOrigins(most=2)
    for number in range(3):
        origins.note({"reasoning": str(number)}, "m")
    assert [origins.has(str(number), "m") for number in range(3)] == [False, True, True]


def test_fields_of_an_answer_that_say_nothing_are_not_sent_back():
    said = {"role": "assistant", "content": "Sure.", "refusal": None, "annotations": [], "audio": None}
    sent = messages_for([said | {"tool_calls": [], "function_call": None}], "m", ReasoningOrigins())
    assert sent == [{"role": "assistant", "content": "Sure."}]
    (silent,) = messages_for([{"role": "assistant", "content": None}], "m", ReasoningOrigins())
    assert silent == {"role": "assistant", "content": None}


def test_a_signature_on_a_call_goes_to_no_model_but_its_own():
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call | {"extra_content": {"sig": "S"}}]}
    origins = ReasoningOrigins()
    assert messages_for([message], "small", origins) == [message]  # nobody knows whose it is
    origins.note(message, "big")
    assert messages_for([message], "big", origins) == [message]
    assert messages_for([message], "small", origins) == [{**message, "tool_calls": [call]}]
