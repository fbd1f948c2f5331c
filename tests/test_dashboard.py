"""The Grafana dashboard asks for nothing that the gateway does not tell."""

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from x25.api.metrics import exposition
from x25.state.meter import FAMILIES, Meter

DASHBOARD = Path(__file__).parent.parent / "deploy" / "grafana" / "x25.json"


def told():
    """Return the samples of a gateway in which everything happened once, with their labels."""
    meter = Meter()
    for name, family in FAMILIES.items():
        one = meter.add if family.kind == "counter" else meter.observe
        one(name, tuple("x" for _ in family.labels), 1.0)
    text = exposition({"0": {**meter.told(), "states": {}}}).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name: set(sample.labels) for sample in samples}


def test_every_query_names_figures_and_labels_that_exist():
    known = told()
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    named = {name for query in queries for name in re.findall(r"x25_\w+", query)}
    assert named <= known.keys()
    for query in queries:
        (name,) = set(re.findall(r"x25_\w+", query))
        grouped = re.findall(r"by \(([^)]*)\)", query)
        assert {label.strip() for labels in grouped for label in labels.split(",")} <= known[name], query
        assert query.count("(") == query.count(")")


def test_every_family_is_on_it_and_its_panels_have_ids_of_their_own():
    board = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    said = json.dumps(board)
    assert [name for name in FAMILIES if name not in said] == []
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
