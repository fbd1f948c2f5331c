from types import SimpleNamespace

import pytest

from x25.nodes.org.conversations import ConversationBook
from x25.routing.plan.affinity import Author
from x25.state.working_memory import Start

GIANT = Author("acme/giant", "frontier")
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write a parser."}]
ANSWER = {"role": "assistant", "content": "def parse(): ..."}
NEXT = {"role": "user", "content": "Now test it."}
CALLED = {
    "role": "assistant", "content": None,
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}],
}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "found"}


@pytest.fixture
def book():
    book = ConversationBook()
    book.remember("a", ASKED, ANSWER, GIANT)
    book.remember("a", ASKED, CALLED, GIANT)
    return book


@pytest.mark.parametrize(
    "messages",
    [
        [*ASKED, ANSWER, NEXT],
        [*ASKED, CALLED, RESULT],
        [
            {"role": "user", "content": "Hello."},
            {"role": "assistant", "content": "Hi!"},
            *ASKED,
            ANSWER,
            NEXT,
        ],
        [ASKED[1], {**ANSWER, "name": "helper", "refusal": None}, NEXT],
        [{"role": "user", "content": [{"type": "text", "text": "Write a parser."}]}, ANSWER, NEXT],
        [
            *ASKED,
            {**CALLED, "content": "", "tool_calls": [{**CALLED["tool_calls"][0], "id": "other"}]},
            RESULT,
        ],
    ],
)
def test_the_author_of_the_newest_answer_is_known_however_a_client_writes_it(book, messages):
    assert book.author("a", messages) == GIANT


@pytest.mark.parametrize(
    ("org", "messages"),
    [
        ("b", [*ASKED, ANSWER, NEXT]),
        ("a", ASKED),
        ("a", []),
        ("a", [*ASKED, {**ANSWER, "content": "written by somebody else"}, NEXT]),
        ("a", [*ASKED, ANSWER, NEXT, {"role": "assistant", "content": "unknown"}, NEXT]),
        ("a", [ASKED[0], {"role": "user", "content": "Something else."}, ANSWER, NEXT]),
        ("a", [*ASKED, {"role": "assistant", "tool_calls": "odd"}, NEXT]),
    ],
)
def test_of_another_org_or_another_answer_nothing_is_known(book, org, messages):
    assert book.author(org, messages) is None


def test_the_oldest_turn_is_forgotten_first_and_no_words_are_kept():
    book = ConversationBook(most_authors=4)
    for number in range(5):
        book.remember("a", ASKED, {"role": "assistant", "content": f"answer {number}"}, GIANT)
    said = [{"role": "assistant", "content": f"answer {number}"} for number in range(5)]
    assert [book.author("a", [*ASKED, one, NEXT]) for one in said] == [None, GIANT, GIANT, GIANT, GIANT]
    assert "parser" not in repr(vars(book))


def test_a_chain_that_has_a_name_knows_who_answered_last_in_it_and_in_its_org_alone(book):
    def call(org, chain_id, messages=(NEXT,)):
        opening = SimpleNamespace(start=Start(chain_id=chain_id))
        return SimpleNamespace(org=org, messages=list(messages), opening=opening)

    tiny = Author("acme/tiny", "slm")
    book.remember_chain("a", "c-1", tiny)
    assert book.author_in(call("a", "c-1")) == tiny
    assert book.author_in(call("b", "c-1")) is None
    assert book.author_in(call("a", "c-2")) is None
    assert book.author_in(call("a", "c-2", [*ASKED, ANSWER, NEXT])) == GIANT
