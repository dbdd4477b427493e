"""Maturity: the cut-off, the mature-only view, corrected lifts and their coverage, late data between two imports."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Poisson

from experiments.checks.delays import DelayTable, fit_delays
from experiments.checks.late_data import changed_days, late_data
from experiments.checks.maturity import (
    corrected_lifts,
    delay_difference,
    effective_exposures,
    mature_age,
    mature_view,
    maturity,
    still_to_come,
)
from proofsheet.domain.result import Status
from proofsheet.errors import InputError

FIRST = date(2026, 4, 1)


def report(
    rng: np.random.Generator,
    rates: dict[str, float],
    delays: dict[str, float],
    units: dict[str, np.ndarray],
) -> DelayTable:
    """Arms with Poisson conversions and geometric delays, seen as of the last exposure day."""
    days = len(next(iter(units.values())))
    ages = np.arange(days - 1, -1, -1)
    counts = np.zeros((len(rates), days, days))
    for g, arm in enumerate(rates):
        stay = 1.0 - 1.0 / delays[arm]
        chance = (1.0 - stay) * stay ** np.arange(days)
        counts[g] = rng.poisson(units[arm][:, None] * rates[arm] * chance) * (np.arange(days) <= ages[:, None])
    exposures = np.stack([units[arm].astype(float) for arm in rates])
    listed = tuple(FIRST + timedelta(days=i) for i in range(days))
    return DelayTable(arms=tuple(rates), days=listed, as_of=listed[-1], counts=counts, exposures=exposures)


EVEN = {"c": np.full(21, 2_000), "t": np.full(21, 2_000)}
SAME = {"c": 4.0, "t": 4.0}


def test_the_cut_off_is_the_first_age_that_is_complete_enough() -> None:
    ages = np.arange(4, -1, -1)
    table = np.array([[50, 30, 10, 9, 1]] * 5, dtype=float) * (np.arange(5) <= ages[:, None])
    curve = fit_delays(table * 10, ages)
    assert curve.share.tolist() == pytest.approx([0.5, 0.8, 0.9, 0.99, 1.0])
    assert [int(mature_age(curve, c)) for c in (0.5, 0.8, 0.9, 0.95, 1.0)] == [0, 1, 2, 3, 4]
    assert float(effective_exposures([10, 0, 0, 0, 10], ages, curve)) == pytest.approx(10 + 5)
    assert float(still_to_come([10, 0, 0, 0, 10], ages, curve)) == pytest.approx(0.25)
    assert float(still_to_come([0, 0, 0, 0, 0], ages, curve)) == 0.0
    with pytest.raises(InputError, match="not a share"):
        mature_age(curve, 0.0)


def test_the_mature_view_counts_old_days_and_short_delays_only() -> None:
    table = report(np.random.default_rng(1), {"c": 0.05, "t": 0.06}, SAME, EVEN)
    view = mature_view(table, 5)
    assert (len(view.days), view.days[-1]) == (16, FIRST + timedelta(days=15))
    assert view.exposures.tolist() == [32_000, 32_000]
    expected = [sum(table.counts[g, e, d] for e in range(16) for d in range(6)) for g in range(2)]
    assert view.conversions.tolist() == expected
    assert mature_view(table, 30).exposures.tolist() == [0, 0]
    with pytest.raises(InputError, match="negative"):
        mature_view(table, -1)


def test_the_corrected_rate_is_the_poisson_likelihoods() -> None:
    """With F held fixed: statsmodels' Poisson regression with the offset log(exposures × F(age))."""
    table = report(np.random.default_rng(2), {"c": 0.05, "t": 0.06}, SAME, EVEN)
    curve = fit_delays(table.counts.sum(axis=0), table.ages)
    (lift,) = corrected_lifts(table, "c")
    offset = np.log(table.exposures * curve.share[table.ages.astype(int)]).ravel()
    arm = np.repeat([0.0, 1.0], 21)
    within = table.counts[:, :, : int(curve.horizon) + 1].sum(axis=2)
    fit = Poisson(within.ravel(), np.column_stack([np.ones(42), arm]), offset=offset).fit(disp=0)
    assert lift.lift == pytest.approx(np.expm1(fit.params[1]), rel=1e-6)
    assert lift.control_rate == pytest.approx(np.exp(fit.params[0]), rel=1e-6)
    low, high = np.expm1(fit.params[1] + np.array([-1, 1]) * 1.959964 * fit.bse[1])
    # Both arms were exposed on the same days: the error of F cancels and the interval is the regression's.
    assert (lift.low, lift.high) == pytest.approx((low, high), rel=1e-5)
    assert lift.come == pytest.approx(1 - float(still_to_come(table.exposures[0], table.ages, curve)))


def test_an_arm_that_began_later_is_not_blamed_for_it() -> None:
    rng = np.random.default_rng(3)
    units = {"c": np.full(21, 4_000), "t": np.r_[np.zeros(14, dtype=int), np.full(7, 12_000)]}
    raw, corrected, inside = [], [], []
    for _ in range(300):
        (lift,) = corrected_lifts(report(rng, {"c": 0.03, "t": 0.03}, {"c": 6.0, "t": 6.0}, units), "c")
        raw.append(lift.raw_lift)
        corrected.append(lift.lift)
        inside.append(lift.low <= 0.0 <= lift.high)
    assert np.mean(raw) < -0.25
    assert abs(np.mean(corrected)) < 0.01
    assert np.mean(inside) == pytest.approx(0.95, abs=0.045)


