import datetime as dt
from decimal import Decimal

import pytest

from x25.providers.fields import Fields
from x25.state.errors import ConfigError


def test_an_unknown_key_is_refused_and_the_nearest_known_one_named():
    with pytest.raises(ConfigError, match=r"a\.yaml: unknown key group\.pirces; did you mean prices\?"):
        Fields({"pirces": 1}, "a.yaml", ("name", "prices"), "group")


def test_a_number_keeps_the_decimals_that_were_written():
    assert Fields({"price": 0.1}, "a", None).number("price") == Decimal("0.1")


def test_a_yaml_date_becomes_its_iso_form():
    assert Fields({"as_of": dt.date(2026, 11, 1)}, "a", None).text("as_of") == "2026-11-01"


def test_a_path_leads_to_the_wrong_entry_of_a_list():
    outer = Fields({"things": [{"name": "x"}, {"name": 3}]}, "a.yaml", None)
    with pytest.raises(ConfigError, match=r"a\.yaml: things\[1\]\.name must be text, got 3"):
        [item.text("name") for item in outer.items("things", ("name",))]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda f: f.text("k"), " "),
        (lambda f: f.texts("k"), "alone"),
        (lambda f: f.texts("k"), [1]),
        (lambda f: f.texts("k", allowed=("a", "b")), ["c"]),
        (lambda f: f.choice("k", ("a", "b")), "c"),
        (lambda f: f.flag("k"), "yes"),
        (lambda f: f.count("k"), 0),
        (lambda f: f.count("k"), True),
        (lambda f: f.count("k"), 1.0),
        (lambda f: f.number("k"), None),
        (lambda f: f.number("k"), float("inf")),
        (lambda f: f.optional_number("k", highest=100), 101),
        (lambda f: f.optional_number("k"), "1"),
        (lambda f: f.group("k", None), [1]),
        (lambda f: f.items("k", ("a",)), []),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_came(read, value):
    with pytest.raises(ConfigError, match=r"a\.yaml: k must be") as caught:
        read(Fields({"k": value}, "a.yaml", ("k",)))
    assert str(caught.value).endswith(repr(value))


def test_absent_is_told_from_wrong():
    fields = Fields({}, "a.yaml", ("k",))
    assert fields.texts("k") == ()
    assert not fields.flag("k")
    assert fields.group("k", None, required=False).mapping == {}
    with pytest.raises(ConfigError, match="k must be a mapping, got nothing"):
        fields.group("k", None)


def test_a_file_that_is_not_a_mapping_is_refused():
    with pytest.raises(ConfigError, match="the file must be a mapping"):
        Fields(["a"], "a.yaml", None)
