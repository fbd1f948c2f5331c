import pytest

from x25.nodes.org.prompt_caches import PromptCacheBook
from x25.routing.plan.affinity import Author
from x25.state.answers import Answer

SMALL, OTHER = Author("acme/small", "slm"), Author("acme/other", "slm")


def billed(prompt, cached, model_id="acme/small"):
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return Answer(0, model_id, "acme", "slm", simulated=False, predicted_prob=0.8, usage=usage)


def test_a_share_counts_once_it_was_seen_and_for_the_author_alone():
    book = PromptCacheBook()
    assert book.share("org", "acme/small", SMALL) == 0.0
    for _ in range(20):
        book.note("org", SMALL, billed(1000, 900))
    assert 0.7 < book.share("org", "acme/small", SMALL) < 0.9
    assert book.share("org", "acme/small", OTHER) == 0.0
    assert book.share("org", "acme/small", None) == 0.0
    assert book.share("another", "acme/small", SMALL) == 0.0


def test_it_falls_again_where_the_vendor_keeps_nothing_any_more():
    book = PromptCacheBook()
    for _ in range(20):
        book.note("org", SMALL, billed(1000, 900))
    for _ in range(20):
        book.note("org", SMALL, billed(1000, 0))
    assert book.share("org", "acme/small", SMALL) < 0.02


@pytest.mark.parametrize(
    ("before", "answer"),
    [
        (None, billed(1000, 900)),
        (OTHER, billed(1000, 900)),
        (SMALL, billed(0, 0)),
        (SMALL, Answer(0, "acme/small", "acme", "slm", simulated=False, predicted_prob=0.8)),
    ],
)
def test_what_does_not_go_on_with_the_same_model_or_was_not_counted_tells_nothing(before, answer):
    book = PromptCacheBook()
    book.note("org", before, answer)
    assert book.share("org", "acme/small", SMALL) == 0.0


def test_an_erased_org_is_forgotten():
    book = PromptCacheBook()
    for org in ("gone", "stays"):
        book.note(org, SMALL, billed(1000, 900))
    book.forget("gone")
    assert book.share("gone", "acme/small", SMALL) == 0.0
    assert book.share("stays", "acme/small", SMALL) == pytest.approx(0.45)
