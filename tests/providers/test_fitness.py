from x25.providers.fitness import GONE_REST_S, MOST_GONE_REST_S, REFUSAL_REST_S, FitnessBook
from x25.state.errors import ContextLengthExceeded, ModelGone, ProviderServer, Unsupported


def test_a_model_that_is_gone_is_left_alone_longer_each_time():
    book, now_s = FitnessBook(), 0.0
    for rest_s in (GONE_REST_S, 2 * GONE_REST_S, 4 * GONE_REST_S):
        book.note("m", ModelGone("404"), now_s)
        assert book.unfit("m", (), now_s + rest_s - 1)
        assert book.unfit("m", (), now_s + rest_s) is None
        now_s += rest_s
    for _ in range(20):
        book.note("m", ModelGone("404"), now_s)
        now_s += MOST_GONE_REST_S
    assert book.unfit("m", (), now_s) is None


def test_several_calls_that_find_it_gone_at_once_count_once():
    book = FitnessBook()
    for _ in range(5):
        book.note("m", ModelGone("404"), 0.0)
    assert book.unfit("m", (), GONE_REST_S) is None


def test_an_answer_shows_that_it_is_back():
    book = FitnessBook()
    book.note("m", ModelGone("404"), 0.0)
    book.answered("m")
    assert book.unfit("m", (), 1.0) is None


def test_a_refused_parameter_counts_for_requests_that_have_it():
    book = FitnessBook()
    book.note("m", Unsupported("no", parameter="logprobs"), 0.0)
    assert book.unfit("m", {"logprobs", "stop"}, 1.0) == "it refuses logprobs"
    assert book.unfit("m", {"stop"}, 1.0) is None
    assert book.unfit("other", {"logprobs"}, 1.0) is None
    assert book.unfit("m", {"logprobs"}, REFUSAL_REST_S) is None


def test_other_failures_say_nothing_about_fitness():
    book = FitnessBook()
    for error in (ProviderServer("500"), ContextLengthExceeded("long"), Unsupported("no")):
        book.note("m", error, 0.0)
    assert book.unfit("m", {"tools"}, 1.0) is None


def test_the_limit_is_called_as_the_model_knows_it():
    book = FitnessBook()
    assert book.limit_name("m", "max_tokens", 0.0) == "max_tokens"
    book.note("m", Unsupported("no", parameter="max_tokens"), 0.0)
    assert book.limit_name("m", "max_tokens", 1.0) == "max_completion_tokens"
    book.note("m", Unsupported("no", parameter="max_completion_tokens"), 1.0)
    assert book.limit_name("m", "max_tokens", 2.0) is None


def test_what_one_org_was_refused_holds_for_that_org_and_of_two_for_all():
    book = FitnessBook()
    book.note("m", Unsupported("no", parameter="seed"), 0.0, "a")
    book.note("m", ModelGone("404"), 0.0, "a")
    assert book.unfit("m", {"seed"}, 1.0, "a")
    assert book.unfit("m", {"seed"}, 1.0, "b") is None
    book.note("m", Unsupported("no", parameter="seed"), 1.0, "b")
    assert book.unfit("m", {"seed"}, 2.0, "c") == "it refuses seed"
    book.note("m", ModelGone("404"), 2.0, "b")
    assert book.unfit("m", (), 3.0, "c") == "its provider has no such model"
    book.answered("m", "c")
    assert book.unfit("m", (), 3.0, "c") is None


def test_findings_are_bounded():
    book = FitnessBook(most=10)
    for number in range(100):
        book.note("m", Unsupported("no", parameter="seed"), 0.0, f"org-{number}")
        book.note("m", ModelGone("404"), 0.0, f"org-{number}")
    assert (len(book._refused), len(book._gone)) == (10, 10)
