import re
from pathlib import Path

import pytest

from x25.training import report as package
from x25.training.report import render
from x25.training.report.svg import COLOURS

STYLE = (Path(package.__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
LIGHT = dict(re.findall(r"--([\w-]+):(#\w+)", STYLE.split("@media")[0]))
DARK = LIGHT | dict(re.findall(r"--([\w-]+):(#\w+)", STYLE.split("@media")[1]))


def luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(one * 2 for one in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_all_text_has_a_contrast_of_at_least_four_and_a_half(colours):
    hues = [name for name in colours if name.startswith("hue")]
    for name in ("ink", "soft", "accent", "slm", "mid", "frontier", *hues):
        assert contrast(colours[name], colours["bg"]) >= 4.5, name
        assert contrast(colours[name], colours["panel"]) >= 4.5, name
    for name in ("good", "doubt", "bad"):
        assert contrast(colours[name], colours[f"{name}-bg"]) >= 4.5, name


def test_braces_are_balanced_and_the_sheet_cannot_end_its_element():
    assert STYLE.count("{") == STYLE.count("}")
    assert "<" not in STYLE


def test_every_colour_that_is_used_is_defined(report, replay):
    assert set(re.findall(r"var\(--([\w-]+)\)", render(report, replay))) <= LIGHT.keys()
    assert COLOURS.keys() <= LIGHT.keys()


def test_every_colour_has_its_counterpart_in_the_dark():
    assert {name for name, colour in LIGHT.items() if DARK[name] == colour} == set()


def test_every_class_of_the_page_is_styled(report, replay):
    used = {one for names in re.findall(r'class="([^"]*)"', render(report, replay)) for one in names.split()}
    unstyled = {one for one in used if not re.search(rf"\.{re.escape(one)}(?![\w-])", STYLE)}
    # The plain findings.
    assert unstyled - {"no_saving", "unknown"} == set()


def test_every_class_of_the_style_sheet_is_used(report, replay, make):
    points = {"match": make["point"](is_reached_on_train=False)}
    page = render({"panels": report["panels"] | {"c": make["panel"](operating_points=points)}}, replay)
    used = {one for names in re.findall(r'class="([^"]*)"', page) for one in names.split()}
    assert set(re.findall(r"\.([a-z_-]+)", re.sub(r"\d\.\w+", "", STYLE))) <= used
