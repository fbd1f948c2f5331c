"""Is a YAML file of the workshop what it should be? Checked against a model; an error names the file and the key."""

from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from ...state.complaints import nearest_key
from ...state.errors import ConfigError


class Document(BaseModel):
    """What a file holds, or a part of one: immutable, without unknown keys, each value of its stated type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


D = TypeVar("D", bound=Document)
_PLAINLY = {"model_type": "Input should be keys and values", "dict_type": "Input should be keys and values",
            "tuple_type": "Input should be a list", "list_type": "Input should be a list"}  # fmt: skip
"""What the library says of types that YAML calls by other names."""


def read_document(path: Path, kind: type[D]) -> D:
    """Return what a YAML file holds.

    Raises
    ------
    ConfigError
        If the file is no YAML or not of this kind, naming the file and the key.
    """
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} cannot be read as YAML: {error}") from error
    return parse_document(given, kind, str(path))


def parse_document(given: object, kind: type[D], where: str) -> D:
    """Return the document these values make; `where` names their file for messages. Raises ConfigError."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"{where}: {_told(first, kind)}") from error


def _told(fault: Any, kind: type[Document]) -> str:
    """Return one fault as a sentence end: the key, what was expected of it and what came."""
    *outer, last = fault["loc"] or ("",)
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key {key!r}; {nearest_key(str(last), _keys(kind, outer))}"
    if fault["type"] == "missing":
        return f"key {key!r} is missing"
    if not key and fault["type"] == "model_type":
        return f"expected keys and values, got {fault['input']!r:.80}"
    message = _PLAINLY.get(fault["type"], fault["msg"]).removeprefix("Value error, ")
    said = message.replace("Input should be", f"{key} must be") if "Input" in message else f"{key}: {message}"
    return f"{said.removeprefix(': ')}, got {fault['input']!r:.80}"


def _keys(kind: type[BaseModel], path: list[int | str]) -> list[str]:
    """Return the keys known at a path inside a document, of the fields on the way that are documents themselves."""
    for part in path:
        if isinstance(part, str) and part in kind.model_fields:
            annotation = kind.model_fields[part].annotation
            kind = next((one for one in (annotation, *_inside(annotation)) if _is_model(one)), kind)
    return [field.alias or name for name, field in kind.model_fields.items()]


def _inside(annotation: Any) -> list[Any]:
    return [one for arg in get_args(annotation) for one in (arg, *_inside(arg))]


def _is_model(one: Any) -> bool:
    return isinstance(one, type) and issubclass(one, BaseModel)
