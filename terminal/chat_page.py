"""Chat: questions about spend and routing in plain words, answered with receipts."""

from functools import partial

from fastapi import Request
from nicegui import ui

from ..state.errors import Forbidden
from .chat.agent import CHAT_ORG, EXAMPLES, UNKNOWN, ChatAgent, Told, told
from .chat.answers import Answer, Rows
from .decisions import call_link
from .frame import View, frame, opened, show
from .markup import Markup, div, join, link, span, tag
from .tables import Column, table
from .theme import THEME_COOKIE
from .viewers import OVER, is_still

MOST_CHARS, MOST_SHOWN = 500, 60
READER = "No language model is used: a built-in reader understands the questions."
FIRST = (
    "How much did we spend this week?", "How much did routing save last month?", "Which model costs the most?",
    "Compare this week with last week", "Show the five most expensive calls", "How good are the answers?",
)  # fmt: skip


@ui.page("/chat")
async def chat_page(request: Request) -> None:
    """Show the chat."""
    view = await opened(request)
    if view is None:
        return
    with frame(view, "Chat", dark=request.cookies.get(THEME_COOKIE)):
        show(tag("h1", f"Ask about {view.org_words}"))
        Conversation(view).build()


class Conversation:
    """What was asked and answered on one page."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._agent = ChatAgent(view.cascade, view.viewer, view.org)
        self._shown = 0

    def build(self) -> None:
        """Put everything on the page."""
        reworded = (
            "A question that it does not understand is said again by a model, on the organisation "
            f"{CHAT_ORG}."
        )
        words = "Every figure is looked up in the log, and says where. " + (
            reworded if self._agent.has_models else READER
        )  # fmt: skip
        show(tag("p", words, class_="muted"))
        self._talk = (
            ui.element("div").classes("talk").props('aria-live="polite" role="log" aria-label="Conversation"')
        )
        with ui.element("div").classes("chips"):
            for one in FIRST:
                ui.button(one, on_click=lambda one=one: self._ask(one)).props("outline dense no-caps")
        with ui.row().classes("w-full").style("width: 100%; align-items: center"):
            self._field = ui.input(placeholder="Ask a question").props(
                f'outlined aria-label="Question" maxlength={MOST_CHARS}'
            )
            self._field.style("flex: 1; min-width: 200px").on(
                "keydown.enter", lambda: self._ask(self._field.value)
            )
            ui.button("Ask", on_click=lambda: self._ask(self._field.value)).props("unelevated")

    async def _ask(self, question: str | None) -> None:
        asked = (question or "").strip()[:MOST_CHARS]
        if not asked:
            return
        self._field.set_value("")
        self._shown += 1
        if self._shown > MOST_SHOWN:  # a page that is asked for days would keep growing
            self._talk.clear()
            self._shown = 1
        with self._talk:
            show(tag("div", asked), "said")
            place = show(tag("p", "Looking it up …", class_="muted"), "answer")
        place.set_content(str(await self._answer(asked)))
        ui.run_javascript("window.scrollTo({top: document.body.scrollHeight})")

    async def _answer(self, question: str) -> Markup:
        if not await is_still(self._view.viewer, self._view.cascade):
            return tag("p", OVER, class_="bad")
        try:
            return said(self._view, await told(self._agent, question))
        except Forbidden as error:
            return tag("p", str(error), class_="bad")


def said(view: View, found: Told) -> Markup:
    """Return what is said to a question."""
    if found.answer is None:
        examples = [tag("li", one) for one in EXAMPLES[:: max(1, len(EXAMPLES) // 8)][:8]]
        return tag("p", tag("b", UNKNOWN)) + tag("p", "I answer questions like these:") + tag("ul", *examples)
    return join(
        [tag("p", found.answer.words), _rows(view, found.answer.rows), _source(view, found, found.answer)]
    )


def _rows(view: View, rows: Rows | None) -> Markup | None:
    if rows is None:
        return None

    def cell(place: int, row: int) -> object:
        if place == 0 and rows.call_ids:
            return call_link(view, *rows.call_ids[row])
        return rows.rows[row][place]

    columns: list[Column[int]] = [
        Column(title, partial(cell, place), is_number=place > 0 and not rows.call_ids)
        for place, title in enumerate(rows.titles)
    ]
    return table(columns, range(len(rows.rows)), label="Answer", file="answer")


def _source(view: View, found: Told, answer: Answer) -> Markup:
    used = (
        f"{found.model_used} said the question in other words"
        if found.model_used
        else "no language model was used"
    )
    return div(
        "source",
        "Receipt: ",
        answer.source,
        " · ",
        span("", used),
        " · ",
        link(view.href(answer.page), "see the page"),
    )
