"""The cascade as a LangGraph state machine: nodes, then edges, in story order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from langgraph.graph import END, START

from ..nodes.audit import audit
from ..nodes.classify import classify
from ..nodes.dispatch import dispatch
from ..nodes.escalate import escalate
from ..nodes.estimate_difficulty import estimate_difficulty
from ..nodes.judge import judge
from ..nodes.lookup_cache import lookup_cache
from ..nodes.reuse import reuse
from ..nodes.serve_hit import serve_hit
from ..nodes.services import Services
from ..nodes.stage_check import stage_check
from ..nodes.thompson_select import thompson_select
from ..nodes.update_posterior import update_posterior
from .bootstrap import services_source
from .execution.binding import (
    BoundAsking,
    BoundClosing,
    BoundEdge,
    BoundHit,
    BoundLast,
    BoundNode,
    BoundOpening,
    Node,
)
from .execution.sources import ServicesSource
from .memory.thread_graph import ThreadGraph

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

RECURSION_LIMIT = 32
"""Supersteps: the nine nodes of the long way, two more for each of at most five escalations, and room to spare."""


def build_cascade(
    services: "Services | ServicesSource | Mapping[str, BaseChatModel] | None" = None,
    *,
    keep_text: bool = True,
) -> ThreadGraph:
    """Return the uncompiled cascade; compile it with the checkpointer of your choice.

    Parameters
    ----------
    services
        Opened services, a source of them, or an agent's own chat models by tier
        (``{"slm": …, "mid": …, "frontier": …}``); None = the gateway's own settings, opened at the first run.
    keep_text
        Let prompts and answers into checkpoints: a thread then remembers its conversation, and a run can be resumed,
        edited, forked and replayed. Without it no checkpoint holds a word, and whatever would need one raises
        `TextNotKept`.
    """
    source = services_source(services)
    builder = ThreadGraph(keeps_text=keep_text)

    def bound(node: Node, kind: type[BoundNode] = BoundNode) -> BoundNode:
        return kind(node, source, keeps_text=keep_text)

    opening = BoundOpening(lookup_cache, source, keeps_text=keep_text)
    builder.add_node("lookup_cache", opening, metadata={"does": "check, stamp, look up"})
    builder.add_node(
        "serve_hit", bound(serve_hit, BoundHit), metadata={"does": "bought before", "writes": True}
    )
    builder.add_node("classify", bound(classify), metadata={"does": "task type"})
    builder.add_node("estimate_difficulty", bound(estimate_difficulty), metadata={"does": "who can do it"})
    builder.add_node("thompson_select", bound(thompson_select), metadata={"does": "which model first"})
    builder.add_node(
        "dispatch", bound(dispatch, BoundAsking), metadata={"does": "buy an answer", "network": True}
    )
    builder.add_node("judge", bound(judge), metadata={"does": "is it good enough", "network": True})
    builder.add_node("update_posterior", bound(update_posterior), metadata={"does": "what was learnt"})
    builder.add_node(
        "audit", bound(audit, BoundClosing), metadata={"does": "log, chain and teach", "writes": True}
    )
    builder.add_node("stage_check", bound(stage_check, BoundLast), metadata={"does": "maturity of the org"})

    builder.add_edge(START, "lookup_cache")
    builder.add_conditional_edges("lookup_cache", BoundEdge(reuse), ["serve_hit", "classify"])
    builder.add_edge("serve_hit", END)
    builder.add_edge("classify", "estimate_difficulty")
    builder.add_edge("estimate_difficulty", "thompson_select")
    builder.add_edge("thompson_select", "dispatch")
    builder.add_edge("dispatch", "judge")
    builder.add_conditional_edges("judge", BoundEdge(escalate), ["dispatch", "update_posterior"])
    builder.add_edge("update_posterior", "audit")
    builder.add_edge("audit", "stage_check")
    builder.add_edge("stage_check", END)
    return builder


graph = (
    build_cascade().compile(name="x25").with_config({"recursion_limit": RECURSION_LIMIT, "run_name": "x25"})
)
"""For Studio and for `from x25.graph.build import graph`: compiled without a checkpointer, opens at the first run."""
