"""Which rows of a table can be used, which cannot, and what to do about those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from proofsheet.domain.facts import Reject
from proofsheet.errors import InputError
from warehouse.table_files import LISTED, TableFile
from warehouse.table_values import EMPTY, NO_TRUTH, TRUTH_FOR_NUMBER, Typed

if TYPE_CHECKING:
    import pyarrow

_SHOWN = 3
_REMEDIES = {
    NO_TRUTH: "A proportion needs TRUE/FALSE, yes/no or 1/0; for a number write :mean instead.",
    TRUTH_FOR_NUMBER: "For a column of TRUE and FALSE write :proportion instead of :mean.",
    EMPTY: "Fill these cells; where an empty cell means that nothing happened, use --empty zero.",
}
_NO_NAME = "Give every row its arm (and its unit, experiment and cell, where you name such columns)."
_OPEN_QUOTE = (
    "Close the quote in that line; a quote that is part of the text is written twice, in a cell that is quoted."
)
_DAMAGE = "Mend these lines, or export the file again."
_OTHERWISE = "Mend these cells."


def set_aside(
    file: TableFile, typed: Mapping[str, tuple[str, Typed]], most: float, *, named: Collection[str] = ()
) -> tuple[pyarrow.Array, tuple[Reject, ...]]:
    """The places of the rows that can be used, and the rows that cannot, each with its first reason.

    Args:
        file: the table.
        typed: its columns with their values, by a short name.
        most: the share (0–1) of rows that may be set aside.
        named: the columns that name things (arm, unit), which no 0 can fill.

    Raises:
        InputError: more rows than that cannot be used, or none can.
    """
    import numpy as np
    import pyarrow as pa

    problems: dict[int, tuple[str, str]] = {}
    for column, one in typed.values():
        for place, reason in one.reasons.items():
            problems.setdefault(place, (column, reason))
    rejects = list(file.damaged)
    for place in sorted(problems)[:LISTED]:
        column, reason = problems[place]
        value = file.cells[column][place].as_py()
        line = file.lines[place]
        text = "" if value is None else str(value)
        rejects.append(Reject(line=line, column=column, value=text[:200], reason=reason, raw=file.raw(line)))
    rejects = sorted(rejects, key=lambda one: one.line)[:LISTED]
    rows_in, bad = len(file.lines) + file.damaged_count, len(problems) + file.damaged_count
    if not rows_in:
        raise InputError(f"{file.name} has a header and no rows.", "Export the data again.")
    if bad == rows_in or bad > most * rows_in + 1e-9:
        allowed = f"at most {most:.0%} may be set aside" + (" (of so few, none)" if most * rows_in < 1 else "")
        raise InputError(
            f"{file.name}: {bad:,} of {rows_in:,} rows cannot be used, and {allowed}. {_listed(rejects, bad)}.",
            _remedy(rejects, named),
        )
    usable = np.ones(len(file.lines), dtype=bool)
    usable[list(problems)] = False
    places = np.flatnonzero(usable).astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)]), tuple(rejects)


def told(rejects: Sequence[Reject], number: int) -> str:
    """The rows set aside in a sentence, the first of them with line and reason."""
    return f"{number:,} row{'s were' if number > 1 else ' was'} set aside: {_listed(rejects, number)}."


def _listed(rejects: Sequence[Reject], number: int) -> str:
    shown = "; ".join(
        f"line {one.line}" + (f", {one.column}: {one.value!r} {one.reason}" if one.column else f" {one.reason}")
        for one in rejects[:_SHOWN]
    )
    return shown + (f"; and {number - _SHOWN:,} more" if number > _SHOWN else "")


def _remedy(rejects: Sequence[Reject], named: Collection[str]) -> str:
    """What to do about the commonest reasons, at most two."""

    def one(reject: Reject) -> str:
        if not reject.column:
            return _OPEN_QUOTE if "quote" in reject.reason else _DAMAGE
        if reject.column in named:
            return _NO_NAME
        return _REMEDIES.get(reject.reason, _OTHERWISE)

    return " ".join(text for text, _ in Counter(map(one, rejects)).most_common(2))
