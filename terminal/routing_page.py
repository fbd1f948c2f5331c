"""Routing: try a prompt and see the decision, with or without making the call."""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from nicegui import ui

from ..graph.decide import Decided
from ..graph.question import Question
from ..state.errors import CallFailed, Forbidden, InvalidRequest, StoreError
from ..state.types import Reply
from .decisions import call_link, tier_tag
from .formats import NOTHING, dollars, duration, moment, percent, usd
from .frame import View, frame, opened, show
from .markup import Markup, div, join, link, span, tag
from .receipt import bar
from .tables import Column, table
from .theme import THEME_COOKIE
from .viewers import OVER, is_still

Candidate = Mapping[str, Any]
MOST_CHARS = 20_000
ROWS = 12
EXAMPLE = "Write a Python function that merges two sorted lists, and explain its running time."


@ui.page("/routing")
async def routing_page(request: Request) -> None:
    """Show the routing page."""
    view = await opened(request)
    if view is None:
        return
    with frame(view, "Routing", dark=request.cookies.get(THEME_COOKIE)):
        show(
            tag("h1", "Routing")
            + tag("p", "See which model would answer, and why, before anything is paid.", class_="muted")
        )
        await Desk(view).build()


class Desk:
    """The prompt box, the decision and the history."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._org = view.org or ("default" if view.viewer.is_admin else view.orgs[0])

    async def build(self) -> None:
        """Put everything on the page."""
        services = self._view.cascade.services
        direct = {name for spec in services.models.values() for name in (spec.model_id, *spec.aliases)}
        configs = [name for name in services.routers_of(self._org) if name not in direct]
        with ui.element("section").classes("card").props('aria-label="Prompt"'):
            self._prompt = ui.textarea("Prompt", placeholder=EXAMPLE).props(
                f"outlined autogrow counter maxlength={MOST_CHARS}"
            )
            self._prompt.classes("w-full").style("width: 100%")
            with ui.row().classes("filters").style("margin-top: 12px"):
                self._config = ui.select(configs, value="auto", label="Router config").props("outlined dense")
                self._config.style("min-width: 200px").on_value_change(self._summarise)
                self._decide_button = ui.button("Route", on_click=self._decide).props("unelevated")
                ui.button("Route and make the call", on_click=self._call).props("outline")
            self._summary = show(Markup(""))
            show(
                div(
                    "small muted",
                    f"Decisions and calls are of the organisation {self._org}, and are logged. A call "
                    "costs what the model costs.",
                )
            )
        self._answer = show(Markup(""))
        with ui.element("section").classes("card").props('aria-label="History"'):
            with ui.row().classes("pair items-center"):
                show(tag("h2", "History"))
                ui.button("Refresh", on_click=self._ask_again).props("flat dense")
            self._history = show(Markup(""))
        self._summarise()
        await self._refresh()

    def _summarise(self) -> None:
        config = self._view.cascade.services.routers_of(self._org).get(self._config.value)
        if config is not None:
            models = f"{len(config.models)} models" if config.models else "all models"
            words = f"{config.name}: {config.strategy}, {models}"
            self._summary.set_content(str(div("small muted", words)))

    async def _allowed(self) -> bool:
        try:
            self._view.viewer.check(self._org)
            if await is_still(self._view.viewer, self._view.cascade):
                return True
        except Forbidden as error:
            self._say(str(error))
            return False
        self._say(OVER)
        return False

    async def _decide(self) -> None:
        if not await self._allowed():
            return
        question = Question(prompt=self._prompt.value or "", org=self._org, config=self._config.value)
        try:
            decided = await self._view.cascade.decide(question)
        except (InvalidRequest, StoreError) as error:
            self._say(str(error))
            return
        self._answer.set_content(str(decision_card(decided)))
        await self._refresh()

    async def _call(self) -> None:
        if not await self._allowed():
            return
        if not (self._prompt.value or "").strip():
            self._say("empty prompt: write something first")
            return
        self._answer.set_content(str(div("card", tag("p", "Asking …", class_="muted", role="status"))))
        try:
            reply = await self._view.cascade.route({
                "prompt": self._prompt.value, "org": self._org, "router": self._config.value,
            })  # fmt: skip
        except (InvalidRequest, CallFailed, StoreError) as error:
            self._say(str(error))
            return
        self._answer.set_content(str(reply_card(self._view, self._org, reply)))
        await self._refresh()

    def _say(self, words: str) -> None:
        self._answer.set_content(str(div("card", tag("p", words, class_="bad", role="alert"))))

    def _what(self, logged: Any) -> Markup:
        if logged.kind == "decision":
            return span("tag", "decision")
        return call_link(self._view, self._org, logged.row.call_id)

    async def _ask_again(self) -> None:
        if await self._allowed():
            await self._refresh()

    async def _refresh(self) -> None:
        page = await self._view.cascade.services.store.history.recent(self._org, limit=ROWS)
        columns: list[Column[Any]] = [
            Column("Time", lambda one: moment(one.row.created_at)),
            Column("What", self._what),
            Column("Config", lambda one: getattr(one.row, "config", None) or one.row.router),
            Column("Model", selected),
            Column("Task", lambda one: one.row.task_type),
            Column("Prompt", lambda one: (one.row.prompt or "")[:90] or span("muted", "not kept")),
            Column("Cost", lambda one: usd(getattr(one.row, "paid_nusd", one.row.cost_nusd)), is_number=True),
        ]  # fmt: skip
        shown = (
            table(columns, page.rows, label="History", file=f"history-{self._org}")
            if page.rows
            else div("empty", "Nothing yet: route a prompt above.")
        )
        note = div(
            "small muted",
            f"The newest {len(page.rows)} of {page.total:,}; a decision's cost is the one expected. ",
            link(self._view.href("export/history.csv", org=self._org), "CSV of all", class_="button"),
        )
        self._history.set_content(str(shown + note))


def selected(logged: Any) -> str:
    """Return whom a logged call or decision chose."""
    if logged.kind == "decision":
        return ", ".join(logged.row.facts["selected"])
    return logged.row.model_id or NOTHING


def decision_card(decided: Decided) -> Markup:
    """Return a decision: whom, what it should cost, and why not the others."""
    logged = decided.logged
    chosen, candidates = logged.facts["selected"], logged.facts["candidates"]
    best = next(one for one in candidates if one["model_id"] == chosen[0])
    rows = sorted(candidates, key=lambda one: (one["model_id"] not in chosen, -one["mu"]))
    columns: list[Column[Candidate]] = [
        Column("Model", lambda one: one["model_id"]), Column("Tier", lambda one: tier_tag(one["tier"])),
        Column("Predicted completion", lambda one: bar(one["mu"]), lambda one: one["mu"]),
        Column("±", lambda one: percent(one["sigma"]), lambda one: one["sigma"], is_number=True),
        Column("Expected cost", lambda one: dollars(one["cost"]), lambda one: one["cost"], is_number=True),
        Column("Expected time", lambda one: duration(one["latency"]), lambda one: one["latency"], is_number=True),
        Column("Chosen", lambda one: span("tag good", "chosen") if one["model_id"] in chosen else ""),
        Column("Why not", lambda one: "" if one["model_id"] in chosen else why_not(one, best)),
    ]  # fmt: skip
    removed = [tag("li", tag("b", name), f": {reason}") for name, reason in decided.removed.items()]
    return div(
        "card", tag("h2", "Decision: ", tag("b", ", ".join(chosen), data_chosen=True)),
        div("small muted", f"{logged.facts['decision']['reason']}. Kind of task: {logged.task_type}. "
            "Nobody was asked and nothing was paid."),
        table(columns, rows, label="Decision", mark=lambda one: one["model_id"] in chosen, file="decision"),
        div("small muted", "Removed by the policy:", tag("ul", *removed)) if removed else None,
    )  # fmt: skip


def why_not(one: Candidate, best: Candidate) -> str:
    """Return why a candidate was not chosen, beside the one that was."""
    gain = one["mu"] - best["mu"]
    if one["cost"] > best["cost"]:
        times = f"{one['cost'] / best['cost']:.1f} times the cost" if best["cost"] else "costs something"
        return (
            f"{100 * gain:+.1f} points for {times}".replace("-", "−") if gain > 0 else f"no better, {times}"
        )
    if gain < 0:
        return f"cheaper, but {100 * -gain:.1f} points less likely to complete"
    return "as good by expectation; the draw went to the other"


def reply_card(view: View, org: str, reply: Reply) -> Markup:
    """Return a call that was made: the answer, and what it cost."""
    simulated = span("tag warn", "simulated") if reply["simulated"] else None
    facts = [
        f"{dollars(reply['cost_usd'])} for answers, {dollars(reply['judge_cost_usd'])} for judging",
        f"saved {dollars(reply['cost_saved_usd'])}", duration(reply["latency_ms"]),
        f"quality {percent(reply['quality_score'])} ({reply['quality_source']})",
    ]  # fmt: skip
    return div(
        "card", tag("h2", "Answer of ", tag("b", reply["model_used"], data_chosen=True), " ", simulated),
        div("small muted", join(facts, " · "), " · receipt ", call_link(view, org, reply["call_id"])),
        tag("p", reply["text"], style="white-space: pre-wrap; margin-top: 10px"),
    )  # fmt: skip
