"""The agent behind the chat: a LangGraph of four nodes. It reads a question, looks it up, and words what it found.

No figure and no name in an answer comes from a language model: where real models exist, and the built-in reader does
not understand, one of them is asked to say the question in words that the reader knows, and nothing else. It is asked
through the cascade itself, as a node of this graph, on an org of its own, and is shown the question alone: nothing that
was ever logged. What it says is read as any question is, under the rights of whoever asks.
"""

from dataclasses import dataclass
from typing import Any, Literal, TypedDict

from langchain_core.messages import AnyMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph

from ...graph.run import Cascade
from ...graph.subgraph import as_node
from ...state.errors import Forbidden, X25Error
from ..viewers import Viewer
from . import conduct, money, organisations, standing
from .answers import Answer, Look, Scope
from .reader import Asked, Known, read
from .vocabulary import KINDS, RULES

CHAT_ORG = "x25-chat"
"""Whose calls the chat's own are."""
NAMES = {"forecast": money.month_end, "top_model": money.calls_by_model}
LOOKS: dict[str, Look] = {
    kind: NAMES.get(kind)
    or next(getattr(room, kind) for room in (money, organisations, conduct, standing) if hasattr(room, kind))
    for kind in KINDS
}
EXAMPLES = tuple(rule.example for rule in RULES)
UNKNOWN = "I cannot answer that."
INSTRUCTION = (
    "Say the user's question again as one of these questions, keeping the days, model, tier and "
    "number that it names. "
    "Reply with that question alone. If none of them asks the same, reply NONE.\n" + "\n".join(EXAMPLES)
)


class _State(TypedDict, total=False):
    question: str
    asked: Any
    messages: list[AnyMessage]
    answer: Any
    x25: Any


@dataclass(frozen=True, slots=True)
class Told:
    """What the chat says."""

    answer: Answer | None
    """None = the question was not understood."""
    asked: Asked | None
    model_used: str | None
    """The model that said the question again; None = no language model was used."""


class ChatAgent:
    """Answers one viewer's questions."""

    def __init__(self, cascade: Cascade, viewer: Viewer, org: str | None) -> None:
        self._cascade = cascade
        self._viewer = viewer
        self._org = org
        self._graph = self._build().compile(name="chat")

    async def ask(self, question: str) -> Told:
        """Return the answer to a question."""
        state: dict[str, Any] = await self._graph.ainvoke({"question": question})
        used = state.get("x25") or {}
        return Told(state.get("answer"), state.get("asked"), used.get("model_used"))

    @property
    def has_models(self) -> bool:
        """Whether a real model could be asked."""
        return any(not one.simulated for one in self._cascade.services.models.values())

    def _build(self) -> StateGraph[Any, Any, Any, Any]:
        picture = StateGraph(_State)
        picture.add_node("read", self._read)
        picture.add_node("look_up", self._look_up)
        picture.add_edge(START, "read")
        picture.add_conditional_edges("read", self._after_reading, ["look_up", "reword", END])
        picture.add_node("reword", as_node(self._cascade.services, org=CHAT_ORG, hint="classification"))  # type: ignore[type-var]
        picture.add_node("read_again", self._read_again)
        picture.add_edge("reword", "read_again")
        picture.add_conditional_edges("read_again", _after_reading_again, ["look_up", END])
        picture.add_edge("look_up", END)
        return picture

    async def _known(self) -> Known:
        services = self._cascade.services
        orgs = self._viewer.visible(await services.store.orgs.list())
        specs = services.models if self._org is None else services.models_of(self._org)
        return Known(orgs, list(specs), services.now().date())

    async def _read(self, state: _State) -> dict[str, Any]:
        asked = read(state["question"], await self._known())
        if asked is not None or not self.has_models:
            return {"asked": asked}
        return {"asked": None, "messages": [SystemMessage(INSTRUCTION), HumanMessage(state["question"])]}

    def _after_reading(self, state: _State) -> Literal["look_up", "reword", "__end__"]:
        if state.get("asked") is not None:
            return "look_up"
        return "reword" if self.has_models else "__end__"

    async def _read_again(self, state: _State) -> dict[str, Any]:
        said = state["messages"][-1].text if state.get("messages") else ""
        return {"asked": read(str(said), await self._known())}

    async def _look_up(self, state: _State) -> dict[str, Any]:
        asked: Asked = state["asked"]
        return {
            "answer": await LOOKS[asked.kind](
                Scope(self._cascade, self._viewer, asked.org or self._org, asked)
            )
        }


def _after_reading_again(state: _State) -> Literal["look_up", "__end__"]:
    return "__end__" if state.get("asked") is None else "look_up"


async def told(agent: ChatAgent, question: str) -> Told:
    """Return the answer to a question; one whose look-up or model failed is one that was not understood.

    Raises
    ------
    Forbidden
        When the asker may not see what is asked about.
    """
    try:
        return await agent.ask(question)
    except Forbidden:
        raise
    except X25Error:
        return Told(None, None, None)
