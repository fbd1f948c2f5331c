import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START

from x25.graph.memory.thread_graph import ThreadGraph
from x25.graph.memory.turns import begin_run


def compiled(*, keeps_text, checkpointer=None, **named):
    builder = ThreadGraph(keeps_text=keeps_text)
    builder.add_node("note", lambda state: {"text": f"{len(state['turn'])} given"})
    return builder.add_edge(START, "note").compile(checkpointer, name="noted", **named)


@pytest.mark.parametrize("keeps_text", [True, False])
def test_each_new_input_is_taken_for_a_turn(keeps_text):
    graph = compiled(keeps_text=keeps_text)
    assert graph.nodes[START].mapper is begin_run
    assert graph.invoke({"prompt": "hi"})["text"] == "1 given"
    assert graph.invoke({"messages": ["a", "b"]})["text"] == "2 given"
    assert graph.get_name() == "noted"


def test_forms_show_requests_and_replies_and_no_more():
    graph = compiled(keeps_text=True)
    assert "given" not in graph.get_input_jsonschema()["properties"]
    assert graph.get_input_jsonschema()["properties"]["prompt"]["description"].startswith("The text to route")
    assert "messages" not in graph.get_output_jsonschema()["properties"]


@pytest.mark.parametrize(("keeps_text", "found"), [(True, True), (False, False)])
@pytest.mark.parametrize("durability", ["exit", "sync"])
def test_the_input_reaches_a_checkpoint_only_where_text_is_kept(keeps_text, found, durability):
    saver = InMemorySaver()
    config = {"configurable": {"thread_id": "t"}}
    graph = compiled(keeps_text=keeps_text, checkpointer=saver, interrupt_before=["note"])
    graph.invoke({"prompt": "marmalade"}, config, durability=durability)
    assert (b"marmalade" in repr((saver.storage, saver.writes, saver.blobs)).encode()) is found


@pytest.mark.parametrize("checkpointer", [None, False, True])
def test_it_compiles_with_whatever_langgraph_takes_for_a_checkpointer(checkpointer):
    assert compiled(keeps_text=False, checkpointer=checkpointer).checkpointer is checkpointer
