"""Experiment nouns: arms, metrics, the design, and the state machine that freezes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from proofsheet.errors import StateError


class MetricKind(StrEnum):
    """How a metric is estimated.

    A rate is events per exposure, taken as counts (Poisson, or more restless); a quantile needs the values themselves.
    """

    PROPORTION = "proportion"
    MEAN = "mean"
    RATIO = "ratio"
    RATE = "rate"
    QUANTILE = "quantile"


#: Kinds of a numerator over a denominator.
OVER_ANOTHER = frozenset({MetricKind.RATIO, MetricKind.RATE})


class Role(StrEnum):
    """What a metric is for."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    GUARDRAIL = "guardrail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is measured.

    Unit-level data: ``numerator`` is the column or event; ``denominator`` only for ratios and rates.
    Platform reports: both are delivery fields (``clicks`` over ``impressions`` is a proportion, ``spend`` over
    ``conversions`` a ratio). ``margin`` is the relative harm a guardrail tolerates (0–1). ``level`` is that of a
    quantile (0.5: the median). ``upper`` winsorises a mean: a unit above this quantile of all arms' units together
    counts as that quantile (1: none does).
    """

    name: str
    kind: MetricKind
    numerator: str
    denominator: str = ""
    higher_is_better: bool = True
    role: Role = Role.PRIMARY
    margin: float = 0.0
    level: float = 0.5
    upper: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What is compared: the assets of one variant, with the planned share of traffic as ``weight``."""

    name: str
    variant_id: str
    asset_ids: tuple[str, ...]
    is_control: bool = False
    weight: float = 1.0
    levels: Mapping[str, str] = field(default_factory=dict)


class ExperimentStatus(StrEnum):
    """The states of an experiment."""

    DRAFT = "DRAFT"
    RUNNING = "RUNNING"
    ENDED = "ENDED"
    DECIDED = "DECIDED"
    ABANDONED = "ABANDONED"

    def to(self, target: ExperimentStatus) -> ExperimentStatus:
        """The target when the step is allowed.

        Raises:
            StateError: the step is not allowed from here.
        """
        allowed: dict[str, tuple[str, ...]] = {
            "DRAFT": ("RUNNING", "ABANDONED"),
            "RUNNING": ("ENDED", "ABANDONED"),
            "ENDED": ("DECIDED", "ABANDONED"),
            "DECIDED": (),
            "ABANDONED": (),
        }
        if target.value not in allowed[self.value]:
            raise StateError(
                f"An experiment that is {self.value} cannot become {target.value}.",
                f"From {self.value} it can become: {', '.join(allowed[self.value]) or 'nothing more'}.",
            )
        return target


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDesign:
    """What the test was sized for, worked out before launch.

    ``n_per_arm`` counts units (users, or impressions for platform reports); ``alpha`` is two-sided and
    ``comparisons`` the number of arms against the control it is shared among.
    """

    __test__ = False  # not a pytest class

    baseline: float
    minimum_lift: float
    alpha: float
    power: float
    comparisons: int
    n_per_arm: int
    arms: int
    daily_units: int
    days: int
    spend: Decimal | None = None
    currency: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A test of arms against a control; frozen once RUNNING."""

    id: str
    campaign: str
    name: str
    hypothesis: str
    unit: str  # "impression" (platform reports) | "user" (unit-level events)
    arms: tuple[Arm, ...]
    metrics: tuple[Metric, ...]
    design: TestDesign | None
    status: ExperimentStatus = ExperimentStatus.DRAFT
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def control(self) -> Arm:
        """The control arm. Raises LookupError when none is marked."""
        for arm in self.arms:
            if arm.is_control:
                return arm
        raise LookupError(f"Experiment {self.id} has no control")

    @property
    def primary(self) -> Metric:
        """The primary metric. Raises LookupError when none is marked."""
        for metric in self.metrics:
            if metric.role is Role.PRIMARY:
                return metric
        raise LookupError(f"Experiment {self.id} has no primary metric")
