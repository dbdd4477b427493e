"""What a person does on a page: each calls one verb of the hall and hands back what it made."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.data import house
from proofsheet.domain.assessment import Judgement
from proofsheet.domain.experiment import Experiment
from proofsheet.domain.result import Call, Decision
from proofsheet.errors import InputError

if TYPE_CHECKING:
    from proofsheet.workflows.export import Exported
    from warehouse.inspection import Inspection
    from warehouse.records import ImportRecord


def judge(slug: str, asset_ids: Sequence[str], judgement: Judgement, reason: str = "") -> None:
    """Record a person's judgement on each asset."""
    from proofsheet.workflows.review import review

    opened = house()
    review(opened, slug, list(asset_ids), judgement, reason=reason, reviewer=opened.user)


def launch(slug: str, control: str, name: str, hypothesis: str) -> Experiment:
    """Freeze and start the experiment that was previewed."""
    from proofsheet.workflows.launch import launch as start

    return start(house(), slug, control=control, name=name, hypothesis=hypothesis)


def end(experiment_id: str) -> Experiment:
    """End a running experiment: no more data is expected."""
    from proofsheet.workflows.launch import end as finish

    return finish(house(), experiment_id)


def decide(experiment_id: str, call: Call, arm: str | None, why: str) -> Decision:
    """Record a decision with what is known now."""
    from proofsheet.workflows.decide import decide as record

    return record(house(), experiment_id, call=call, arm=arm, why=why)


def inspect(name: str, content: bytes, answers: Sequence[str] = ()) -> Inspection:
    """What the warehouse would understand of an uploaded report; nothing is stored.

    Args:
        name: the file's name.
        content: its bytes.
        answers: what was answered to its questions, as on the command line.

    Raises:
        InputError: the file is no table, or an answer is not one.
    """
    from proofsheet.workflows.ingest import inspect as look

    layout, mapping, options = understood(answers)
    with tempfile.TemporaryDirectory() as folder:
        return look(_laid_down(Path(folder), name, content), layout=layout, mapping=mapping, options=options)


def ingest(name: str, content: bytes, answers: Sequence[str] = ()) -> ImportRecord:
    """Load an uploaded report into the warehouse, every row accounted for; arguments as ``inspect``."""
    from proofsheet.workflows.ingest import ingest as load

    layout, mapping, options = understood(answers)
    with tempfile.TemporaryDirectory() as folder:
        file = _laid_down(Path(folder), name, content)
        return load(house(), file, layout=layout, mapping=mapping, options=options)


def understood(answers: Sequence[str]) -> tuple[str | None, dict[str, str], dict[str, str]]:
    """Answers such as ``--option date_order=dmy`` as layout, mapping and options.

    Raises:
        InputError: it is not of that form.
    """
    layout: str | None = None
    mapping: dict[str, str] = {}
    options: dict[str, str] = {}
    for answer in answers:
        switch, _, rest = answer.strip().partition(" ")
        name, equals, value = rest.strip().partition("=")
        value = value.strip().strip("'\"")
        if switch == "--layout" and name and not equals:
            layout = name
        elif switch == "--map" and name and value:
            mapping[name] = value
        elif switch == "--option" and name and value:
            options[name] = value
        else:
            raise InputError(
                f"{answer!r} is not an answer.",
                "Write --option NAME=VALUE, --map FIELD=HEADER or --layout NAME, as in the choices offered.",
            )
    return layout, mapping, options


def _laid_down(folder: Path, name: str, content: bytes) -> Path:
    file = folder / (Path(name.replace("\\", "/")).name or "report")
    file.write_bytes(content)
    return file


def export(slug: str, platform: str | None, variants: Sequence[str]) -> Exported:
    """Write the approved assets, ad-ready, into the folder ``exports`` of the warehouse."""
    from proofsheet.workflows.export import export as write

    opened = house()
    return write(opened, slug, opened.warehouse.home / "exports", platform=platform, variants=tuple(variants))
