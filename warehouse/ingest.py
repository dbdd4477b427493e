"""Reads reports into the warehouse: recognised, never guessed, every row accounted for, the same file only once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet import plugins
from proofsheet.domain.identity import bytes_id
from proofsheet.errors import InputError
from warehouse.importers.layout import Recognition
from warehouse.importers.reading import Importer, Question, Reading, Request
from warehouse.inspection import Inspection, check_account, describe, rounded_totals
from warehouse.records import ImportRecord
from warehouse.reports.decoding import read_file
from warehouse.reports.table import Table, open_table

if TYPE_CHECKING:
    from warehouse.store import Warehouse


@dataclass(frozen=True, slots=True)
class _Recognised:
    importer: Importer
    chosen: Recognition
    runner_up: Recognition | None
    tied: tuple[str, ...]


def inspect_file(
    path: Path,
    *,
    layout: str | None = None,
    mapping: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> Inspection:
    """What an import would understand of a file; nothing is stored.

    Args:
        path: the report: CSV, TSV, other separated text, .xlsx or Parquet.
        layout: an importer's name, to overrule recognition.
        mapping: field → header, to overrule or complete the layout's columns.
        options: answers to questions; see ``warehouse.importers.reading.OPTIONS``.

    Raises:
        NotFoundError: no such file, or no such layout.
        InputError: the file is no table, or an answer does not fit it.
    """
    table, recognised, reading = _read(Path(path), layout, mapping, options)
    return describe(table, recognised.chosen, recognised.runner_up, reading)


def ingest_file(
    warehouse: Warehouse,
    path: Path,
    *,
    layout: str | None = None,
    mapping: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    campaign: str | None = None,
) -> ImportRecord:
    """Import a file once: all its rows loaded or set aside, in one transaction.

    Args:
        warehouse: where to.
        path, layout, mapping, options: as ``inspect_file``.
        campaign: the slug of the campaign the report belongs to, where known.

    Returns:
        the import's record; with ``already_imported`` set, and nothing changed, where the bytes are known.

    Raises:
        NotFoundError: no such file, or no such layout.
        InputError: the file is no table, a question is open, or no row could be loaded; the warehouse is unchanged.
        BusyError: another process held the warehouse too long.
    """
    path = Path(path)
    if layout is None and not mapping:
        earlier = _earlier(warehouse, bytes_id(read_file(path)))
        if earlier is not None:
            return earlier
    table, _, reading = _read(path, layout, mapping, options)
    _refuse_open(table, reading)
    record = _record(table, reading, campaign)
    with warehouse.write() as writer:
        stored = writer.save_import(
            record,
            deliveries=reading.deliveries,
            exposures=reading.exposures,
            outcomes=reading.outcomes,
            rejects=reading.rejects,
            raw=path,
        )
    if not stored:
        return _earlier(warehouse, table.sha256, record.kind) or replace(record, already_imported=True)
    return record


def recognise_table(table: Table, *, layout: str | None, mapping: Mapping[str, str]) -> _Recognised:
    """Whose report a table is: the importer whose score is best, and the next best.

    Raises:
        NotFoundError: no importer of the given name.
        InputError: no importer reads this table.
    """
    if layout is None and {"unit", "arm"} <= set(mapping):
        layout = "unit_events"
    if layout is not None:
        importer = _importer(layout)
        found = importer.recognise(table)
        return _Recognised(importer, replace(found, reason=f"as told; {found.reason}"), None, ())
    scored = [(importer.recognise(table), importer) for importer in map(_importer, _names())]
    scored.sort(key=lambda item: (-item[0].score, item[0].layout))
    (best, importer), rest = scored[0], scored[1:]
    if best.score <= 0:
        raise InputError(
            f"{table.file_name} fits no layout: {', '.join(repr(text) for text in table.header[:8])} …",
            "Choose one with --layout and name the columns with --map FIELD=HEADER.",
        )
    tied = tuple(other.layout for other, _ in rest if other.score == best.score)
    runner_up = rest[0][0] if rest and rest[0][0].score > 0 else None
    return _Recognised(importer, best, runner_up, (best.layout, *tied) if tied else ())


@cache
def _names() -> tuple[str, ...]:
    return plugins.names(plugins.IMPORTERS)


@cache
def _importer(name: str) -> Importer:
    importer: Importer = plugins.load(plugins.IMPORTERS, name)()
    return importer


def _read(
    path: Path, layout: str | None, mapping: Mapping[str, str] | None, options: Mapping[str, str] | None
) -> tuple[Table, _Recognised, Reading]:
    request = Request(mapping=dict(mapping or {}), options=dict(options or {}))
    keys = frozenset().union(*(_importer(name).header_keys() for name in _names()))
    table = open_table(path, lambda key: int(key in keys), request.options)
    recognised = recognise_table(table, layout=layout, mapping=request.mapping)
    reading = recognised.importer.read(table, request)
    if recognised.tied:
        reading.questions.append(
            Question(
                topic="layout",
                text=f"These layouts fit equally well: {', '.join(recognised.tied)}.",
                answers=tuple(f"--layout {name}" for name in recognised.tied),
            )
        )
    check_account(reading)
    return table, recognised, reading


def _refuse_open(table: Table, reading: Reading) -> None:
    """Refuse a file with open questions, or of which nothing could be loaded."""
    if reading.questions:
        number = len(reading.questions)
        raise InputError(
            f"{table.file_name} leaves {number} question{'s' * (number > 1)} open, and nothing is guessed.",
            "\n".join(str(question) for question in reading.questions),
        )
    if not reading.loaded:
        first = reading.rejects[0]
        raise InputError(
            f"None of the {reading.rows_in} rows of {table.file_name} could be loaded; the first, line {first.line}, "
            f"{(first.column + ' ' + repr(first.value) + ' ') if first.column else ''}{first.reason}.",
            "Look at all of them with: proofsheet inspect FILE.",
        )


def _earlier(warehouse: Warehouse, sha256: str, kind: str | None = None) -> ImportRecord | None:
    if not warehouse.exists():
        return None
    with warehouse.read() as reader:
        found = reader.import_by_hash(sha256, kind)
    return None if found is None else replace(found, already_imported=True)


def _record(table: Table, reading: Reading, campaign: str | None) -> ImportRecord:
    return ImportRecord(
        id=table.sha256[:16],
        file_name=table.file_name,
        sha256=table.sha256,
        bytes=table.size,
        layout=reading.layout,
        platform=reading.platform,
        campaign=campaign,
        rows_in=reading.rows_in,
        loaded=reading.loaded,
        set_aside=len(reading.rejects),
        flagged=reading.flagged,
        first_day=reading.first_day,
        last_day=reading.last_day,
        currency=", ".join(reading.currencies),
        kind=reading.kind,
        totals={name: format(value, "f") for name, value in rounded_totals(reading.totals).items()},
        imported_at=datetime.now(UTC).replace(microsecond=0),
    )
