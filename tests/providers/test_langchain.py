import asyncio
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

from x25.providers.base import ProviderRequest
from x25.providers.langchain import STAND_IN_PRICES, LangChainProvider, specs_for
from x25.state.errors import ConfigError, ProviderRateLimit, ProviderTimeout, Unsupported
from x25.state.usage import Usage

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital of France?"}]


class Recorder(GenericFakeChatModel):
    """Answers from its messages and remembers what it was asked with."""

    model_name: str = "recorder-1"
    asked: list[Any] = []  # noqa: RUF012 - a pydantic field
    failure: Any = None
    hangs: bool = False

    async def _agenerate(self, messages, stop=None, run_manager=None, **options):
        self.asked.append((messages, options | ({"stop": stop} if stop else {})))
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        return super()._generate(messages, stop, None, **options)

    def bind_tools(self, tools, **options):
        return self.bind(tools=tools, **options)


async def ask(chat, timeout_s=5.0, **options):
    (spec,) = specs_for({"slm": chat})
    body = {"messages": MESSAGES, **options}
    request = ProviderRequest(spec, spec.deployments[0], body, "att-1", timeout_s)
    return await LangChainProvider({"slm": chat}).complete(request)


def recorder(message="Paris", **fields):
    return Recorder(messages=iter([message]), asked=[], **fields)


async def test_a_plain_fake_model_answers_without_usage():
    completion = await ask(GenericFakeChatModel(messages=iter(["Paris"])))
    assert completion.message == {"role": "assistant", "content": "Paris"}
    assert completion.usage is None
    assert (completion.deployment, completion.model) == ("langchain", "GenericFakeChatModel")


async def test_messages_arrive_as_langchain_messages():
    chat = recorder()
    await ask(chat)
    assert chat.asked[0][0] == [SystemMessage("Be brief."), HumanMessage("Capital of France?")]


async def test_a_tool_conversation_survives_the_conversion():
    chat = recorder()
    call = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at": "map"}'}}
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "t1", "content": "France"}]  # fmt: skip
    await ask(chat, messages=messages)
    called, result = chat.asked[0][0]
    assert called.tool_calls[0]["args"] == {"at": "map"}
    assert isinstance(result, ToolMessage)


async def test_an_option_that_is_not_passed_on_is_refused_by_name():
    chat = recorder()
    with pytest.raises(Unsupported, match="logit_bias") as caught:
        await ask(chat, logit_bias={})
    assert (caught.value.parameter, chat.asked) == ("logit_bias", [])


async def test_known_options_are_passed():
    chat = recorder()
    schema = {"type": "json_object"}
    await ask(chat, temperature=0.0, max_completion_tokens=9, stop=["x"], response_format=schema, seed=None)
    assert chat.asked[0][1] == {"temperature": 0.0, "max_tokens": 9, "stop": ["x"], "response_format": schema}


async def test_tools_are_bound_and_calls_come_back_in_openai_form():
    call = {"name": "look", "args": {"at": "map"}, "id": "t1"}
    chat = recorder(AIMessage("", tool_calls=[call], response_metadata={"stop_reason": "tool_use"}))
    tools = [{"type": "function", "function": {"name": "look"}}]
    completion = await ask(chat, tools=tools, tool_choice="auto")
    assert chat.asked[0][1] == {"tools": tools, "tool_choice": "auto"}
    assert completion.message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "t1", "type": "function", "function": {"name": "look", "arguments": '{"at": "map"}'}}
        ],
    }
    assert completion.finish_reason == "tool_calls"


async def test_usage_cost_and_finish_reason_are_carried_over():
    message = AIMessage(
        "Paris",
        usage_metadata={
            "input_tokens": 10, "output_tokens": 6, "total_tokens": 16,
            "input_token_details": {"cache_read": 4}, "output_token_details": {"reasoning": 2},
        },
        response_metadata={"token_usage": {"cost": 0.0005}, "finish_reason": "STOP", "model_name": "m-2026"},
    )  # fmt: skip
    completion = await ask(recorder(message))
    assert completion.usage == Usage(10, 6, 4, 2, Decimal("0.0005"))
    assert (completion.finish_reason, completion.model) == ("stop", "m-2026")


@pytest.mark.parametrize(
    ("details", "written"),
    [
        ({"cache_creation": 5}, (5, 0)),
        (
            {"cache_creation": 0, "ephemeral_5m_input_tokens": 2, "ephemeral_1h_input_tokens": 3},
            (5, 3),
        ),
    ],
)
async def test_what_a_vendor_wrote_to_its_cache_is_carried_over(details, written):
    counted = {"input_tokens": 10, "output_tokens": 6, "total_tokens": 16, "input_token_details": details}
    completion = await ask(recorder(AIMessage("Paris", usage_metadata=counted)))
    assert (completion.usage.cache_write_tokens, completion.usage.cache_write_1h_tokens) == written


async def test_a_vendors_failure_gets_our_name_and_keeps_its_cause():
    class BusyError(Exception):
        status_code = 429

    failure = BusyError("slow down")
    with pytest.raises(ProviderRateLimit) as caught:
        await ask(recorder(failure=failure))
    assert caught.value.__cause__ is failure


async def test_a_model_that_hangs_is_left_after_the_timeout():
    with pytest.raises(ProviderTimeout):
        await ask(recorder(hangs=True), timeout_s=0.05)


async def test_a_tier_without_a_model_is_a_configuration_error():
    (spec,) = specs_for({"mid": recorder()})
    request = ProviderRequest(spec, spec.deployments[0], {"messages": MESSAGES}, "att-1", timeout_s=1)
    with pytest.raises(ConfigError, match="no LangChain model is given for tier mid"):
        await LangChainProvider({"slm": recorder()}).complete(request)


def test_specs_follow_the_ladder_with_given_or_stand_in_prices():
    chats = {"frontier": recorder(), "slm": GenericFakeChatModel(messages=iter([]))}
    small, large = specs_for(chats, {"frontier": (5, 25)})
    assert (small.model_id, small.tier) == ("langchain/GenericFakeChatModel", "slm")
    assert str(small.input_usd_per_mtok) == STAND_IN_PRICES["slm"][0]
    assert (large.model_id, large.output_usd_per_mtok) == ("langchain/recorder-1", 25)
    assert small.deployments[0].is_usable(lambda _name: False)


def test_one_model_on_two_tiers_gets_two_ids():
    ids = [spec.model_id for spec in specs_for({"slm": recorder(), "mid": recorder()})]
    assert ids == ["langchain/recorder-1", "langchain/recorder-1:mid"]


def test_a_tier_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match="tiers are slm, mid, frontier, got 'huge'"):
        specs_for({"huge": recorder()})
