"""Nouns of a planned test: what there is to use, a size, and the plan as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a test may use: days, units of all arms together, money; None where nothing is said."""

    days: int | None = None
    units: float | None = None
    budget: Decimal | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit."""
        return not (self.days is None and self.units is None and self.budget is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One size of a test: whole units by arm, days and money. Days without traffic, and money without a price: None.

    ``days`` are those until the units are there; ``whole_days`` are rounded up to whole weeks, with the units and the
    money that these take.
    """

    units_arm: int
    units_control: int
    units: int
    spend: Decimal | None = None
    days: int | None = None
    whole_days: int | None = None
    whole_units: int | None = None
    whole_spend: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedPart:
    """What watching changes: looks, how much longer the test is at most, and how long it is on average.

    ``inflation`` compares the units with a test read once; ``false_alarm`` is the chance that one comparison without
    any effect is called different. Expected units and days are those of one comparison, all arms counted.
    """

    method: str
    looks: int
    tuning: float | None
    inflation: float | None
    false_alarm: float
    expected_units: int
    expected_days: int | None
    expected_units_without_effect: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTest:
    """A plan: the question, what it takes, and what there is.

    ``effect`` is absolute and ``lift`` relative (None where the baseline is 0), those the test is sized for; ``value``
    is the arm's value then. All three are None where no effect was given. ``needed`` is None there too, and where no
    size is enough; ``available`` where there is no limit, else what the scarcest (``limited_by``) leaves.
    ``detectable_effect`` and ``detectable_lift`` are the smallest that the available units find with the planned power
    (None where there is none), ``power_available`` their power for the effect planned. ``summary`` says it in
    sentences, ``notes`` what to mind.
    """

    kind: str
    baseline: float
    effect: float | None
    lift: float | None
    value: float | None
    alpha: float
    sides: int
    power: float
    margin: float
    relative: bool
    higher_is_better: bool
    tested: str
    arms: int
    correction: str
    critical: float
    control_ratio: float
    r_squared: float
    dispersion: float
    needed: Size | None
    available: Size | None
    limited_by: str
    enough: bool | None
    power_available: float | None
    detectable_effect: float | None
    detectable_lift: float | None
    watched: WatchedPart | None
    price: Decimal | None
    currency: str
    summary: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekRow:
    """What a number of weeks brings: days, units of all arms, money, and the smallest effect found by then."""

    weeks: int
    days: int
    units: int
    spend: Decimal | None
    detectable_effect: float | None
    detectable_lift: float | None
