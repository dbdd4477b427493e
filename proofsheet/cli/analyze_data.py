"""analyze --data: what was asked of a file, and how the answer is shown: in full, as a page, or as a summary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.cli.session import session
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from proofsheet.workflows.analyze_file import TableComparisons
    from proofsheet.workflows.results_page import ResultsPage

#: So many experiments are shown in full; more are summarised.
SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfData:
    """The options of ``analyze --data``."""

    data: Path
    arm: str
    control: str | None
    metric: tuple[str, ...]
    unit: str | None
    experiment: str | None
    trials: str | None
    successes: str | None
    cell: str | None
    covariates: tuple[str, ...]
    segments: str
    day: str
    randomised: bool
    empty: str
    correction: str
    confidence: float
    intervals: str
    planned: int | None
    rows: Path | None
    json: bool

    def answer(self) -> None:
        """Compare, write the rows where they are wanted, and show the answer."""
        if self.rows and self.rows.resolve() == self.data.resolve():
            raise InputError(
                f"--rows names {self.rows}, the file that is to be analyzed.", "Name another file for the comparisons."
            )
        if self.segments or self.day:
            self._page()
            return
        from proofsheet.cli.parse import metrics
        from proofsheet.domain.experiment import MetricKind
        from proofsheet.workflows.analyze_file import compare_table

        found = compare_table(
            self.data,
            arm=self.arm,
            control=self.control,
            metrics=metrics(self.metric, tuple(MetricKind)),
            unit=self.unit,
            experiment=self.experiment,
            trials=self.trials,
            successes=self.successes,
            cell=self.cell,
            covariates=self.covariates,
            randomised=self.randomised,
            empty=self.empty,
            correction=self.correction,
            confidence=self.confidence,
            intervals=self.intervals,
            planned=self.planned,
        )
        self._keep(found)
        if self.json:
            session.answer(found.whole())
            return
        self._show(found)
        self._say_kept()

    def _keep(self, found: TableComparisons | ResultsPage) -> None:
        """Write the rows where they are wanted."""
        if self.rows:
            from proofsheet.workflows.table_files import write_rows

            write_rows(self.rows, found.rows())

    def _say_kept(self) -> None:
        if self.rows:
            session.say(f"Every comparison is in {self.rows}.")

    def _show(self, found: TableComparisons) -> None:
        from proofsheet.cli.show_measuring import show_analysis, show_lines
        from proofsheet.cli.show_tables import show_accounting, show_summary
        from proofsheet.workflows.table_summary import summarise

        show_accounting(found.read.report)
        show_lines("Note", (found.reading,))
        if len(found.experiments) <= SHOWN:
            for one in found.whole().analyses:
                show_analysis(replace(one, reading=""))
            return
        show_summary(summarise(found))

    def _page(self) -> None:
        from proofsheet.cli.parse import metrics
        from proofsheet.cli.show_tables import show_accounting, show_page
        from proofsheet.domain.experiment import MetricKind
        from proofsheet.domain.result import Page
        from proofsheet.workflows.results_page import results_page_of

        if not self.day:
            raise InputError("--segments needs --day.", "Name the column of the day, such as --day date.")
        unfit = {
            "--trials": self.trials,
            "--cell": self.cell,
            "--experiment": self.experiment,
            "--covariate": self.covariates,
            "--randomised": self.randomised,
            "--intervals always-valid": self.intervals == "always-valid",
            "--planned": self.planned,
        }
        stray = [name for name, value in unfit.items() if value]
        if stray or not self.metric:
            raise InputError(
                f"A page by day goes with --metric, not with {', '.join(stray) or 'nothing to measure'}.",
                "For example: --metric bought:proportion --day date --segments country,device",
            )
        dimensions = tuple(filter(None, (part.strip() for part in self.segments.split(","))))
        page = Page(arm=self.arm, day=self.day, metrics=metrics(self.metric, tuple(MetricKind)), dimensions=dimensions)
        found = results_page_of(
            self.data,
            page,
            control=self.control,
            unit=self.unit,
            empty=self.empty,
            correction=self.correction,
            confidence=self.confidence,
        )
        self._keep(found)
        if self.json:
            session.answer({"rows_in": found.rows_in, "used": found.used, "notes": found.notes, "rows": found.rows()})
            return
        show_accounting(found)
        show_page(found)
        self._say_kept()
