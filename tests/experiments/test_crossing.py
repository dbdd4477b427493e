"""Units seen in two arms: counts by pair, the bound of dilution by simulation, what is said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.checks.crossing import crossed_units, crossings, undiluted_limits
from proofsheet.errors import InputError


def test_pairs_are_counted_from_sets_in_any_order() -> None:
    units = {("a",): 900, ("b", "a"): 60, ("a", "b"): 40, ("b",): 400, ("c",): 100, ("a", "b", "c"): 10, ("c", "c"): 5}
    found = {(c.arm, c.other): (c.units, c.share, c.other_share) for c in crossings(units)}
    assert found == {
        ("a", "b"): (110, 110 / 1_010, 110 / 510),
        ("a", "c"): (10, 10 / 1_010, 10 / 115),
        ("b", "c"): (10, 10 / 510, 10 / 115),
    }


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sets(st.sampled_from("abcd"), min_size=1), st.integers(0, 500)), min_size=1, max_size=12))
def test_shards_add_up(parts: list[tuple[set[str], int]]) -> None:
    whole: dict[tuple[str, ...], int] = {}
    for members, n in parts:
        key = tuple(sorted(members))
        whole[key] = whole.get(key, 0) + n
    units = {c.arm + c.other: c.units for c in crossings(whole)}
    for pair, count in units.items():
        assert count == sum(n for members, n in parts if set(pair) <= members)


@pytest.mark.parametrize("reaction", [0.0, 0.5, 1.0])
def test_the_true_difference_lies_within_the_bound(reaction: float) -> None:
    """Crossed units react to the other arm by ``reaction`` of the effect: the observed difference shrinks by that."""
    rng = np.random.default_rng(1)
    n, effect, a, b = 400_000, 0.2, 0.08, 0.05
    arm = rng.normal(0.0, 1.0, n) + effect * (1.0 - reaction * (rng.random(n) < a))
    control = rng.normal(0.0, 1.0, n) + effect * reaction * (rng.random(n) < b)
    observed = arm.mean() - control.mean()
    error = np.sqrt(2.0 / n)
    assert observed == pytest.approx(effect * (1.0 - reaction * (a + b)), abs=4 * error)
    low, high = undiluted_limits(observed - 3 * error, observed + 3 * error, a + b)
    assert low < effect < high
    # The bound is reached when every crossed unit behaves as in the other arm.
    assert float(high - 3 * error / (1 - a - b)) == pytest.approx(observed / (1 - a - b))


def test_limits_grow_away_from_zero_only() -> None:
    low, high = undiluted_limits([-1.0, 1.0, -2.0], [3.0, 3.0, -1.0], 0.5)
    assert low.tolist() == [-2.0, 1.0, -4.0]
    assert high.tolist() == [6.0, 6.0, -1.0]
    low, high = undiluted_limits([-1.0, 0.0], [2.0, 0.0], 1.0)
    assert low.tolist() == [-np.inf, 0.0]
    assert high.tolist() == [np.inf, 0.0]
    with pytest.raises(InputError, match="not a share"):
        undiluted_limits(0.0, 1.0, 1.5)


@pytest.mark.parametrize(
    ("both", "ok", "severity"),
    [(0, True, "info"), (15, True, "info"), (25, False, "warning"), (300, False, "blocking")],
)
def test_severity_grows_with_the_share(both: int, ok: bool, severity: str) -> None:
    check = crossed_units({("a",): 1_000, ("b",): 1_000, ("a", "b"): both})
    assert (check.ok, check.severity) == (ok, severity)


def test_the_message_names_pairs_and_the_meaning() -> None:
    units = {("a",): 900, ("b",): 900, ("c",): 900, ("a", "b"): 50, ("b", "c"): 100}
    check = crossed_units(units)
    assert "150 of 2,850 units (5.26%)" in check.message
    assert "b and c: 100; a and b: 50" in check.message
    share = 100 / 1_000 + 100 / 1_050
    assert f"Between b and c the true difference can be up to {1 / (1 - share):.3f} times" in check.message
    assert "Between a and b" in crossed_units(units, control="a").message
    hidden = crossed_units({("a", "b"): 10})
    assert "any difference can be hidden" in hidden.message


def test_nothing_to_compare_and_bad_counts() -> None:
    assert crossed_units({}).ok is None
    assert crossed_units({("a",): 10}).ok is None
    assert "None of 25 units" in crossed_units({("a",): 10, ("b",): 10, ("a", "a"): 5}).message
    with pytest.raises(InputError, match="cannot be"):
        crossed_units({("a",): -1})
    with pytest.raises(InputError, match="cannot be"):
        crossings({(): 4})
