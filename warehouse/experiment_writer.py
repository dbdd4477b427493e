"""Writing experiments, and what was found and decided of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from proofsheet.domain.experiment import Experiment, ExperimentStatus
from proofsheet.domain.identity import to_json
from proofsheet.domain.result import Analysis, Decision
from proofsheet.errors import StateError
from warehouse.columns import utc
from warehouse.engine import Session
from warehouse.reader import Reader


class ExperimentWriter(Reader):
    """Reads, and writes experiments; its transaction is the writer's."""

    def __init__(self, session: Session, home: Path) -> None:
        super().__init__(session)
        self._home = home
        self.changed = False

    def _write(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        self.changed = True
        return self._session.rows(sql, parameters)

    def save_experiment(self, experiment: Experiment) -> None:
        """Keep the experiment; once it runs, only its status and its times may change.

        Raises:
            StateError: it runs or has run, and something else changed; or its status cannot get there.
        """
        found = self._session.row("SELECT 1 FROM experiments WHERE id = ?", [experiment.id])
        if found is not None:
            self._may_follow(self.experiment(experiment.id), experiment)
        self._write(
            "INSERT INTO experiments VALUES (?, ?, ?, ?, nextval('save_order'), ?) "
            "ON CONFLICT (id) DO UPDATE SET campaign = excluded.campaign, name = excluded.name, "
            "status = excluded.status, body = excluded.body",
            experiment.id,
            experiment.campaign,
            experiment.name,
            experiment.status.value,
            to_json(experiment),
        )

    @staticmethod
    def _may_follow(kept: Experiment, new: Experiment) -> None:
        if new.status is not kept.status and new.status not in _reachable(kept.status):
            kept.status.to(new.status)
        if kept.status is ExperimentStatus.DRAFT:
            return
        frozen = replace(
            new,
            status=kept.status,
            created_at=kept.created_at,
            started_at=kept.started_at,
            ended_at=kept.ended_at,
        )
        if to_json(frozen) != to_json(kept):
            raise StateError(
                f"The experiment {kept.id} is {kept.status.value}: its arms, metrics and design are frozen.",
                "Abandon it and launch a new one to test something else.",
            )

    def save_analysis(self, analysis: Analysis) -> None:
        """Add an analysis; one equal to the latest but for its time is not added again."""
        latest = self.analysis(analysis.experiment)
        if latest is not None and to_json(replace(latest, at=None)) == to_json(replace(analysis, at=None)):
            return
        self._write(
            "INSERT INTO analyses VALUES (?, ?, nextval('save_order'), ?)",
            analysis.experiment,
            analysis.data_version,
            to_json(analysis),
        )

    def add_decision(self, decision: Decision) -> None:
        """Add a decision; earlier ones stay.

        Raises:
            NotFoundError: there is no such experiment.
        """
        self.experiment(decision.experiment)
        self._write(
            "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, nextval('save_order'), ?)",
            decision.experiment,
            decision.call.value,
            decision.arm,
            decision.decided_by,
            utc(decision.at),
            to_json(decision),
        )


def _reachable(status: ExperimentStatus) -> set[ExperimentStatus]:
    """The states that can be reached from here by allowed steps."""
    found: set[ExperimentStatus] = set()
    edge = [status]
    while edge:
        here = edge.pop()
        for target in ExperimentStatus:
            try:
                here.to(target)
            except StateError:
                continue
            if target not in found:
                found.add(target)
                edge.append(target)
    return found
