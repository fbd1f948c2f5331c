"""What one call teaches, on its way into the transaction that logs it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from ..lessons import Lesson
from ..records import Evidence
from ..types import JSONObject
from .posteriors import Posteriors


@dataclass(kw_only=True)
class Teaching:
    """The lessons of one call; called by `Calls.record`."""

    posteriors: Posteriors
    org: str
    call_id: str
    lessons: Sequence[Lesson]
    gamma: float
    """What one call of the org leaves of the discounted sums."""
    alarm: Callable[[Evidence], JSONObject | None]
    """Says of an arm's pooled evidence what the audit chain keeps if the arm has changed, else None."""
    keep: float
    """What a changed arm begins anew with, in multiples of its last few observations."""
    alarms: list[JSONObject] = field(default_factory=list)
    """What the chain now says of arms that began anew."""

    def __call__(self, connection: Connection, org_calls: int) -> None:
        """Add every lesson; `org_calls` is how many calls of the org were logged before this one."""
        self.alarms.clear()
        for lesson in self.lessons:
            pooled = self.posteriors.add(
                connection, self.org, self.call_id, lesson, org_calls=org_calls, gamma=self.gamma
            )
            record = None if pooled is None else self.alarm(pooled)
            if pooled is None or record is None:
                continue
            if self.posteriors.begin_anew(connection, self.org, pooled, keep=self.keep, record=record):
                self.alarms.append(record)
