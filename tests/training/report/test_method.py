"""What the page says about how its figures came about."""

from typing import get_args

import pytest

from x25.training.report import render
from x25.training.report.derived import Kind
from x25.training.report.page import environment


@pytest.fixture
def words():
    """Return what every word of the page means."""
    return environment().get_template("words.jinja").module


@pytest.fixture
def section(make, eyes):
    """Return one section of a page about these panels, the made-up one unless told."""
    return lambda name, panels=None: eyes["section"](render(panels or {"a": make["panel"]()}), name)


def test_every_finding_has_its_words(words):
    assert words.findings.keys() == set(get_args(Kind))


def test_every_word_of_the_page_is_explained(section, words):
    page = section("method")
    named = [*words.glossary, *(title for title, _ in [*words.findings.values(), *words.baselines.values()])]
    for written in (*named, *words.point_names.values()):
        assert f"<dt>{written}</dt>" in page, written
    assert words.point_meanings.keys() == words.point_names.keys()


def test_protocol_and_limits_are_told(section, words, eyes):
    said = eyes["text"](section("method"))
    assert {"Held-out prompts.", "Frozen on train.", "Bootstrap.", "Judges."} < words.protocol.keys()
    for written in (*words.protocol, *words.protocol.values(), *words.limits):
        assert written in said, written
    assert "How long calls take" in said


def test_the_origin_of_the_figures_is_listed(report, eyes):
    origin = eyes["section"](render(report), "method")
    assert "encoder.fingerprint" in origin
    assert "abc123" in origin
    assert "Where the figures come from" not in eyes["section"](render(report["panels"]), "method")


def test_a_verifier_is_shown_whatever_was_measured(eyes):
    assert eyes["rows"](
        eyes["section"](render({"panels": {}, "verifier": {"sums": {"auc": 0.71}}}), "verifier")
    )[1:] == [["sums.auc", "0.71"]]
    for nothing in (None, {}):
        assert eyes["section"](render({"panels": {}, "verifier": nothing}), "verifier") is None


def test_everything_is_folded_away_part_by_part(make, eyes):
    page = eyes["section"](
        render({"a": {"operating_points": {}, "x": 0.123456789}, "b": {"operating_points": {}}}), "everything"
    )
    assert page.count("<details>") == 2
    assert "0.123456789" in page
    assert eyes["section"](render({}), "everything") is None
