import json
import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import (
    Draft3Validator,
    Draft4Validator,
    Draft6Validator,
    Draft7Validator,
    Draft201909Validator,
    Draft202012Validator,
)
from jsonschema.exceptions import SchemaError, UnknownType

from x25.routing.answer.json_schema import (
    KEPT_BYTES,
    MOST_CHARS,
    MOST_PATTERN_SIZE,
    _compiled,
    schema_mismatch,
    schema_problem,
)
from x25.routing.answer.work import Work

DRAFTS = {
    "http://json-schema.org/draft-03/schema#": Draft3Validator,
    "http://json-schema.org/draft-04/schema#": Draft4Validator,
    "http://json-schema.org/draft-06/schema#": Draft6Validator,
    "http://json-schema.org/draft-07/schema#": Draft7Validator,
    "https://json-schema.org/draft/2019-09/schema": Draft201909Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
}
LONGEST_S = 1.5
"""Far above the tenth of a second that a purse lasts on an idle machine, far below what it prevents."""

KEYS = st.sampled_from(["a", "b", "ab", "x1"])
NUMBERS = st.integers(-3, 12) | st.sampled_from([0.5, 1.0, 2.5])
SCALARS = st.none() | st.booleans() | NUMBERS | st.sampled_from(["", "a", "ab", "x1"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)
PATTERNS = st.sampled_from(["^a", "b$", "^x[0-9]+$", "^(a|b){1,2}$"])
TYPES = st.sampled_from(["object", "array", "string", "number", "integer", "boolean", "null"])
COUNTS = st.integers(0, 3)


def keywords(sub):
    """Return a strategy of schemas with up to three keywords, whose parts are drawn from `sub`."""
    some = st.lists(sub, min_size=1, max_size=3)
    rules = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "enum": st.lists(VALUES, min_size=1, max_size=4),
        "const": VALUES,
        "minimum": NUMBERS, "exclusiveMaximum": NUMBERS, "multipleOf": st.sampled_from([1, 2, 0.5]),
        "minLength": COUNTS, "maxLength": COUNTS, "pattern": PATTERNS,
        "minItems": COUNTS, "maxItems": COUNTS, "uniqueItems": st.booleans(),
        "minProperties": COUNTS, "maxProperties": COUNTS, "required": st.lists(KEYS, max_size=2, unique=True),
        "properties": st.dictionaries(KEYS, sub, max_size=3),
        "patternProperties": st.dictionaries(PATTERNS, sub, max_size=2),
        "additionalProperties": sub, "propertyNames": sub, "items": sub, "contains": sub,
        "prefixItems": some, "minContains": COUNTS, "maxContains": COUNTS,
        "dependentRequired": st.dictionaries(KEYS, st.lists(KEYS, max_size=2, unique=True), max_size=2),
        "dependentSchemas": st.dictionaries(KEYS, sub, max_size=2),
        "unevaluatedProperties": sub, "unevaluatedItems": sub,
        "allOf": some, "anyOf": some, "oneOf": some, "not": sub, "if": sub, "then": sub, "else": sub,
        "$ref": st.sampled_from(["#/$defs/d", "#/$defs/e", "#e"]),
    }  # fmt: skip
    one = st.sampled_from(sorted(rules)).flatmap(lambda name: st.tuples(st.just(name), rules[name]))
    return st.lists(one, min_size=1, max_size=3).map(dict)


PARTS = st.recursive(st.booleans() | keywords(st.booleans()), keywords, max_leaves=6)
SCHEMAS = st.builds(
    lambda whole, d, e: {**whole, "$defs": {"d": d, "e": {"$anchor": "e", "type": e}}},
    keywords(PARTS),
    PARTS.filter(lambda part: "$ref" not in json.dumps(part)),
    TYPES,
)
MANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def is_partial(schema):
    text = json.dumps(schema)
    return "unevaluatedProperties" in text and ("patternProperties" in text or "dependentSchemas" in text)


@pytest.mark.slow
@MANY
@given(SCHEMAS, VALUES)
def test_a_verdict_is_the_librarys_own(schema, value):
    assert schema_problem(schema) is None
    fits = Draft202012Validator(schema).is_valid(value)
    found = schema_mismatch(value, schema)
    assert fits or found is not None or is_partial(schema)
    assert found is None or not fits


@pytest.mark.slow
@MANY
@given(SCHEMAS, VALUES, st.sampled_from(sorted(set(DRAFTS) - {"http://json-schema.org/draft-03/schema#"})))
def test_the_draft_is_the_one_that_the_schema_names(schema, value, draft):
    schema = {**schema, "$schema": draft}
    library = DRAFTS[draft]
    if schema_problem(schema) is not None:
        return
    library.check_schema(schema)
    found = schema_mismatch(value, schema)
    fits = library(schema).is_valid(value)
    assert fits or found is not None or is_partial(schema)
    assert found is None or not fits


