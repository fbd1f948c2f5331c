from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from x25.providers.model_files import parse_model
from x25.providers.registry import load_registry
from x25.providers.windows import PriceWindow
from x25.state.errors import ConfigError
from x25.state.usage import Usage

EXAMPLE = Path(__file__).parent / "priced_by_time" / "peak-hours.yaml"
FRIDAY = datetime(2026, 11, 20, tzinfo=UTC)
SATURDAY = FRIDAY + timedelta(days=1)
NIGHT = {"start": "22:00", "end": "02:00", "input_usd_per_mtok": 1}


def written(windows, zone="UTC", **prices):
    """Return the example's model with other windows."""
    whole = yaml.safe_load(EXAMPLE.read_text())
    whole["prices"] = {**whole["prices"], "time_zone": zone, "windows": windows, **prices}
    return parse_model({key: value for key, value in whole.items() if value is not None}, "m.yaml")


def input_price(spec, now):
    return spec.priced_at(now).input_usd_per_mtok


def at(hour, minute=0, day=FRIDAY):
    return day.replace(hour=hour, minute=minute)


def test_a_window_starts_with_its_first_minute_and_ends_before_its_last():
    spec = load_registry(EXAMPLE.parent).get("acme/peak-hours")
    usual, peak = Decimal("0.22"), Decimal("0.44")
    assert input_price(spec, at(0, 59)) == usual
    assert input_price(spec, at(1, 0)) == peak
    assert input_price(spec, at(3, 59) + timedelta(seconds=59)) == peak
    assert input_price(spec, at(4, 0)) == usual
    assert [input_price(spec, at(hour)) for hour in (6, 9, 10)] == [peak, peak, usual]


def test_a_window_holds_on_its_days_only():
    spec = load_registry(EXAMPLE.parent).get("acme/peak-hours")
    assert input_price(spec, at(2, day=SATURDAY)) == Decimal("0.22")


def test_a_window_may_wrap_midnight():
    spec = written([NIGHT])
    prices = [
        input_price(spec, at(hour, minute)) for hour, minute in [(21, 59), (22, 0), (0, 0), (1, 59), (2, 0)]
    ]
    assert prices == [Decimal("0.22"), 1, 1, 1, Decimal("0.22")]


def test_a_wrapped_window_belongs_to_the_day_it_starts_on():
    spec = written([{**NIGHT, "days": ["fri"]}])
    assert input_price(spec, at(1)) == Decimal("0.22")
    assert input_price(spec, at(23)) == 1
    assert input_price(spec, at(1, day=SATURDAY)) == 1
    assert input_price(spec, at(23, day=SATURDAY)) == Decimal("0.22")


def test_the_clock_is_that_of_the_named_zone():
    spec = written([{"start": "09:00", "end": "10:00", "input_usd_per_mtok": 1}], zone="Asia/Shanghai")
    assert input_price(spec, at(1)) == 1
    assert input_price(spec, at(1).astimezone(ZoneInfo("America/New_York"))) == 1
    assert input_price(spec, at(9)) == Decimal("0.22")


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="expected a time with a time zone"):
        written([NIGHT]).priced_at(datetime(2026, 11, 20, 12))  # noqa: DTZ001


def test_a_model_without_windows_is_the_same_at_any_time():
    plain = written([NIGHT]).priced_at(at(12))
    assert plain.price_windows == ()
    assert plain.priced_at(at(23)) is plain


def test_realised_cost_is_that_of_the_moment_and_a_bound_that_of_the_dearest_one():
    spec = load_registry(EXAMPLE.parent).get("acme/peak-hours")
    usage = Usage(1_000, 100)
    peak, usual = spec.priced_at(at(2)), spec.priced_at(at(12))
    assert peak.cost_nusd(usage) == 2 * usual.cost_nusd(usage)
    assert (
        spec.bound_cost_nusd(1_000, 100)
        == peak.bound_cost_nusd(1_000, 100)
        > usual.bound_cost_nusd(1_000, 100)
    )


def test_a_price_the_window_does_not_name_stays_but_cached_input_follows_input():
    changed = written([NIGHT], cached_input_usd_per_mtok=0.02).priced_at(at(23))
    assert changed.output_usd_per_mtok == Decimal("0.66")
    assert changed.cached_input_usd_per_mtok == 1


@pytest.mark.parametrize(
    "windows",
    [
        [NIGHT, {**NIGHT, "start": "01:00", "end": "05:00"}],
        [NIGHT, {**NIGHT, "start": "21:00", "end": "22:01"}],
        [{**NIGHT, "days": ["sun"]}, {**NIGHT, "start": "01:59", "end": "05:00", "days": ["mon"]}],
        [NIGHT, NIGHT],
    ],
)
def test_windows_that_overlap_are_rejected(windows):
    with pytest.raises(ConfigError, match=r"m\.yaml: prices\.windows must be windows that do not overlap"):
        written(windows)


@pytest.mark.parametrize(
    "windows",
    [
        [NIGHT, {**NIGHT, "start": "02:00", "end": "05:00"}],
        [{**NIGHT, "days": ["sun"]}, {**NIGHT, "start": "01:59", "end": "05:00", "days": ["tue"]}],
    ],
)
def test_windows_that_touch_or_fall_on_other_days_are_taken(windows):
    assert len(written(windows).price_windows) == 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"end": "22:00"}, r"windows\[0\]\.end must be another time than start"),
        ({"start": "24:00"}, r"start must be a time of day"),
        ({"start": "9"}, r"start must be a time of day"),
        ({"start": "09:60"}, r"start must be a time of day"),
        ({"start": None}, r"start must be a time of day"),
        ({"days": ["friday"]}, r"days must be a list of some of mon"),
        ({"input_usd_per_mtok": None}, r"must be a price, here or for output"),
        ({"input_usd_per_mtok": 0}, r"must be above 0, or free: true"),
        ({"output_usd_per_mtok": -1}, r"must be a number >= 0"),
        (
            {"input_price": 1},
            r"unknown key 'prices\.windows\[0\]\.input_price'; did you mean 'input_usd_per_mtok'",
        ),
    ],
)
def test_a_wrong_window_names_file_and_key(change, complaint):
    with pytest.raises(ConfigError, match=complaint):
        written([{**NIGHT, **change}])


def test_the_zone_must_be_named_and_known():
    for zone in (None, "Mars/Olympus", "../UTC"):
        with pytest.raises(ConfigError, match=r"prices\.time_zone must be"):
            written([NIGHT], zone=zone)
    with pytest.raises(ConfigError, match="absent without windows"):
        written(None)


def test_a_model_without_a_usual_price_has_no_windows():
    with pytest.raises(ConfigError, match="absent while the usual price is not known"):
        written([NIGHT], output_usd_per_mtok=None)


def test_yamls_minutes_are_a_time_too():
    assert yaml.safe_load("10:00") == 600
    assert (
        written([{"start": 600, "end": "11:00", "input_usd_per_mtok": 1}]).price_windows[0].start_minute
        == 600
    )


def test_spans_of_a_window_that_wraps_the_week_are_two():
    assert list(PriceWindow(23 * 60, 60, "UTC", frozenset({6})).spans()) == [(10_020, 10_080), (0, 60)]
