"""A language model as judge: one answer in, a score from 0 to 1 out."""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, Field, SecretStr, ValidationError

from ..state.errors import ConfigError, ProviderAuth, ProviderMalformed, ProviderTimeout
from ..state.types import JSONObject
from ..state.usage import Usage
from .errors_map import error_from_openai
from .judge_case import write_case
from .keyring import Keyring
from .specs import Deployment, ModelSpec
from .written import Text, Written, parse, read_file

BUNDLED_PROMPT = Path(__file__).resolve().parent.parent / "registry" / "prompts" / "judge.yaml"


class Grade(BaseModel):
    """The judge's grade of one answer."""

    # The reason comes first so that the score is written in its light. No range here: not every vendor's
    # schema dialect knows one, so it is checked after parsing.
    reason: str = Field(description="One or two sentences naming what decided the score.")
    score: float = Field(description="From 0.0 (wrong) to 1.0 (nothing to improve), in steps of 0.1.")


class JudgePrompt(Written):
    """What the judge is told, as a file holds it."""

    version: Text
    system: Text


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """A score and what it cost."""

    score: float
    """0 to 1."""
    reason: str
    model_id: str
    deployment: str
    usage: Usage | None
    cost_nusd: int | None
    """None when the provider reported no usage: unknown, not zero."""
    cost_source: str | None
    latency_ms: float


def load_prompt(path: Path = BUNDLED_PROMPT) -> JudgePrompt:
    """Read a judge prompt (`version`, `system`).

    Raises
    ------
    ConfigError
        The file cannot be read or breaks the schema.
    """
    return parse(JudgePrompt, read_file(path), str(path))


def _fresh_nonce() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Procedure:
    """How a judge is asked."""

    timeout_s: float = 20.0
    """Seconds for the whole judgement."""
    max_chars: int = 24_000
    """Longest question, answer and context, each; longer ones lose their middle."""
    max_output_tokens: int = 1024
    """Longest grade, thinking included."""
    clock: Callable[[], float] = time.monotonic
    """Seconds on a monotonic clock."""
    nonce: Callable[[], str] = _fresh_nonce
    """Returns a fresh hexadecimal text nobody can guess."""


