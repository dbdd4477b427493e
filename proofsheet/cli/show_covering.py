"""How coverage is shown on a terminal."""

from __future__ import annotations

from proofsheet.cli.session import session
from proofsheet.domain.coverage import AxisCoverage, CoverageReport
from proofsheet.workflows.coverage_fill import Filled
from proofsheet.workflows.coverage_words import percent, span, summary, title_of

_MOST = 20


def show_axes(*, as_json: bool) -> None:
    """The library of axes with their values."""
    from proofsheet.workflows.coverage_labels import known_axes

    axes = known_axes()
    if as_json:
        session.answer([{"axis": axis.name, "values": axis.names, "limitation": axis.limitation} for axis in axes])
        return
    session.table(
        "Axes of coverage",
        ("axis", "what it is", "values", "what it cannot tell"),
        [(axis.name, axis.title, ", ".join(axis.names), axis.limitation) for axis in axes],
        whole=(0,),
    )


def show_coverage(report: CoverageReport) -> None:
    """Each axis as a table, then scenarios, gaps and limitations."""
    session.say(
        f"{report.campaign}: {report.pictures} distinct scenes of {report.assets} {report.population}, "
        f"looked at by {report.model}."
    )
    for axis in report.axes:
        _show_axis(axis)
    _show_cells(report)
    _show_asked(report)
    if report.gaps:
        session.table(
            "Gaps",
            ("what", "what to do", "variants"),
            [(gap.what, gap.remedy, str(len(gap.variants) or "")) for gap in report.gaps[:_MOST]],
            right=(2,),
        )
        if len(report.gaps) > _MOST:
            session.say(f"… and {len(report.gaps) - _MOST} more; see them all with --json or in the dashboard.")
        if any(gap.variants for gap in report.gaps):
            session.say("Plan the variants proposed: proofsheet coverage --fill")
    session.say("", "What this report cannot tell:", *(f"  · {text}" for text in report.limitations))


def show_filled(filled: Filled) -> None:
    """What joined the plan."""
    session.say(
        f"{len(filled.added)} variants joined the plan: {filled.scenes} scenes and {filled.assets} assets to make, "
        f"about {filled.estimate}.",
        "Next: proofsheet generate",
    )


def _show_axis(axis: AxisCoverage) -> None:
    session.table(
        f"{axis.title}: {axis.verdict or 'no target'} (n = {axis.n})",
        ("value", "share", f"{axis.confidence:.0%} interval", "naive", "perceived", "target", "verdict"),
        [
            (
                row.title,
                percent(row.share),
                span(row.low, row.high),
                percent(row.naive),
                str(row.count),
                "" if row.target is None else f"{row.target:.0%} ({span(row.least, row.most)})",
                row.verdict or "",
            )
            for row in axis.values
        ],
        right=(1, 2, 3, 4),
        whole=(0,),
    )
    session.say(summary(axis), f"Limits: {axis.limitation}")


def _show_cells(report: CoverageReport) -> None:
    if not report.cells:
        return
    served = sum(cell.approved > 0 for cell in report.cells)
    factors = tuple(report.cells[0].levels)
    session.table(
        f"Scenarios: {served} of {len(report.cells)} served by an approved asset",
        (*factors, "planned", "made", "approved", "as asked"),
        [
            (
                *cell.levels.values(),
                str(cell.planned),
                str(cell.made),
                str(cell.approved),
                "" if cell.as_asked is None else str(cell.as_asked),
            )
            for cell in report.cells[:_MOST]
        ],
        right=tuple(range(len(factors), len(factors) + 4)),
    )
    if len(report.cells) > _MOST:
        session.say(f"… and {len(report.cells) - _MOST} more; see them all with --json or in the dashboard.")


def _show_asked(report: CoverageReport) -> None:
    if report.asked:
        session.table(
            "Requested against perceived",
            ("axis", "requested", "perceived", "pictures"),
            [
                (
                    *title_of(report, one.axis, one.requested),
                    title_of(report, one.axis, one.perceived)[1],
                    str(one.count),
                )
                for one in report.asked
            ],
            right=(3,),
        )
