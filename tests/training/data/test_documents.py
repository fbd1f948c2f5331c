import pytest
from pydantic import Field

from x25.state.errors import ConfigError
from x25.training.data.documents import Document, parse_document, read_document


class Part(Document):
    name: str
    share: float = 0.5


class Whole(Document):
    title: str
    parts: list[Part] = Field(default_factory=list)
    by_name: dict[str, Part] = Field(default_factory=dict)


GIVEN = {"title": "T", "parts": [{"name": "a"}], "by_name": {"x": {"name": "b", "share": 1.0}}}


def test_what_a_file_holds_becomes_a_document(tmp_path):
    (tmp_path / "whole.yaml").write_text("title: T\nparts:\n- name: a\n")
    found = read_document(tmp_path / "whole.yaml", Whole)
    assert (found.title, found.parts[0].share) == ("T", 0.5)
    assert parse_document(GIVEN, Whole, "x").by_name["x"].share == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"titel": "T"}, "key 'title' is missing"),
        (GIVEN | {"titel": "T"}, "unknown key 'titel'; did you mean 'title'"),
        (GIVEN | {"title": 3}, "title must be a valid string, got 3"),
        (GIVEN | {"parts": {"name": "a"}}, "parts must be a list, got"),
        (GIVEN | {"parts": [{"name": "a"}, {}]}, "key 'parts.1.name' is missing"),
        (
            GIVEN | {"parts": [{"name": "a", "shere": 1.0}]},
            "unknown key 'parts.0.shere'; did you mean 'share'",
        ),
        (GIVEN | {"parts": ["a"]}, "parts.0 must be keys and values, got 'a'"),
        (
            GIVEN | {"by_name": {"x": {"name": "b", "nam": 1}}},
            "unknown key 'by_name.x.nam'; did you mean 'name'",
        ),
        (["a list"], "expected keys and values, got"),
        (None, "expected keys and values, got None"),
    ],
)
def test_a_fault_is_told_with_its_file_and_key(given, message):
    with pytest.raises(ConfigError, match=f"whole.yaml: {message}"):
        parse_document(given, Whole, "whole.yaml")


@pytest.mark.parametrize("text", ["title: [a", "\x00"])
def test_a_file_that_is_no_yaml_is_named(tmp_path, text):
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"odd\.yaml cannot be read as YAML"):
        read_document(tmp_path / "odd.yaml", Whole)
    with pytest.raises(ConfigError, match=r"none\.yaml cannot be read as YAML"):
        read_document(tmp_path / "none.yaml", Whole)


def test_a_document_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        parse_document(GIVEN, Whole, "x").title = "other"
