"""Numbers, money, moments and grades as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from proofsheet.domain.assessment import Grade
from proofsheet.domain.experiment import ExperimentStatus
from proofsheet.domain.money import Money
from proofsheet.domain.result import Call, Result, Status

#: What stands where there is no value.
NONE = "–"
MINUS = "−"

#: Names that are shorter in files than people say them.
SPELT = {"cta": "call to action", "spec": "size and format", "palette": "colours"}

#: Symbol, word, badge colour and icon: colour never stands alone.
GRADES: dict[Grade | None, tuple[str, str, str, str]] = {
    Grade.PASS: ("✓", "Pass", "green", ":material/check_circle:"),
    Grade.REVIEW: ("◐", "Look closer", "orange", ":material/visibility:"),
    Grade.FAIL: ("✕", "Fail", "red", ":material/cancel:"),
    None: ("○", "Not scored", "gray", ":material/radio_button_unchecked:"),
}
STATES: dict[str, tuple[str, str, str]] = {
    "waiting": ("Waiting for review", "gray", ":material/schedule:"),
    "approved": ("Approved", "blue", ":material/thumb_up:"),
    "rejected": ("Rejected", "red", ":material/thumb_down:"),
}
STATUSES: dict[ExperimentStatus, tuple[str, str, str]] = {
    ExperimentStatus.DRAFT: ("Draft", "gray", ":material/edit:"),
    ExperimentStatus.RUNNING: ("Running", "blue", ":material/play_circle:"),
    ExperimentStatus.ENDED: ("Ended, to decide", "orange", ":material/gavel:"),
    ExperimentStatus.DECIDED: ("Decided", "green", ":material/flag:"),
    ExperimentStatus.ABANDONED: ("Abandoned", "gray", ":material/block:"),
}
CALLS: dict[Call, str] = {
    Call.SHIP: "Ship the winner",
    Call.STOP: "Stop: keep the control",
    Call.CONTINUE: "Continue the test",
    Call.INCONCLUSIVE: "Inconclusive",
}
#: What a remark on a loaded row means.
FLAGS: dict[str, str] = {
    "clicks_exceed_impressions": "more clicks than impressions; late clicks do that, or a column is off.",
    "link_clicks_exceed_clicks": "more link clicks than clicks of any kind; the two columns may be swapped.",
    "negative_spend": "the platform gave money back; the credit is counted.",
    "id_lost_digits": "a spreadsheet rounded the ad's id; the ad is known by its name alone.",
    "repeated_row": "an earlier row has the same ad, days, placement and segment; both are counted.",
    "variant_id_conflict": "the ad's name and its link name different variants; the row belongs to no arm.",
    "several_variant_ids": "the ad's name holds more than one variant; the row belongs to no arm.",
    "unlikely_day": "the day lies ahead; the day may be written in another order than it was read.",
    "unit_in_two_arms": "the person saw more than one arm; an analysis leaves such people out.",
}
UNIT_FLAGS = ("unit_in_two_arms",)
ROW_FLAGS = tuple(name for name in FLAGS if name not in UNIT_FLAGS)
_NO_ESTIMATE: dict[Status, str] = {
    Status.NO_DATA: "no data yet",
    Status.TOO_FEW: "too few to estimate",
    Status.ZERO_CONTROL: "the control has none, so there is no relative lift",
    Status.NO_VARIANCE: "no variation to estimate from",
    Status.UNBOUNDED: "the interval is unbounded",
}


def count(value: int | float | Decimal | None) -> str:
    """A whole number with thousands separators, or a dash."""
    return NONE if value is None else f"{round(value):,}".replace("-", MINUS)


def share(value: float | None, digits: int | None = None) -> str:
    """A share (0–1) as per cent; small ones get more digits, so that two rates can be told apart."""
    if value is None:
        return NONE
    if digits is None:
        digits = 3 if 0 < abs(value) < 0.001 else 2 if abs(value) < 0.1 else 1
    return f"{value * 100:.{digits}f}%".replace("-", MINUS)


def lift(value: float | None, digits: int = 1) -> str:
    """A relative change with its sign, as per cent."""
    if value is None:
        return NONE
    text = f"{value * 100:+.{digits}f}%"
    return text.replace("-", MINUS)


def interval(low: float | None, high: float | None) -> str:
    """The limits of an interval of a relative change."""
    if low is None and high is None:
        return NONE
    return f"{'unbounded' if low is None else lift(low)} to {'unbounded' if high is None else lift(high)}"


def lift_with_interval(result: Result) -> str:
    """A lift never stands without its interval; where there is none, the reason stands in its place."""
    if result.lift is None:
        return no_estimate(result.status) or NONE
    return f"{lift(result.lift)}  ({interval(result.lift_low, result.lift_high)})"


def p_value(value: float | None) -> str:
    """A p-value: three decimals, or "< 0.001"."""
    if value is None:
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def chance(value: float | None) -> str:
    """A probability as whole per cent, never 0 or 100."""
    if value is None:
        return NONE
    return "> 99%" if value > 0.99 else "< 1%" if value < 0.01 else f"{value * 100:.0f}%"


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency; cents kept, small amounts to four digits."""
    if amount is None:
        return NONE
    return str(Money(amount, currency)) if currency else f"{amount:,.2f}"


def metric_value(result: Result, value: float | None) -> str:
    """A metric's value in its own unit: per cent for proportions, a plain number otherwise."""
    if value is None:
        return NONE
    return share(value) if result.kind == "proportion" else f"{value:,.4g}"


def no_estimate(status: Status) -> str:
    """Why there is no estimate, in words; empty when there is one."""
    return _NO_ESTIMATE.get(status, "")


def moment(at: datetime | None) -> str:
    """A moment in UTC, to the minute."""
    return NONE if at is None else at.astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def day(at: datetime | None) -> str:
    """A day."""
    return NONE if at is None else at.astimezone(UTC).strftime("%d %b %Y")


def minute(at: datetime | None) -> str:
    """A moment in UTC where the column's head says so, to the minute."""
    return NONE if at is None else at.astimezone(UTC).strftime("%d %b %Y, %H:%M")


def days(first: date | None, last: date | None) -> str:
    """A span of days, both included."""
    if first is None or last is None:
        return NONE
    if first == last:
        return f"{last:%d %b %Y}"
    return f"{first:%d %b}{'' if first.year == last.year else f' {first.year}'} to {last:%d %b %Y}"


def duration(seconds: float) -> str:
    """A stretch of time in the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 90:
        return f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def size(data_bytes: int) -> str:
    """A number of bytes in kB or MB (powers of ten)."""
    if data_bytes >= 1_000_000:
        return f"{data_bytes / 1_000_000:.1f} MB"
    return f"{data_bytes / 1_000:.0f} kB" if data_bytes >= 1_000 else f"{data_bytes} B"


def plural(number: int, one: str, many: str = "") -> str:
    """A count with its noun in the right number."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def words(name: str) -> str:
    """A name with underscores or hyphens as words with a capital."""
    return capital(SPELT.get(name, name).replace("_", " ").replace("-", " ").strip())


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]
