import re

import pytest

from x25.training.report import svg


def empty():
    return svg.axes((200, 100), (20, 10, 10, 20))


def test_a_chart_refers_to_nothing_outside_or_inside_itself():
    figure, drawn = empty()
    drawn.scatter([0.1, 0.2], [0.3, 0.4], s=20)
    page = svg.inline(figure, "A chart")
    assert not re.search(r"xmlns|<use|<defs|url\(|clip-path|href| id=|//", page)
    assert page.count("<path") > 2


def test_colours_are_the_style_sheets():
    figure, drawn = empty()
    drawn.plot([0, 1], [0, 1], color=svg.COLOURS["accent"])
    svg.name_axes(drawn, "cost", "score")
    page = svg.inline(figure, "A chart")
    assert "var(--accent)" in page
    assert not re.search(r"#[0-9a-fA-F]{6}", page)


def test_both_axes_are_named(eyes):
    figure, drawn = empty()
    svg.name_axes(drawn, "cost", "score")
    assert {"cost", "score"} <= set(eyes["chart"](svg.inline(figure, "A chart")).words)


@pytest.mark.parametrize("hostile", ['"><script>', "</svg>", "a & b", "$x^2$", "\\frac", "a\nb\x00\x1b"])
def test_words_are_letters_whatever_they_hold(eyes, hostile):
    figure, drawn = empty()
    svg.write(drawn, hostile, (50, 50))
    page = svg.inline(figure, hostile.replace("\x00", "").replace("\x1b", ""))
    assert "<script" not in page
    shown = "".join(letter if letter.isprintable() else " " for letter in hostile)
    assert " ".join(shown.split()) in {" ".join(word.split()) for word in eyes["chart"](page).words}


def test_hovering_over_a_part_says_what_was_told(eyes):
    figure, drawn = empty()
    drawn.scatter(0.5, 0.5, gid="mark-0")
    drawn.scatter(0.7, 0.7, gid="mark-1")
    assert list(eyes["chart"](svg.inline(figure, "A chart", {"mark-0": "here <&>"})).marks) == ["here <&>"]


def test_numbers_are_as_long_as_a_screen_can_show():
    figure, drawn = empty()
    drawn.plot([0, 1 / 3, 1], [0, 1 / 7, 1])
    page = svg.inline(figure, "A chart")
    assert not re.search(r"\d\.\d{3,}", page)


@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("values", [[3.0], [0.002, 0.9], [1e-5, 2e-5], [5.0, 5.0]])
def test_a_range_holds_all_values_with_room_and_has_ticks(values, is_log):
    _, drawn = empty()
    svg.set_range(drawn, values, values, is_log=is_log)
    low, high = drawn.get_xlim()
    assert all(low < value < high for value in values)
    assert any(low <= tick <= high for tick in drawn.get_xticks())


def test_ticks_are_round_and_evenly_apart():
    _, drawn = empty()
    svg.set_range(drawn, [0.0, 1.0], [0.0, 1.0])
    shown = [tick for tick in drawn.get_yticks() if 0.0 <= tick <= 1.0]
    assert shown == pytest.approx([0.0, 0.5, 1.0])
    svg.set_range(drawn, [0.00005, 0.004], [0.0, 1.0], is_log=True)
    low, high = drawn.get_xlim()
    shown = [tick for tick in drawn.get_xticks() if low <= tick <= high]
    assert shown == pytest.approx([0.0001, 0.0003, 0.001, 0.003])


def test_a_chart_is_the_same_each_time():
    def drawn():
        figure, chart = empty()
        chart.plot([0, 1], [0, 1])
        return svg.inline(figure, "A chart")

    assert drawn() == drawn()
