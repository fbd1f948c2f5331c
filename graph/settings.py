"""Every knob of the gateway. The only file that reads the environment and `.env`."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..state.errors import ConfigError

PACKAGE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "X25_"
ENV_FILE = Path(".env")
OWN_MODELS = "models"
"""Folder of an org's own models in the data folder."""
SWITCHES = frozenset({"X25_OLLAMA", "X25_VLLM"})
"""Environment variables that enable local deployments in the registry (`enabled_by`); not settings."""


def default_model_path() -> Path:
    """Return the fitted difficulty artifact inside the installed package."""
    return PACKAGE_DIR / "artifacts" / "difficulty.json"


def default_models_dir() -> Path:
    """Return the folder of the bundled registry, one YAML file a model, inside the installed package."""
    return PACKAGE_DIR / "registry" / "models"


def default_routers_dir() -> Path:
    """Return the folder of the bundled router configs inside the installed package."""
    return PACKAGE_DIR / "registry" / "routers"


class Settings(BaseModel):
    """Settings with their defaults. Each is read from `X25_<NAME>` in the environment or in `.env`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Field(Path(".x25"), description="Folder that holds all state of an embedded gateway.")
    database_url: str = Field(
        "", description="Store; empty = SQLite in data_dir. Postgres: postgresql+psycopg://user:pw@host/db."
    )
    byok_key: str = Field(
        "",
        repr=False,
        description="Master key that orgs' own provider keys are encrypted with, 32 bytes in URL-safe Base64 (x25 keys "
        "master prints one); several, separated by commas: the first encrypts, all decrypt. Empty = none are kept.",
    )
    redis_url: str = Field(
        "",
        repr=False,
        description="Redis (redis://host:6379/0) through which gateways share limits a minute and circuit breakers; "
        "needs x25[redis]. Empty, or away = limits are shared in the store, and breakers are each process's own.",
    )
    sqlite_synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL", description="NORMAL survives a killed process, FULL also a power cut (slower)."
    )
    checkpoints: Literal["exit", "sync", "off"] = Field(
        "exit",
        description="exit: one checkpoint when a call ends. sync: one per node, so a crashed call resumes "
        "without paying twice (stores prompts). off: none.",
    )
    checkpoint_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days that checkpoints of calls are kept; 0 = for ever. Logs and audit chains stay.",
    )
    prompt_days: float = Field(
        0.0,
        ge=0,
        le=36_500,
        description="Days that stored prompts, checkpoints, lines of training data, vectors made of prompts and "
        "answers, and user ids are kept; 0 = for ever. Figures, audit chains and what was learnt stay.",
    )
    audit_key: str = Field(
        "",
        description="File with the Ed25519 key, PEM, that signs heads of audit chains; empty = audit_key.pem in the "
        "data folder, made when it is first needed.",
    )
    executor: Literal["auto", "langgraph", "direct"] = Field(
        "auto",
        description="What walks the graph of a call that nobody watches: direct is the fast one, for checkpoints=exit "
        "or off; langgraph is LangGraph's own executor; auto: direct where it does the same.",
    )
    store_prompts: bool = Field(
        False, description="Keep prompts and answers in the store and in checkpoints."
    )
    store_inputs: bool = Field(
        True,
        description="Keep the vector each prompt is made into (about 300 bytes) and features of judged answers, "
        "so that an org's own calls can teach its estimators; words of a prompt can partly be guessed from it.",
    )
    memory: bool = Field(
        True,
        description="Let an org, or a request, have what was said remembered and added to later calls; nothing is "
        "unless one of them asks. Needs X25_STORE_INPUTS.",
    )
    memory_days: float = Field(
        30.0, ge=0, le=36_500, description="Days that what was said is remembered, where it is; 0 = for ever."
    )
    mode: Literal["", "proxy", "cache", "full"] = Field(
        "",
        description="Intelligence mode of calls whose request and org name none: proxy (no cache, no memory), cache "
        "(caches), full (caches and memory); empty = caches as X25_CACHE says, memory as orgs and requests say.",
    )
    cache: Literal["off", "exact"] = Field(
        "off",
        description="exact: give the answer to the very same request again. Of orgs that say nothing; an org may "
        "also switch on near ones. Kept in the store with X25_STORE_PROMPTS, else in each process's memory.",
    )
    cache_ttl_s: float = Field(3600.0, gt=0, le=2_592_000, description="How long an answer is given again.")
    cache_mb: int = Field(
        256, ge=1, le=1_000_000, description="Most megabytes of kept answers, all orgs together."
    )
    cache_org_mb: int = Field(64, ge=1, le=1_000_000, description="The same of one org.")
    auto_train: bool = Field(
        True,
        description="Fit an org's own estimators again in the background at 200, 500, 1,000 judged calls, then at "
        "every doubling.",
    )
    host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the gateway listens on; 0 = any free one.")
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that serve the port together, on one store: one a processor core.",
    )
    terminal: bool = Field(
        True, description="Serve the manager terminal below /terminal, where x25[terminal] is installed."
    )
    require_key: bool | None = Field(
        None,
        description="true: refuse requests without an API key. false: serve everybody who reaches the gateway. Empty: "
        "serve this machine without one, and refuse every other.",
    )
    own_model_hosts: str = Field(
        "",
        description="Hosts (host or host:port, separated by commas) where an org's own key may register a model; "
        "empty = only admins may, anywhere.",
    )
    allowed_hosts: str = Field(
        "",
        description="Names the gateway answers to, separated by commas, * = any; empty = localhost and its addresses "
        "where it listens on loopback, any elsewhere.",
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may read replies, separated by commas, * = any; empty = none."
    )
    receipt_alias: str = Field(
        "",
        pattern="^(x-[a-z0-9-]{1,40})?$",
        description="Further prefix, such as x-acme, under which a reply's receipt headers are sent as well.",
    )
    responses_kept_s: int = Field(
        3600,
        ge=0,
        le=86_400,
        description="How long a process remembers answers of /v1/responses, so that they can be read and gone on from, "
        "where the store keeps none of an org's words; 0 = none is kept anywhere.",
    )
    responses_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days that they are kept in the store, with X25_STORE_PROMPTS, for every process and restart; 0 = "
        "as long as prompts are.",
    )
    max_body_bytes: int = Field(10_000_000, ge=1, description="Largest request body accepted, bytes.")
    body_timeout_s: float = Field(30.0, gt=0, le=3600, description="Longest wait for a whole request body.")
    idle_timeout_s: float = Field(
        15.0, gt=0, le=3600, description="Longest wait for a request on an open connection."
    )
    max_calls_in_flight: int = Field(
        1000, ge=1, description="Calls under way at once in one process; one more is refused with 503."
    )
    max_queue_ms: float = Field(
        5.0,
        ge=0,
        le=60_000,
        description="How long a step of a call may wait for its turn in one process; where it waits longer for a "
        "while, a share of the new calls is refused with 503 and Retry-After. 0 = none is.",
    )
    shutdown_timeout_s: int = Field(
        30, ge=1, le=7200, description="Longest wait for calls under way when the gateway is stopped."
    )
    upstream: Literal["auto", "real", "simulator"] = Field(
        "auto", description="auto: real models when a provider key is set, simulated ones otherwise."
    )
    simulator_url: str = Field("", description="A running simulator to use instead of starting one.")
    models_dir: str = Field(
        "",
        description="Further model folders, separated by the system's path separator; empty = `models` in the data "
        "folder, where there is one.",
    )
    routers_dir: str = Field("", description="Folder with router configs; empty = the bundled ones.")
    model: Path = Field(
        PACKAGE_DIR / "artifacts" / "difficulty.json",
        description="Fitted difficulty artifact to serve, or what `x25 train` writes.",
    )
    classifier: Path = Field(
        PACKAGE_DIR / "artifacts" / "classifier.json", description="Fitted task classifier to serve."
    )
    encoder: str = Field(
        "",
        description="Encoder of prompts: empty = the bundled token table; a folder with a model2vec table; "
        "st:NAME for a sentence transformer; https://host/v1 for an embeddings API.",
    )
    encoder_model: str = Field("", description="Model to ask an embeddings API for.")
    encoder_key_env: str = Field(
        "OPENAI_API_KEY", description="Environment variable with the key of the embeddings API."
    )
    judge: str = Field("auto", description="auto, none, or the model id of the judge.")
    judge_timeout_s: float = Field(20.0, gt=0, le=600, description="Longest wait for a judge.")
    attempt_timeout_s: float = Field(
        60.0, gt=0, le=3600, description="Longest wait for one provider request."
    )
    first_token_timeout_s: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Longest wait for the first piece of an answer that is streamed while it is written; then the next "
        "deployment or model is asked.",
    )
    stream_idle_timeout_s: float = Field(
        30.0, gt=0, le=3600, description="Longest wait between two pieces of such an answer."
    )
    stream_release_prob: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Probability of being right from which a first answer is streamed at once, and kept, though a "
        "dearer one could have followed; 1 = never.",
    )
    hedge: bool = Field(
        False,
        description="Ask a model a second time where its deployment takes longer than 95 in 100 of its answers did, "
        "and take what comes first, of streams by their first words; both requests are paid. A request's policy.hedge "
        "goes before.",
    )
    keys_file: str = Field(
        "",
        description="File of NAME=value lines with provider keys, over those of the environment; read again within "
        "seconds of a change, as .env is.",
    )
    breaker_failures: int = Field(
        8,
        ge=1,
        description="Failures in a row after which a deployment, or one of its keys, is left alone for a while.",
    )
    breaker_rest_s: float = Field(
        5.0,
        gt=0,
        le=3600,
        description="How long, the first time; twice as long after each probe that failed.",
    )
    call_deadline_s: float = Field(180.0, gt=0, le=7200, description="Longest time one call may take.")
    lease_s: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="How long this process counts as alive after it was last seen; then others settle its calls.",
    )
    default_max_output_tokens: int = Field(
        1024,
        ge=1,
        le=1_000_000,
        description="max_tokens sent when the caller names none; bounds what a call costs.",
    )
    max_prompt_chars: int = Field(2_000_000, ge=1, description="Longest request accepted, characters.")
    reference_model: str = Field(
        "", description="Model savings are measured against; empty = the frontier model of median price."
    )
    seed: int | None = Field(
        None, description="Seed of all draws, for reproducible runs; empty = from the system."
    )
    drain_delay_s: float = Field(
        0.0,
        ge=0,
        le=600,
        description="How long the gateway goes on taking calls after it was told to stop, while /readyz says 503: time "
        "for a load balancer to look elsewhere.",
    )
    metrics_dir: str = Field(
        "",
        description="Where workers of one gateway leave their figures for each other; x25 serve sets it for them.",
    )
    worker: int = Field(
        0, ge=0, description="Number of this process among them, the label of its figures; set likewise."
    )
    otel_endpoint: str = Field(
        "",
        description="OpenTelemetry collector (OTLP over HTTP) that traces of calls go to; needs x25[otel].",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="json: one object a line, with org and call id, without prompts, answers or keys."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Verbosity of the log."
    )

    @property
    def store_url(self) -> str:
        """URL of the store; SQLite in `data_dir` unless one is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'x25.db'}"

    @property
    def keys_files(self) -> tuple[Path, ...]:
        """The file with provider keys, where one is set."""
        return (Path(self.keys_file).expanduser(),) if self.keys_file else ()

    @property
    def model_dirs(self) -> list[Path]:
        """Folders with models beyond the bundled registry."""
        given = [Path(part).expanduser() for part in self.models_dir.split(os.pathsep) if part]
        own = self.data_dir / OWN_MODELS
        return given or ([own] if own.is_dir() else [])

    @property
    def own_models_dir(self) -> Path:
        """Folder that `x25 models add` writes to, there or not."""
        return self.model_dirs[0] if self.model_dirs else self.data_dir / OWN_MODELS

    @property
    def keeps_text(self) -> bool:
        """Whether prompts and answers may be written down."""
        return self.store_prompts or self.checkpoints == "sync"


def read_environment(env_file: Path | None = ENV_FILE) -> dict[str, str]:
    """Return the environment over the values of `.env` (the environment wins)."""
    from_file = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    return {key: value for key, value in {**from_file, **os.environ}.items() if value is not None}


def as_environment(settings: Settings) -> dict[str, str]:
    """Return the variables that another process reads the same settings from."""
    values = {PREFIX + name.upper(): value for name, value in settings if value is not None}
    return {name: str(value) for name, value in values.items()}


def load_settings(environ: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Return the settings of `environ` (default: environment and `.env`), with `overrides` on top.

    Raises
    ------
    ConfigError
        For an unknown `X25_…` name (the nearest known one is named) or a value out of range.
    """
    values = read_environment() if environ is None else environ
    given = {key: value for key, value in values.items() if key.startswith(PREFIX) and key not in SWITCHES}
    known = {PREFIX + name.upper(): name for name in Settings.model_fields}
    for key in given:
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else f"; known: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown setting {key}{hint}")
    fields = {known[key]: value for key, value in given.items() if value != ""} | {
        key: value for key, value in overrides.items() if value is not None
    }
    try:
        return Settings.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise ConfigError(f"{name}: {first['msg']}, got {first.get('input')!r}") from error
