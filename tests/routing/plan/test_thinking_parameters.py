import pytest
from pydantic import TypeAdapter, ValidationError

from x25.routing.plan.thinking_parameters import Reasoning, Thinking


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Thinking, {"type": "adaptive", "keep": "all"}),
        (Thinking, {"type": "enabled", "budget_tokens": 1024}),
        (Reasoning, {"effort": None, "max_tokens": 2000, "exclude": True, "enabled": True}),
    ],
)
def test_what_vendors_document_is_taken_as_it_is(kind, said):
    assert TypeAdapter(kind).validate_python(said) == said


@pytest.mark.parametrize(
    ("kind", "said"),
    [(Thinking, {"type": True}), (Thinking, {"budget_tokens": 1.0}), (Reasoning, {"effort": 5})],
)
def test_another_type_is_refused(kind, said):
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(said)
