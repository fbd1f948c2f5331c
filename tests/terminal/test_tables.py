import csv
import io
from urllib.parse import unquote

from x25.terminal.markup import Markup
from x25.terminal.tables import Column, csv_head, csv_line, table

COLUMNS = [
    Column("Name", lambda one: one[0], lambda one: one[0]),
    Column("Cost", lambda one: f"${one[1]}", lambda one: one[1], is_number=True),
    Column("Link", lambda _: "x"),
]


def test_a_table_escapes_marks_and_has_a_name():
    written = str(table(COLUMNS, [("<b>", 1), ("c", 2)], label="Costs", mark=lambda one: one[1] == 2))
    assert "&lt;b&gt;" in written
    assert '<tr class="chosen"><td>c</td><td class="r">$2</td>' in written
    assert written.count('aria-label="Costs"') == 2


def test_csv_holds_values_and_no_formula():
    lines = csv_head(COLUMNS) + csv_line(COLUMNS, ("=1+1", -5)) + csv_line(COLUMNS, ('a,"b', 2))
    assert list(csv.reader(io.StringIO(lines))) == [["Name", "Cost"], ["'=1+1", "-5"], ['a,"b', "2"]]


def test_a_table_is_saved_whole_as_it_is_shown_without_a_formula():
    columns = [
        *COLUMNS[:2],
        Column("Why", lambda one: Markup("<b>{}</b> &amp; more").format(one[0])),
        Column("", str),
    ]
    written = str(table(columns, [("=1+1", 1), ("<i>", 2)], label="Costs", file="costs"))
    assert 'download="x25-costs.csv"' in written
    inside = unquote(written.partition("data:text/csv;charset=utf-8,")[2].partition('"')[0])
    assert list(csv.reader(io.StringIO(inside))) == [
        ["Name", "Cost", "Why"], ["'=1+1", "1", "'=1+1 & more"], ["<i>", "2", "<i> & more"],
    ]  # fmt: skip
    assert "download" not in table(columns, [], label="Costs", file="costs")
    assert "download" not in table(columns, [("a", 1)], label="Costs")
