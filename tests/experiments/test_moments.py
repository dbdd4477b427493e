"""Mergeable cross-moments against numpy, exact rational arithmetic, and the whole they are shards of."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.basis.moments import Moments
from proofsheet.domain.result import Aggregates
from proofsheet.errors import InputError

Rows = NDArray[np.float64]
NAMES = ("y", "x", "w")


def draw(n: int, seed: int, offset: float = 0.0, scale: float = 1.0) -> Rows:
    """Three correlated columns, the third far narrower than the others."""
    mix = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.002], [0.0, 0.0, 0.001]])
    return np.asarray((np.random.default_rng(seed).normal(size=(n, 3)) @ mix) * scale + offset)


def exact(rows: Rows) -> tuple[list[Fraction], Rows]:
    """Means and centred cross products in rational arithmetic: floats are fractions, so nothing is rounded."""
    columns = [[Fraction(float(v)) for v in column] for column in rows.T]
    means = [sum(c, Fraction(0)) / len(c) for c in columns]
    centred = [[v - m for v in c] for c, m in zip(columns, means, strict=True)]
    cross = [[float(sum((a * b for a, b in zip(p, q, strict=True)), Fraction(0))) for q in centred] for p in centred]
    return means, np.array(cross)


def gap(got: Moments, means: list[Fraction], cross: Rows) -> float:
    """The largest error, relative: of means to the spread, of products to the product of the spreads."""
    size = np.sqrt(np.diag(cross))
    mean = [Fraction(float(a)) + Fraction(float(b)) for a, b in zip(got.mean, got.mean_rest, strict=True)]
    errors = [abs(float(a - b)) for a, b in zip(mean, means, strict=True)]
    return float(max(np.max(np.abs(got.cross - cross) / np.outer(size, size)), np.max(errors / size)))


def merged(parts: list[Moments]) -> Moments:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    return whole


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
def test_rows_agree_with_exact_arithmetic_and_numpy(offset: float) -> None:
    rows = draw(300, 1, offset)
    got = Moments.from_rows(rows, NAMES)
    means, cross = exact(rows)
    assert gap(got, means, cross) < 1e-14
    np.testing.assert_allclose(got.cross / 299, np.cov(rows - offset, rowvar=False), rtol=1e-9, atol=1e-15)
    assert float(got.n) == 300


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
def test_shards_equal_the_whole_one_by_one_at_once_and_running(offset: float) -> None:
    rows = draw(400, 2, offset)
    means, cross = exact(rows)
    parts = [Moments.from_rows(part, NAMES) for part in np.array_split(rows, 29)]
    assert gap(merged(parts), means, cross) < 1e-13
    assert gap(Moments.stack(parts).total(), means, cross) < 1e-13
    assert gap(Moments.stack(parts).cumulate()[-1], means, cross) < 1e-13


def test_a_mean_in_one_float_would_not_do() -> None:
    """Why ``mean_rest`` is there: without it shards at an offset of 1e9 miss the whole by more than 1e-10."""
    rows = draw(400, 2, 1e9)
    means, cross = exact(rows)
    parts = [Moments.from_rows(part, NAMES) for part in np.array_split(rows, 29)]
    plain = merged([replace(part, mean_rest=np.zeros(3)) for part in parts])
    assert gap(plain, means, cross) > 1e-10


@given(
    cuts=st.lists(st.integers(0, 30), max_size=8),
    seed=st.integers(0, 10**6),
    offset=st.sampled_from([0.0, 1.0, -1e6, 1e9, 1e11]),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
)
@settings(max_examples=50, deadline=None)
def test_shards_equal_the_whole_however_cut(cuts: list[int], seed: int, offset: float, scale: float) -> None:
    rows = draw(30, seed, offset, scale)
    means, cross = exact(rows)
    if np.diag(cross).min() <= 0:
        return  # at this offset the floats of a narrow column are all the same
    parts = [Moments.from_rows(part, NAMES) for part in np.split(rows, sorted(cuts))]
    for whole in (merged(parts), Moments.stack(parts).total(), merged(parts[::-1])):
        assert gap(whole, means, cross) < 1e-10
        assert float(whole.n) == 30


def test_a_stack_of_experiments_merges_as_each_of_them() -> None:
    """Days × experiments × arms in one go, some of them empty."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(5, 40, 2, 30, 3)) + 1e9  # day, experiment, arm, unit, column
    days = Moments.from_rows(rows, NAMES)
    days = replace(days, n=np.where(rng.random(days.n.shape) < 0.2, 0.0, days.n))
    whole, looks = days.total(axis=0), days.cumulate(axis=0)
    assert whole.n.shape == (40, 2)
    for e, a in ((0, 0), (17, 1), (39, 0)):
        kept = [rows[d, e, a] for d in range(5) if days.n[d, e, a] > 0]
        _, cross = exact(np.concatenate(kept))
        np.testing.assert_allclose(whole[e, a].cross, cross, rtol=0, atol=1e-10 * np.diag(cross).max())
        np.testing.assert_allclose(looks[4, e, a].cross, cross, rtol=0, atol=1e-10 * np.diag(cross).max())
        np.testing.assert_array_equal(looks.n[:, e, a], days.n[:, e, a].cumsum())
    pair = days[0].merge(days[1])
    np.testing.assert_array_equal(pair.n, days.n[0] + days.n[1])
    np.testing.assert_allclose(pair.cross, days[:2].total(axis=0).cross, rtol=1e-12, atol=1e-12)


