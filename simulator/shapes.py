"""The smallest value that fits a JSON schema, for structured answers and tool calls."""

from typing import Any

_EMPTY: dict[str, Any] = {"integer": 0, "number": 0.0, "boolean": True, "null": None}


def fill(schema: dict[str, Any], text: str, root: dict[str, Any] | None = None) -> Any:
    """Return a value of the schema's shape whose free strings hold `text`; an empty schema gives an object.

    Understands `const`, `enum`, `anyOf`, `oneOf`, local `$ref`, `properties`, `minItems` and `minimum`.
    """
    root = root or schema
    if "$ref" in schema:
        return fill(_resolve(schema["$ref"], root), text, root)
    for choices in ("anyOf", "oneOf"):
        if choices in schema:
            return fill(schema[choices][0], text, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    return _fill_type(schema, text, root)


def _fill_type(schema: dict[str, Any], text: str, root: dict[str, Any]) -> Any:
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "string":
        return text
    if kind == "array":
        return [fill(schema.get("items") or {}, text, root)] * schema.get("minItems", 1)
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: fill(properties.get(key, {}), text, root) for key in schema.get("required", properties)}
    return schema.get("minimum", _EMPTY.get(kind))


def _resolve(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    part: Any = root
    for key in reference.removeprefix("#/").split("/"):
        part = part[key]
    return part  # type: ignore[no-any-return]
