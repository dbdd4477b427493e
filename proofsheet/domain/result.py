"""Result nouns: sufficient statistics in, long rows out; degenerate cases are named, never NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from proofsheet.domain.experiment import Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregates:
    """Mergeable moments of one arm and one metric: nothing else reaches the statistics.

    ``x`` is the numerator and ``y`` the denominator (absent for means and proportions). Moments are centred: ``m2``
    is the sum of squared deviations and ``cxy`` the sum of products of deviations. ``rest`` is what the float ``mean``
    leaves out of the true mean, where that is known: far from zero (values of 1e9 that differ by 1) parts merge to the
    whole by it without a loss.
    """

    n: int
    mean_x: float
    m2_x: float
    mean_y: float = 1.0
    m2_y: float = 0.0
    cxy: float = 0.0
    rest_x: float = 0.0
    rest_y: float = 0.0

    @property
    def sum_x(self) -> float:
        """Sum of the numerator."""
        return self.n * self.mean_x + self.n * self.rest_x

    @property
    def sum_y(self) -> float:
        """Sum of the denominator."""
        return self.n * self.mean_y + self.n * self.rest_y

    def merge(self, other: Aggregates) -> Aggregates:
        """The aggregates of both samples together (Chan, Golub and LeVeque 1983)."""
        if not self.n:
            return other
        if not other.n:
            return self
        n = self.n + other.n
        dx = (other.mean_x - self.mean_x) + (other.rest_x - self.rest_x)
        dy = (other.mean_y - self.mean_y) + (other.rest_y - self.rest_y)
        w = self.n * other.n / n
        mean_x, rest_x = add_exactly(self.mean_x, dx * other.n / n + self.rest_x)
        mean_y, rest_y = add_exactly(self.mean_y, dy * other.n / n + self.rest_y)
        return Aggregates(
            n=n,
            mean_x=mean_x,
            m2_x=self.m2_x + other.m2_x + dx * dx * w,
            mean_y=mean_y,
            m2_y=self.m2_y + other.m2_y + dy * dy * w,
            cxy=self.cxy + other.cxy + dx * dy * w,
            rest_x=rest_x,
            rest_y=rest_y,
        )


def add_exactly(a: float, b: float) -> tuple[float, float]:
    """``a + b`` as a float, and what that float leaves out of the sum (Knuth 1969)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Counts of one arm in one cell (day × placement × segment) of a platform's report."""

    arm: str
    cell: str
    trials: int
    successes: float
    value: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a results page shows.

    Args:
        arm, day: the columns of the arm, and of the day on which a unit came in.
        metrics: ``numerator`` and ``denominator`` name columns of one row per unit.
        dimensions: columns to divide the units by, each on its own.
    """

    arm: str
    day: str
    metrics: Sequence[Metric]
    dimensions: Sequence[str] = ()


class Status(StrEnum):
    """What a result can be: OK, or the reason why there is no estimate."""

    OK = "ok"
    NO_DATA = "no_data"
    TOO_FEW = "too_few"
    ZERO_CONTROL = "zero_control"
    NO_VARIANCE = "no_variance"
    UNBOUNDED = "unbounded"


class Validity(StrEnum):
    """When an interval and its p-value may be read: at one look, or at every look of a running test together."""

    FIXED = "fixed"
    ALWAYS = "always valid"


class Evidence(StrEnum):
    """What a comparison rests on: A randomised and balanced, B split but not shown balanced, C observational."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One row: an arm against the control on one metric.

    ``effect`` is absolute (arm − control), ``lift`` relative to the control; each with the limits of an interval at
    ``confidence``. ``adjusted_*`` are simultaneous over the comparisons of the metric. A value that cannot be given
    is None and ``status`` says why. ``chance_to_win`` is the posterior probability of being better than the control,
    ``expected_loss`` of a primary metric the posterior mean of what shipping the arm loses against the best of all, the
    control among them, as a share of the control's value. ``lift_error`` is the lift's standard error. ``validity``
    says whether intervals and p-values are for one look or hold at all looks together.
    """

    experiment: str
    metric: str
    kind: str
    role: str
    arm: str
    control: str
    n_arm: int
    n_control: int
    value_arm: float | None
    value_control: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    p_value: float | None
    adjusted_p: float | None
    adjusted_lift_low: float | None
    adjusted_lift_high: float | None
    chance_to_win: float | None
    confidence: float
    method: str
    correction: str
    status: Status
    evidence: Evidence
    higher_is_better: bool = True
    note: str = ""
    segment: str = ""
    dispersion: float | None = None
    sum_x_arm: float | None = None
    sum_y_arm: float | None = None
    sum_x_control: float | None = None
    sum_y_control: float | None = None
    validity: Validity = Validity.FIXED
    lift_error: float | None = None
    expected_loss: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Something that must hold before a result may be believed."""

    name: str
    ok: bool | None  # None: could not be checked
    message: str
    p_value: float | None = None
    severity: str = "warning"  # "info" | "warning" | "blocking"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCost:
    """Money of one arm: making it and showing it.

    ``production`` and the prices per asset are in ``production_currency`` when that is named, else in ``currency``;
    the two are never added.
    """

    arm: str
    assets: int
    approved: int
    production: Decimal
    spend: Decimal
    currency: str
    impressions: int
    clicks: int
    conversions: Decimal
    per_asset: Decimal | None
    per_approved_asset: Decimal | None
    per_click: Decimal | None
    per_conversion: Decimal | None
    production_currency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One look at an experiment: health first, then results, then money.

    ``reading`` says in a sentence how intervals and p-values are to be read.
    """

    experiment: str
    at: datetime | None
    source: str  # "platform report" | "unit-level events" | "file"
    health: tuple[HealthCheck, ...]
    results: tuple[Result, ...]
    costs: tuple[ArmCost, ...] = ()
    window_start: str = ""
    window_end: str = ""
    data_version: str = ""
    notes: tuple[str, ...] = ()
    reading: str = ""


class Call(StrEnum):
    """What a decision says."""

    SHIP = "ship"
    STOP = "stop"
    CONTINUE = "continue"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A recorded decision: by which rule, on what knowledge, by whom.

    ``verdict`` is the record from which anyone can decide again; decisions of earlier versions have none.
    """

    experiment: str
    call: Call
    arm: str | None
    rule: str
    reasons: tuple[str, ...]
    decided_by: str
    at: datetime
    override: str = ""
    analysis: str = ""  # canonical JSON of what was known
    verdict: str = ""  # canonical JSON of what the rules made of it
