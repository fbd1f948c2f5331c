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
from ..routing.plan.caching import AS_THE_GATEWAY_COMES, GatewayCaching
from ..routing.plan.configs import RouterConfig
from ..routing.prompt.classifier import TaskClassifier
from ..routing.prompt.difficulty import DifficultyModel
from ..state.meter import Meter
from ..state.rates import RateCounts
from ..state.records import Call
from ..state.store import Store
from ..state.working_memory import Learned
from .cache.caches import Caches
from .offers.situation import Situations
from .org.conversations import ConversationBook
from .org.estimators import OrgModels
from .org.judge_tables import JudgeBook
from .org.memory import Memories, MemorySettings
from .org.org_settings import SettingsBook
from .org.own_models import OwnModelBook
from .org.prompt_caches import PromptCacheBook
from .org.provider_keys import ProviderKeyBook
from .org.verifiers import Verifiers


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one call."""

    attempt_timeout_s: float = 60.0
    call_deadline_s: float = 180.0
    first_token_timeout_s: float = 60.0
    """Longest wait for the first piece of an answer that is read while it is written."""
    stream_idle_timeout_s: float = 30.0
    """Longest wait between two."""
    hedge: bool = False
    """Ask a second time where a request is late, for calls whose policy does not say."""
    stream_release_prob: float = 1.0
    """Probability of being right from which a first answer is sent at once though another could follow; 1 = never."""
    default_max_output_tokens: int = 1024
    max_prompt_chars: int = 2_000_000
    store_prompts: bool = False
    store_inputs: bool = True
    """Keep the vector a prompt was made into, which an org's own estimators are fitted on."""
    memory: bool = True
    """Let orgs and requests have past turns remembered."""
    memory_days: float = 30.0
    """Days that they are remembered; 0 = for ever."""
    caching: GatewayCaching = AS_THE_GATEWAY_COMES
    """Which answers are given again, where orgs and requests say nothing."""
    resumable: bool = False
    """Keep completions in the attempts table, so that a resumed call re-uses what it paid for."""


