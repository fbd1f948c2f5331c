from x25.simulator.ledger import Ledger
from x25.simulator.models import Answer

ANSWER = Answer({"role": "assistant", "content": "x"}, "stop", 10, 5, 0.000002)


def test_bills_are_listed_in_order_and_after_an_offset() -> None:
    ledger = Ledger()
    for number in range(3):
        ledger.bill(f"a{number}", "sim/x", ANSWER)
    assert [bill["attempt_id"] for bill in ledger.bills()] == ["a0", "a1", "a2"]
    (last,) = ledger.bills(after=2)
    assert last.pop("at").endswith("+00:00")
    assert last == {
        "attempt_id": "a2",
        "model": "sim/x",
        "cost_usd": 0.000002,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "judge": False,
    }


def produced(ledger: Ledger, key: str, body: bytes, made: list[str]) -> dict:
    return ledger.once(key, body, lambda: {"n": len(made), "made": made.append(key)})


def test_a_repeated_key_with_the_same_body_is_produced_once() -> None:
    ledger, made = Ledger(), []
    first = produced(ledger, "k", b"body", made)
    assert produced(ledger, "k", b"body", made) is first
    assert produced(ledger, "k", b"other", made) is not first
    assert produced(ledger, "j", b"body", made) is not first
    assert made == ["k", "k", "j"]


def test_without_a_key_every_request_is_produced() -> None:
    ledger, made = Ledger(), []
    produced(ledger, "", b"body", made)
    produced(ledger, "", b"body", made)
    assert len(made) == 2


def test_the_key_unused_for_longest_is_forgotten_first() -> None:
    ledger, made = Ledger(capacity=2), []
    for key in ("a", "b", "a", "c", "a", "b"):
        produced(ledger, key, b"", made)
    assert made == ["a", "b", "c", "b"]


def test_clear_forgets_bills_and_answers() -> None:
    ledger, made = Ledger(), []
    produced(ledger, "k", b"", made)
    ledger.bill("k", "m", ANSWER)
    ledger.clear()
    produced(ledger, "k", b"", made)
    assert (len(ledger), made) == (0, ["k", "k"])
