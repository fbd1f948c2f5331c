"""The kinds of values in files that people write, and how a file becomes one of pydantic's models."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ..state.complaints import WRONG_PART, complain
from ..state.errors import ConfigError

# The loader written in C reads three hundred files in a fraction of the time and makes the same plain values.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Written(BaseModel):
    """A mapping that people write: unknown keys are refused, and nothing is guessed from a value of another kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


T = TypeVar("T")
W = TypeVar("W", bound=Written)


def read_file(path: Path) -> Any:
    """Return what a file holds in plain values: JSON by its suffix, YAML otherwise.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    is_json = path.suffix == ".json"
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if is_json else yaml.load(text, Loader=_SafeLoader)  # noqa: S506 - a safe loader
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as {'JSON' if is_json else 'YAML'}: {error}") from error


def parse(model: type[W], given: Any, source: str) -> W:
    """Return the content of a file as `model`; `source` names the file.

    Raises
    ------
    ConfigError
        A key is missing, unknown, of the wrong type or out of range; the sentence names source and key.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise complain(error.errors(), model.model_json_schema(), given).in_file(source) from error


def wrong(*place: str | int, expected: str) -> PydanticCustomError:
    """Return what a format raises when the part at `place` does not go with the others."""
    return PydanticCustomError(WRONG_PART, "it must be {expected}", {"place": place, "expected": expected})


def _plain_date(value: Any) -> Any:
    """Return the ISO form of a YAML date, anything else as it is."""
    return value.isoformat() if isinstance(value, date) else value


def _refuse_text(value: Any) -> Any:
    """Return the value unless it is text, which Decimal would read as a number."""
    if isinstance(value, str):
        raise ValueError("text is no number")  # noqa: TRY004 - pydantic reads ValueError alone
    return value


Text = Annotated[str, Field(pattern=r"\S", description="text")]
DateText = Annotated[Text, BeforeValidator(_plain_date)]
Several = Annotated[tuple[T, ...], Field(strict=False)]
"""A list; files know no tuples, and a tuple nobody changes."""
Texts = Annotated[Several[Annotated[str, Field(min_length=1)]], Field(description="a list of texts")]
Flag = Annotated[bool, Field(description="true or false")]
Count = Annotated[int, Field(gt=0, description="a whole number above 0")]
Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False, description="a number from 0 to 100")]
Number = Annotated[
    Decimal,
    Field(strict=False, ge=0, allow_inf_nan=False, description="a number >= 0"),
    BeforeValidator(_refuse_text),
]
"""Exactly as written: .1 is a tenth."""
