import pytest

from x25.routing.plan.needs import narrow, needs_of, unmet
from x25.state.records import Arm


def arm(model_id="m", *, able=(), reads=("text",)):
    return Arm(
        model_id, "acme", "slm", 1, 500.0, 0.7, 1.0, 2.0, 10_000, 4_096, frozenset(able), frozenset(reads)
    )


def named(messages=(), **options):
    return {need.name: need.asked_by for need in needs_of(messages, options)}


USER = {"role": "user", "content": "Say hello."}
TOOL = {"type": "function", "function": {"name": "f"}}


def with_part(**part):
    return [USER, {"role": "user", "content": [{"type": "text", "text": "Look"}, part]}]


def test_plain_text_needs_nothing():
    assert (
        needs_of([{"role": "system", "content": "Be kind."}, USER], {"temperature": 0, "max_tokens": 9}) == ()
    )
    quiet = {"tools": [], "response_format": {"type": "text"}, "reasoning_effort": "none", "logprobs": False,
             "top_logprobs": 0, "modalities": ["text"], "functions": None, "enable_thinking": False,
             "reasoning": {"enabled": False}, "thinking": {"type": "disabled"}}  # fmt: skip
    assert needs_of([USER], quiet) == ()


@pytest.mark.parametrize(
    ("options", "need"),
    [
        ({"tools": [TOOL]}, {"tools": "options.tools"}),
        ({"tools": [TOOL], "tool_choice": "none"}, {"tools": "options.tools"}),
        ({"functions": [{"name": "f"}]}, {"tools": "options.functions"}),
        ({"response_format": {"type": "json_schema"}}, {"json_schema": "options.response_format"}),
        ({"response_format": {"type": "json_object"}}, {"json_object": "options.response_format"}),
        ({"reasoning_effort": "low"}, {"reasoning": "options.reasoning_effort"}),
        ({"reasoning": {"max_tokens": 9}}, {"reasoning": "options.reasoning"}),
        ({"thinking": {"type": "enabled"}}, {"reasoning": "options.thinking"}),
        ({"enable_thinking": True}, {"reasoning": "options.enable_thinking"}),
        ({"logprobs": True, "top_logprobs": 3}, {"logprobs": "options.logprobs"}),
        ({"modalities": ["text", "audio"]}, {"audio_output": "options.modalities"}),
    ],
)
def test_an_option_names_what_it_needs(options, need):
    assert named([USER], **options) == need


@pytest.mark.parametrize(
    ("part", "need"),
    [
        ({"type": "image_url", "image_url": {"url": "https://host/cat.png"}}, "image"),
        ({"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}, "audio"),
        ({"type": "video_url", "video_url": {"url": "https://host/cat.mp4"}}, "video"),
        ({"type": "file", "file": {"file_id": "f"}}, "file"),
    ],
)
def test_an_attachment_needs_a_model_that_reads_it(part, need):
    assert list(named(with_part(**part))) == [need]
    (wanted,) = needs_of(with_part(**part), {})
    assert unmet((wanted,), arm(reads=["text", need])) is None
    assert unmet((wanted,), arm(able=["tools"])) is wanted
    assert need in wanted.objection


def test_a_conversation_with_tool_calls_needs_tools():
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]}
    assert named([USER, call]) == {"tools": "messages[1].tool_calls"}
    assert named([USER, {"role": "tool", "content": "7"}]) == {"tools": "messages[1].role"}
    assert named([USER, {"role": "assistant", "function_call": {"name": "f"}}]) == {
        "tools": "messages[1].function_call"
    }


def test_a_model_that_sees_reads_images_whichever_word_its_file_uses():
    (image,) = needs_of(with_part(type="image_url", image_url="x"), {})
    assert unmet((image,), arm(able=["vision"])) is None
    assert unmet((image,), arm(reads=["text", "image"])) is None


@pytest.mark.parametrize(
    "options", [[], {"reasoning": 5, "thinking": "x", "modalities": "audio", "response_format": 3}]
)
def test_options_of_odd_shapes_need_nothing(options):
    assert needs_of([USER], dict(options)) == ()


def test_reasoning_binds_where_some_model_declares_it():
    needs = needs_of([USER], {"reasoning_effort": "high"})
    plain, thinker = arm("plain"), arm("thinker", able=["reasoning"])
    assert unmet(needs, plain) is None
    assert narrow(needs, [plain]) == ([plain], {})
    kept, removed = narrow(needs, [plain, thinker])
    assert kept == [thinker]
    assert removed == {
        "plain": "reasoning: asked for by options.reasoning_effort, and not among its capabilities"
    }


def test_a_model_that_does_not_declare_logprobs_is_never_asked_for_them():
    needs = needs_of([USER], {"logprobs": True})
    assert [need.where_declared for need in needs] == [False]
    assert unmet(needs, arm(able=["tools", "logprobs"])) is None
    missing = unmet(needs, arm(able=["tools", "json_schema", "reasoning"]))
    assert missing.objection == "logprobs: asked for by options.logprobs, and not among its capabilities"


def test_structured_output_covers_plain_json():
    needs = needs_of([USER], {"response_format": {"type": "json_object"}})
    able = arm("able", able=["json_schema"])
    assert narrow(needs, [arm("plain"), able])[0] == [able]
