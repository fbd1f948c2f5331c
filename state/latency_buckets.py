"""Latencies counted in buckets that grow with what they hold, so that percentiles of any calls are sums away.

Bucket n holds what lies above GROWTH^(n-1) and up to GROWTH^n milliseconds, the first all up to one. A percentile read
from the counts is at most ERROR off, relatively, from that of the calls themselves.

Source: Masson, Rim, Lee, "DDSketch" (2019), section 2.
"""

from collections.abc import Mapping
from math import ceil, log

GROWTH = 1.05
ERROR = (GROWTH - 1) / (GROWTH + 1)
"""2.4 %."""
PERCENTS = (50, 90, 95, 99)
_LOG = log(GROWTH)


def bucket_of(latency_ms: float) -> int:
    """Return the bucket that a latency counts in."""
    return max(0, ceil(log(latency_ms) / _LOG)) if latency_ms > 1.0 else 0


def latency_ms_of(bucket: int) -> float:
    """Return the latency that stands for a bucket: as far from its lower end as from its upper one, relatively."""
    return 2 * GROWTH**bucket / (GROWTH + 1) if bucket else 1.0


def percentiles_ms(counts: Mapping[int, int]) -> dict[int, float]:
    """Return milliseconds by percent: the latency that at least so many in a hundred calls did not pass."""
    total = sum(counts.values())
    found: dict[int, float] = {}
    passed, left = 0, list(PERCENTS)
    for bucket in sorted(counts):
        passed += counts[bucket]
        while left and passed >= max(1, -(-left[0] * total // 100)):
            found[left.pop(0)] = latency_ms_of(bucket)
    return found
