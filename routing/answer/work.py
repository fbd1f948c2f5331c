"""A purse of work, so that what strangers wrote cannot hold the event loop."""

from dataclasses import dataclass

UNITS = 1_000_000
"""What one answer's checks against schemas may do: about a tenth of a second."""


class OutOfWork(Exception):
    """The purse is empty."""


@dataclass(slots=True)
class Work:
    """What may still be done, in units of about a tenth of a microsecond."""

    left: int = UNITS

    def spend(self, units: int) -> None:
        """Take `units` out of the purse.

        Raises
        ------
        OutOfWork
            There are not that many left.
        """
        self.left -= units
        if self.left < 0:
            raise OutOfWork