class LLMJudge:
    """Asks a judge model for a grade; one request, no retry.

    Parameters
    ----------
    specs
        The models to choose from, best first.
    keyring, prompt
        Their keys, and what they are told.
    http_client
        Shared client, closed by the caller; None = the OpenAI client's own.
    """

    def __init__(
        self,
        specs: Sequence[ModelSpec],
        keyring: Keyring,
        prompt: JudgePrompt,
        http_client: httpx.AsyncClient | None = None,
        procedure: Procedure | None = None,
    ) -> None:
        if not specs:
            raise ConfigError("a judge needs at least one model, got none")
        self.specs = tuple(specs)
        self._prompt = prompt
        self._procedure = procedure or Procedure()
        self._keyring = keyring
        self._http_client = http_client
        self._chats: dict[tuple[str, str | None], ChatOpenAI] = {}

    @property
    def name(self) -> str:
        """Model id of the preferred judge."""
        return self.specs[0].model_id

    def choose(self, answerer_provider: str) -> ModelSpec:
        """Return the first judge of another provider than the answer's, so that no family grades itself."""
        others = (spec for spec in self.specs if spec.provider != answerer_provider)
        return next(others, self.specs[0])

    def bound_cost_nusd(
        self, messages: Sequence[JSONObject], answer: str | JSONObject, answerer_provider: str
    ) -> int:
        """Return what judging this answer costs at most; a prompt never has more tokens than UTF-8 bytes."""
        case = write_case(messages, answer, nonce="0" * 16, max_chars=self._procedure.max_chars)
        schema = json.dumps(Grade.model_json_schema())
        prompt_bytes = len((self._prompt.system + case + schema).encode())
        spec = self.choose(answerer_provider)
        return spec.bound_cost_nusd(prompt_bytes, self._procedure.max_output_tokens)

    async def score(
        self,
        *,
        messages: Sequence[JSONObject],
        answer: str | JSONObject,
        answerer_provider: str,
        attempt_id: str,
    ) -> JudgeReply:
        """Grade `answer` (a text, or an OpenAI assistant message) to `messages`.

        Raises
        ------
        ProviderError
            The judge could not be asked (`ProviderTimeout` after `timeout_s`), or its reply is not a grade
            between 0 and 1 (`ProviderMalformed`).
        """
        spec = self.choose(answerer_provider)
        deployment, key = self._reach(spec)
        case = write_case(
            messages, answer, nonce=self._procedure.nonce(), max_chars=self._procedure.max_chars
        )
        started = time.perf_counter()
        raw, grade = await self._ask(deployment, key, case, attempt_id)
        latency_ms = (time.perf_counter() - started) * 1000.0
        reported = raw.response_metadata.get("token_usage")
        usage = Usage.from_openai(reported) if reported else None
        cost_nusd, cost_source = (None, None) if usage is None else spec.charge_nusd(usage)
        return JudgeReply(
            score=grade.score,
            reason=grade.reason,
            model_id=spec.model_id,
            deployment=deployment.name,
            usage=usage,
            cost_nusd=cost_nusd,
            cost_source=cost_source,
            latency_ms=latency_ms,
        )

    def _reach(self, spec: ModelSpec) -> tuple[Deployment, str | None]:
        for deployment in spec.deployments:
            lease = self._keyring.next_key(deployment, self._procedure.clock())
            if lease is not None and lease.wait_s == 0:
                return deployment, lease.key
        raise ProviderAuth(f"no deployment of the judge {spec.model_id} has a usable key")

    async def _ask(
        self, deployment: Deployment, key: str | None, case: str, attempt_id: str
    ) -> tuple[AIMessage, Grade]:
        name = deployment.name
        runnable = self._chat(deployment, key).with_structured_output(
            Grade,
            method="json_schema",
            include_raw=True,
            model=deployment.upstream_model,
            max_tokens=self._procedure.max_output_tokens,
            extra_headers={"X-Request-Id": attempt_id, "Idempotency-Key": attempt_id},
        )
        try:
            async with asyncio.timeout(self._procedure.timeout_s):
                reply: Any = await runnable.ainvoke(
                    [SystemMessage(self._prompt.system), HumanMessage(case)], {"tags": ["nostream"]}
                )
        except openai.OpenAIError as error:
            raise error_from_openai(error, deployment=name, secret=key) from error
        except TimeoutError as error:
            raise ProviderTimeout(f"{name} did not grade within {self._procedure.timeout_s:g} s") from error
        except (ValidationError, ValueError, TypeError) as error:
            raise ProviderMalformed(f"{name} replied with something that is not a grade") from error
        grade = reply["parsed"]
        if not isinstance(grade, Grade):
            raise ProviderMalformed(f"{name} replied with something that is not a grade") from reply[
                "parsing_error"
            ]
        if not 0.0 <= grade.score <= 1.0:
            raise ProviderMalformed(f"{name} gave a score outside 0 to 1: {grade.score}")
        return reply["raw"], grade

    def _chat(self, deployment: Deployment, key: str | None) -> ChatOpenAI:
        """Return the chat of this address and key, built once: building takes longer than asking."""
        address = (deployment.base_url, key)
        if address not in self._chats:
            self._chats[address] = ChatOpenAI(
                model=deployment.upstream_model,
                base_url=deployment.base_url,
                # The client insists on a key; a deployment without one ignores it.
                api_key=SecretStr(key or "none"),
                default_headers=deployment.headers,
                http_async_client=self._http_client,
                max_retries=0,
                timeout=self._procedure.timeout_s,
                use_responses_api=False,
            )
        return self._chats[address]
