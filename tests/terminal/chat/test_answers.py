from datetime import date

import pytest

from x25.state.errors import Forbidden
from x25.terminal.chat.answers import Scope
from x25.terminal.chat.reader import Known, read
from x25.terminal.viewers import OWNER, Viewer

KNOWN = Known(["acme"], ["v/a"], date(2026, 3, 10))


def test_a_scope_is_refused_to_who_may_not_see_it():
    asked = read("How much did we spend this week?", KNOWN)
    for org in ("beta", None):
        with pytest.raises(Forbidden):
            Scope(None, Viewer("ann", ("acme",), "t"), org, asked)
    assert Scope(None, OWNER, None, asked).whose == "all organisations"


def test_a_source_names_whose_figures_of_which_days():
    scope = Scope(None, OWNER, "acme", read("spend on v/a in tier mid this week", KNOWN))
    assert scope.source("sums") == "sums; acme on v/a in tier mid; UTC days 2026-03-04 to 2026-03-10"
    assert scope.days == "in the last seven days (2026-03-04 to 2026-03-10)"
    assert Scope(None, OWNER, "acme", read("spend yesterday", KNOWN)).days == "yesterday (2026-03-09)"
    assert Scope(None, OWNER, "acme", read("spend on 2026-03-01", KNOWN)).days == "on 2026-03-01"
