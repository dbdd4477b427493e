"""How the demo is shown on a terminal: each step as it ends, then truth beside estimate."""

from __future__ import annotations

from proofsheet.cli.session import session
from proofsheet.cli.show_measuring import percent
from proofsheet.workflows.demo import Demo, Step


def show_step(step: Step) -> None:
    """One step: its name, time and cost, and what came out."""
    session.say(
        f"{step.verb:<9} {step.seconds:6.1f} s  {step.cost!s:>12}", *(f"          {line}" for line in step.lines)
    )


def show_truth(done: Demo) -> None:
    """The simulator's truth beside the estimates, the decision, and where things are."""
    session.table(
        "Simulated traffic: what was true, and what was estimated",
        ("arm", "true lift", "estimate", "95 % interval", "contains the truth"),
        [
            (
                row.arm,
                percent(row.truth, 1),
                percent(row.estimate, 1),
                f"[{percent(row.low, 1)}, {percent(row.high, 1)}]" if row.low is not None else "–",
                {True: "yes", False: "no", None: "–"}[row.inside],
            )
            for row in done.truth
        ],
        right=(1, 2, 3),
    )
    total = sum(step.seconds for step in done.steps)
    session.say(
        f"Decision: {done.decision.call.value}{f' {done.decision.arm}' if done.decision.arm else ''}.",
        f"The whole loop took {total:.1f} s. Exports: {done.exported.folder}. Report: {done.report}.",
        "The traffic above is simulated: it shows that the method finds what is there, not that these ads work.",
    )
