"""One call's receipt: who might have answered, why this model did, what it cost, and what proves it."""

from fastapi import Request
from nicegui import ui

from ..state.logged_arms import LoggedArm
from ..state.records import Attempt, Call
from .decisions import call_of, tier_tag
from .formats import NOTHING, duration, moment, number, percent, usd
from .frame import View, frame, opened, show
from .kept import Receipt, Step, receipt_of
from .markup import Markup, div, link, span, tag
from .tables import Column, table
from .theme import THEME_COOKIE
from .viewers import OVER, is_still


@ui.page("/call")
async def receipt_page(request: Request) -> None:
    """Show a call's receipt."""
    view = await opened(request)
    if view is None:
        return
    sought = await call_of(view, view.asked.get("id", ""), view.asked.get("org"))
    call = sought.call
    with frame(view, "Receipt", dark=request.cookies.get(THEME_COOKIE)):
        if call is None:
            show(div("empty", tag("p", sought.words), link(view.href("observatory"), "To all decisions")))
            return
        found = await receipt_of(view.cascade, call)
        show(headline(view, found))
        show(body(found))
        if found.index is not None:
            _chain(view, found)


def headline(view: View, found: Receipt) -> Markup:
    """Return what came of the call."""
    call = found.call
    simulated = span("tag warn", "simulated") if call.simulated else None
    return div(
        "title", tag("h1", "Receipt ", span("mono muted", call.call_id)),
        div("chips", tier_tag(call.tier), simulated,
            link(view.href("mission", call=call.call_id, org=call.org), "Trace it", class_="button")),
    )  # fmt: skip


def body(found: Receipt) -> Markup:
    """Return the tables of a receipt."""
    call = found.call
    return div(
        "grid",
        div("card s4", tag("h2", "What came of it"), _facts(call)),
        div("card s4", tag("h2", "Money"), _money(found)),
        div("card s4", tag("h2", "Verdict"), _verdict(call)),
        div("card s12", tag("h2", "Who might have answered"), _candidates(found)),
        div("card s6", tag("h2", "What it did"), _steps(found)),
        div("card s6", tag("h2", "Requests to providers"), _attempts(call.call_id, found.attempts)),
    )


def _facts(call: Call) -> Markup:
    return facts({
        "Answered by": call.model_id or "nobody", "Status": call.status, "Organisation": call.org,
        "When": moment(call.created_at), "Took": duration(call.latency_ms), "Kind of task": call.task_type,
        "Difficulty": f"{call.difficulty:+.2f}".replace("-", "−"), "Router": call.router,
    })  # fmt: skip


def facts(named: dict[str, object]) -> Markup:
    """Return names and values."""
    return tag("dl", *(tag("dt", name) + tag("dd", value) for name, value in named.items()), class_="facts")


def _money(found: Receipt) -> Markup:
    call = found.call
    chosen = next((one for one in found.arms if one.model_id == call.decision.get("model_id")), None)
    return facts({
        "Expected": NOTHING if chosen is None else usd(chosen.cost_nusd), "Answers": usd(call.cost_nusd),
        "Judge": usd(call.judge_cost_nusd), "Paid": usd(call.paid_nusd),
        "On the reference": usd(call.reference_cost_nusd), "Saved": tag("b", usd(call.saved_nusd)),
    })  # fmt: skip


def _verdict(call: Call) -> Markup:
    seen = call.decision.get("first_verdict") or {}
    return facts({
        "Quality score": percent(call.quality_score), "Measured by": call.quality_source,
        "First answer": f"{seen.get('outcome', NOTHING)} ({seen.get('source', 'not looked at')})",
        "Judge": seen.get("judge_model") or NOTHING,
        "Would be looked at": percent(seen.get("seen_prob")), "Propensity": f"{call.propensity:.4f}",
        "Reason": call.decision.get("reason", NOTHING),
    })  # fmt: skip


