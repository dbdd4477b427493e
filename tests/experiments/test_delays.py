"""Delays under right truncation: the published chain ladder, statsmodels' late-entry survival, simulation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from experiments.checks.delays import compare_delays, fit_delays, tabulate_delays
from proofsheet.errors import InputError

# Claims by year of accident and delay (Taylor and Ashe 1983), the example of Mack (ASTIN Bulletin 1993) and of England
# and Verrall (Insurance: Mathematics and Economics 1999): reserve 18,680,856; error of the over-dispersed Poisson
# model 2,945,659 with a dispersion of 52,601.
TAYLOR_ASHE = """
357848 766940 610542 482940 527326 574398 146342 139950 227229 67948
352118 884021 933894 1183289 445745 320996 527804 266172 425046
290507 1001799 926219 1016654 750816 146923 495992 280405
310608 1108250 776189 1562400 272482 352053 206286
443160 693190 991983 769488 504851 470639
396132 937085 847498 805037 705960
440832 847631 1131398 1063269
359480 1061648 1443370
376686 986608
344014
"""
PUBLISHED_RESERVES = (0, 94_634, 469_511, 709_638, 984_889, 1_419_459, 2_177_641, 3_920_301, 4_278_972, 4_625_811)


def triangle() -> tuple[np.ndarray, np.ndarray]:
    table = np.zeros((10, 10))
    for i, line in enumerate(TAYLOR_ASHE.split("\n")[1:-1]):
        table[i, : 10 - i] = [float(v) for v in line.split()]
    return table, np.arange(9, -1, -1)


def draw(rng: np.random.Generator, units: int, mean: float, days: int = 21) -> tuple[np.ndarray, np.ndarray]:
    """Conversions with geometric delays; those later than today are not there."""
    table, ages = np.zeros((days, days)), np.arange(days - 1, -1, -1)
    for e in range(days):
        delays = rng.geometric(1.0 / mean, units) - 1
        np.add.at(table[e], delays[delays <= ages[e]], 1)
    return table, ages


def reversed_times(table: np.ndarray, ages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reversed delays with the time of late entry, one per conversion."""
    e, d = np.nonzero(table)
    times = table[e, d].astype(int)
    last = table.shape[1]
    return np.repeat(last - d, times).astype(float), np.repeat(last - ages[e] - 1, times).astype(float)


def test_the_published_reserve_its_dispersion_and_its_error() -> None:
    table, ages = triangle()
    curve = fit_delays(table, ages)
    paid, share = table.sum(axis=1), curve.share[ages]
    reserves = paid / share - paid
    assert reserves.round().tolist() == pytest.approx(list(PUBLISHED_RESERVES), abs=1)
    assert reserves.sum() == pytest.approx(18_680_856, abs=1)
    assert curve.dispersion == pytest.approx(52_601, abs=1)
    loads = np.array([(paid / share)[ages < d].sum() for d in range(10)])
    estimation = ((1 / share - 1) ** 2 * paid).sum() + (loads**2 * curve.terms).sum()
    assert np.sqrt(curve.dispersion * (estimation + reserves.sum())) == pytest.approx(2_945_659, rel=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shares_and_errors_agree_with_statsmodels_late_entry(seed: int) -> None:
    table, ages = draw(np.random.default_rng(seed), 60, 5.0)
    curve = fit_delays(table, ages, least=1)
    time, entry = reversed_times(table, ages)
    theirs = SurvfuncRight(time, np.ones(len(time)), entry=entry)
    error = curve.share * np.sqrt(curve.log_variance / curve.dispersion)
    for at, survival, survival_error in zip(theirs.surv_times, theirs.surv_prob, theirs.surv_prob_se, strict=True):
        delay = 21 - int(at) - 1  # P(reversed > t) = P(delay < 21 - t)
        if delay >= 0:
            assert curve.share[delay] == pytest.approx(survival, rel=1e-10)
            assert error[delay] == pytest.approx(survival_error, rel=1e-9)


@pytest.mark.parametrize("means", [(5.0, 5.0), (5.0, 7.0), (3.0, 3.3)])
def test_the_comparison_of_arms_agrees_with_statsmodels(means: tuple[float, float]) -> None:
    rng = np.random.default_rng(4)
    (a, ages), (b, _) = draw(rng, 60, means[0]), draw(rng, 80, means[1])
    b[:5] = 0  # the second arm began later
    statistic, df, p = compare_delays(np.stack([a, b]), ages)
    parts = [reversed_times(t, ages) for t in (a, b)]
    time, entry = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    group = np.repeat([0, 1], [len(part[0]) for part in parts])
    theirs, their_p = survdiff(time, np.ones(len(time)), group, entry=entry)
    assert (float(statistic), float(df), float(p)) == pytest.approx((theirs, 1.0, their_p), rel=1e-8)


def test_three_arms_have_two_degrees_of_freedom_and_do_not_depend_on_their_order() -> None:
    rng = np.random.default_rng(5)
    arms = [draw(rng, 50, mean)[0] for mean in (4.0, 5.0, 6.0)]
    ages = np.arange(20, -1, -1)
    there, back = compare_delays(np.stack(arms), ages), compare_delays(np.stack(arms[::-1]), ages)
    assert there[1] == 2
    assert float(there[0]) == pytest.approx(float(back[0]), rel=1e-9)


def test_the_plain_distribution_is_biased_and_the_corrected_one_is_not() -> None:
    rng = np.random.default_rng(6)
    runs = 300
    tables = np.stack([draw(rng, 40, 6.0)[0] for _ in range(runs)])
    ages = np.arange(20, -1, -1)
    curve = fit_delays(tables, ages)
    day = 6
    truth = (1 - (5 / 6) ** (day + 1)) / (1 - (5 / 6) ** (curve.horizon + 1))
    gaps = curve.share[:, day] - truth
    assert abs(gaps.mean()) < 3.5 * gaps.std() / runs**0.5
    assert gaps.std() == pytest.approx((curve.share[:, day] * np.sqrt(curve.log_variance[:, day])).mean(), rel=0.15)
    plain = tables[:, :, : day + 1].sum(axis=(1, 2)) / tables.sum(axis=(1, 2))
    assert (plain - truth).mean() > 0.03
    low, high = curve.limits(0.05)
    assert ((low[:, day] <= truth) & (truth <= high[:, day])).mean() == pytest.approx(0.95, abs=0.04)


def test_the_comparison_keeps_its_level_and_finds_slower_arms() -> None:
    rng = np.random.default_rng(7)
    ages = np.arange(13, -1, -1)
    same = np.stack([[draw(rng, 25, 4.0, 14)[0] for _ in range(2)] for _ in range(800)])
    p = compare_delays(same, ages)[2]
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 800) ** 0.5)
    slower = np.stack([[draw(rng, 100, mean, 14)[0] for mean in (3.0, 4.0)] for _ in range(100)])
    assert (compare_delays(slower, ages)[2] < 0.01).mean() > 0.9


