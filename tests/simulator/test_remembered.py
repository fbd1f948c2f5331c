from x25.simulator.remembered import ask, looked_up, told
from x25.simulator.tasks import is_correct, solve


def test_a_question_is_answered_by_the_fact_in_the_prompt_alone():
    facts = told("access code", "Falcon", "K-7719") + " " + told("access code", "Heron", "K-1")
    question = ask("access code", "Falcon")
    assert looked_up(f"{facts} {question}") == ("K-7719", ("K-1",))
    assert looked_up(question) == (None, ())
    assert looked_up(facts) is None
    assert is_correct(f"{facts} {question}", "Answer: K-7719") is True
    assert is_correct(f"{facts} {question}", "Answer: K-1") is False


def test_without_the_fact_no_answer_is_right():
    solved = solve(ask("access code", "Falcon"))
    assert solved is not None
    assert not solved.is_known
    assert is_correct(ask("access code", "Falcon"), f"Answer: {solved.truth}") is False


def test_a_fact_in_quotation_marks_is_read():
    assert (
        solve(f'- user, 2026-01-01: "{told("colour", "Milo", "green")}"\n{ask("colour", "Milo")}').truth
        == "green"
    )