def _candidates(found: Receipt) -> Markup:
    chosen = found.call.decision.get("model_id")
    columns: list[Column[LoggedArm]] = [
        Column("Model", lambda one: one.model_id), Column("Tier", lambda one: tier_tag(one.tier)),
        Column("Predicted", lambda one: bar(one.completion_prob), lambda one: one.completion_prob),
        Column("Believed", lambda one: bar(one.mean), lambda one: one.mean),
        Column("Sure as", lambda one: f"{number(one.strength)} observations", lambda one: one.strength, is_number=True),
        Column(
            "Draw", lambda one: percent(found.draws.get(one.model_id)), lambda one: found.draws.get(one.model_id),
            is_number=True,
        ),
        Column("Propensity", lambda one: percent(one.propensity, 2), lambda one: one.propensity, is_number=True),
        Column("Expected cost", lambda one: usd(one.cost_nusd), lambda one: one.cost_nusd / 1e9, is_number=True),
        Column("Expected time", lambda one: duration(one.latency_ms), lambda one: one.latency_ms, is_number=True),
        Column("", lambda one: span("tag good", "asked first") if one.model_id == chosen else ""),
    ]  # fmt: skip
    rows = table(
        columns, sorted(found.arms, key=lambda one: -one.propensity), label="Candidates",
        file=f"candidates-{found.call.call_id}",
        mark=lambda one: one.model_id == chosen,
    )  # fmt: skip
    removed = [tag("li", tag("b", name), f": {reason}") for name, reason in found.removed.items()]
    gone = div("small muted", "Removed before anything was drawn:", tag("ul", *removed)) if removed else ""
    note = (
        ""
        if found.draws
        else div("small muted", "The draws were in the call's checkpoint, which is not kept any more.")
    )
    return rows + gone + note


def bar(share: float) -> Markup:
    """Return a share as a bar and a number."""
    return tag(
        "span", span("bar", tag("i", style=f"width:{100 * share:.0f}%")), percent(share), class_="nowrap"
    )


def _steps(found: Receipt) -> Markup:
    steps = found.steps or (Step("start", str(found.call.decision.get("reason", NOTHING))),)
    return div("rows", *(div("pair", span("tag", one.kind), span("", one.reason)) for one in steps))


def _attempts(call_id: str, attempts: list[Attempt]) -> Markup:
    columns: list[Column[Attempt]] = [
        Column("For", lambda one: one.kind), Column("Model", lambda one: one.model_id),
        Column("Deployment", lambda one: one.deployment), Column("Status", lambda one: one.error or one.status),
        Column("Tokens", lambda one: f"{one.prompt_tokens:,} → {one.completion_tokens:,}", is_number=True),
        Column("Cost", lambda one: usd(one.spent_nusd), lambda one: one.spent_nusd / 1e9, is_number=True),
        Column("Time", lambda one: duration(one.latency_ms), lambda one: one.latency_ms, is_number=True),
    ]  # fmt: skip
    return (
        table(columns, attempts, label="Requests", file=f"requests-{call_id}")
        if attempts
        else tag("p", "None was made.", class_="muted")
    )


def _chain(view: View, found: Receipt) -> None:
    call, audit = found.call, view.cascade.services.store.audit
    with ui.element("section").classes("card").props('aria-label="Proof"'):
        place = f"Entry {found.index:,} of the audit chain of {call.org}"
        show(tag("h2", "Proof") + div("small muted", place) + div("mono", call.record_hash))
        answer = show(tag("p", "", role="status"))

        async def verify() -> None:
            if not await is_still(view.viewer, view.cascade):
                answer.set_content(str(tag("p", OVER, class_="bad", role="status")))
                return
            checked = await audit.verify_new(call.org)
            level, words = ("good", "intact") if checked.intact else ("bad", f"broken: {checked.reason}")
            told = (
                f" {checked.total_records:,} entries, {checked.total_records - checked.checked_from:,} of "
                "them checked now"
            )
            answer.set_content(str(tag("p", span(f"tag {level}", words), told, role="status")))

        ui.button("Verify the chain", on_click=verify).props("unelevated")
