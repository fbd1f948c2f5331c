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

from ..state.errors import ConfigError, ProviderError, ProviderMalformed
from ..state.types import JSONObject
from ..state.usage import Usage
from .base import AttemptRecord, Completion
from .gateway import Gateway
from .judge_case import write_case
from .judge_grade import Grade, read_grade
from .keyring import OwnKey
from .specs import ModelSpec
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


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a judge is asked."""

    org: str = ""
    own_keys: Sequence[OwnKey] = ()
    """Keys that the org brought along: each is used at its provider before the gateway's."""


NOBODY = Caller()


class LLMJudge:
    """Asks a judge model for a grade: one request a deployment, by the same keys and breakers as any other.

    Parameters
    ----------
    specs
        The models to choose from, best first.
    gateway
        Asks them.
    prompt
        What they are told.
    """

    def __init__(
        self,
        specs: Sequence[ModelSpec],
        gateway: Gateway,
        prompt: JudgePrompt,
        procedure: Procedure | None = None,
    ) -> None:
        if not specs:
            raise ConfigError("a judge needs at least one model, got none")
        self.specs = tuple(specs)
        self._prompt = prompt
        self._procedure = procedure or Procedure()
        self._gateway = gateway
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

    def order(self, answerer_provider: str) -> tuple[ModelSpec, ...]:
        """Return the judges as they are asked: those of another provider than the answer's first.

        So no family grades itself where another can.
        """
        return tuple(sorted(self.specs, key=lambda spec: spec.provider == answerer_provider))

    def askable(
        self, answerer_provider: str, caller: Caller = NOBODY
    ) -> tuple[tuple[ModelSpec, ...], dict[str, str]]:
        """Return the judges that can be asked now, in order, and by model why each other one cannot.

        One whose deployments failed too often lately, or have no rested key, costs no time.
        """
        hindrances = {
            spec.model_id: self._gateway.hindrance(spec, own_keys=caller.own_keys, org=caller.org)
            for spec in self.specs
        }
        shut = {name: str(error) for name, error in hindrances.items() if error is not None}
        return tuple(spec for spec in self.order(answerer_provider) if spec.model_id not in shut), shut

    def bound_cost_nusd(
        self, messages: Sequence[JSONObject], answer: str | JSONObject, spec: ModelSpec
    ) -> int:
        """Return what one request to a judge costs at most; a prompt never has more tokens than UTF-8 bytes."""
        case = write_case(messages, answer, nonce="0" * 16, max_chars=self._procedure.max_chars)
        prompt_bytes = len((self._prompt.system + case + json.dumps(GRADE_FORMAT)).encode())
        return spec.bound_cost_nusd(prompt_bytes, self._procedure.max_output_tokens)

    def deadline_s(self) -> float:
        """Return the reading of the clock at which a judgement that begins now is given up."""
        return self._procedure.clock() + self._procedure.timeout_s

    async def score(  # noqa: PLR0913 - what is judged, by whom, for whom
        self,
        spec: ModelSpec,
        *,
        messages: Sequence[JSONObject],
        answer: str | JSONObject,
        record: AttemptRecord,
        caller: Caller = NOBODY,
        deadline_s: float | None = None,
    ) -> JudgeReply:
        """Have `answer` (a text, or an OpenAI assistant message) to `messages` graded by one judge.

        A reply without a readable grade has no score; it is recorded as failed, counted, and named in the log once a
        model. It is no sign that its deployment is down.

        Parameters
        ----------
        record
            Told of every request.
        deadline_s
            When it is given up; `timeout_s` from now where absent.

        Raises
        ------
        ProviderError
            The judge could not be asked (`ProviderTimeout` after `timeout_s`), or did not reply with a completion.
        """
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
        graded = _Graded(record)
        completion = await self._gateway.complete(
            spec,
            body,
            record=graded,
            timeout_s=self._procedure.timeout_s,
            deadline_s=self.deadline_s() if deadline_s is None else deadline_s,
            own_keys=caller.own_keys,
            org=caller.org,
            tries=1,
        )
        if graded.grade is None:
            self._note_unreadable(spec.model_id, completion.finish_reason)
        return self._reply(spec, completion, graded.grade)

    def _reply(self, spec: ModelSpec, completion: Completion, grade: Grade | None) -> JudgeReply:
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


class _Graded:
    """Reads the grade before an answered request is recorded: one that holds none failed, and is paid for."""

    def __init__(self, record: AttemptRecord) -> None:
        self._record = record
        self.grade: Grade | None = None

    async def begin(self, deployment: str, byok_key: str | None = None) -> str:
        """Note a request that is about to be made."""
        return await self._record.begin(deployment, byok_key)

    async def finish(self, attempt_id: str, completion: Completion) -> None:
        """Read the grade; note that the request was answered, or that it was with something else."""
        self.grade = read_grade(completion.message, is_cut=completion.finish_reason == "length")
        if self.grade is not None:
            await self._record.finish(attempt_id, completion)
            return
        unreadable = ProviderMalformed(f"{completion.deployment} replied with something that is not a grade")
        unreadable.usage = completion.usage
        await self._record.fail(attempt_id, unreadable)

    async def fail(self, attempt_id: str, error: ProviderError) -> None:
        """Note that it failed."""
        await self._record.fail(attempt_id, error)
