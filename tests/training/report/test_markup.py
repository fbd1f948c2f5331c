import pytest

from x25.training.report.markup import Column, Safe, join, table, tag


def test_text_is_escaped_and_built_markup_is_not():
    inner = tag("b", "<&\"'>")
    assert tag("p", inner, "1 < 2") == "<p><b>&lt;&amp;&quot;&#x27;&gt;</b>1 &lt; 2</p>"


def test_markup_formatted_into_a_string_is_text_again():
    assert tag("p", f"{tag('b', 'x')}") == "<p>&lt;b&gt;x&lt;/b&gt;</p>"


def test_an_attribute_cannot_end_its_quotes():
    assert tag("p", title='" onclick="x') == '<p title="&quot; onclick=&quot;x"></p>'


def test_attributes_follow_the_conventions_of_their_names():
    found = tag("rect", class_="a", aria_label="b", x=1.0, y=2.3456, hidden=True, id=None, open=False)
    assert found == '<rect class="a" aria-label="b" x="1" y="2.35" hidden></rect>'


@pytest.mark.parametrize("name", ["", "a b", "x>", "1a", "on/x"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(ValueError, match="no name"):
        tag(name)
    with pytest.raises(ValueError, match="no name"):
        tag("p", **{name: "x"})


def test_void_elements_have_no_end():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_joining_leaves_out_none_and_escapes_what_stands_between():
    assert join(["a", None, Safe("<b>")], " & ") == "a &amp; <b>"


def test_a_table_heads_its_rows_and_columns_and_glosses_its_titles():
    columns = [Column("Name", is_number=False), Column("Cost", "what it costs")]
    found = table("Prices <1>", columns, [["a", "1"], ["b", None]])
    assert "<caption>Prices &lt;1&gt;</caption>" in found
    assert 'aria-label="Prices &lt;1&gt;"' in found
    assert '<th scope="row">a</th><td class="number">1</td>' in found
    assert '<th scope="row">b</th><td class="number"></td>' in found
    assert '<abbr title="what it costs">Cost</abbr>' in found
