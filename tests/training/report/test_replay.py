"""What the sections about a replay say."""

import re

import pytest

from x25.training.report import render


@pytest.fixture
def section(eyes):
    return lambda replay, name: eyes["section"](render({"panels": {}}, replay), name)


def test_every_part_of_a_replay_has_its_section_and_an_absent_one_has_none(replay, section):
    for name in ("regret", "drift", "ladder", "loop"):
        assert section(replay, name)
        assert section({key: value for key, value in replay.items() if key != name}, name) is None
        assert section({}, name) is None


def test_learners_are_listed_from_the_least_regret(replay, section, eyes):
    rows = eyes["rows"](section(replay, "regret"))
    assert rows[1:] == [
        ["x25 warm", "0.9300", "52.4", "0.8", "53.9", "5.8"], ["random", "0.9300", "251.0", "0.8", "53.9", "5.8"],
    ]  # fmt: skip


def test_a_curve_that_would_flatten_the_rest_is_named_beneath(replay, section):
    assert "Beyond the frame, see the table: random." in section(replay, "regret")
    replay["curves"]["regret"]["random"] = [1.0, 40.0, 80.0]
    assert "Beyond the frame" not in section(replay, "regret")


def test_drift_shows_its_charts_its_meaning_and_every_figure(replay, section, eyes):
    shown = section(replay, "drift")
    titles = re.findall(r"<figcaption>(.*?)</figcaption>", shown)
    assert titles == ["x25: share of requests", "x25: posterior mean", "x25-classic: share of requests"]
    assert "The frontier model's answers lose 18 % of their reward." in shown
    assert eyes["rows"](shown) == [
        ["Figure", "x25", "x25-classic"],
        ["phase rewards", "0.9 · 0.8 · 0.9", "0.9 · 0.8 · 0.9"],
        ["detection steps", "41", "41"],
        ["median alarm step", "–", "–"],
    ]
    assert 'title="requests until the share of the worse model fell below 30 % of what it was"' in shown


def test_the_ladder_stands_beside_the_published_row(replay, section, eyes):
    head, cheap, _ = eyes["rows"](section(replay, "ladder"))
    assert head[:4] == ["Ceiling, $ per call", "Reward", "±", "Published"]
    assert cheap == ["$0.000100", "0.830", "0.001", "0.800", "0.790", "0.810", "0.990", "1.001"]


def test_an_unpublished_rung_is_a_dash(replay, section, eyes):
    for rung in replay["ladder"]:
        rung["published"] = None
    assert [row[3] for row in eyes["rows"](section(replay, "ladder"))[1:]] == ["–", "–"]


def test_the_loop_shows_utility_and_distance_to_the_ceiling(replay, section, eyes):
    shown = section(replay, "loop")
    assert re.findall(r"<caption>(.*?)</caption>", shown) == [
        "sums: utility",
        "sums: points below the ceiling ± s.e.",
    ]
    assert ["warm", "+3.2 ± 0.5"] in eyes["rows"](shown)
