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
    sqlite_synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL", description="NORMAL survives a killed process, FULL also a power cut (slower)."
    )
    checkpoints: Literal["exit", "sync", "off"] = Field(
        "exit",
        description="exit: one checkpoint when a call ends. sync: one per node, so a crashed call resumes "
        "without paying twice (stores prompts). off: none.",
    )
    store_prompts: bool = Field(
        False, description="Keep prompts and answers in the store and in checkpoints."
    )
    store_inputs: bool = Field(
        True,
        description="Keep the vector each prompt is made into (about 640 bytes) and features of judged answers, "
        "so that an org's own calls can teach its estimators; words of a prompt can partly be guessed from it.",
    )
    auto_train: bool = Field(
        True,
        description="Fit an org's own estimators again in the background at 200, 500, 1,000 judged calls, then at "
        "every doubling.",
    )
    host: str = Field("127.0.0.1", description="Address the gateway listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port the gateway listens on; 0 = any free one.")
    require_key: bool = Field(False, description="Refuse requests without an API key.")
    allowed_hosts: str = Field(
        "",
        description="Names the gateway answers to, separated by commas, * = any; empty = localhost and its addresses "
        "where it listens on loopback, any elsewhere.",
    )
    cors_origins: str = Field(
        "", description="Origins whose pages may read replies, separated by commas, * = any; empty = none."
    )
    max_body_bytes: int = Field(10_000_000, ge=1, description="Largest request body accepted, bytes.")
    body_timeout_s: float = Field(30.0, gt=0, le=3600, description="Longest wait for a whole request body.")
    idle_timeout_s: float = Field(
        15.0, gt=0, le=3600, description="Longest wait for a request on an open connection."
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
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Verbosity of the log."
    )

    @property
    def store_url(self) -> str:
        """URL of the store; SQLite in `data_dir` unless one is set."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data_dir / 'x25.db'}"

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


def read_environment(env_file: Path | None = Path(".env")) -> dict[str, str]:
    """Return the environment over the values of `.env` (the environment wins)."""
    from_file = dotenv_values(env_file) if env_file is not None and env_file.is_file() else {}
    return {key: value for key, value in {**from_file, **os.environ}.items() if value is not None}


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