@pytest.mark.slow
@MANY
@given(SCHEMAS, VALUES, st.sampled_from([r"^(?!b)", r"(a)\1"]))
def test_an_unknown_pattern_never_makes_a_fitting_value_fail(schema, value, unknown):
    schema = json.loads(json.dumps(schema).replace('"^a"', json.dumps(unknown)))
    if schema_mismatch(value, schema) is not None:
        assert not Draft202012Validator(schema).is_valid(value)


ANY_WORDS = [
    "type", "enum", "const", "minimum", "exclusiveMinimum", "multipleOf", "maxLength", "pattern",
    "uniqueItems", "maxProperties", "required", "properties", "patternProperties", "additionalProperties",
    "propertyNames", "items", "additionalItems", "contains", "prefixItems", "dependentRequired",
    "dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems", "allOf", "anyOf",
    "oneOf", "not", "if", "then", "else", "$ref", "$dynamicRef", "$recursiveRef", "$dynamicAnchor",
    "$anchor", "$id", "id", "$defs", "definitions", "extends", "disallow", "format",
]  # fmt: skip
ODD = SCALARS | st.sampled_from(["#", "#a", "#/$defs/a", "^(?=a)", "[", "http://[", "string", 10**30, 1e308])
NONSENSE = st.recursive(
    ODD,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ANY_WORDS, "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.slow
@MANY
@given(
    st.dictionaries(st.sampled_from(ANY_WORDS), NONSENSE, max_size=4), st.sampled_from(sorted(DRAFTS)), VALUES
)
def test_whatever_is_sent_is_a_schema_or_a_sentence_and_never_a_crash(schema, draft, value):
    problem = schema_problem({**schema, "$schema": draft})
    assert problem is None or problem
    assert schema_mismatch(value, {**schema, "$schema": draft}) is None or problem is None


WORDS = ["type", "items", "required", "minLength", "anyOf", "properties", "enum", "not"]
BROKEN = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=8,
)


@MANY
@given(BROKEN, st.sampled_from(sorted(DRAFTS)))
@example({"type": ""}, "http://json-schema.org/draft-03/schema#")
def test_what_is_no_schema_is_found_where_the_library_finds_it(schema, draft):
    named = {**schema, "$schema": draft} if isinstance(schema, dict) else schema
    library = DRAFTS[draft] if isinstance(schema, dict) else Draft202012Validator
    try:
        library.check_schema(named)
    except SchemaError:
        assert schema_problem(named) is not None
    else:
        assert (schema_problem(named) is None) == can_validate(library, named)


def can_validate(library, schema) -> bool:
    """Return whether a schema that the library calls valid can be used: draft 3 lets types pass that nobody knows."""
    try:
        list(library(schema).iter_errors(None))
    except UnknownType:
        return False
    return True


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "strin"}, "$.type must be one of"),
        ({"properties": {"a": {"minLength": "5"}}}, "$.properties.a.minLength must be integer, got str"),
        ({"items": [{}]}, "$.items must be object or boolean, got list"),
        ([], "it must be an object, true or false, got a list"),
        ({"$schema": 5}, "its $schema must be text"),
        ({"pattern": "["}, "'[' is not a regular expression"),
        (
            {"definitions": {"A": {"pattern": "("}}, "$ref": "#/definitions/A"},
            "'(' is not a regular expression",
        ),
        ({"$ref": "#/$defs/nowhere"}, "its reference '#/$defs/nowhere' leads nowhere; none is fetched"),
        ({"items": {"$ref": "other.json"}}, "its reference 'other.json' leads nowhere"),
        ({"$ref": "#"}, "it refers to itself without end"),
        ({"$schema": "http://json-schema.org/draft-04/schema#", "$ref": 5}, "it cannot be read as a schema"),
        (
            {"$schema": "http://json-schema.org/draft-03/schema#", "disallow": "x"},
            "it cannot be read as a schema",
        ),
        ({"enum": [float("nan")]}, "it is not JSON"),
        ({"enum": [{1, 2}]}, "it is not JSON"),
        ({"description": "x" * MOST_CHARS}, f"at most {MOST_CHARS} are accepted"),
        ({"pattern": f"(a{{{MOST_PATTERN_SIZE}}}){{2}}"}, f"at most {MOST_PATTERN_SIZE} are accepted"),
    ],
)
def test_a_wrong_schema_is_explained(schema, problem):
    assert problem in schema_problem(schema)
    assert schema_mismatch({}, schema) is None


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"$schema": "https://example.org/a-draft-of-our-own", "type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]},
        {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 1, "exclusiveMinimum": True},
        {"$ref": "https://json-schema.org/draft/2020-12/schema"},
        {"$id": "https://example.org/tree", "properties": {"left": {"$ref": "tree"}}},
        {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"},
        {"properties": {"$schema": {"type": "string"}, "pattern": {"type": "string"}}},
    ],
)
def test_what_callers_really_send_is_accepted(schema):
    assert schema_problem(schema) is None


def test_a_property_called_like_a_keyword_is_only_a_property():
    schema = {"properties": {"$schema": {"type": "string"}}, "required": ["$schema"]}
    assert schema_mismatch({"$schema": 5}, schema) == "$.$schema must be string, got int"


