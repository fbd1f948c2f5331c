import pytest

from x25.graph.memory.remembered import RememberedAnswers
from x25.state.responses import KeptResponse

TALK = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
KEPT = KeptResponse(TALK, {"id": "resp_c1"})


@pytest.fixture
def clock():
    return [0.0]


@pytest.fixture
def remembered(clock):
    return RememberedAnswers(60.0, most_bytes=2_000, clock_s=lambda: clock[0])


def test_a_conversation_is_its_orgs_own(remembered):
    remembered.remember("a", "c1", KEPT)
    assert remembered.get("a", "c1") == KEPT
    assert remembered.get("b", "c1") is None
    assert remembered.get("a", "c2") is None


def test_whether_its_call_is_logged_is_known(remembered):
    remembered.remember("a", "c1", KEPT, is_logged=False)
    assert not remembered.is_logged("a", "c1")
    remembered.remember("a", "c1", KEPT)
    assert remembered.is_logged("a", "c1")


def test_it_is_forgotten_after_its_time(remembered, clock):
    remembered.remember("a", "c1", KEPT)
    clock[0] = 59.0
    assert remembered.get("a", "c1") == KEPT
    clock[0] = 61.0
    assert remembered.get("a", "c1") is None


def test_the_oldest_make_room(remembered):
    for number in range(200):
        remembered.remember("a", f"c{number}", KeptResponse([{"content": f"{number} " * 30}], {}))
    assert remembered.get("a", "c0") is None
    assert remembered.get("a", "c199") is not None


def test_a_conversation_that_would_drive_out_all_others_is_not_kept(remembered):
    remembered.remember("a", "c1", KEPT)
    remembered.remember("a", "c2", KeptResponse([{"content": "x" * 3_000}], {}))
    assert remembered.get("a", "c1") == KEPT
    assert remembered.get("a", "c2") is None


def test_one_call_and_one_org_can_be_forgotten(remembered):
    for org, call_id in (("a", "c1"), ("a", "c2"), ("b", "c1")):
        remembered.remember(org, call_id, KEPT)
    assert remembered.forget("a", "c1")
    assert not remembered.forget("a", "c1")
    remembered.forget_org("a")
    assert remembered.get("a", "c2") is None
    assert remembered.get("b", "c1") == KEPT


def test_no_time_at_all_remembers_nothing():
    remembered = RememberedAnswers(0)
    remembered.remember("a", "c1", KEPT)
    assert remembered.get("a", "c1") is None
