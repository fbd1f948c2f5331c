"""A language model as judge: one answer in, a score from 0 to 1 out."""

import json
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path

from ..state.errors import ConfigError, ProviderAuth
from ..state.types import JSONObject
from ..state.usage import Usage
from .base import ChatProvider, Completion, ProviderRequest
from .judge_case import write_case
from .judge_grade import read_grade
from .keyring import Keyring
from .specs import Deployment, ModelSpec
from .written import Text, Written, parse, read_file

logger = logging.getLogger(__name__)

BUNDLED_PROMPT = Path(__file__).resolve().parent.parent / "registry" / "prompts" / "judge.yaml"


# The reason comes first so that the score is written in its light. No range here: not every vendor's schema dialect
# knows one, so it is checked when the grade is read.
GRADE_FORMAT: JSONObject = {
    "type": "json_schema",
    "json_schema": {
        "name": "Grade",
        "strict": True,
        "schema": {
            "type": "object",
            "description": "The judge's grade of one answer.",
            "properties": {
                "reason": {
                    "type": "string",
                    "description": "One or two sentences naming what decided the score.",
                },
                "score": {
                    "type": "number",
                    "description": "From 0.0 (wrong) to 1.0 (nothing to improve), in steps of 0.1.",
                },
            },
            "required": ["reason", "score"],
            "additionalProperties": False,
        },
    },
}
"""What the judge is asked to reply with; what it does reply is read by `judge_grade`."""


class JudgePrompt(Written):
    """What the judge is told, as a file holds it."""

    version: Text
    system: Text


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """A score and what it cost."""

    score: float | None
    """0 to 1; None when the reply, which is paid for all the same, holds no grade that can be read."""
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
    provider
        Speaks to their deployments.
    """

    def __init__(
        self,
        specs: Sequence[ModelSpec],
        keyring: Keyring,
        prompt: JudgePrompt,
        provider: ChatProvider,
        procedure: Procedure | None = None,
    ) -> None:
        if not specs:
            raise ConfigError("a judge needs at least one model, got none")
        self.specs = tuple(specs)
        self._prompt = prompt
        self._procedure = procedure or Procedure()
        self._keyring = keyring
        self._provider = provider
        self.unreadable: Counter[str] = Counter()
        """By model, how many replies in this process held no grade that could be read."""

    @property
    def name(self) -> str:
        """Model id of the preferred judge."""
        return self.specs[0].model_id

    def limited_to(self, model_ids: Collection[str]) -> "LLMJudge | None":
        """Return the judge that asks these of its models only, over the same clients; None where none is left."""
        specs = tuple(spec for spec in self.specs if spec.model_id in model_ids)
        if not specs:
            return None
        limited = copy(self)
        limited.specs = specs
        return limited

    def choose(self, answerer_provider: str) -> ModelSpec:
        """Return the first judge of another provider than the answer's, so that no family grades itself."""
        others = (spec for spec in self.specs if spec.provider != answerer_provider)
        return next(others, self.specs[0])

    def bound_cost_nusd(
        self, messages: Sequence[JSONObject], answer: str | JSONObject, answerer_provider: str
    ) -> int:
        """Return what judging this answer costs at most; a prompt never has more tokens than UTF-8 bytes."""
        case = write_case(messages, answer, nonce="0" * 16, max_chars=self._procedure.max_chars)
        prompt_bytes = len((self._prompt.system + case + json.dumps(GRADE_FORMAT)).encode())
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

        A reply without a readable grade has no score; it is counted, and named in the log once a model.

        Raises
        ------
        ProviderError
            The judge could not be asked (`ProviderTimeout` after `timeout_s`), or did not reply with a completion.
        """
        spec = self.choose(answerer_provider)
        deployment, key = self._reach(spec)
        case = write_case(
            messages, answer, nonce=self._procedure.nonce(), max_chars=self._procedure.max_chars
        )
        body = {
            "messages": [
                {"role": "system", "content": self._prompt.system},
                {"role": "user", "content": case},
            ],
            "response_format": GRADE_FORMAT,
            "max_completion_tokens": self._procedure.max_output_tokens,
        }
        completion = await self._provider.complete(
            ProviderRequest(spec, deployment, body, attempt_id, self._procedure.timeout_s, key)
        )
        return self._reply(spec, completion)

    def _reply(self, spec: ModelSpec, completion: Completion) -> JudgeReply:
        grade = read_grade(completion.message, is_cut=completion.finish_reason == "length")
        if grade is None:
            self._note_unreadable(spec.model_id, completion.finish_reason)
        usage = completion.usage
        cost_nusd, cost_source = (None, None) if usage is None else spec.charge_nusd(usage)
        return JudgeReply(
            score=None if grade is None else grade.score,
            reason="" if grade is None else grade.reason,
            model_id=spec.model_id,
            deployment=completion.deployment,
            usage=usage,
            cost_nusd=cost_nusd,
            cost_source=cost_source,
            latency_ms=completion.latency_ms,
        )

    def _note_unreadable(self, model_id: str, finish_reason: str | None) -> None:
        """Count a reply without a grade. Its words may quote the prompt, so none of them is logged."""
        self.unreadable[model_id] += 1
        if self.unreadable[model_id] == 1:
            logger.warning(
                "the judge %s replied with something that is not a grade (finish_reason %s); further ones are counted",
                model_id,
                finish_reason,
            )

    def _reach(self, spec: ModelSpec) -> tuple[Deployment, str | None]:
        for deployment in spec.deployments:
            lease = self._keyring.next_key(deployment, self._procedure.clock())
            if lease is not None and lease.wait_s == 0:
                return deployment, lease.key
        raise ProviderAuth(f"no deployment of the judge {spec.model_id} has a usable key")
