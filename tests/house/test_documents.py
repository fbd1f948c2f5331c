"""What the documents say about endpoints, settings, nodes and the picture is what the code says."""

import re
import runpy
from pathlib import Path

import pytest

import x25

ROOT = Path(x25.__file__).parent
MODELS = list((ROOT / "registry" / "models").glob("*.yaml"))
RENDER = runpy.run_path(str(ROOT / "tests" / "house" / "render_tables.py"))


@pytest.mark.parametrize(
    ("document", "sections"),
    [
        ("README.md", {"picture", "nodes"}),
        ("docs/http.md", {"endpoints"}),
        ("docs/settings.md", {"settings"}),
        ("ARCHITECTURE.md", {"picture"}),
    ],
)
def test_document_says_what_the_code_says(document, sections):
    text = (ROOT / document).read_text()
    assert {found[1] for found in RENDER["SECTION"].finditer(text)} == sections
    assert text == RENDER["rendered"](text), "run: python tests/house/render_tables.py --write"


def test_a_changed_table_is_noticed():
    text = (ROOT / "docs" / "settings.md").read_text()
    assert RENDER["rendered"](text.replace("`X25_PORT`", "`X25_DOOR`")) == text
    assert "`X25_PORT`" in text


def test_the_env_example_names_known_settings_and_holds_no_key():
    lines = [line.lstrip("# ") for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line]
    names_to_values = dict(line.split("=", 1) for line in lines)
    known = {f"X25_{name.upper()}" for name in RENDER["Settings"].model_fields}
    assert {name for name in names_to_values if name.startswith("X25_")} <= known
    keys = {name: value for name, value in names_to_values.items() if name.endswith("_API_KEY")}
    assert set(keys.values()) == {""}
    assert set(keys) == set(re.findall(r"\b[A-Z]+_API_KEY\b", "".join(map(Path.read_text, MODELS))))
