import pytest

from x25.training.data.loaders.rows import (
    Row,
    as_row,
    collect,
    parse_json_lines,
    read_csv,
    read_json_lines,
    require_columns,
)

FIELDS = {"prompt_id": "p", "prompt": "Hi", "model_id": "m", "score": 1.0, "source": "test"}


def row(**values):
    return Row(values, "file, line 3")


def test_the_first_field_that_holds_something_counts():
    assert row(a=None, b="", c="x", d="y").value("a", "b", "c", "d") == "x"
    assert row(a=0, b="x").value("a", "b") == 0
    assert row(a=None).value("a", "b") is None


def test_a_missing_field_is_named_with_its_place():
    with pytest.raises(
        ValueError, match=r"^file, line 3: expected a value for a or b, got a row of \['c'\]$"
    ):
        row(c=1).text("a", "b")


def test_numbers_may_stand_for_text_but_lists_may_not():
    assert row(a=7).text("a") == "7"
    assert row(a=None).optional_text("a") is None
    with pytest.raises(ValueError, match=r"line 3: expected a to be text, got \['x'\]"):
        row(a=["x"]).optional_text("a")


@pytest.mark.parametrize(("value", "number"), [("0.5", 0.5), (True, 1.0), (False, 0.0), (3, 3.0)])
def test_numbers_are_read_from_text_and_truth(value, number):
    assert row(a=value).number("a") == number


@pytest.mark.parametrize("value", ["good", "nan", float("inf"), [1], {}])
def test_what_is_no_finite_number_is_refused(value):
    with pytest.raises(ValueError, match="line 3: expected a to be a finite number, got"):
        row(a=value).optional_number("a")


def test_an_impossible_outcome_is_placed():
    with pytest.raises(
        ValueError, match=r"^file, line 3: expected cost_usd to be a finite number of at least 0"
    ):
        row().outcome(**FIELDS, cost_usd=-1.0)


def test_nothing_read_says_what_was_skipped(tmp_path):
    with pytest.raises(ValueError, match=r"at least one outcome in .*x, got none; skipped: {'no score': 2}"):
        collect([], tmp_path / "x", {"no score": 2})


def test_what_is_counted_while_reading_is_kept(tmp_path):
    skipped = {}

    def rows():
        yield row().outcome(**FIELDS)
        skipped["no score"] = 1

    assert collect(rows(), tmp_path, skipped).skipped == {"no score": 1}


def test_scores_that_cannot_be_scaled_name_the_file(tmp_path):
    with pytest.raises(ValueError, match=f"^{tmp_path}: expected scores"):
        collect([row().outcome(**FIELDS | {"score": 5.0})], tmp_path)


def test_json_lines_are_numbered_and_blank_ones_passed_over():
    rows = list(parse_json_lines(['{"a": 1}', "  ", '{"a": 2}'], "file"))
    assert [(item.values, item.where) for item in rows] == [
        ({"a": 1}, "file, line 1"),
        ({"a": 2}, "file, line 3"),
    ]


@pytest.mark.parametrize(
    ("line", "message"), [("{", "expected JSON, got"), ("[1]", "expected a JSON object, got list")]
)
def test_a_line_that_is_no_object_is_named(tmp_path, line, message):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n' + line + "\n")
    with pytest.raises(ValueError, match=rf"rows\.jsonl, line 2: {message}"):
        list(read_json_lines(path))


def test_only_an_object_is_a_row():
    with pytest.raises(ValueError, match="here: expected a JSON object, got str"):
        as_row("x", "here")


@pytest.mark.parametrize("read", [read_json_lines, lambda path: read_csv(path, ())])
def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path, read):
    with pytest.raises(FileNotFoundError, match=r"at .*rows, found no such file"):
        list(read(tmp_path / "rows"))
    (tmp_path / "rows").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"rows: expected UTF-8 text"):
        list(read(tmp_path / "rows"))


def test_csv_rows_carry_the_line_they_end_on(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n"one\ntwo",2\n\n3,4\n', encoding="utf-8")
    rows = list(read_csv(path, ["a"]))
    assert [item.values for item in rows] == [{"a": "one\ntwo", "b": "2"}, {"a": "3", "b": "4"}]
    assert [item.where for item in rows] == [f"{path}, line 3", f"{path}, line 5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1\n", "line 2: expected 2 cells, got 1"),
        ("a,b\n1,2,3\n", "line 2: expected 2 cells, got 3"),
        ('a,b\n"1"x,2\n', "line 2: expected comma-separated cells"),
        ("b\n1\n", r"line 1: expected the columns \['a'\], got \['b'\]"),
        ("", r"line 1: expected the columns \['a'\], got \[\]"),
    ],
)
def test_a_broken_table_is_named_by_line(tmp_path, text, message):
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        list(read_csv(path, ["a"]))


def test_missing_columns_are_named():
    with pytest.raises(ValueError, match=r"table: expected the columns \['b'\], got \['a', 'c'\]"):
        require_columns(["a", "c"], ["a", "b"], "table")
