import asyncio
import time

from x25.api import pulse
from x25.api.pulse import Pulse


def test_a_beat_that_waited_for_a_processor_is_no_pause():
    beats = Pulse()
    beats.note(late_s=2.0, worked_s=0.01)
    assert beats.longest_ms == 10.0


def test_the_longest_pause_is_told_for_a_minute_and_then_forgotten(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(pulse, "monotonic", lambda: now[0])
    beats = Pulse()
    beats.note(0.3, 0.5)
    seen = []
    for _ in range(2):
        now[0] += pulse.WINDOW_S + 1.0
        beats.note(0.1, 0.5)
        seen.append(beats.longest_ms)
    assert seen == [300.0, 100.0]


async def test_work_that_keeps_the_loop_is_noticed():
    beats = Pulse()
    beating = asyncio.create_task(beats.beat_for_ever())
    await asyncio.sleep(0.05)
    until_s = time.process_time() + 0.2
    while time.process_time() < until_s:
        pass
    await asyncio.sleep(0.05)
    beating.cancel()
    assert beats.longest_ms > 100.0