def test_own_delays_take_out_what_common_ones_leave_in() -> None:
    rng = np.random.default_rng(4)
    reports = [report(rng, {"c": 0.05, "t": 0.05}, {"c": 3.0, "t": 6.0}, EVEN) for _ in range(150)]
    common = [corrected_lifts(r, "c")[0] for r in reports]
    own = [corrected_lifts(r, "c", own_delays=True)[0] for r in reports]
    assert np.mean([x.lift for x in common]) < -0.1
    # What the slower arm has after the horizon (about 18 days) nobody has seen: some 3 % of its conversions.
    truth = (1 - (5 / 6) ** 19) / (1 - (2 / 3) ** 19) - 1
    assert np.mean([x.lift for x in own]) == pytest.approx(truth, abs=0.012)
    assert np.mean([x.high - x.low for x in own]) > np.mean([x.high - x.low for x in common])


def test_own_curves_end_at_one_horizon() -> None:
    """The larger arm alone could be told further out; its shares would then be of other conversions."""
    units = {"c": np.full(21, 40_000), "t": np.full(21, 70)}
    table = report(np.random.default_rng(9), {"c": 0.05, "t": 0.05}, SAME, units)
    alone = fit_delays(table.counts, table.ages).horizon.tolist()
    assert alone[1] < alone[0]
    (lift,) = corrected_lifts(table, "c", own_delays=True)
    assert lift.control_rate == pytest.approx(0.05 * (1 - 0.75 ** (alone[1] + 1)), rel=0.01)
    assert lift.control_rate < 0.0498  # of a longer horizon it would be 0.0499


def test_a_degenerate_arm_has_a_status() -> None:
    table = report(np.random.default_rng(5), {"c": 0.05, "t": 0.0}, SAME, EVEN)
    (lift,) = corrected_lifts(table, "c")
    assert (lift.status, lift.lift, lift.rate) == (Status.TOO_FEW, None, 0.0)
    (lift,) = corrected_lifts(table, "t")
    assert (lift.status, lift.lift) == (Status.ZERO_CONTROL, None)
    nobody = report(np.random.default_rng(5), {"c": 0.05, "t": 0.05}, SAME, {**EVEN, "t": np.zeros(21, dtype=int)})
    assert corrected_lifts(nobody, "c")[0].status is Status.NO_DATA
    with pytest.raises(InputError, match="not among the arms"):
        corrected_lifts(table, "x")
    with pytest.raises(InputError, match="confidence"):
        corrected_lifts(table, "c", confidence=95.0)


def test_a_young_test_is_told_how_much_is_still_to_come() -> None:
    check = maturity(report(np.random.default_rng(6), {"c": 0.05, "t": 0.05}, SAME, EVEN))
    assert (check.ok, check.severity) == (False, "warning")
    assert "8" in check.message.split("%")[0]  # about (21 - 4) / 21 of them are in
    assert "of 21 days, up to 2026-04-" in check.message
    fast = report(np.random.default_rng(6), {"c": 0.05, "t": 0.05}, {"c": 1.05, "t": 1.05}, EVEN)
    assert maturity(fast).ok is True
    window = maturity(fast, window=28)
    assert window.ok is None
    assert "cannot be told yet" in window.message
    empty = report(np.random.default_rng(6), {"c": 0.0, "t": 0.0}, SAME, EVEN)
    assert maturity(empty).ok is None


def test_arms_with_other_delays_are_found_and_their_false_lift_is_told() -> None:
    slow = report(np.random.default_rng(7), {"c": 0.05, "t": 0.05}, {"c": 3.0, "t": 6.0}, EVEN)
    check = delay_difference(slow)
    assert (check.ok, check.severity) == (False, "warning")
    assert "faster in c than in t" in check.message
    assert delay_difference(report(np.random.default_rng(8), {"c": 0.05, "t": 0.05}, SAME, EVEN)).ok is True
    tiny = delay_difference(slow, notable=0.5)
    assert tiny.ok is True
    assert "too little to matter" in tiny.message
    nothing = report(np.random.default_rng(7), {"c": 0.0, "t": 0.0}, SAME, EVEN)
    assert delay_difference(nothing).ok is None


def snapshot(**days: float) -> dict[tuple[str, date], float]:
    return {(name[0], FIRST + timedelta(days=int(name[1:]))): count for name, count in days.items()}


def test_days_that_changed_since_the_last_import_are_listed() -> None:
    before = snapshot(a0=10, a1=8, b0=9, b1=0)
    after = snapshot(a0=10, a1=12, b0=7, b1=0, a2=5, b2=5)
    found = [(c.arm, c.day.day, c.before, c.after, c.share) for c in changed_days(before, after)]
    assert found == [("b", 1, 9, 7, pytest.approx(-2 / 9)), ("a", 2, 8, 12, 0.5)]
    gone = changed_days(before, snapshot(a0=10, a1=8, b1=0))
    assert [(c.arm, c.before, c.after) for c in gone] == [("b", 9, 0.0)]
    new = changed_days(snapshot(a1=4), snapshot(a0=3, a1=4))
    assert [(c.before, c.after, c.share) for c in new] == [(None, 3, None)]


def test_late_data_are_told_by_how_much_and_in_which_arm() -> None:
    before = snapshot(a0=100, a1=100, b0=100, b1=100)
    check = late_data(before, snapshot(a0=100, a1=130, b0=100, b1=101, a2=50))
    assert (check.ok, check.severity) == (False, "warning")
    assert "one known day, 2026-04-02, has changed" in check.message
    assert "31 conversions were added, of 400" in check.message
    assert "a by +15.0%, b by +0.5%" in check.message
    small = late_data(before, snapshot(a0=100, a1=101, b0=100, b1=101))
    assert (small.ok, small.severity) == (True, "info")
    fallen = late_data(before, snapshot(a0=99, a1=100, b0=100, b1=100))
    assert fallen.ok is False
    assert "1 were taken back" in fallen.message
    assert late_data(before, before).ok is True
    assert late_data({}, before).ok is None
