"""Render the tables and the picture of README.md, ARCHITECTURE.md and docs/ from the code.

`python tests/house/render_tables.py --write` brings the documents up to date; without `--write` it names the
documents that are not and ends with exit code 1.
"""

import re
import sys
from pathlib import Path

import x25
from x25.api.app import create_app
from x25.graph.build import graph
from x25.graph.settings import PACKAGE_DIR, PREFIX, Settings

ROOT = Path(x25.__file__).parent
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "docs/http.md", "docs/settings.md")
SECTION = re.compile(r"<!-- (\w+) -->\n.*?<!-- /\1 -->", re.DOTALL)


def table(header, rows):
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def picture():
    """Return the graph's nodes and edges as Mermaid, in story order; dotted edges are conditional."""
    drawn = graph.get_graph()
    order = ["__start__", *_nodes(), "__end__"]
    labels = {"__start__": "start([request])", "__end__": "reply([reply])"}
    edges = sorted(drawn.edges, key=lambda edge: (order.index(edge.source), order.index(edge.target)))
    lines = [
        f"    {labels.get(edge.source, edge.source)} {_arrow(edge)} {labels.get(edge.target, edge.target)}"
        for edge in edges
    ]
    return "\n".join(["```mermaid", "graph TD", *lines, "```"])


def _arrow(edge):
    """Return an edge, a conditional one with the name of the function that decides."""
    if not edge.conditional:
        return "-->"
    (name,) = graph.builder.branches[edge.source]
    return f"-. {name} .->"


def nodes():
    """Return a row for each node: what it does, whether it reaches the network or writes."""
    rows = []
    for name, node in _nodes().items():
        facts = node.metadata or {}
        touches = ", ".join(word for word in ("network", "writes") if facts.get(word))
        rows.append([f"`{name}`", str(facts.get("does", "")), touches])
    return table(["Node", "Does", "Touches"], rows)


def endpoints():
    """Return a row for each HTTP route of the application."""
    rows = [
        [f"`{method.upper()} {path}`", operation["summary"]]
        for path, methods in create_app().openapi()["paths"].items()
        for method, operation in methods.items()
    ]
    return table(["Endpoint", "What it gives"], rows)


def settings():
    """Return a row for each setting: variable, default, meaning."""
    rows = [
        [f"`{PREFIX}{name.upper()}`", _default(field.default), field.description or ""]
        for name, field in Settings.model_fields.items()
    ]
    return table(["Variable", "Default", "Means"], rows)


RENDERERS = {"picture": picture, "nodes": nodes, "endpoints": endpoints, "settings": settings}


def rendered(text):
    """Return a document's text with each marked section rendered anew."""
    return SECTION.sub(
        lambda found: f"<!-- {found[1]} -->\n{RENDERERS[found[1]]()}\n<!-- /{found[1]} -->", text
    )


def _nodes():
    return {
        name: node for name, node in graph.get_graph().nodes.items() if name not in {"__start__", "__end__"}
    }


def _default(value):
    if isinstance(value, Path) and value.is_relative_to(PACKAGE_DIR):
        return f"`{value.relative_to(PACKAGE_DIR)}` of the package"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return "" if value is None or value == "" else f"`{value}`"


def main():
    """Compare or rewrite the documents."""
    stale = [name for name in DOCUMENTS if rendered((ROOT / name).read_text()) != (ROOT / name).read_text()]
    if "--write" not in sys.argv[1:]:
        sys.exit(f"run with --write; not up to date: {', '.join(stale)}" if stale else 0)
    for name in stale:
        (ROOT / name).write_text(rendered((ROOT / name).read_text()))


if __name__ == "__main__":
    main()
