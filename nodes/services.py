"""What a node may ask for: one frozen bundle, built in `graph.bootstrap` and nowhere else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic

import numpy as np

from ..providers.embeddings import Encoder
from ..providers.fitness import FitnessBook
from ..providers.gateway import Gateway
from ..providers.health import HealthBook
from ..providers.judge import LLMJudge
from ..providers.registry import Registry
from ..providers.specs import ModelSpec
from ..routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from ..routing.belief.suspicion import CheckBook
from ..routing.belief.thompson import Learner
from ..routing.plan.configs import RouterConfig
from ..routing.prompt.classifier import TaskClassifier
from ..routing.prompt.difficulty import DifficultyModel
from ..state.store import Store
from .offers.situation import Situations
from .org.conversations import ConversationBook
from .org.estimators import OrgModels
from .org.judge_tables import JudgeBook
from .org.verifiers import Verifiers


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call."""

    attempt_timeout_s: float = 60.0
    call_deadline_s: float = 180.0
    default_max_output_tokens: int = 1024
    max_prompt_chars: int = 2_000_000
    store_prompts: bool = False
    store_inputs: bool = True
    """Keep the vector a prompt was made into, which an org's own estimators are fitted on."""
    resumable: bool = False
    """Keep completions in the attempts table, so that a resumed call re-uses what it paid for."""


@dataclass(frozen=True, slots=True, repr=False)
class Services:
    """The collaborators of all nodes."""

    store: Store
    models: Mapping[str, ModelSpec]
    """Routable chat models by id."""
    reference: ModelSpec
    """The frontier model that savings are measured against, whatever the router chooses among."""
    gateway: Gateway
    encoder: Encoder
    classifier: TaskClassifier
    difficulty: DifficultyModel
    routers: Mapping[str, RouterConfig]
    judge: LLMJudge | None = None
    judge_table: JudgeTable = DEFAULT_TABLE
    """What a judge's scores are worth where an org has labelled none of them."""
    judge_book: JudgeBook = field(default_factory=JudgeBook)
    """What they are worth by the labels of each org."""
    learner: Learner = field(default_factory=Learner)
    health: HealthBook = field(default_factory=HealthBook)
    """How well each deployment has answered lately, in this process."""
    fitness: FitnessBook = field(default_factory=FitnessBook)
    """Which models are gone or refuse a parameter, as found in this process."""
    checks: CheckBook = field(default_factory=CheckBook)
    """Which models' answers fail more free checks than they used to, in this process."""
    conversations: ConversationBook = field(default_factory=ConversationBook)
    """Who gave the newest answers of the conversations under way, in this process."""
    org_models: OrgModels = field(default_factory=OrgModels)
    """The orgs' own estimators, over the bundled `difficulty`."""
    verifiers: Verifiers = field(default_factory=Verifiers)
    """The orgs' own free verifiers; nobody has one from the start."""
    situations: Situations = field(default_factory=Situations)
    """What the calls under way decide under."""
    limits: Limits = field(default_factory=Limits)
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    clock_s: Callable[[], float] = monotonic
    now: Callable[[], datetime] = _utc_now

    def __repr__(self) -> str:
        """Return which models and judge there are; asyncio writes the result of a task out, matrices and all."""
        return (
            f"Services(models={list(self.models)}, judge={None if self.judge is None else self.judge.name!r})"
        )

    def pool_of(self, router: str) -> tuple[ModelSpec, ...]:
        """Return the models that a router chooses among, where these are some of all only; empty otherwise."""
        pool = [
            self.models[name] for name in dict.fromkeys(self.routers[router].models) if name in self.models
        ]
        return tuple(pool) if len(pool) < len(self.models) else ()

    def yardstick_for(self, router: str) -> ModelSpec:
        """Return what the prices of a router's plan are relative to: the reference among what it chooses among.

        Beside a model that nobody can be sent to, all others would look alike.
        """
        pool = self.pool_of(router)
        if not pool and self.reference.model_id in self.models:
            return self.reference.priced_at(self.now())
        return Registry.reference(pool or tuple(self.models.values())).priced_at(self.now())

    def dearest_for(self, router: str) -> ModelSpec | None:
        """Return the dearest model a router chooses among; None where it chooses among all."""
        pool = self.pool_of(router)
        return Registry.dearest(pool).priced_at(self.now()) if pool else None

    def table_of(self, org: str, judge_model: str | None = None) -> JudgeTable:
        """Return an org's table of one judge, of the one asked first for None."""
        if judge_model is None and self.judge is not None:
            judge_model = self.judge.specs[0].model_id
        return self.judge_book.table(org, judge_model, self.judge_table)

    def spec(self, model_id: str) -> ModelSpec:
        """Return the model's spec at the prices of this moment; KeyError for one that is not routable."""
        return self.models[model_id].priced_at(self.now())
