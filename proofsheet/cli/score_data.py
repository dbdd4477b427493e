"""score --data: what was asked of a folder of pictures, and how the answer is shown: a table, JSON, or a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.cli.session import session
from proofsheet.domain.assessment import Grade
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from scoring.report import FolderReport

#: So many verdicts are listed on the terminal; all are in the report and in JSON.
SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfFolder:
    """The options of ``score --data``."""

    data: Path | None
    brand: Path | None
    placement: str | None
    report: Path | None
    scorers: Sequence[str] | None
    json: bool

    def is_wanted(self, campaign: str | None) -> bool:
        """Whether a folder is to be judged. Raises InputError where the options do not go together."""
        if self.data is None:
            for option, value in (("brand", self.brand), ("placement", self.placement), ("report", self.report)):
                if value is not None:
                    raise InputError(
                        f"--{option} is for a folder of pictures, and none was named.",
                        "Name it: proofsheet score --data FOLDER --brand KIT",
                    )
            return False
        if self.brand is None:
            raise InputError(
                "A folder is judged by a brand kit, and none was named.",
                "Name its file: proofsheet score --data FOLDER --brand brand.toml; examples/norda/brand.toml is one.",
            )
        if campaign is not None:
            raise InputError(
                "--campaign and --data were both named.", "Judge one at a time: a campaign's assets, or a folder."
            )
        return True

    def answer(self) -> None:
        """Judge, write the report where it is wanted, and show the answer."""
        from proofsheet.workflows.folder_report import check_report, write_report
        from proofsheet.workflows.score_folder import score_folder

        assert self.data is not None
        assert self.brand is not None
        if self.report is not None:
            check_report(self.report)
        with session.progress() as progress:
            found = score_folder(
                self.data, self.brand, placement=self.placement, scorers=self.scorers, progress=progress
            )
        if self.report is not None:
            write_report(self.report, found)
        if self.json:
            session.answer(found.plain())
        else:
            show_folder(found, self.report)


def show_folder(found: FolderReport, report: Path | None) -> None:
    """How many of each grade, each verdict that is not PASS with its remedy, and what concerns several pictures."""
    grades = ", ".join(f"{found.grades.get(grade.value, 0)} {grade.value}" for grade in Grade)
    session.say(f"{len(found.pictures)} pictures judged by the brand kit of {found.brand}: {grades}.")
    rows = [
        (one.path, verdict.grade.value, verdict.criterion, verdict.reason.strip(), verdict.remedy)
        for one in found.pictures
        for verdict in one.problems
    ]
    if rows:
        session.table("", ("picture", "grade", "criterion", "reason", "remedy"), rows[:SHOWN])
    if len(rows) > SHOWN:
        session.say(f"… and {len(rows) - SHOWN} more; see them all with --json or --report FILE.html.")
    for one in found.pictures:
        if one.copies:
            session.say(f"The same file, judged once: {', '.join((one.path, *one.copies))}.")
    session.say(*(f"Look alike: {', '.join(cluster)}." for cluster in found.look_alikes))
    session.say(*(f"Left out: {path}: {why}." for path, why in found.skipped[:SHOWN]))
    if len(found.skipped) > SHOWN:
        session.say(f"… and {len(found.skipped) - SHOWN} more files that were left out.")
    session.say(*(f"Not judged: {reason}" for reason in found.abstained))
    session.say(f"The report is in {report}." if report else "See it all, with pictures: --report FILE.html")
