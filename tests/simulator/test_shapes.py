import pytest

from x25.simulator.shapes import fill


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string"}, "t"),
        ({"type": ["string", "null"]}, "t"),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "boolean"}, True),
        ({"type": "null"}, None),
        ({"enum": ["b", "a"]}, "b"),
        ({"const": 5}, 5),
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, 0.0),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2}, ["t", "t"]),
        ({}, {}),
    ],
)
def test_a_value_has_the_shape_of_its_schema(schema: dict, value: object) -> None:
    assert fill(schema, "t") == value


def test_an_object_holds_its_required_keys_and_follows_references() -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/City"}, "note": {"type": "string"}},
        "required": ["city"],
        "$defs": {"City": {"type": "object", "properties": {"name": {"type": "string"}}}},
    }
    assert fill(schema, "Oslo") == {"city": {"name": "Oslo"}}