@dataclass(frozen=True, slots=True, repr=False)
class Services:
    """The collaborators of all nodes."""

    store: Store
    models: Mapping[str, ModelSpec]
    """Routable chat models by id, those that every org has."""
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
    """What the labels of each org say, of its judges and of the models."""
    learner: Learner = field(default_factory=Learner)
    health: HealthBook = field(default_factory=HealthBook)
    """How well each deployment has answered lately, in this process."""
    fitness: FitnessBook = field(default_factory=FitnessBook)
    """Which models are gone or refuse a parameter, as found in this process."""
    checks: CheckBook = field(default_factory=CheckBook)
    """Which models' answers fail more free checks than they used to, in this process."""
    conversations: ConversationBook = field(default_factory=ConversationBook)
    """Who gave the newest answers of the conversations under way, in this process."""
    prompt_caches: PromptCacheBook = field(default_factory=PromptCacheBook)
    """How much of follow-ups the vendors read from their own caches, in this process."""
    org_settings: SettingsBook = field(default_factory=SettingsBook)
    """What the orgs set for their calls."""
    counts: RateCounts | None = None
    """Where limits of a minute are counted; None = in the store."""
    memories: Memories | None = None
    """Where what calls said is remembered, for those that let it."""
    memory_settings: MemorySettings = field(default_factory=MemorySettings)
    """Which orgs let it."""
    caches: Caches | None = None
    """Answers that may be given again; None = none is."""
    org_models: OrgModels = field(default_factory=OrgModels)
    """The orgs' own estimators, over the bundled `difficulty`."""
    verifiers: Verifiers = field(default_factory=Verifiers)
    """The orgs' own free verifiers; nobody has one from the start."""
    own_models: OwnModelBook = field(default_factory=OwnModelBook)
    """Models that one org alone may be answered by."""
    provider_keys: ProviderKeyBook = field(default_factory=ProviderKeyBook)
    """Keys that orgs brought along, and the models that those open."""
    situations: Situations = field(default_factory=Situations)
    """What the calls under way decide under."""
    meter: Meter = field(default_factory=Meter)
    """What this process did, in figures."""
    tell_call: Callable[[Learned, Call], None] | None = None
    """Told of each call that is written down; None where nobody traces them."""
    limits: Limits = field(default_factory=Limits)
    rng: np.random.Generator = field(default_factory=np.random.default_rng)
    clock_s: Callable[[], float] = monotonic
    now: Callable[[], datetime] = _utc_now

    def __repr__(self) -> str:
        """Return which models and judge there are; asyncio writes the result of a task out, matrices and all."""
        return (
            f"Services(models={list(self.models)}, judge={None if self.judge is None else self.judge.name!r})"
        )

    def models_of(self, org: str) -> Mapping[str, ModelSpec]:
        """Return the chat models that an org's calls may be answered by: everybody's, and its own."""
        own, opened = self.own_models.of(org), self.provider_keys.models_of(org)
        return {**self.models, **opened, **own} if own or opened else self.models

    @property
    def rates(self) -> RateCounts:
        """Where limits of a minute are counted, for all gateways together."""
        return self.store.rates if self.counts is None else self.counts

    @property
    def no_memory(self) -> str | None:
        """Why nothing is remembered here, whoever asks; None where it may be."""
        if not self.limits.memory:
            return "memory is switched off at this gateway (X25_MEMORY)"
        if not self.limits.store_inputs:
            return "this gateway keeps nothing that is made of prompts (X25_STORE_INPUTS)"
        return None

    def routers_of(self, org: str) -> Mapping[str, RouterConfig]:
        """Return the router configs that an org may name, its own models among them."""
        own = {**self.provider_keys.routers_of(org), **self.own_models.routers_of(org)}
        return {**own, **self.routers} if own else self.routers

    def pool_of(self, router: str, org: str | None = None) -> tuple[ModelSpec, ...]:
        """Return the models that a router chooses among, where these are some of all only; empty otherwise.

        `org` None leaves out what only one org has.
        """
        routers, models = (
            (self.routers, self.models) if org is None else (self.routers_of(org), self.models_of(org))
        )
        pool = [models[name] for name in dict.fromkeys(routers[router].models) if name in models]
        return tuple(pool) if len(pool) < len(models) else ()

    def yardstick_for(self, router: str, org: str | None = None) -> ModelSpec:
        """Return what the prices of a router's plan are relative to: the reference among what it chooses among.

        Beside a model that nobody can be sent to, all others would look alike.
        """
        pool = self.pool_of(router, org)
        if not pool and self.reference.model_id in self.models:
            return self.reference.priced_at(self.now())
        return Registry.reference(pool or tuple(self.models.values())).priced_at(self.now())

    def dearest_for(self, router: str, org: str | None = None) -> ModelSpec | None:
        """Return the dearest model a router chooses among; None where it chooses among all."""
        pool = self.pool_of(router, org)
        return Registry.dearest(pool).priced_at(self.now()) if pool else None

    def table_of(self, org: str, judge_model: str | None = None) -> JudgeTable:
        """Return an org's table of one judge, of the one asked first for None."""
        if judge_model is None and self.judge is not None:
            judge_model = self.judge.specs[0].model_id
        return self.judge_book.table(org, judge_model, self.judge_table)

    async def refresh_labels(self, org: str) -> None:
        """Read an org's labels again where those in memory are old; StoreError as the store's."""
        await self.judge_book.refresh(
            org, self.store, self.judge_table, self.clock_s(), is_judged=self.judge is not None
        )

    def spec(self, model_id: str) -> ModelSpec:
        """Return the model's spec at the prices of this moment; KeyError for one that is not routable."""
        return self.models[model_id].priced_at(self.now())
