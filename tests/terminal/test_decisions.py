from datetime import UTC, datetime
from types import SimpleNamespace

from x25.state.queries.call_pages import CallLine, Place
from x25.terminal.decisions import columns, place_from, tier_tag, why, written

LINE = CallLine(
    org="acme", call_id="0123456789abcdef", created_at=datetime(2025, 1, 1, 12, 0, 0, 5, tzinfo=UTC), status="failed",
    task_type="qa", model_id=None, tier=None, cost_nusd=10, judge_cost_nusd=1, reference_cost_nusd=0,
    quality_score=None, quality_source="none", latency_ms=1.0, escalations=2, fallbacks=1, propensity=0.25,
    router="<auto>", simulated=True,
)  # fmt: skip
VIEW = SimpleNamespace(href=lambda page, **more: f"{page}?{more}")


def test_a_place_goes_into_an_address_and_back():
    assert place_from(written(LINE)) == Place(LINE.created_at, "acme", LINE.call_id)
    for nonsense in ("", "x", "2025-01-01~a~b", "2025-01-01T00:00:00+00:00~a"):
        assert place_from(nonsense) is None


def test_why_tells_what_happened_to_a_call():
    assert why(LINE) == "failed; escalated 2×; fell back 1×; chosen in 25 % of draws, <auto>"
    assert "no answer" in tier_tag(None)


def test_the_page_and_the_file_tell_the_same_columns():
    shown = columns(VIEW)
    assert [one.title for one in shown if one.value is None] == []
    values = {one.title: one.value(LINE) for one in shown}
    assert (values["Paid"], values["Saved"], values["Call"]) == ("0.000000011", "-0.000000011", LINE.call_id)
    assert "simulated" in str(next(one for one in shown if one.title == "Model").shown(LINE))
    marked = columns(VIEW, is_marked=True)
    assert "simulated" not in str(next(one for one in marked if one.title == "Model").shown(LINE))
