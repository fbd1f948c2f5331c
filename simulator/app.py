"""The simulator as an application: an OpenAI-compatible upstream whose answers are labelled simulated."""

import json
from asyncio import sleep
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from time import time
from typing import cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .faults import STATUS_TO_ERROR, Fault, Scenario, parse_fault, parse_scenario
from .judge import SimulatedJudge, find_case
from .ledger import Ledger
from .logprobs import logprobs_of
from .models import Answer, JSONObject, SimulatedModel, answer, last_user_text
from .replay import NotRecorded, Replay
from .tasks import is_correct
from .wire import Exchange, error_body

FIRST_TOKEN_SHARE = 0.3
"""Part of an answer's latency until its first token, where it streams; the others take the rest."""


@dataclass(frozen=True, slots=True)
class World:
    """What holds for everything that is simulated."""

    seed: int = 7
    """Decides every draw; two simulators with one seed say the same."""
    judge_auc: float = 0.85
    """Area under the ROC curve of the judge's scores, at least .5 and below 1."""
    latency: bool = True
    """Whether answers take their simulated time."""


class Simulator:
    """Models, judge, faults and ledger behind one base URL.

    Parameters
    ----------
    models
        Simulated models by model id.
    scenario
        Faults to inject; none by default.
    replay
        Recorded models, answered beside the simulated ones.
    """

    def __init__(
        self,
        models: Mapping[str, SimulatedModel],
        world: World,
        *,
        scenario: Scenario | None = None,
        replay: Replay | None = None,
    ) -> None:
        checkers = (is_correct,) if replay is None else (is_correct, replay.is_correct)
        self.ledger = Ledger()
        self.scenario = scenario or Scenario([], world.seed)
        self.seed = world.seed
        self._models = models
        self._replay = replay
        self._judge = SimulatedJudge(auc=world.judge_auc, seed=world.seed, checkers=checkers)
        self._latency = world.latency
        self._numbers = count(1)

    @property
    def model_ids(self) -> list[str]:
        """Return the names a request may ask for."""
        return [*self._models, *(self._replay.models if self._replay is not None else ())]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one chat request, or refuse it with 400 or 404."""
        exchange = Exchange(scope, receive, send)
        raw = await exchange.read()
        try:
            body = _parse_body(raw)
            await self._serve(exchange, raw, body)
        except NotRecorded as unknown:
            content = error_body(str(unknown), kind="not_found_error", code="model_not_found")
            await exchange.send_json(content, status=404)
        except ValueError as wrong:
            content = error_body(str(wrong), kind="invalid_request_error", code="invalid_request")
            await exchange.send_json(content, status=400)

    async def _serve(self, exchange: Exchange, raw: bytes, body: JSONObject) -> None:
        asked = exchange.header(b"x-simulate-fault")
        fault = parse_fault(asked) if asked else self.scenario.fault_for(body["model"])
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind in STATUS_TO_ERROR:
            await exchange.send_error(fault)
            return
        if kind in ("refused", "reset"):
            await exchange.close(with_reset=kind == "reset")
            return
        if kind == "redirect":
            await exchange.send_redirect()
            return
        attempt_id = exchange.header(b"idempotency-key") or exchange.header(b"x-request-id")
        if fault is not None and kind == "timeout":
            if fault["billed"]:
                self._complete(attempt_id, raw, body, fault)
            await exchange.hang(fault["seconds"])
            return
        if kind == "refuse_usage" and body.get("stream_options") is not None:
            raise ValueError("Unsupported parameter: 'stream_options'")
        waits_s, pace_s = self._latency_s(body, fault)
        if waits_s:
            await sleep(waits_s)
        await exchange.send_completion(self._complete(attempt_id, raw, body, fault), body, fault, pace_s)

    def _latency_s(self, body: JSONObject, fault: Fault | None) -> tuple[float, float]:
        """Return the seconds until something comes, and those that a stream then takes."""
        waits_s = fault["ms"] / 1000 if fault is not None and fault.kind == "latency" else 0.0
        model = self._models.get(body["model"])
        if not self._latency or model is None:
            return waits_s, 0.0
        latency_s = model.latency_s(self.seed, last_user_text(body["messages"]))
        if not body.get("stream"):
            return waits_s + latency_s, 0.0
        return waits_s + FIRST_TOKEN_SHARE * latency_s, (1 - FIRST_TOKEN_SHARE) * latency_s

    def _complete(self, attempt_id: str, raw: bytes, body: JSONObject, fault: Fault | None) -> JSONObject:
        """Produce and bill the completion, or find the one already billed for this key and body."""

        def produce() -> JSONObject:
            said = self._answer(body)
            if fault is not None and fault.kind == "empty":
                said = self._emptied(said, body["model"])
            self.ledger.bill(attempt_id, body["model"], said)
            logprobs = logprobs_of(said.message.get("content"), body, self.seed)
            return _completion(said, body["model"], next(self._numbers), logprobs)

        return self.ledger.once(attempt_id, raw, produce)

    def _answer(self, body: JSONObject) -> Answer:
        name = body["model"]
        model = self._models.get(name)
        if model is None:
            if self._replay is None or not name.startswith("recorded/"):
                raise NotRecorded(f"no model {name!r} here; known: {', '.join(self._models)}")
            return self._replay.answer(name, body)
        if model.role == "judge" or find_case(body) is not None:
            return self._judge.answer(model, body)
        return answer(model, body, self.seed)

    def _emptied(self, said: Answer, name: str) -> Answer:
        model = self._models.get(name)
        cost = model.cost_usd(said.prompt_tokens, 0) if model is not None else said.cost_usd
        message = {"role": "assistant", "content": ""}
        return replace(said, message=message, finish_reason="stop", completion_tokens=0, cost_usd=cost)


def create_app(simulator: Simulator) -> Starlette:
    """Return the application: the OpenAI endpoints under /v1, the simulator's own under /simulator."""

    async def models(_request: Request) -> JSONResponse:
        entries = [{"id": i, "object": "model", "owned_by": "x25-simulator"} for i in simulator.model_ids]
        return JSONResponse({"object": "list", "data": entries, "x25_simulated": True})

    async def bills(request: Request) -> JSONResponse:
        after = request.query_params.get("after", "0")
        if not after.isdecimal():
            return JSONResponse({"error": f"after must be a whole number, got {after!r}"}, status_code=400)
        return JSONResponse(simulator.ledger.bills(int(after)))

    async def health(_request: Request) -> JSONResponse:
        counts = {"models": len(simulator.model_ids), "bills": len(simulator.ledger)}
        return JSONResponse({"status": "ok", "simulated": True, **counts})

    async def scenario(request: Request) -> JSONResponse:
        try:
            simulator.scenario = parse_scenario(json.loads(await request.body()), simulator.seed)
        except ValueError as wrong:
            return JSONResponse({"error": str(wrong)}, status_code=400)
        return JSONResponse({"status": "ok"})

    async def reset(_request: Request) -> JSONResponse:
        simulator.ledger.clear()
        simulator.scenario = Scenario([], simulator.seed)
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/v1/chat/completions", simulator, methods=["POST"]),
            Route("/v1/models", models),
            Route("/simulator/bills", bills),
            Route("/simulator/health", health),
            Route("/simulator/scenario", scenario, methods=["POST"]),
            Route("/simulator/reset", reset, methods=["POST"]),
        ]
    )


def _parse_body(raw: bytes) -> JSONObject:
    try:
        body = json.loads(raw)
    except ValueError as wrong:
        raise ValueError(f"the body is not JSON: {wrong}") from None
    model = body.get("model") if isinstance(body, dict) else None
    if not isinstance(model, str):
        raise ValueError(f"the body must be an object with the text field model, got {body!r}")  # noqa: TRY004
    messages = body.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ValueError(f"messages must be a list of objects, got {messages!r}")
    return cast("JSONObject", body)


def _completion(said: Answer, model: str, number: int, logprobs: JSONObject | None) -> JSONObject:
    usage = {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "total_tokens": said.prompt_tokens + said.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "cost": said.cost_usd,
    }
    choice = {
        "index": 0,
        "message": said.message,
        "logprobs": logprobs,
        "finish_reason": said.finish_reason,
    }
    return {
        "id": f"chatcmpl-sim-{number}",
        "object": "chat.completion",
        "created": int(time()),
        "model": model,
        "choices": [choice],
        "usage": usage,
        "x25_simulated": True,
    }
