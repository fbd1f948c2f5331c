"""The kinds of values in files that people write, and how a file becomes one of pydantic's models."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ..state.complaints import WRONG_PART, Place, complain_all
from ..state.errors import ConfigError

# The loader written in C reads three hundred files in a fraction of the time and makes the same plain values.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):  # type: ignore[misc]
    """Refuses a key that is written twice: the first one would be lost without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key for key, _ in node.value]
        for place, key in enumerate(keys):
            if key.value in [earlier.value for earlier in keys[:place]]:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key.value!r} is written twice", key.start_mark
                )
        return super().construct_mapping(node, deep=deep)


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
        return json.loads(text) if is_json else yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as {'JSON' if is_json else 'YAML'}: {error}") from error


def parse(
    model: type[W], given: Any, source: str, line_of: Callable[[Place], int | None] = lambda _: None
) -> W:
    """Return the content of a file as `model`; `source` names the file, `line_of` tells the line of a place in it.

    Raises
    ------
    ConfigError
        Keys are missing, unknown, of the wrong type or out of range: a sentence for each, on a line of its own, that
        names source and key, and the line where it is known.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        complaints = complain_all(error.errors(), model.model_json_schema(), given, line_of)
        raise ConfigError("\n".join(one.sentence(source) for one in complaints)) from error


def parse_file(model: type[W], path: Path) -> W:
    """Return a YAML file as `model`.

    Raises
    ------
    ConfigError
        It cannot be read, or as `parse`, with lines.
    """
    given = read_file(path)
    return parse(model, given, str(path), lambda place: _line_of(path, place))


def _line_of(path: Path, place: Place) -> int | None:
    """Return the line of a part of a YAML file; of a part that is not there, the line of what it is missing from."""
    node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_SafeLoader)
    if node is None:
        return None
    line: int = node.start_mark.line
    for step in place:
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
        else:
            listed = isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value)
            found = (node.value[step], node.value[step]) if listed else None
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return line + 1


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
