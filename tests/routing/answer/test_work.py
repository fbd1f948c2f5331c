import pytest

from x25.routing.answer.work import UNITS, OutOfWork, Work


def test_a_purse_is_spent_to_its_last_unit_and_no_further():
    work = Work()
    work.spend(UNITS)
    with pytest.raises(OutOfWork):
        work.spend(1)
