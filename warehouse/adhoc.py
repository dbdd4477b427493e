"""Unit-level facts of experiments that were never launched: what is in the warehouse, as an experiment to analyse."""

from __future__ import annotations

import re
from datetime import UTC

from proofsheet.domain.experiment import Arm, Experiment, ExperimentStatus
from proofsheet.errors import NotFoundError
from warehouse.check_facts import CheckReader

_CONTROL_WORDS = frozenset({"control", "baseline", "a"})
_WORD = re.compile(r"[^\W_]+")


class AdhocReader(CheckReader):
    """Reads what event files and tables of units say of experiments by themselves."""

    def unit_experiments(self) -> tuple[str, ...]:
        """The names under which units were exposed, launched or not, in alphabetical order."""
        return tuple(
            name
            for (name,) in self._session.rows(
                "SELECT DISTINCT experiment FROM exposures WHERE replaced_by IS NULL AND experiment <> '' ORDER BY 1"
            )
        )

    def adhoc_experiment(self, name: str) -> Experiment:
        """A running experiment on units, with the arms that the exposures name and no metrics.

        The control, which stands first, is the first arm in alphabetical order that has one of the words control,
        baseline or a in its name; without one, the first arm. Units in two arms are left out, as ever.

        Raises:
            NotFoundError: no unit was exposed under this name.
        """
        found = self._session.rows(
            "SELECT e.arm, min(e.seen_at), min(i.campaign) FROM exposures e JOIN imports i USING (import_no) "
            "WHERE e.experiment = ? AND e.replaced_by IS NULL GROUP BY e.arm ORDER BY e.arm",
            [name],
        )
        if not found:
            known = ", ".join(self.unit_experiments())
            raise NotFoundError(
                f"No unit was exposed to an experiment {name!r}.", f"Known: {known or 'none; ingest a file of units'}."
            )
        names = [arm for arm, *_ in found]
        control = next((arm for arm in names if _CONTROL_WORDS & set(_WORD.findall(arm.casefold()))), names[0])
        return Experiment(
            id=name,
            campaign=next((campaign for *_, campaign in found if campaign), ""),
            name=name,
            hypothesis="",
            unit="user",
            arms=tuple(
                Arm(name=arm, variant_id=arm, asset_ids=(), is_control=arm == control)
                for arm in sorted(names, key=lambda arm: (arm != control, arm))
            ),
            metrics=(),
            design=None,
            status=ExperimentStatus.RUNNING,
            started_at=min(first for _, first, _ in found).replace(tzinfo=UTC),
        )

    def events(self, name: str) -> dict[str, bool]:
        """The outcomes of an experiment by name, in alphabetical order, each with whether every value is 0 or 1."""
        return dict(
            self._session.rows(
                "SELECT event, bool_and(value IN (0, 1)) FROM outcomes WHERE experiment = ? AND replaced_by IS NULL "
                "GROUP BY event ORDER BY event",
                [name],
            )
        )