def test_what_lies_above_a_days_age_is_not_read() -> None:
    table, ages = draw(np.random.default_rng(8), 60, 5.0)
    future = np.where(np.arange(21) > ages[:, None], 99.0, table)
    assert fit_delays(future, ages).share.tolist() == fit_delays(table, ages).share.tolist()


def test_overdispersed_days_widen_the_errors() -> None:
    table, ages = draw(np.random.default_rng(9), 60, 5.0)
    lumps = table * 10.0
    plain, wide = fit_delays(table, ages), fit_delays(lumps, ages)
    assert plain.dispersion == pytest.approx(1.0, abs=0.35)
    assert wide.dispersion == pytest.approx(10.0, rel=0.35)
    assert wide.log_variance[3] == pytest.approx(plain.log_variance[3], rel=0.4)


def test_long_delays_with_too_few_conversions_are_left_out() -> None:
    table, ages = draw(np.random.default_rng(10), 100, 3.0)
    table[0] = 0.0
    table[0, 20] = 1.0  # a single conversion at the longest delay would make every other share 0
    curve = fit_delays(table, ages)
    assert curve.horizon < 20
    assert curve.share[8] > 0.9
    assert fit_delays(table, ages, least=1).share[8] == 0.0
    nothing = fit_delays(np.zeros((5, 5)), np.arange(4, -1, -1))
    assert nothing.horizon == -1
    assert nothing.share.tolist() == [1.0] * 5
    statistic, df, p = compare_delays(np.zeros((2, 5, 5)), np.arange(4, -1, -1))
    assert (float(statistic), float(df), float(p)) == (0.0, 0.0, 1.0)


def test_rows_become_a_table() -> None:
    first, last = date(2026, 3, 1), date(2026, 3, 4)
    exposures = {("a", first): 100.0, ("b", first + timedelta(days=2)): 50.0, ("a", last + timedelta(days=1)): 9.0}
    rows = [
        ("a", first, first, 3.0),
        ("a", first, first, 1.0),
        ("a", first, last, 2.0),
        ("a", first, last + timedelta(days=1), 5.0),
        ("b", first + timedelta(days=2), last, 4.0),
    ]
    table = tabulate_delays(rows, exposures, last)
    assert (table.arms, table.days[0], len(table.days), table.ages.tolist()) == (("a", "b"), first, 4, [3, 2, 1, 0])
    assert table.counts[0, 0].tolist() == [4.0, 0.0, 0.0, 2.0]
    assert table.counts[1, 2].tolist() == [0.0, 4.0, 0.0, 0.0]
    assert table.exposures.tolist() == [[100.0, 0.0, 0.0, 0.0], [0.0, 0.0, 50.0, 0.0]]


def test_rows_that_cannot_be_are_refused() -> None:
    day = date(2026, 3, 2)
    units = {("a", day): 10.0}
    with pytest.raises(InputError, match="before its exposure"):
        tabulate_delays([("a", day, day - timedelta(days=1), 1.0)], units, day)
    with pytest.raises(InputError, match="no exposures"):
        tabulate_delays([("b", day, day, 1.0)], units, day)
    with pytest.raises(InputError, match="count -1"):
        tabulate_delays([("a", day, day, -1.0)], units, day)
    with pytest.raises(InputError, match="no exposures up to"):
        tabulate_delays([], units, day - timedelta(days=1))
    with pytest.raises(InputError, match="no table of delays"):
        fit_delays([[1.0, 2.0]], [1.0, 0.0])
