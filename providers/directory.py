"""The providers that are known by name: where each is reached, what opens it, and which dialect it speaks."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, get_args

from pydantic import BeforeValidator, ConfigDict, Field

from .specs import Dialect
from .written import Text, Texts, Written, parse, read_file

FILE = Path(__file__).resolve().parent.parent / "registry" / "providers.yaml"
KeyEnv = Annotated[Texts, BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
DialectName = Annotated[Dialect, Field(description=f"one of {', '.join(get_args(Dialect)[:-1])}")]


class ProviderEntry(Written):
    """One provider. Where it has no `base_url`, every deployment names its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Text | None = None
    key_env: KeyEnv = ()
    enabled_by: Text | None = None
    dialect: DialectName = "openai"


class ProvidersFile(Written):
    """The file of all of them."""

    model_config = ConfigDict(extra="forbid")

    providers: Annotated[dict[str, ProviderEntry], Field(description="a mapping of names to providers")]


@cache
def known_providers() -> Mapping[str, ProviderEntry]:
    """Return the bundled providers by name.

    Raises
    ------
    ConfigError
        The file cannot be read or breaks the schema.
    """
    return parse(ProvidersFile, read_file(FILE), str(FILE)).providers
