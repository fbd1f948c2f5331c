from x25.training.report import cells


def test_a_note_says_how_many_judges_are_simulated(make):
    simulated = make["panel"]()
    recorded = make["panel"](judge={"recorded_pairs": 5})
    assert "simulated in all panels" in cells.judge_note({"a": simulated, "b": simulated})
    assert "simulated in 1 of 2 panels" in cells.judge_note({"a": simulated, "b": recorded})
    assert "simulated" not in cells.judge_note({"b": recorded})


def test_a_point_is_told_in_seven_cells_with_its_intervals_and_finding(make):
    told = cells.point_cells(make["point"](), "Sums")
    assert len(told) == 7
    text = "".join(str(one) for one in told)
    for written in (
        "82.3",
        "+2.3",
        "+0.4 to +4.2",
        "60 %",
        "55 to 65",
        "$0.00200",
        "1.25",
        "Saving, no loss",
    ):
        assert written in text, written


def test_a_point_without_figures_is_told_in_dashes():
    told = [one for one in cells.point_cells({}, "Sums") if one is not None]
    assert all("–" in str(one) or "No figures" in str(one) for one in told)


def test_a_judge_is_called_what_it_is(make):
    assert cells.judge_word(make["panel"]()) == "simulated"
    assert "recorded" in cells.judge_word(make["panel"](judge={"recorded_pairs": 5}))


def test_a_figure_says_nothing_beneath_where_there_is_nothing_to_say():
    chart = cells.tag("svg")
    assert "<p" not in cells.figure("Title", chart)
    assert "why" in cells.figure("Title", chart, "why")


def test_a_section_can_be_linked_to():
    assert cells.section("here", "Here", "text") == '<section id="here"><h2>Here</h2>text</section>'


def test_the_second_of_two_texts_stands_first():
    assert cells.two("panel", "point").index("point") < cells.two("panel", "point").index("panel")
