"""Savings are worked out in one place."""

import ast
import re
from pathlib import Path

import pytest

import x25

ROOT = Path(x25.__file__).parent
DEFINITION = ROOT / "state" / "savings.py"
ROOMS = ("api", "bench", "cli", "demo", "graph", "nodes", "routing", "simulator", "state", "training")
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if path != DEFINITION]
MONEY = re.compile(r"cost|usd|nusd|bill|spent|paid")
REFERENCE = re.compile(r"reference_(cost|usd|nusd)|(frontier|single|base)\w*_(cost|usd|nusd)")


def own_savings(source):
    """Return the expressions that take money from what it would have cost, or from one as a share of another."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Sub):
            continue
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        is_share = left in ("1", "1.0") and "/" in right and len(MONEY.findall(right)) > 1
        is_difference = REFERENCE.search(left) and MONEY.search(right)
        if is_share or is_difference:
            found.append(ast.unparse(node))
    return found


def test_savings_are_computed_by_their_one_definition_alone():
    assert {
        path.relative_to(ROOT).as_posix(): own for path in FILES if (own := own_savings(path.read_text()))
    } == {}


@pytest.mark.parametrize("source", [
    "row.reference_cost_nusd - row.cost_nusd",
    "1.0 - cost.mean() / frontier_cost.mean()",
    "1 - float(cost_usd.mean() / frontier_cost)",
    "func.sum(calls.c.reference_cost_nusd - calls.c.cost_nusd)",
])  # fmt: skip
def test_a_second_definition_would_be_seen(source):
    assert own_savings(source)
