"""Two count rates as a contrast of result rows, by the method that their counts ask for (``small_counts``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from experiments.comparing.comparisons import Comparisons
from experiments.comparing.contrasts import Limits
from experiments.comparing.small_counts import METHODS, compare_rates
from proofsheet.domain.result import Status


@dataclass(frozen=True, kw_only=True)
class CountContrast:
    """An arm's count per exposure against the control's: exact with few events, the score test of counts else.

    Args:
        count, exposure, control_count, control_exposure: whole counts, and exposures above 0.
        factor: by how many times the variance exceeds Poisson's, 1 or more; widens test and limits.
    """

    count: float
    exposure: float
    control_count: float
    control_exposure: float
    factor: float = 1.0
    note: str = ""

    @property
    def method(self) -> str:
        """Which method was taken."""
        return METHODS[int(self._plain[1])]

    @property
    def status(self) -> Status:
        """ZERO_CONTROL when the control counted nothing."""
        return Status.OK if self.control_count else Status.ZERO_CONTROL

    @property
    def dispersion(self) -> float | None:
        """The factor, where it is above 1."""
        return self.factor if self.factor > 1.0 else None

    @property
    def values(self) -> tuple[float, float]:
        """The two rates."""
        return self.count / self.exposure, self.control_count / self.control_exposure

    @property
    def effect(self) -> float:
        """The difference of the rates."""
        arm, control = self.values
        return arm - control

    @property
    def lift(self) -> float | None:
        """The ratio of the rates, minus 1; None when the control counted nothing."""
        arm, control = self.values
        return arm / control - 1.0 if control else None

    @property
    def p_value(self) -> float:
        """Two-sided, for equal rates."""
        return float(self._plain[0].p_value)

    @property
    def chance(self) -> float:
        """The chance that the arm's rate is the greater."""
        return float(self._plain[0].chance)

    @property
    def control_share(self) -> float:
        """The control's share in the variance of the difference under equal rates."""
        return self.exposure / (self.exposure + self.control_exposure)

    def effect_limits(self, alpha: float) -> Limits | None:
        """The limits of the difference."""
        found = self._compared(alpha)[0]
        return float(found.effect_low), float(found.effect_high)

    def lift_limits(self, alpha: float) -> Limits | None:
        """The limits of the lift; None when the control counted nothing."""
        found = self._compared(alpha)[0]
        return (float(found.lift_low), float(found.lift_high)) if self.control_count else None

    @cached_property
    def _plain(self) -> tuple[Comparisons, int]:
        return self._compared(0.05)

    def _compared(self, alpha: float) -> tuple[Comparisons, int]:
        counts = (self.count, self.exposure, self.control_count, self.control_exposure)
        found, code = compare_rates(*counts, alpha=alpha, dispersion=self.factor)
        return found, int(code)
