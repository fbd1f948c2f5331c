import json
import re
from html.parser import HTMLParser

import pytest

from x25.training.report import context, page, render, write_report

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert('x')</script> & \"quoted\" </style></title>"
VOID = {"meta", "br", "hr", "col"}
SHOWN = {
    "frontier_chart": {"title", "models", "baselines", "operating_points", "curves"},
    "calibration_chart": {"title", "models", "tiers", "ece", "seed_form"},
    "regret_chart": {"curves"},
}
DRAWN = {}


@pytest.fixture(autouse=True)
def _draw_equal_charts_once(monkeypatch):
    """Keep what was drawn: hundreds of pages here differ in one figure each, few of them in a chart."""

    def kept(name, draw):
        def drawn(*asked):
            *others, figures = asked
            shown = figures
            if name in SHOWN and isinstance(figures, dict):
                shown = {key: value for key, value in figures.items() if key in SHOWN[name]}
            key = (name, json.dumps([*others, shown]))
            if key not in DRAWN:
                DRAWN[key] = draw(*asked)
            return DRAWN[key]

        return drawn

    for name in (*SHOWN, "drift_charts", "ladder_chart"):
        monkeypatch.setattr(context, name, kept(name, getattr(context, name)))


class WellFormed(HTMLParser):
    """Collects what a browser would have to repair, ids, and the text outside of folded figures."""

    def __init__(self):
        super().__init__()
        self.open, self.faults, self.ids, self.tags, self.attributes = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")


def parsed(page):
    parser = WellFormed()
    parser.feed(page)
    parser.close()
    return parser


def readable(page):
    """Return the page without its style sheet and the folded figures."""
    return re.sub(r"<(style|pre)>.*?</\1>", "", page, flags=re.DOTALL)


def test_every_tag_is_closed_in_order_and_every_id_is_unique(report, replay):
    found = parsed(render(report, replay))
    assert (found.open, found.faults) == ([], [])
    assert len(found.ids) == len(set(found.ids))


def test_every_link_leads_to_a_section_of_the_page(report, replay):
    found = parsed(render(report, replay))
    targets = {attrs["href"][1:] for tag, attrs in found.attributes if tag == "a"}
    assert targets <= set(found.ids)
    assert {"headline", "frontier", "calibration", "baselines", "matched", "types", "mix"} <= targets
    assert {"regret", "drift", "ladder", "loop", "method", "everything", "verifier", "splits"} <= targets


def test_the_page_fetches_nothing_and_runs_nothing(report, replay):
    page = render(report, replay)
    found = parsed(page)
    assert not {"script", "link", "img", "iframe", "object", "image", "use"} & set(found.tags)
    assert "//" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_every_panel_and_its_figures_can_be_read_without_unfolding(report, replay):
    page = readable(render(report, replay))
    for written in (
        "Synthetic sums", "Synthetic talk", "small-1", "middle-1", "large-1", "82.3", "+2.3", "+0.4 to +4.2", "60 %",
        "55 to 65", "$0.00200", "1.25", "0.031", "0.092", "0.34", "0.55", "+1.7 ± 0.9", "0.7123", "52.4", "251.0",
        "0.910", "+3.2 ± 0.5", "61.5",
    ):  # fmt: skip
        assert written in page, written


def test_every_number_is_on_the_page_unrounded(report):
    report["panels"]["sums"]["ece"] = 0.031415926535
    page = render(report)
    assert "0.031415926535" in page
    assert str(report["panels"]["sums"]["curves"]["train"]["quality_price"][0]) in page


