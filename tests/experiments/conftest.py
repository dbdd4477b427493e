"""Metrics and aggregates shared by the tests of the experiments room."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from proofsheet.domain.experiment import Metric, MetricKind, Role
from proofsheet.domain.result import Aggregates


@pytest.fixture
def proportion() -> Metric:
    return Metric(name="retention_7", kind=MetricKind.PROPORTION, numerator="retention_7")


@pytest.fixture
def mean() -> Metric:
    return Metric(name="rounds", kind=MetricKind.MEAN, numerator="sum_gamerounds")


@pytest.fixture
def ratio() -> Metric:
    return Metric(name="value_per_visit", kind=MetricKind.RATIO, numerator="value", denominator="visits")


@pytest.fixture
def click_rate() -> Metric:
    return Metric(name="ctr", kind=MetricKind.PROPORTION, numerator="clicks", denominator="impressions")


@pytest.fixture
def cost_per_conversion() -> Metric:
    return Metric(
        name="cpa",
        kind=MetricKind.RATIO,
        numerator="spend",
        denominator="conversions",
        higher_is_better=False,
        role=Role.GUARDRAIL,
    )


@pytest.fixture
def binary() -> Callable[[int, int], Aggregates]:
    """Aggregates of ``x`` ones among ``n`` values."""

    def make(n: int, x: int) -> Aggregates:
        rate = x / n if n else 0.0
        return Aggregates(n=n, mean_x=rate, m2_x=n * rate * (1.0 - rate))

    return make


@pytest.fixture
def moments() -> Callable[..., Aggregates]:
    """Aggregates of a sample, with a denominator where one is given."""

    def make(x: Sequence[float], y: Sequence[float] | None = None) -> Aggregates:
        a = np.asarray(x, dtype=float)
        m2_x = float(((a - a.mean()) ** 2).sum())
        if y is None:
            return Aggregates(n=len(a), mean_x=float(a.mean()), m2_x=m2_x)
        b = np.asarray(y, dtype=float)
        return Aggregates(
            n=len(a),
            mean_x=float(a.mean()),
            m2_x=m2_x,
            mean_y=float(b.mean()),
            m2_y=float(((b - b.mean()) ** 2).sum()),
            cxy=float(((a - a.mean()) * (b - b.mean())).sum()),
        )

    return make
