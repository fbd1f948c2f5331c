"""Simulated models: ability decides how often one is right; what it says is labelled as simulated."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, exp
from pathlib import Path
from random import Random
from statistics import NormalDist
from typing import Any

import yaml

from ..state.types import TIERS
from .shapes import fill
from .talk import chosen_tool, disclaimer, greeting, tool_arguments, tool_result
from .tasks import LOOKED_UP, Solved, chance, solve, wrong_answer

JSONObject = dict[str, Any]

_REMARKS = (
    "This is a simulated answer.",
    "The request has one definite result.",
    "Going through it step by step leads there.",
    "A second look at the steps confirms the result.",
)


@dataclass(frozen=True, slots=True)
class SimulatedModel:
    """One model of the simulator; prices in US dollars per million tokens, latencies in milliseconds."""

    model_id: str
    tier: str
    role: str
    ability: float
    input_usd_per_mtok: Decimal
    output_usd_per_mtok: Decimal
    latency_ms: float
    spread_ms: float

    def right_prob(self, difficulty: float) -> float:
        """Return the probability of a right answer, sigmoid(ability - difficulty) (Rasch 1960)."""
        return 1.0 / (1.0 + exp(difficulty - self.ability))

    def cost_usd(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Return the price of one answer in US dollars, to the nano-dollar."""
        priced = prompt_tokens * self.input_usd_per_mtok + completion_tokens * self.output_usd_per_mtok
        return float(round(priced / 1_000_000, 9))

    def latency_s(self, seed: int, prompt: str) -> float:
        """Return the seconds this answer takes: normal around `latency_ms`, never below a tenth of it."""
        draw = NormalDist().inv_cdf(chance(seed, "latency", self.model_id, prompt))
        return max(self.latency_ms / 10, self.latency_ms + self.spread_ms * draw) / 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says to one request, with what it counts and costs."""

    message: JSONObject
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    judge: bool = False


def load_models(folders: Iterable[Path]) -> dict[str, SimulatedModel]:
    """Return the simulated models of every YAML file in the folders, by model id; a later folder wins.

    Raises
    ------
    ValueError
        If a file is not a simulated model; the message names file and key.
    """
    models = {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            model = _parse_model(yaml.safe_load(path.read_text("utf-8")), path)
            models[model.model_id] = model
    return models


def _parse_model(entry: Mapping[str, Any], path: Path) -> SimulatedModel:
    try:
        simulation, prices = entry.get("simulation") or {}, entry["prices"]
        model = SimulatedModel(
            model_id=entry["model_id"],
            tier=entry["tier"],
            role=entry.get("role", "chat"),
            ability=float(simulation.get("ability", 0.0)),
            input_usd_per_mtok=Decimal(str(prices["input_usd_per_mtok"])),
            output_usd_per_mtok=Decimal(str(prices["output_usd_per_mtok"])),
            latency_ms=float(simulation.get("latency_ms", 0.0)),
            spread_ms=float(simulation.get("spread_ms", 0.0)),
        )
    except KeyError as missing:
        raise ValueError(f"{path}: expected the key {missing}, got {', '.join(entry)}") from None
    if model.tier not in TIERS:
        raise ValueError(f"{path}: tier must be one of {', '.join(TIERS)}, got {model.tier!r}")
    if entry.get("simulated") is not True:
        raise ValueError(f"{path}: expected simulated: true, got {entry.get('simulated')!r}")
    return model


def answer(model: SimulatedModel, body: JSONObject, seed: int) -> Answer:
    """Return what the model says to a chat request; the same seed, model and prompt give the same words.

    Right or wrong is decided by `right_prob` of the prompt's difficulty. A greeting is greeted, a tool that fits is
    called, and what it answered is taken up. Any other prompt gets a text that says what a simulated model cannot do.
    """
    prompt = last_user_text(body["messages"])
    prompt_tokens = count_prompt_tokens(body["messages"])
    tool = chosen_tool(body, prompt)
    if tool is not None:
        message, tokens, finish = _tool_call(tool, prompt), 20, "tool_calls"
    else:
        text = until_stop(_wording(model, body, prompt, seed), body.get("stop"))
        text, tokens, finish = fit_length(text, token_limit(body))
        message = {"role": "assistant", "content": text}
    return Answer(message, finish, prompt_tokens, tokens, model.cost_usd(prompt_tokens, tokens))


def last_user_text(messages: list[JSONObject]) -> str:
    """Return the text of the last user message, its text parts joined by newlines; "" when there is none."""
    for message in reversed(messages):
        if message.get("role") == "user":
            return text_of(message)
    return ""


def text_of(message: JSONObject) -> str:
    """Return the text of one message, whether its content is a string, a list of parts or null."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


def count_tokens(text: str) -> int:
    """Return the simulator's token count: one for every four characters, at least one."""
    return max(1, ceil(len(text) / 4))


def count_prompt_tokens(messages: list[JSONObject]) -> int:
    """Return the tokens of a conversation: those of its texts and four for each message."""
    return sum(count_tokens(text_of(message)) + 4 for message in messages)


def token_limit(body: JSONObject) -> int | None:
    """Return the most tokens the caller takes, under either of OpenAI's names; None without a limit."""
    return body.get("max_completion_tokens") or body.get("max_tokens")


def until_stop(text: str, stops: str | list[str] | None) -> str:
    """Return the text up to the first of the words that end it."""
    words = [stops] if isinstance(stops, str) else stops or []
    return text[: min((text.find(word) for word in words if word and word in text), default=len(text))]


def fit_length(text: str, max_tokens: int | None) -> tuple[str, int, str]:
    """Return the text cut to `max_tokens`, its tokens, and the finish reason "stop" or "length"."""
    tokens = count_tokens(text)
    if max_tokens is None or tokens <= max_tokens:
        return text, tokens, "stop"
    return text[: 4 * max_tokens], max_tokens, "length"


def _wording(model: SimulatedModel, body: JSONObject, prompt: str, seed: int) -> str:
    solved, response_format = solve(prompt), body.get("response_format") or {}
    if (result := tool_result(body["messages"], model.model_id)) is not None:
        claim = text = result
    elif solved is None:
        claim = text = greeting(prompt, model.model_id) or disclaimer(prompt, model.model_id)
    else:
        claim = _claim(model, prompt, solved, seed)
        remarks = TIERS.index(model.tier) + (chance(seed, "length", model.model_id, prompt) < 0.5) + 1
        text = f"{' '.join(_REMARKS[:remarks])} Answer: {claim}"
    kind = response_format.get("type")
    if kind == "json_object":
        return json.dumps({"answer": claim, "simulated": True})
    if kind == "json_schema":
        return json.dumps(fill(response_format.get("json_schema", {}).get("schema") or {}, claim))
    return text


def _claim(model: SimulatedModel, prompt: str, solved: Solved, seed: int) -> str:
    if (
        solved.family == LOOKED_UP
    ):  # any model reads off what the prompt says, and none knows what it does not
        return solved.truth
    if chance(seed, "right", model.model_id, prompt) < model.right_prob(solved.difficulty):
        return solved.truth
    rng = Random(f"{seed} {model.model_id} {prompt}")  # noqa: S311 - repeatable, not secret
    return wrong_answer(solved, rng)


def _tool_call(function: JSONObject, prompt: str) -> JSONObject:
    call = {"name": function["name"], "arguments": json.dumps(tool_arguments(function, prompt))}
    call_id = f"call_sim{int(chance(0, prompt) * 1e12):012d}"
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": call_id, "type": "function", "function": call}],
    }