def test_an_empty_sample_changes_nothing() -> None:
    some, nothing = Moments.from_rows(draw(20, 4, 1e9), NAMES), Moments.empty(NAMES)
    for whole in (some.merge(nothing), nothing.merge(some), Moments.stack([nothing, some]).total()):
        for name in ("n", "mean", "mean_rest", "cross"):
            np.testing.assert_array_equal(getattr(whole, name), getattr(some, name))
    assert float(nothing.merge(nothing).n) == 0
    assert float(Moments.from_rows(np.zeros((0, 3)), NAMES).n) == 0
    gone = Moments(names=("y",), n=np.array(0.0), mean=np.array([np.nan]), cross=np.array([[np.nan]]))
    assert (gone.mean[0], gone.cross[0, 0]) == (0.0, 0.0)


def test_distances_are_those_of_the_means_from_the_common_mean() -> None:
    """Also at an offset of 2^30, where the means themselves are only known to 1e-7."""
    rows = np.round(draw(90, 5) * 2**20) / 2**20  # on a grid that the offset does not round
    expected = np.array([part.mean(axis=0) - rows.mean(axis=0) for part in np.split(rows, [20, 50])])
    for offset in (0.0, 2.0**30):
        stack = Moments.stack([Moments.from_rows(part + offset, NAMES) for part in np.split(rows, [20, 50])])
        np.testing.assert_allclose(stack.distances(), expected, rtol=1e-9, atol=1e-15)


def test_plain_sums_about_an_origin() -> None:
    rows = draw(200, 6, 1e9)
    gaps = rows - 1e9
    got = Moments.from_sums(NAMES, 200, gaps.sum(axis=0), gaps.T @ gaps, origin=1e9)
    assert gap(got, *exact(rows)) < 1e-12
    values = 1e9 + np.array([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(InputError, match="negative sum of squares"):
        Moments.from_sums(("y",), 4, [values.sum()], [[(values**2).sum() * (1 - 1e-15)]])


def test_json_and_aggregates_go_there_and_back() -> None:
    stack = Moments.stack([Moments.from_rows(draw(30, seed, 1e9), NAMES) for seed in range(3)])
    back = Moments.from_dict(json.loads(json.dumps(stack.to_dict())))
    for name in ("n", "mean", "mean_rest", "cross"):
        np.testing.assert_array_equal(getattr(back, name), getattr(stack, name))
    assert back.names == NAMES
    a = Aggregates(n=9, mean_x=2.0, m2_x=3.0, mean_y=4.0, m2_y=5.0, cxy=-1.0)
    b = Aggregates(n=4, mean_x=1.0, m2_x=2.5, mean_y=3.0, m2_y=1.0, cxy=0.5)
    both = Moments.from_aggregates(a, ["x", "y"]).merge(Moments.from_aggregates(b, ["x", "y"]))
    expected = a.merge(b)
    got = both.to_aggregates("x", "y")
    for name in ("n", "mean_x", "m2_x", "mean_y", "m2_y", "cxy"):
        assert getattr(got, name) == pytest.approx(getattr(expected, name), rel=1e-14)
    far = Moments.from_rows(draw(9, 3, 1e9), NAMES).pick(["y", "x"])
    again = Moments.from_aggregates(far.to_aggregates("y", "x"), ["y", "x"])
    np.testing.assert_array_equal(again.mean_rest, far.mean_rest)
    alone = Moments.from_aggregates(a, ["x"]).to_aggregates("x")
    assert alone == Aggregates(n=9, mean_x=2.0, m2_x=3.0)


def test_linear_combinations_and_choices_of_columns() -> None:
    rows = draw(50, 7, 100.0)
    a = np.array([[1.0, -2.0, 0.5], [0.0, 1.0, 1.0]])
    got, expected = Moments.from_rows(rows, NAMES).combine(a, ["p", "q"]), Moments.from_rows(rows @ a.T, ["p", "q"])
    np.testing.assert_allclose(got.cross, expected.cross, rtol=1e-10)
    np.testing.assert_allclose(got.mean, expected.mean, rtol=1e-12)
    two = Moments.from_rows(rows, NAMES).pick(["w", "y"])
    np.testing.assert_allclose(two.cross, Moments.from_rows(rows[:, [2, 0]], ["w", "y"]).cross, rtol=1e-12)
    stack = Moments.stack([Moments.from_rows(rows, NAMES), Moments.from_rows(rows + 1, NAMES)])
    np.testing.assert_array_equal(stack[..., 1].mean, stack.mean[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"n": np.array(-1.0)}, "negative"),
        ({"n": np.array(np.nan)}, "not finite"),
        ({"mean": np.zeros(2)}, "mean has the shape"),
        ({"cross": np.zeros((3, 2))}, "cross has the shape"),
        ({"mean": np.array([0.0, np.nan, 0.0])}, "'x' holds values that are not finite"),
        ({"cross": np.diag([1.0, 1.0, -1.0])}, "'w' holds a negative sum"),
        ({"names": ("y", "y", "w")}, "not different"),
    ],
)
def test_what_is_no_moment_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(Moments.from_rows(draw(9, 8), NAMES), **change)


def test_rows_with_missing_values_and_wrong_columns_are_named() -> None:
    rows = draw(9, 9)
    rows[3, 1] = np.nan
    with pytest.raises(InputError, match="'x'"):
        Moments.from_rows(rows, NAMES)
    fine = Moments.from_rows(draw(9, 9), NAMES)
    with pytest.raises(InputError, match="differ"):
        fine.merge(fine.pick(["x", "y", "w"]))
    with pytest.raises(InputError, match="no column 'z'"):
        fine.pick(["z"])
    with pytest.raises(InputError, match="no axis"):
        fine.total()
    with pytest.raises(InputError, match="lack cross"):
        Moments.from_dict({"names": ["y"], "n": 1, "mean": [1]})
    with pytest.raises(InputError, match="stack of 2"):
        Moments.stack([fine, fine]).to_aggregates("y")
