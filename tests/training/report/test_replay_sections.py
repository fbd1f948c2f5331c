import re

from x25.training.report.replay_sections import replay_sections


def ids(replay):
    return [re.search(r'id="(\w+)"', one).group(1) for one in replay_sections(replay)]


def section(replay, name):
    return next(str(one) for one in replay_sections(replay) if f'id="{name}"' in one)


def test_every_part_of_a_replay_has_its_section_and_an_absent_one_has_none(replay):
    assert ids(replay) == ["regret", "drift", "ladder", "loop"]
    for name in ("regret", "drift", "ladder", "loop"):
        assert name not in ids({key: value for key, value in replay.items() if key != name})
    assert ids({}) == []


def test_learners_are_listed_from_the_least_regret(replay):
    text = section(replay, "regret")
    assert text.index(">x25 warm</th>") < text.index(">random</th>")


def test_a_curve_that_would_flatten_the_rest_is_named_beneath(replay):
    assert "Beyond the frame, see the table: random." in section(replay, "regret")
    replay["curves"]["regret"]["random"] = [1.0, 40.0, 80.0]
    assert "Beyond the frame" not in section(replay, "regret")


def test_drift_shows_shares_of_all_learners_and_beliefs_of_the_first(replay):
    titles = re.findall(r"<figcaption>(.*?)</figcaption>", section(replay, "drift"))
    assert titles == ["x25: share of requests", "x25: posterior mean", "x25-classic: share of requests"]


def test_every_figure_of_a_drift_is_in_its_table(replay):
    text = section(replay, "drift")
    assert "0.9 · 0.8 · 0.9" in text
    assert "detection steps" in text
    assert "The frontier model&#x27;s answers lose 18 % of their reward." in text


def test_the_ladder_stands_beside_the_published_row(replay):
    text = section(replay, "ladder")
    assert ">Published</abbr>" in text
    for written in ("$0.000100", "0.830", "0.800", "0.790", "1.001"):
        assert written in text, written


def test_an_unpublished_rung_is_a_dash(replay):
    for rung in replay["ladder"]:
        rung["published"] = None
    assert "–" in section(replay, "ladder")


def test_the_loop_shows_utility_and_distance_to_the_ceiling(replay):
    text = section(replay, "loop")
    assert "sums: utility" in text
    assert "sums: points below the ceiling ± s.e." in text
    assert "+3.2 ± 0.5" in text


def test_a_fixed_model_is_named_in_the_chart_without_its_vendor(replay):
    replay["curves"]["regret"]["always vendor/large-1"] = [1.0, 30.0, 60.0]
    assert ">always large-1</text>" in section(replay, "regret")
