"""What is recalled: on 110 questions, each about one of 110 facts, beside 300 passages of other things."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from x25.providers.embeddings import open_encoder
from x25.routing.prompt.recall import HEAD, TAIL, choose
from x25.routing.prompt.tokens import estimate_prompt_tokens, estimate_tokens
from x25.simulator.tasks import generate
from x25.state.recalled import Memory, with_block

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PAIRS = [
    line.split("\t")
    for line in Path(__file__).with_name("recall_questions.tsv").read_text(encoding="utf-8").splitlines()
]


def passage(text: str, similarity: float = 1.0, **more) -> Memory:
    return Memory(f"m{text[:20]}", "c", "k", "user", text, NOON, similarity=similarity, **more)


@pytest.fixture(scope="module")
def nearest():
    """Return a function that finds the passages nearest to a question, as the store does."""
    encoder = open_encoder()
    texts = [fact for fact, _ in PAIRS] + [task.prompt for task in generate(3, 300)]
    vectors = encoder.embed_many(texts)
    vectors /= np.maximum(1e-9, np.linalg.norm(vectors, axis=1, keepdims=True))

    def find(question: str) -> list[Memory]:
        vector = encoder.embed_many([question])[0]
        cosines = vectors @ (vector / max(1e-9, float(np.linalg.norm(vector))))
        return [passage(texts[index], float(cosines[index])) for index in np.argsort(-cosines)[:128]]

    return find


def test_the_passage_a_question_is_about_is_recalled(nearest, capsys):
    found, helped, added, alone = 0, 0, 0, 0
    unseen = PAIRS[1::2]  # the constants were chosen on the others
    for fact, question in unseen:
        chosen = choose(question, nearest(question), budget_tokens=512)
        texts = [one.text for one in chosen.memories]
        found += fact in texts
        helped += chosen.helps
        added += len(texts)
        chosen = choose(question, [one for one in nearest(question) if one.text != fact], budget_tokens=512)
        alone += chosen.helps
    total = len(unseen)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nof {total} unseen questions: recalled {found / total:.3f}, helped {helped / total:.3f}, "
            f"{added / total:.2f} passages each; without the fact helped {alone / total:.3f}"
        )
    assert len(PAIRS) >= 100
    assert found / total >= 0.9
    assert helped / total >= 0.8
    assert alone / total <= 0.12


@given(
    texts=st.lists(st.text(min_size=1, max_size=300), max_size=12, unique=True),
    budget=st.integers(0, 600),
    asked=st.text(max_size=200),
)
@settings(max_examples=200, derandomize=True)
def test_what_is_added_never_takes_more_than_the_budget(texts, budget, asked):
    chosen = choose(asked, [passage(text) for text in texts], budget_tokens=budget)
    assert chosen.tokens == estimate_tokens(chosen.block) <= budget
    plain = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]
    grown = with_block(plain, chosen.block) if chosen.block else plain
    assert estimate_prompt_tokens(grown, {}) - estimate_prompt_tokens(plain, {}) <= budget


@given(st.text(min_size=1, max_size=300))
def test_no_passage_can_leave_its_quotation(text):
    block = choose("anything", [passage(text)], budget_tokens=10_000).block
    inside = block.removeprefix(HEAD).removesuffix(TAIL)
    assert block.startswith(HEAD)
    assert block.endswith(TAIL)
    assert inside.count("\n") == 1
    assert inside.startswith('- user, 2026-01-01: "')


def test_what_the_request_says_already_and_what_was_said_twice_is_not_added():
    twice = [passage("The code is 42."), replace(passage("The code is 42."), memory_id="other")]
    assert len(choose("code", twice, budget_tokens=500).memories) == 1
    assert choose("code", twice, budget_tokens=500, present="I said: The code\nis 42. Go on.").memories == ()


@pytest.mark.parametrize(
    ("rule", "allowed", "is_added"),
    [
        (None, (), True), (None, ("a",), True), (("a", "b"), ("a",), True), (("a",), ("a", "b"), False),
        (("a",), (), False), (("a",), ("b",), False),
    ],
)  # fmt: skip
def test_a_passage_said_under_a_stricter_rule_is_withheld(rule, allowed, is_added):
    chosen = choose(
        "code",
        [passage("The code is 42.", allowed_providers=rule)],
        budget_tokens=500,
        allowed_providers=allowed,
    )
    assert (len(chosen.memories), chosen.withheld) == (int(is_added), int(not is_added))


def test_a_passage_that_does_not_fit_gives_way_to_one_that_does():
    long, short = passage("long " * 90, 1.0), passage("short", 0.9)
    assert choose("?", [long, short], budget_tokens=80).memories == (short,)


def test_what_has_nothing_to_do_with_the_question_is_not_added():
    assert (
        choose("What is the code?", [passage("Bananas are yellow.", 0.1)], budget_tokens=500).memories == ()
    )