def test_nothing_is_fetched(monkeypatch):
    def fetch(*_, **__):
        raise AssertionError("something was fetched")

    monkeypatch.setattr("urllib.request.urlopen", fetch)
    for reference in ("http://127.0.0.1:9/a.json", "file:///etc/passwd", "https://json-schema.org/unknown"):
        assert "leads nowhere" in schema_problem({"$ref": reference})
        assert "leads nowhere" in schema_problem({"$id": reference, "properties": {"a": {"$ref": "b.json"}}})


def doubling(depth):
    """Return definitions of which each asks for the next one twice."""
    parts = {f"n{i}": {"allOf": [{"$ref": f"#/$defs/n{i + 1}"}] * 2} for i in range(depth)}
    return {**parts, f"n{depth}": {}}


def nested(depth, wrap):
    schema = {}
    for _ in range(depth):
        schema = wrap(schema)
    return schema


HOSTILE = {
    "nested repeats": ({"pattern": "^(a+)+$"}, "a" * 90_000 + "!"),
    "a pattern as large as the text is long": ({"pattern": "(a|b)*a(a|b){2000}c"}, "ab" * 50_000),
    "many patterns": ({"allOf": [{"pattern": f"(a|b)*a.{{90}}{i}"} for i in range(100)]}, "ab" * 5_000),
    "patterns of keys": ({"patternProperties": {"^(a+)+$": {}}, "unevaluatedProperties": False}, {"a" * 50 + "!": 1}),
    "doubling references": ({"$defs": doubling(40), "properties": {"x": {"$ref": "#/$defs/n0"}}}, {"x": 1}),
    "doubling of dependents": (
        {
            "properties": {"x": {"unevaluatedProperties": False, "$ref": "#/$defs/n0"}},
            "$defs": {
                **{f"n{i}": {"dependentSchemas": {k: {"$ref": f"#/$defs/n{i + 1}"} for k in "ab"}} for i in range(40)},
                "n40": {},
            },
        },
        {"x": {"a": 1, "b": 1}},
    ),
    "a part in another draft": (
        {"properties": {"x": {"$schema": "http://json-schema.org/draft-07/schema#", "pattern": "^(a+)+$"}}},
        {"x": "a" * 60 + "!"},
    ),
    "items against a long enum": ({"items": {"enum": [f"e{i}" for i in range(9_000)]}}, ["x"] * 50_000),
    "unique objects": ({"uniqueItems": True}, [{"a": 1, "b": [i]} for i in range(20_000)]),
    "anchors": (
        {"$defs": {f"d{i}": {"$anchor": f"a{i}"} for i in range(2_000)}, "items": {"$ref": "#a7"}}, [1] * 50_000,
    ),
    "long answers quoted by every alternative": ({"anyOf": [{"type": "null"}] * 5_000}, "x" * 1_000_000),
    "a deep value": ({"properties": {"a": {"$ref": "#"}}}, nested(900, lambda inner: {"a": inner})),
    "a huge multiple": ({"multipleOf": 0.1}, 10**400),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_schemas_and_values_are_done_with_in_bounded_time(name):
    schema, value = HOSTILE[name]
    assert schema_problem(schema) is None
    started = time.process_time()
    schema_mismatch(value, schema)
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": doubling(40), "$ref": "#/$defs/n0"},
        nested(400, lambda inner: {"allOf": [inner]}),
        nested(5_000, lambda inner: {"not": inner}),
        {"allOf": [{"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
    ],
    ids=["doubling", "deep", "deeper", "itself", "in turn"],
)
def test_a_schema_that_no_value_can_be_checked_against_is_refused_in_bounded_time(schema):
    started = time.process_time()
    assert schema_problem(schema) is not None
    assert time.process_time() - started < LONGEST_S


def test_one_purse_pays_for_several_values():
    schema, work = {"items": {"type": "integer"}}, Work()
    assert schema_mismatch([1] * 1_000, schema, work) is None
    left = work.left
    assert schema_mismatch([1] * 1_000, schema, work) is None
    assert work.left < left < Work().left
    assert schema_mismatch(["x"], schema, Work(left=1)) is None


def test_a_schema_is_compiled_once_whoever_sends_it():
    schema = {"type": "object", "title": "compiled once"}
    schema_problem(schema)
    before = _compiled.cache.currsize
    assert schema_problem(json.loads(json.dumps(schema))) is None
    assert _compiled.cache.currsize == before


def test_what_is_kept_of_schemas_is_bounded_by_the_memory_it_takes():
    for number in range(200):
        schema_problem({"title": f"{number}", "description": "x" * (MOST_CHARS - 100)})
    assert _compiled.cache.currsize <= KEPT_BYTES
    assert 10 < len(_compiled.cache) < 100


def test_a_schema_changed_in_place_is_another_schema():
    schema = {"type": "string"}
    assert schema_mismatch(3, schema) is not None
    schema["type"] = "integer"
    assert schema_mismatch(3, schema) is None
