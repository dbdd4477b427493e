"""Sums by SQL are those of numpy, far from zero too; shards merge to the whole; caps, histories and values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from experiments.basis.moments import Moments
from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.tables import FileAggregates, file_aggregates

X = Metric(name="x", kind=MetricKind.MEAN, numerator="x")
RATIO = Metric(name="x/y", kind=MetricKind.RATIO, numerator="x", denominator="y")


@pytest.fixture(scope="module")
def far() -> pd.DataFrame:
    """Values around 1e9 that vary by 1, in three arms."""
    rng = np.random.default_rng(3)
    n = 60_000
    z = rng.normal(size=n)
    return pd.DataFrame(
        {
            "arm": rng.choice(["a", "b", "c"], n),
            "x": 1e9 + 0.6 * z + rng.normal(size=n),
            "y": 1e9 + rng.normal(size=n),
            "z": 1e9 + z,
        }
    )


def moments(found: FileAggregates) -> Moments:
    aggregates = found.aggregates[""]
    return Moments.stack([Moments.from_aggregates(aggregates[arm]["x/y"], ("x", "y")) for arm in "abc"])


def test_sums_equal_numpys_at_an_offset_of_a_billion(far: pd.DataFrame) -> None:
    found = file_aggregates(far, arm="arm", metrics=[RATIO], covariates=["z"])
    columns = found.sums.columns
    for place, arm in enumerate(columns["arm"]):
        own = far[far["arm"] == arm]
        dx, dy, dz = (own[name].to_numpy() - math.fsum(own[name]) / len(own) for name in ("x", "y", "z"))
        # Two passes: what the mean's rounding leaves in the deviations is taken out.
        dx, dy, dz = (d - d.mean() for d in (dx, dy, dz))
        for name, expected in {
            "m2_x_0": dx @ dx,
            "m2_y_0": dy @ dy,
            "cxy_0": dx @ dy,
            "cross_0_0": dz @ dz,
            "cross_x_0_0": dx @ dz,
        }.items():
            assert columns[name][place] == pytest.approx(expected, rel=1e-9, abs=1e-9 * (dx @ dx)), name
        assert columns["mean_x_0"][place] == pytest.approx(math.fsum(own["x"]) / len(own), rel=1e-15)


def test_shards_merge_to_the_whole(far: pd.DataFrame) -> None:
    whole = moments(file_aggregates(far, arm="arm", metrics=[RATIO]))
    shards = [far.iloc[start::7] for start in range(7)]
    parts = [moments(file_aggregates(shard, arm="arm", metrics=[RATIO])) for shard in shards]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merge(part)
    assert merged.n == pytest.approx(whole.n)
    gaps = (merged.mean - whole.mean) + (merged.mean_rest - whole.mean_rest)
    assert np.abs(gaps).max() < 1e-12  # of values around 1e9
    scale = float(whole.cross[..., 0, 0].min())
    assert np.abs(merged.cross - whole.cross).max() < 1e-10 * scale


def test_values_above_the_cap_count_as_it() -> None:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"e": rng.choice(["p", "q"], 4_000), "arm": rng.choice(["a", "b"], 4_000)})
    frame["x"] = rng.pareto(1.5, 4_000)
    capped = Metric(name="x", kind=MetricKind.MEAN, numerator="x", upper=0.99)
    columns = file_aggregates(frame, arm="arm", experiment="e", metrics=[X, capped]).sums.columns
    for place, (experiment, arm) in enumerate(zip(columns["experiment"], columns["arm"], strict=True)):
        all_arms = frame[frame["e"] == experiment]
        cap = np.quantile(all_arms["x"], 0.99)
        own = all_arms[all_arms["arm"] == arm]["x"].to_numpy()
        assert columns["cap_1"][place] == pytest.approx(cap, rel=1e-12)
        assert columns["capped_1"][place] == pytest.approx((own > cap).mean(), rel=1e-12)
        assert columns["mean_x_1"][place] == pytest.approx(np.minimum(own, cap).mean(), rel=1e-12)
        assert columns["m2_x_1"][place] == pytest.approx(np.minimum(own, cap).var() * own.size, rel=1e-10)
        assert columns["mean_x_0"][place] == pytest.approx(own.mean(), rel=1e-12)
    mostly_zero = frame.assign(x=np.where(rng.random(4_000) < 0.005, 5.0, 0.0))
    with pytest.raises(InputError, match="is 0, its least value in experiment"):
        file_aggregates(mostly_zero, arm="arm", experiment="e", metrics=[capped])


def test_a_cap_is_at_the_sum_of_a_unit() -> None:
    frame = pd.DataFrame({"u": [1, 1, 2, 3, 4] * 1, "arm": ["a", "a", "a", "b", "b"], "x": [4.0, 4.0, 1.0, 2.0, 3.0]})
    capped = Metric(name="x", kind=MetricKind.MEAN, numerator="x", upper=0.5)
    columns = file_aggregates(frame, arm="arm", unit="u", metrics=[capped]).sums.columns
    assert columns["cap_0"].tolist() == [2.5, 2.5]  # of 8, 1, 2, 3
    assert columns["mean_x_0"].tolist() == [(2.5 + 1.0) / 2, (2.0 + 2.5) / 2]


def test_units_without_a_history_stay_and_are_marked() -> None:
    frame = pd.DataFrame(
        {"u": list("ppqrst"), "arm": list("aaabbb"), "x": [1.0, 1, 2, 3, 4, 5], "z": [2.0, 4, np.nan, 5, np.nan, 7]}
    )
    found = file_aggregates(frame, arm="arm", unit="u", metrics=[X], covariates=["z"])
    assert found.sums.covariates == ("z", "z unknown")
    columns = found.sums.columns
    assert columns["n"].tolist() == [2, 3]
    assert columns["mean_1"].tolist() == [1 / 2, pytest.approx(1 / 3)]
    # Known histories: p has the mean of 2 and 4; where none is known the median of 3, 5 and 7 stands.
    assert columns["mean_0"].tolist() == [(3 + 5) / 2, pytest.approx((5 + 5 + 7) / 3)]
    with pytest.raises(InputError, match="both measured and a covariate"):
        file_aggregates(frame, arm="arm", metrics=[X], covariates=["x"])


def test_quantiles_get_the_values_of_each_arm() -> None:
    frame = pd.DataFrame({"arm": list("babab"), "x": [5.0, 1.0, 3.0, 2.0, 4.0]})
    median = Metric(name="x", kind=MetricKind.QUANTILE, numerator="x")
    sums = file_aggregates(frame, arm="arm", metrics=[median]).sums
    assert sums.columns["arm"].tolist() == ["b", "a"]
    assert [values.tolist() for values in sums.values[0]] == [[3.0, 4.0, 5.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (Metric(name="m", kind=MetricKind.RATE, numerator="x"), "The rate 'm' has no denominator"),
        (Metric(name="m", kind=MetricKind.RATIO, numerator="x", denominator="y", upper=0.9), "cannot be winsorised"),
        (Metric(name="m", kind=MetricKind.MEAN, numerator="x", upper=0.2), "is not between 0.5 and 1"),
        (Metric(name="m", kind=MetricKind.QUANTILE, numerator="x", level=1.0), "is not between 0 and 1"),
        (Metric(name="m", kind=MetricKind.QUANTILE, numerator="x", denominator="y"), "has a denominator, 'y'"),
    ],
)
def test_metrics_that_cannot_be_are_refused(metric: Metric, words: str) -> None:
    with pytest.raises(InputError, match=words):
        file_aggregates({"arm": ["a", "b"], "x": [1, 2], "y": [1, 2]}, arm="arm", metrics=[metric])


@pytest.mark.parametrize("typed", [True, False])
def test_an_arm_of_one_value_has_just_that_mean(typed: bool) -> None:
    some = [[0.0, 7.0, 7.1 + i % 5 / 10][i % 3] for i in range(400)]
    table = pa.table({"arm": ["abc"[i % 3] for i in range(400)], "x": some if typed else [repr(x) for x in some]})
    found = file_aggregates(table, arm="arm", metrics=(X,)).aggregates[""]
    assert (found["a"]["x"].mean_x, found["a"]["x"].m2_x) == (0.0, 0.0)
    assert (found["b"]["x"].mean_x, found["b"]["x"].m2_x) == (7.0, 0.0)


def test_a_covariate_named_twice_is_named() -> None:
    with pytest.raises(InputError, match="'z' is named twice"):
        file_aggregates({"arm": ["a"], "x": [1], "z": [1]}, arm="arm", metrics=(X,), covariates=("z", "z"))
    with pytest.raises(InputError, match="has no name"):
        file_aggregates({"arm": ["a"], "x": [1], "z": [1]}, arm="arm", metrics=(X,), covariates=("",))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [[1e200, 3e200], [1.7e308, -1.7e308], [1.7e308, 1.6e308], [1.7e308, 1.7e308]])
@pytest.mark.parametrize("covariates", [(), ("y",)])
def test_values_too_large_to_square_are_named(values: list[float], covariates: tuple[str, ...]) -> None:
    large, small = values * 50, [1.0, 2.0] * 50
    table = {"arm": ["a", "a", "b", "b"] * 25, "x": small if covariates else large, "y": large}
    for source in (table, pa.table(table)):
        with pytest.raises(InputError, match=f"'{'y' if covariates else 'x'}' holds values beyond 1e\\+150"):
            file_aggregates(source, arm="arm", metrics=(X,), covariates=covariates)
