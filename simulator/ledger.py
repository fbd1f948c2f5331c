"""What the simulator billed, and the answers it would give again to a repeated idempotency key."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from .models import Answer

JSONObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Bill:
    """One billed answer; `attempt_id` is the caller's idempotency key, "" when it sent none."""

    attempt_id: str
    model: str
    cost_usd: float
    prompt_tokens: int
    completion_tokens: int
    judge: bool
    at: str
    """UTC, ISO 8601."""


class Ledger:
    """Bills in the order they were made, and the last `capacity` answers by key and body."""

    def __init__(self, capacity: int = 10_000) -> None:
        self._capacity = capacity
        self._bills: list[Bill] = []
        self._answers: OrderedDict[tuple[str, bytes], JSONObject] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bills)

    def bills(self, after: int = 0) -> list[JSONObject]:
        """Return the bills made after the first `after` of them."""
        return [asdict(bill) for bill in self._bills[after:]]

    def bill(self, attempt_id: str, model: str, answer: Answer) -> None:
        """Add a bill for the answer."""
        now = datetime.now(UTC).isoformat()
        usage = (answer.cost_usd, answer.prompt_tokens, answer.completion_tokens)
        self._bills.append(Bill(attempt_id, model, *usage, judge=answer.judge, at=now))

    def once(self, attempt_id: str, body: bytes, produce: Callable[[], JSONObject]) -> JSONObject:
        """Return the answer remembered for this key and body, else what `produce` makes; "" never remembers.

        There is no await between looking and remembering, so two requests with one key are produced once.
        """
        if not attempt_id:
            return produce()
        key = (attempt_id, hashlib.blake2b(body, digest_size=16).digest())
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key]
        self._answers[key] = produced = produce()
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)
        return produced

    def clear(self) -> None:
        """Forget every bill and every answer."""
        self._bills.clear()
        self._answers.clear()
