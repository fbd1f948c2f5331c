"""Every parameter that the vendors document at the doors beside chat: honoured, or refused by its name."""

import pytest

from x25.api.surfaces import completions, messages_request, responses_request
from x25.api.surfaces.completions import CompletionRequest
from x25.api.surfaces.messages_request import MessagesRequest
from x25.api.surfaces.responses_request import ResponseRequest

TEXT = "What is 17 * 23?"
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object", "properties": {}}}
RESPONSE_TOOL, MESSAGE_TOOL = (
    {"type": "function", **FUNCTION},
    {"name": "f", "input_schema": {"type": "object"}},
)
ANSWERED, REFUSED = 200, 422
TALK = [{"role": "user", "content": TEXT}]
SCHEMA = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}

RESPONSES = [
    ("background", False, ANSWERED), ("background", True, REFUSED),
    ("context_management", [{"type": "compaction"}], REFUSED),
    ("conversation", "conv_1", REFUSED), ("conversation", {"id": "conv_1"}, REFUSED),
    ("include", [], ANSWERED), ("include", ["reasoning.encrypted_content"], ANSWERED),
    ("include", ["web_search_call.action.sources"], ANSWERED), ("include", ["file_search_call.results"], ANSWERED),
    ("include", ["thoughts"], REFUSED),
    ("instructions", "Be brief.", ANSWERED), ("instructions", ["x"], REFUSED),
    ("max_output_tokens", 50, ANSWERED), ("max_output_tokens", 0, REFUSED), ("max_tool_calls", 3, ANSWERED),
    ("metadata", {"a": "b"}, ANSWERED), ("metadata", {"a": 1}, REFUSED),
    ("moderation", {"model": "x"}, REFUSED), ("parallel_tool_calls", True, ANSWERED),
    ("parallel_tool_calls", "yes", REFUSED),
    ("previous_response_id", "resp_nope", 404), ("prompt", {"id": "pmpt_1"}, REFUSED),
    ("prompt_cache_key", "k", ANSWERED), ("prompt_cache_retention", "24h", ANSWERED),
    ("reasoning", {}, ANSWERED), ("reasoning", {"summary": "detailed"}, ANSWERED),
    ("reasoning", {"generate_summary": "auto"}, ANSWERED), ("reasoning", {"summary": "long"}, REFUSED),
    ("safety_identifier", "u", ANSWERED), ("service_tier", "auto", ANSWERED), ("store", True, ANSWERED),
    ("store", False, ANSWERED),
    ("store", "yes", REFUSED), ("stream", False, ANSWERED), ("stream", "yes", REFUSED),
    ("stream_options", {}, REFUSED),
    ("temperature", 0.5, ANSWERED), ("temperature", 3, REFUSED), ("temperature", "hot", REFUSED),
    ("text", {"format": {"type": "text"}}, ANSWERED), ("text", {"format": {"type": "grammar"}}, REFUSED),
    ("text", {"style": "x"}, REFUSED), ("tool_choice", "auto", ANSWERED),
    ("tool_choice", {"type": "file_search"}, REFUSED),
    ("tools", [RESPONSE_TOOL], ANSWERED), ("tools", [{"type": "web_search"}], REFUSED),
    ("tools", [{"type": "computer_use_preview"}], REFUSED), ("tools", [{"type": "code_interpreter"}], REFUSED),
    ("tools", [{"type": "image_generation"}], REFUSED), ("tools", [{"type": "local_shell"}], REFUSED),
    ("top_logprobs", 21, REFUSED), ("top_p", 0.5, ANSWERED), ("top_p", 2, REFUSED),
    ("truncation", "disabled", ANSWERED),
    ("truncation", "auto", REFUSED), ("user", "ada", ANSWERED), ("verbosity", "low", REFUSED), ("n", 2, REFUSED),
    ("made_up", 1, REFUSED),
]  # fmt: skip
COMPLETIONS = [
    ("best_of", 1, ANSWERED), ("best_of", 2, REFUSED), ("echo", True, ANSWERED), ("echo", "yes", REFUSED),
    ("frequency_penalty", 0.5, ANSWERED), ("frequency_penalty", 3, REFUSED),
    ("logit_bias", {"50256": -100}, ANSWERED),
    ("logit_bias", {"50256": -101}, REFUSED), ("logprobs", 6, REFUSED), ("max_tokens", 20, ANSWERED),
    ("max_tokens", 0, REFUSED),
    ("n", 1, ANSWERED), ("n", 2, ANSWERED), ("n", 9, REFUSED), ("n", 100_000, REFUSED),
    ("presence_penalty", -1, ANSWERED),
    ("presence_penalty", -3, REFUSED), ("seed", 7, ANSWERED), ("seed", 1.5, REFUSED), ("stop", "END", ANSWERED),
    ("stop", ["a", "b"], ANSWERED), ("stop", 3, REFUSED), ("stream", False, ANSWERED),
    ("stream_options", {"include_usage": True}, REFUSED), ("suffix", "x", REFUSED), ("temperature", 2, ANSWERED),
    ("temperature", 2.1, REFUSED), ("top_p", 1, ANSWERED), ("top_p", -0.1, REFUSED), ("user", "ada", ANSWERED),
    ("tools", [{"type": "function", "function": FUNCTION}], REFUSED), ("messages", TALK, REFUSED),
    ("response_format", {"type": "json_object"}, REFUSED), ("made_up", 1, REFUSED),
]  # fmt: skip
MESSAGES = [
    ("max_tokens", 0, REFUSED), ("max_tokens", "many", REFUSED), ("cache_control", {"type": "ephemeral"}, ANSWERED),
    ("cache_control", "ephemeral", REFUSED),
    ("container", "c_1", REFUSED), ("inference_geo", "eu", REFUSED),
    ("context_management", {"edits": [{"type": "clear_tool_uses_20250919"}]}, REFUSED),
    ("mcp_servers", [{"type": "url", "url": "https://x", "name": "x"}], REFUSED),
    ("metadata", {"user_id": "ada"}, ANSWERED),
    ("metadata", {"session": "x"}, REFUSED),
    ("output_config", {"format": {"type": "json_schema", "schema": SCHEMA}}, ANSWERED),
    ("output_config", {"style": "x"}, REFUSED), ("output_format", {"type": "json_schema", "schema": SCHEMA}, ANSWERED),
    ("service_tier", "auto", ANSWERED), ("service_tier", "standard_only", ANSWERED),
    ("service_tier", "priority", REFUSED),
    ("speed", "fast", REFUSED), ("stop_sequences", ["END"], ANSWERED), ("stop_sequences", "END", REFUSED),
    ("stream", False, ANSWERED), ("system", "Be brief.", ANSWERED),
    ("system", [{"type": "text", "text": "Be brief."}], ANSWERED),
    ("system", 3, REFUSED), ("temperature", 1, ANSWERED), ("temperature", 1.5, REFUSED),
    ("thinking", {"type": "disabled"}, ANSWERED), ("thinking", {"type": "adaptive"}, ANSWERED),
    ("thinking", {"type": "enabled"}, REFUSED),
    ("tool_choice", {"type": "auto"}, ANSWERED), ("tool_choice", {"type": "some"}, REFUSED),
    ("tools", [MESSAGE_TOOL], ANSWERED),
    ("tools", [{"type": "bash_20250124", "name": "bash"}], REFUSED),
    ("tools", [{"type": "web_search_20250305", "name": "w"}], REFUSED),
    ("top_k", 5, ANSWERED), ("top_k", -1, REFUSED), ("top_p", 0.5, ANSWERED), ("top_p", 2, REFUSED),
    ("n", 2, REFUSED),
    ("made_up", 1, REFUSED),
]  # fmt: skip
DOORS = {
    "/v1/responses": ({"input": TEXT}, RESPONSES),
    "/v1/completions": ({"prompt": TEXT}, COMPLETIONS),
    "/v1/messages": ({"max_tokens": 50, "messages": TALK}, MESSAGES),
}
CASES = [(path, name, value, status) for path, (_, cases) in DOORS.items() for name, value, status in cases]


