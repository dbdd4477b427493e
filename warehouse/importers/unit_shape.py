"""What a unit-level file's columns are: as the user says, else by their usual names, else a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from proofsheet.errors import InputError
from warehouse.importers.reading import Question, Request, find_column
from warehouse.reports.headers import header_key, nearest
from warehouse.reports.table import Table

FIELDS = ("experiment", "unit", "arm", "at", "event", "value", "outcomes")
_USUAL: Mapping[str, tuple[str, ...]] = {
    "experiment": ("experiment", "experiment id", "experiment name", "experiment key"),
    "unit": ("unit", "unit id", "user id", "userid", "user", "visitor id", "customer id", "device id", "session id"),
    "arm": ("arm", "variant", "variation", "group", "version", "treatment", "test group", "bucket"),
    "at": ("timestamp", "at", "time", "event time", "occurred at"),
    "event": ("event", "event name", "event type"),
    "value": ("value", "event value"),
}
_MOST_ARMS = 20


@cache
def known_keys() -> frozenset[str]:
    """Every usual header key of unit-level files."""
    return frozenset(key for keys in _USUAL.values() for key in keys)


def header_fields(header: Sequence[str]) -> dict[str, int]:
    """The columns with usual names: field → index."""
    found: dict[str, int] = {}
    keys = [header_key(text) for text in header]
    for field, names in _USUAL.items():
        place = next((keys.index(name) for name in names if name in keys), None)
        if place is not None:
            found[field] = place
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShape:
    """Column indices by role; ``outcomes`` only in a table of units."""

    experiment: int | None
    unit: int | None
    arm: int | None
    at: int | None
    event: int | None
    value: int | None
    outcomes: tuple[int, ...]
    is_log: bool
    columns: tuple[tuple[int, str], ...]
    questions: tuple[Question, ...]


def find_shape(table: Table, request: Request) -> UnitShape:
    """Which columns hold what.

    A log of events is read by its usual names; in a table of units nothing is taken without being told.

    Raises:
        InputError: a mapped field or header does not exist.
    """
    for name in request.mapping:
        if name not in FIELDS:
            raise InputError(f"There is no field {name!r} in a unit-level file.", nearest(name, FIELDS))
    told = {name: find_column(table, header) for name, header in request.mapping.items() if name != "outcomes"}
    named = [item.strip() for item in request.mapping.get("outcomes", "").split(",") if item.strip()]
    outcomes = tuple(find_column(table, header) for header in named)
    usual = header_fields(table.header)
    is_log = not outcomes and ("event" in told or "event" in usual)
    places: dict[str, int | None] = {name: told.get(name) for name in FIELDS}
    if is_log:
        places = {name: told.get(name, usual.get(name)) for name in FIELDS}
    else:
        places["event"] = places["value"] = None
        if "experiment" not in request.options:
            places["experiment"] = told.get("experiment", usual.get("experiment"))
    columns = [(index, name) for name, index in places.items() if index is not None]
    columns += [(index, f"outcome {table.header[index]}") for index in outcomes]
    return UnitShape(
        experiment=places["experiment"],
        unit=places["unit"],
        arm=places["arm"],
        at=places["at"],
        event=places["event"],
        value=places["value"],
        outcomes=outcomes,
        is_log=is_log,
        columns=tuple(sorted(columns)),
        questions=tuple(_questions(table, request, places, outcomes, is_log=is_log)),
    )


def _questions(
    table: Table, request: Request, places: Mapping[str, int | None], outcomes: Sequence[int], *, is_log: bool
) -> list[Question]:
    open_roles = [name for name in ("unit", "arm") if places[name] is None]
    needs_outcomes = not is_log and not outcomes
    questions: list[Question] = []
    if open_roles or needs_outcomes:
        few, many, numeric = _candidates(table)
        usual = header_fields(table.header)
        header = table.header
        if "unit" in open_roles:
            hints = ([header[usual["unit"]]] if "unit" in usual else []) or many
            questions.append(_ask("unit", "Which column says whose row it is?", "unit", hints))
        if "arm" in open_roles:
            hints = ([header[usual["arm"]]] if "arm" in usual else []) or few
            questions.append(_ask("arm", "Which column says which arm the unit was in?", "arm", hints))
        if needs_outcomes:
            taken = {header[index] for name in ("unit", "arm") if (index := usual.get(name)) is not None}
            hint = ",".join(name for name in numeric if name not in taken) or "HEADER,HEADER"
            questions.append(_ask("outcomes", "Which columns are outcomes? (Name one or several.)", "outcomes", [hint]))
    if places["experiment"] is None and not request.options.get("experiment"):
        questions.append(
            Question(
                topic="experiment",
                text="Which experiment do these rows belong to?",
                answers=("--option experiment=NAME",),
            )
        )
    return questions


def _ask(topic: str, text: str, field: str, hints: Sequence[str]) -> Question:
    answers = tuple(f"--map {field}={hint}" if " " not in hint else f"--map '{field}={hint}'" for hint in hints[:6])
    return Question(topic=topic, text=text, answers=answers or (f"--map {field}=HEADER",))


def _candidates(table: Table, limit: int = 5000) -> tuple[list[str], list[str], list[str]]:
    """Headers by what their cells look like: few different values, many different, and numbers or truth values."""
    width = len(table.header)
    values: list[set[str]] = [set() for _ in range(width)]
    numeric = [True] * width
    for seen, row in enumerate(table.rows()):
        if seen >= limit:
            break
        if row.damage:
            continue
        for index, cell in enumerate(row.cells):
            text = cell.strip()
            if len(values[index]) <= limit:
                values[index].add(text)
            if text and numeric[index]:
                plain = text.replace(".", "").replace(",", "").lstrip("+-")
                numeric[index] = plain.isdigit() or text.lower() in {"true", "false"}
    order = sorted(range(width), key=lambda index: -len(values[index]))
    few = [table.header[index] for index in reversed(order) if 2 <= len(values[index]) <= _MOST_ARMS]
    many = [table.header[index] for index in order if len(values[index]) > _MOST_ARMS]
    return few, many, [table.header[index] for index in range(width) if numeric[index]]
