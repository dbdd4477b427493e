"""Our own plug-ins pass the checks that anyone's plug-in can run, and a broken one does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generation.backend import Rendering
from proofsheet.domain.asset import SceneRecipe
from proofsheet.plugins import BACKENDS, EXECUTORS, IMPORTERS, SCORERS, load, names
from proofsheet.testing import check_backend, check_executor, check_importer, check_scorer


def test_the_procedural_backend_conforms() -> None:
    check_backend(load(BACKENDS, "procedural")(), kind="sweep", light="soft_north")


def test_a_backend_that_ignores_the_seed_does_not_conform() -> None:
    procedural = load(BACKENDS, "procedural")

    class Stubborn(procedural):  # type: ignore[misc, valid-type]
        def draw(self, recipes: Sequence[SceneRecipe]) -> Iterator[Rendering]:
            for recipe in recipes:
                drawn = next(iter(super().draw([replace(recipe, seed=1)])))
                yield replace(drawn, recipe=recipe)

    with pytest.raises(AssertionError, match="another seed"):
        check_backend(Stubborn(), kind="sweep", light="soft_north")


@pytest.mark.processes
@pytest.mark.parametrize("name", names(EXECUTORS))
def test_every_executor_conforms(name: str) -> None:
    check_executor(load(EXECUTORS, name)())


@pytest.mark.parametrize("name", names(SCORERS))
def test_every_scorer_conforms(name: str) -> None:
    check_scorer(load(SCORERS, name))


def test_a_scorer_that_takes_any_option_does_not_conform() -> None:
    spec = load(SCORERS, "spec")

    class Careless(spec):  # type: ignore[misc, valid-type]
        def __init__(self, **options: Any) -> None:
            super().__init__()

    with pytest.raises(AssertionError, match="unknown option"):
        check_scorer(Careless)


REPORTS = {
    "meta": "Day,Campaign name,Ad set name,Ad name,Impressions,Link clicks,Amount spent (EUR)\n"
    "2026-06-14,Spring,Set,Ad one,1000,12,4.50\n2026-06-15,Spring,Set,Ad one,1100,11,4.75\n",
    "unit_events": "experiment,unit,arm,timestamp,event,value\n"
    "e1,u1,a,2026-06-14T10:00:00Z,exposure,\ne1,u1,a,2026-06-14T11:00:00Z,signup,1\n",
}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_importers_conform(name: str, tmp_path: Path) -> None:
    assert name in names(IMPORTERS)
    file = tmp_path / "report.csv"
    file.write_text(REPORTS[name], encoding="utf-8")
    check_importer(load(IMPORTERS, name)(), file)