@pytest.mark.parametrize(("path", "name", "value", "status"), CASES)
def test_it_is_honoured_or_refused_by_its_name(http, path, name, value, status):
    answer = http.post(path, json={**DOORS[path][0], name: value})
    assert answer.status_code == status, answer.text
    if status != ANSWERED:
        told = answer.json()["error"]
        assert (told.get("param") or told["field"]).removeprefix("options.").startswith(name)


OPTION_OF = {
    "max_output_tokens": "max_completion_tokens", "reasoning": "reasoning_effort", "text": "response_format",
    "logprobs": "top_logprobs", "metadata": "user", "output_config": "response_format", "stop_sequences": "stop",
    "output_format": "response_format",
}  # fmt: skip
"""What a chat calls it, where that is another name."""
OF_THE_DOOR = {
    "/v1/responses": {"input", "instructions", "metadata", "include", "store", "max_tool_calls"},
    "/v1/completions": {"prompt", "echo", "best_of"},
    "/v1/messages": {"messages", "system", "cache_control"},
}
"""What the door itself does with; `max_tool_calls` bounds tools that are refused."""
SAYS_NOTHING = (
    False, "disabled", {"type": "text"}, {"format": {"type": "text"}}, {"type": "disabled"}, {"type": "adaptive"}, {},
    {"summary": "detailed"}, {"generate_summary": "auto"},
)  # fmt: skip


@pytest.mark.parametrize(("path", "name", "value"), [case[:3] for case in CASES if case[3] == ANSWERED])
def test_what_is_honoured_reaches_the_model_or_is_the_doors_own(path, name, value):
    if name in OF_THE_DOOR[path] or value in SAYS_NOTHING:
        return
    kind, options_of = {
        "/v1/responses": (ResponseRequest, responses_request.options_of),
        "/v1/completions": (CompletionRequest, completions.options_of),
        "/v1/messages": (MessagesRequest, messages_request.options_of),
    }[path]
    plain = options_of(kind.model_validate(DOORS[path][0]))
    told = options_of(kind.model_validate({**DOORS[path][0], name: value}))
    assert OPTION_OF.get(name, name) in told
    assert told != plain
