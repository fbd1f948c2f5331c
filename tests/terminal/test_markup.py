from x25.terminal.markup import Markup, div, join, link, span, tag

WORSE = "<script>alert('x')</script>\"&"


def test_whatever_is_not_markup_is_escaped():
    assert tag("p", WORSE) == Markup("<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&#34;&amp;</p>")
    assert '"' not in str(tag("a", href=WORSE)).split('href="')[1].removesuffix('"></a>')
    assert (
        str(join([WORSE, None, span("b", 1)], "<")) == f'{Markup.escape(WORSE)}&lt;<span class="b">1</span>'
    )


def test_attributes_are_spelled_as_html_does():
    assert (
        str(tag("input", type="text", required=True, disabled=False, value=None))
        == '<input type="text" required>'
    )
    assert str(div("a b", aria_label="x", for_="y")) == '<div class="a b" aria-label="x" for="y"></div>'
    assert str(link("./?a=1&b=2", "x", name="n")) == '<a href="./?a=1&amp;b=2" name="n">x</a>'
