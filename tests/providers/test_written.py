from decimal import Decimal
from typing import Annotated

import pytest
from pydantic import Field, model_validator

from x25.providers.written import Number, Several, Text, Texts, Written, parse, read_file, wrong
from x25.state.errors import ConfigError


class Shelf(Written):
    name: Text
    prices: Annotated[dict[str, Number] | None, Field(description="a mapping")] = None
    books: Several["Book"] = ()

    @model_validator(mode="after")
    def check(self):
        if self.name == "wrong":
            raise wrong("books", 0, "title", expected="on the right shelf")
        return self


class Book(Written):
    title: Text
    words: Texts = ()


def test_what_fits_becomes_the_model_and_lists_become_tuples():
    book = {"title": "x", "words": ["y"]}
    shelf = parse(Shelf, {"name": "low", "prices": {"a": 0.1}, "books": [book]}, "s.yaml")
    assert (shelf.prices, shelf.books) == ({"a": Decimal("0.1")}, (Book(title="x", words=("y",)),))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"nmae": "low"}, "s.yaml: unknown key 'nmae'; did you mean 'name'?"),
        (
            {"name": "low", "books": [{"titel": "x"}]},
            "s.yaml: unknown key 'books[0].titel'; did you mean 'title'?",
        ),
        ({"name": "low", "books": [{}]}, "s.yaml: books[0].title must be text, got nothing"),
        ({"name": "low", "prices": {"a": "1"}}, "s.yaml: prices.a must be a number >= 0, got '1'"),
        (
            {"name": "wrong", "books": [{"title": "x"}]},
            "s.yaml: books[0].title must be on the right shelf, got 'x'",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence_with_file_and_key(given, sentence):
    with pytest.raises(ConfigError) as caught:
        parse(Shelf, given, "s.yaml")
    assert str(caught.value) == sentence


def test_yaml_and_json_are_read_as_plain_values(tmp_path):
    (tmp_path / "a.yaml").write_text("a: 1e5\nb: 2026-11-01\n")
    (tmp_path / "a.json").write_text('{"a": 1e5}')
    assert read_file(tmp_path / "a.json") == {"a": 100_000}
    assert read_file(tmp_path / "a.yaml")["b"].isoformat() == "2026-11-01"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.yaml", b"a: [", "YAML"),
        ("a.yaml", b"\xff\xfe\x00", "YAML"),
        ("a.json", b"{", "JSON"),
        ("b.yaml", None, "YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, name, content, kind):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"{name} cannot be read as {kind}: "):
        read_file(path)


def test_a_key_that_is_written_twice_is_refused_with_its_line(tmp_path):
    (tmp_path / "twice.yaml").write_text("a: 1\nb: {c: 2}\na: 3\n")
    with pytest.raises(ConfigError, match=r"'a' is written twice(.|\n)*line 3"):
        read_file(tmp_path / "twice.yaml")
