import numpy as np
import pytest

from x25.routing.answer.verifier_evidence import FLAT_TABLE
from x25.routing.belief.judge_table import DEFAULT_TABLE, JudgeTable
from x25.routing.plan.cascade import PlanPrices, plan
from x25.routing.plan.judge_worth import judge_worth, tables_after_verifier

PRICES = PlanPrices(0.3, latency_price=0.02, call_penalty=0.003, judge_penalty=0.001, judge_cost=0.05)
COSTS, LATENCIES = np.array([0.3, 1.0]), np.array([0.5, 1.0])
DEAR = PlanPrices(0.3, judge_cost=3.0)
WEAK = JudgeTable("weak", DEFAULT_TABLE.edges, (0.15, 0.18, 0.2, 0.22, 0.25), (0.25, 0.22, 0.2, 0.18, 0.15))


def worth(best_so_far, seen, thetas, prices, max_answers, table=DEFAULT_TABLE):
    """One row, term by term: the value of a situation is the plan's."""

    def value(belief):
        best = belief if best_so_far is None else max(best_so_far, belief)
        if not thetas or max_answers < 1:
            return float(prices.worth(np.array([best]))[0])
        costs = (COSTS[-len(thetas) :], LATENCIES[-len(thetas) :])
        return float(plan([thetas], *costs, [best], table, prices, max_answers=max_answers).value[0])

    judged = -prices.judge_price
    for score_bin, (right, wrong) in enumerate(zip(table.right, table.wrong, strict=True)):
        chance = seen * right + (1.0 - seen) * wrong
        judged += chance * value(table.posterior(seen, score_bin))
    return judged, value(seen)


def valued(seen, best_so_far, thetas, prices=PRICES, max_answers=2, table=DEFAULT_TABLE):
    rest = np.asarray(thetas, dtype=float).reshape(len(seen), -1)
    width = rest.shape[1]
    return judge_worth(
        seen, np.zeros(len(seen), dtype=int), best_so_far, (table,) * 5, prices,
        thetas=rest, costs=COSTS[2 - width :], latencies=LATENCIES[2 - width :], max_answers=max_answers, table=table,
    )  # fmt: skip


@pytest.mark.parametrize("prices", [PRICES, PlanPrices(0.05, quality_bar=0.8), DEAR])
@pytest.mark.parametrize("max_answers", [0, 1, 2])
def test_both_values_are_the_expectation_written_out_bin_by_bin(prices, max_answers):
    rng = np.random.default_rng(3)
    seen, best_so_far, thetas = rng.random(40), rng.random(40), rng.random((40, 2))
    found = valued(seen, best_so_far, thetas, prices, max_answers)
    for row in range(40):
        judged, skipped = worth(best_so_far[row], seen[row], list(thetas[row]), prices, max_answers)
        assert found.judged[row] == pytest.approx(judged)
        assert found.skipped[row] == pytest.approx(skipped)


def test_after_the_last_tier_a_judge_is_of_use_only_to_choose_between_two_answers():
    alone = valued(np.array([0.5]), None, [[]])
    assert not alone.is_worth[0]
    assert alone.skipped[0] - alone.judged[0] == pytest.approx(PRICES.judge_price)
    assert valued(np.array([0.5]), np.array([0.5]), [[]]).is_worth[0]


def test_a_sure_verifier_saves_the_judge_and_an_unsure_one_does_not():
    found = valued(np.array([0.02, 0.6, 0.995]), None, [[0.75, 0.95]] * 3)
    assert found.is_worth.tolist() == [False, True, False]


def test_one_row_says_what_it_says_among_many():
    rng = np.random.default_rng(4)
    seen, thetas = rng.random(20), rng.random((20, 2))
    many = valued(seen, None, thetas)
    for row in range(20):
        one = valued(seen[[row]], None, thetas[[row]])
        assert (one.judged[0], one.skipped[0]) == pytest.approx((many.judged[row], many.skipped[row]))


def test_a_judge_dearer_than_any_mistake_is_never_worth_it():
    rng = np.random.default_rng(5)
    assert not valued(rng.random(50), rng.random(50), rng.random((50, 2)), DEAR).is_worth.any()


def test_the_judge_is_read_by_the_bin_that_was_seen():
    judged = tables_after_verifier(DEFAULT_TABLE, WEAK, 0.5)
    rest = {
        "thetas": np.empty((5, 0)),
        "costs": [],
        "latencies": [],
        "max_answers": 0,
        "table": DEFAULT_TABLE,
    }
    found = judge_worth([0.6] * 5, range(5), [0.5] * 5, judged, PRICES, **rest)
    for score_bin, table in enumerate(judged):
        expected, _ = worth(0.5, 0.6, [], PRICES, 0, table)
        assert found.judged[score_bin] == pytest.approx(expected)


def test_foreseen_verifiers_raise_what_every_situation_is_worth():
    rng = np.random.default_rng(6)
    seen, thetas = rng.random(60), np.sort(rng.random((60, 2)), axis=1)
    rest = {
        "thetas": thetas,
        "costs": COSTS,
        "latencies": LATENCIES,
        "max_answers": 2,
        "table": DEFAULT_TABLE,
    }
    judged, bins = (DEFAULT_TABLE,) * 5, [0] * 60
    blind = judge_worth(seen, bins, None, judged, PRICES, **rest)
    flat = judge_worth(seen, bins, None, judged, PRICES, **rest, verifiers=[(FLAT_TABLE, judged)] * 2)
    sighted = judge_worth(seen, bins, None, judged, PRICES, **rest, verifiers=[(DEFAULT_TABLE, judged)] * 2)
    assert flat.judged == pytest.approx(blind.judged)
    assert (sighted.judged >= blind.judged - 1e-12).all()
    assert (sighted.skipped > blind.skipped + 1e-3).any()


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.6])
def test_shared_errors_leave_what_judge_and_verifier_say_alone(correlation):
    given = tables_after_verifier(DEFAULT_TABLE, WEAK, correlation)
    for verified, side in ((WEAK.right, "right"), (WEAK.wrong, "wrong")):
        mixed = np.asarray(verified) @ np.array([getattr(one, side) for one in given])
        assert mixed == pytest.approx(getattr(DEFAULT_TABLE, side), abs=1e-4)


def test_shared_errors_make_two_agreeing_signals_worth_less_than_their_sum():
    both_best = [
        tables_after_verifier(DEFAULT_TABLE, WEAK, share)[4].posterior(0.5, 4)
        for share in (-0.3, 0.0, 0.3, 0.7)
    ]
    assert both_best[0] == both_best[1] > both_best[2] > both_best[3]


def test_the_copula_agrees_with_signals_drawn_from_it():
    rng = np.random.default_rng(9)
    common, verifier, judge = rng.normal(size=(3, 400_000))
    signals = [np.sqrt(0.4) * common + np.sqrt(0.6) * own for own in (verifier, judge)]
    drawn = [
        np.searchsorted(np.quantile(signal, np.cumsum(table.right)[:-1]), signal)
        for signal, table in zip(signals, (WEAK, DEFAULT_TABLE), strict=True)
    ]
    for seen, table in enumerate(tables_after_verifier(DEFAULT_TABLE, WEAK, 0.4)):
        counted = np.bincount(drawn[1][drawn[0] == seen], minlength=5) / (drawn[0] == seen).sum()
        assert table.right == pytest.approx(counted, abs=0.006)
