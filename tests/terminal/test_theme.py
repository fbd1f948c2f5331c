from x25.terminal.theme import head, theme_css


def test_the_style_sheet_asks_for_nothing_elsewhere():
    assert "url(" not in theme_css()
    assert "@import" not in theme_css()
    assert theme_css().count("{") == theme_css().count("}")


def test_the_head_names_the_version_of_the_style_sheet():
    assert 'href="theme.css?v=' in head()
    assert "http://" not in head().replace("http://www.w3.org", "").replace("http%3A//www.w3.org", "")