@pytest.mark.parametrize(
    "place",
    [
        lambda report, replay: report["panels"].update({HOSTILE: report["panels"].pop("sums")}),
        lambda report, replay: report["panels"]["sums"].update(title=HOSTILE),
        lambda report, replay: report["panels"]["sums"]["models"].update(slm=HOSTILE),
        lambda report, replay: report["panels"]["sums"]["judge"].update(description=HOSTILE),
        lambda report, replay: report["panels"]["sums"]["baselines"]["best_single"].update(model=HOSTILE),
        lambda report, replay: report["panels"]["sums"]["baselines"].update({HOSTILE: {"score": 0.5}}),
        lambda report, replay: report["panels"]["sums"]["by_task_type"].update({HOSTILE: {"prompts": 30}}),
        lambda report, replay: report["panels"]["sums"]["tiers"].update({HOSTILE: {"ece": 0.1}}),
        lambda report, replay: report.update(created_at=HOSTILE),
        lambda report, replay: report.update(encoder=HOSTILE),
        lambda report, replay: report.update(verifier={HOSTILE: HOSTILE}),
        lambda report, replay: replay["regret"].update({HOSTILE: {"regret": 1.0}}),
        lambda report, replay: replay["drift"].update({HOSTILE: replay["drift"]["frontier-worse"]}),
        lambda report, replay: replay["loop"].update({HOSTILE: replay["loop"]["sums"]}),
    ],
)  # fmt: skip
def test_hostile_text_is_text(report, replay, place):
    place(report, replay)
    page = render(report, replay)
    found = parsed(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert (found.open, found.faults) == ([], [])
    assert {name for _, attrs in found.attributes for name in attrs if name.startswith("on")} == set()


def leaves_out(value, depth=0):
    """Yield copies of nested figures, each without one of its keys, down to a depth."""
    for key in value:
        yield f"{key}", {other: held for other, held in value.items() if other != key}
        if isinstance(value[key], dict) and depth < 3:
            for path, less in leaves_out(value[key], depth + 1):
                yield f"{key}.{path}", value | {key: less}


def test_any_one_part_of_the_evaluation_may_be_absent(report):
    del report["panels"]["talk"]
    for path, less in leaves_out(report):
        assert parsed(render(less)).faults == [], path


def test_any_one_part_of_the_replay_may_be_absent(report, replay):
    for path, less in leaves_out(replay):
        assert parsed(render({"panels": {}}, less)).faults == [], path
    assert 'id="regret"' not in render(report)


@pytest.mark.parametrize("value", [None, float("nan"), "text", {}])
def test_a_figure_of_the_wrong_kind_is_a_dash_and_no_failure(report, value):
    del report["panels"]["talk"]
    for key in report["panels"]["sums"]:
        spoiled = {"panels": {"sums": report["panels"]["sums"] | {key: value}}}
        assert parsed(render(spoiled)).faults == [], key
    point = report["panels"]["sums"]["operating_points"]["match"]
    for key in point:
        report["panels"]["sums"]["operating_points"]["match"] = point | {key: value}
        assert parsed(render(report)).faults == [], key


def test_without_the_libraries_the_extra_is_named(report, monkeypatch):
    monkeypatch.setattr(page, "NEEDED", ("jinja2", "no_such_library"))
    with pytest.raises(
        ModuleNotFoundError, match=r"a report needs no_such_library: pip install 'x25\[train\]'"
    ):
        render(report)


def test_an_empty_evaluation_says_so():
    assert "holds no panel" in render({"panels": {}})


def test_a_bare_mapping_of_panels_is_read_too(report):
    assert "Synthetic talk" in readable(render(report["panels"]))


def test_the_file_holds_the_page_and_its_folder_is_made(report, replay, tmp_path):
    path = tmp_path / "new" / "report.html"
    write_report(path, report, replay)
    assert path.read_text(encoding="utf-8") == render(report, replay)
    again = json.loads(json.dumps(report))
    write_report(path, again)
    assert path.read_text(encoding="utf-8") == render(report)


def test_wherever_judges_matter_the_page_says_that_they_are_simulated(report):
    sections = re.findall(r'<section id="(\w+)">(.*?)</section>', render(report), re.DOTALL)
    noted = {key for key, text in sections if "Judges are simulated in 1 of 2 panels" in text}
    assert noted == {"headline", "frontier", "baselines", "matched", "types", "mix", "points", "splits"}


def test_every_chart_and_table_has_a_name_for_those_who_do_not_see_it(report, replay):
    found = parsed(render(report, replay))
    charts = [attrs for tag, attrs in found.attributes if tag == "svg"]
    assert len(charts) > 10
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in charts)
    assert found.tags.count("caption") == found.tags.count("table") > 5
