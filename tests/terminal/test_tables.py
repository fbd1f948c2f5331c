import csv
import io

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
