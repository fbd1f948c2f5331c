"""Units ride in names; edges name their destinations."""

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

import x25
from x25.graph.build import build_cascade
from x25.graph.settings import Settings
from x25.nodes.escalate import escalate
from x25.nodes.reuse import reuse

ROOT = Path(x25.__file__).parent
ROOMS = ("api", "demo", "graph", "nodes", "providers", "routing", "simulator", "state", "training", "bench")
FILES = [ROOT / "response.py", *sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
QUANTITY = re.compile(r"(^|_)(cost|latency|price|timeout|deadline)(_|$)")
UNIT = re.compile(
    r"_(usd|nusd|nusd_per_tok|usd_per_mtok|usd_per_token|musd|ms|s|tokens|prob|weight|quantile)$"
)
NUMERIC = re.compile(r"\b(int|float|Decimal|Count|Number|Score|_Budget|_Number|_Price|_Share|_Usd)\b")
"""Annotations of numbers, and the names that files and policies have for them."""
WITHOUT_UNIT = {
    "PlanPrices.quality_price": "2026-11-20: dimensionless, quality points",
    "PlanPrices.latency_price": "2026-11-20: dimensionless, quality points",
    "PlanPrices.judge_cost": "2026-11-20: dimensionless, relative to the reference cost",
    "Point.quality_price": "2026-11-20: dimensionless, quality points",
    "Problem.judge_cost": "2026-11-20: dimensionless, relative to the reference cost",
    "Scenario.cost_factor": "2026-11-20: dimensionless, a multiple of the recorded cost",
    "Hints.max_cost_per_token": "2026-11-28: a key of the request body; US dollars",
    "RouterConfig.lambda_cost": "2026-11-20: a key of router files; dimensionless",
    "RouterConfig.lambda_latency": "2026-11-20: a key of router files; dimensionless",
    "ThresholdRule.lambda_cost": "2026-11-20: as in router files",
    "ThresholdRule.lambda_latency": "2026-11-20: as in router files",
    "Candidate.cost": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "Candidate.latency": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "DecisionReply.cost": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "DecisionReply.latency": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "LoggedEntry.cost": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "LoggedEntry.latency": "2026-11-28: a name that the wire fixes; in US dollars or milliseconds",
    "DecisionRequest.lambda_cost": "2026-11-28: as in router files",
    "DecisionRequest.lambda_latency": "2026-11-28: as in router files",
    "ConfigCard.lambda_cost": "2026-11-28: as in router files",
    "ConfigCard.lambda_latency": "2026-11-28: as in router files",
    "Question.lambda_cost": "2026-11-28: as in router files",
    "Question.lambda_latency": "2026-11-28: as in router files",
    "Policy.max_cost_per_token": "2026-11-20: a policy key callers already send; in dollars",
}


def numeric_fields(path):
    """Return the annotated class fields that hold a number."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    kind = ast.unparse(field.annotation)
                    if NUMERIC.search(kind) and "Mapping" not in kind and "dict" not in kind:
                        yield f"{node.name}.{field.target.id}"


def test_fields_that_hold_money_or_time_end_in_their_unit():
    fields = {field for path in FILES for field in numeric_fields(path)}
    bare = {field for field in fields if QUANTITY.search(field.rpartition(".")[2]) and not UNIT.search(field)}
    assert bare == WITHOUT_UNIT.keys()


@pytest.mark.parametrize("edge", [reuse, escalate])
def test_edges_name_their_destinations(edge):
    returned = get_type_hints(edge)["return"]
    branches = {
        name: branch for of_node in build_cascade({}).branches.values() for name, branch in of_node.items()
    }
    assert branches.keys() == {"reuse", "escalate"}
    assert get_origin(returned) is Literal
    assert set(get_args(returned)) == set(branches[edge.__name__].ends)


def test_every_node_is_the_function_its_file_is_named_after():
    for name in build_cascade({}).nodes:
        assert callable(getattr(import_module(f"x25.nodes.{name}"), name))


def test_every_setting_is_described():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
