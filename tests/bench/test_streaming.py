import json

import pytest

from x25.bench import streaming
from x25.bench.streaming import Seen, curve

SEEN = [Seen(0.95, True, 100.0, 900.0), Seen(0.9, False, 110.0, 2000.0), Seen(0.4, False, 120.0, 3000.0)]


def test_a_bar_says_how_many_are_sent_how_many_wrongly_and_when_the_first_word_comes():
    all_sent, some, none = curve(SEEN, (0.0, 0.9))
    assert (all_sent.sent_share, all_sent.wrong_share, all_sent.first_p50_ms) == (
        1.0,
        pytest.approx(2 / 3),
        110.0,
    )
    assert (some.sent_share, some.wrong_share, some.first_p50_ms) == (pytest.approx(2 / 3), 0.5, 110.0)
    assert (none.sent_share, none.wrong_share, none.first_p50_ms) == (0.0, 0.0, 2000.0)


@pytest.mark.slow
def test_a_tiny_run_measures(capsys):
    streaming.main(["--calls", "8", "--warmup", "4", "--clients", "8", "--json"])
    found = json.loads(capsys.readouterr().out)
    first, never = found["bars"][0], found["never"]
    assert (first["sent_share"], never["sent_share"]) == (1.0, 0.0)
    assert 0 < first["first_p50_ms"] < never["first_p50_ms"]
