"""Cells to values by stated rules: names, yes or no, and numbers; what fits no rule is named, never guessed.

- **Names** (arm, unit, experiment): text without surrounding space; not empty.
- **Yes or no**: TRUE/FALSE, true/false, t/f, yes/no, y/n, 1/0, in any case.
- **Numbers**: ``1234.5``, ``1e-3``, or with a decimal comma; thousands marks only where the file shows which mark is
  which. A file whose only evidence is of the form ``1,234`` is refused, as it could be either; ``1.234`` is read as a
  decimal point unless cells are separated by semicolons or another cell shows a decimal comma.
  TRUE and FALSE are no numbers, typed or written; but of a covariate they are 1 and 0.
- **Counts**: whole numbers of 0 or more. Here ``1.234`` could be either as well, and is refused where nothing tells.
- **Empty** cells, and those with a mark for none (``-``, ``NA``, ``null``), have no value; or 0, where told.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from proofsheet.errors import InputError
from warehouse.arrays import floats, texts
from warehouse.reports.numbers import COMMA, NONE_MARKS, POINT, bare, decimal_kind

if TYPE_CHECKING:
    import pyarrow

_YES = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_NO = frozenset({"false", "f", "no", "n", "0", "0.0"})
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PLAIN = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED = {
    POINT: re.compile(r"[+-]?[0-9]{1,3}([,\u00a0\u202f'’ ])(?:[0-9]{2,3}\1)*[0-9]{3}(?:\.[0-9]*)?"),
    COMMA: re.compile(r"[+-]?[0-9]{1,3}([.\u00a0\u202f'’ ])(?:[0-9]{2,3}\1)*[0-9]{3}(?:,[0-9]*)?"),
}

EMPTY = "is empty"
NOT_WHOLE = "is not a whole number, as a count is"
NO_DAY = "is not a day, such as 2026-03-01"
NO_TRUTH = "is not yes or no"
TRUTH_FOR_NUMBER = "is a yes or no where a number is needed"

#: A rule gives the value of a cell, or says in words why it has none.
Rule = Callable[[Any], float | str]

#: Which of many numbers (NaN where there is none) a rule takes as they are.
Fits = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Typed:
    """A typed column: values (null where a cell fits no rule), the reason by the place of each such cell, and how many
    empty cells were taken as 0."""

    values: pyarrow.Array
    reasons: dict[int, str]
    emptied: int = 0


def names(cells: pyarrow.Array) -> Typed:
    """The cells as names; whole numbers that a file keeps as floating are written without a point."""
    encoded = _encoded(cells)
    values = texts([_name(cell) for cell in encoded.dictionary.to_pylist()]).take(encoded.indices)
    return Typed(values, dict.fromkeys(_nulls(values), EMPTY))


def _name(cell: Any) -> str | None:
    if isinstance(cell, float):
        return None if math.isnan(cell) else str(int(cell)) if cell.is_integer() else repr(cell)
    return str(cell).strip() or None


def truths(cells: pyarrow.Array, *, empty_is_zero: bool = False) -> Typed:
    """The cells as yes (1) or no (0)."""
    return _typed(cells, _truth, lambda x: (x == 0.0) | (x == 1.0), empty_is_zero, flags=True)


def numbers(cells: pyarrow.Array, decimal: str = POINT, *, empty_is_zero: bool = False) -> Typed:
    """The cells as finite numbers, in a style of ``decimal_style``."""
    return _typed(cells, partial(_number, decimal=decimal), lambda x: abs(x) < math.inf, empty_is_zero)


def counts(cells: pyarrow.Array, decimal: str = POINT, *, empty_is_zero: bool = False) -> Typed:
    """The cells as whole numbers of 0 or more."""
    return _typed(
        cells, partial(_count, decimal=decimal), lambda x: (x >= 0.0) & (x < math.inf) & (x % 1.0 == 0.0), empty_is_zero
    )


def exposures(cells: pyarrow.Array, decimal: str = POINT, *, empty_is_zero: bool = False) -> Typed:
    """The cells as finite numbers of 0 or more."""
    return _typed(cells, partial(_exposure, decimal=decimal), lambda x: (x >= 0.0) & (x < math.inf), empty_is_zero)


def histories(cells: pyarrow.Array, decimal: str = POINT, *, empty_is_zero: bool = False) -> Typed:
    """The cells as finite numbers, yes as 1 and no as 0; an empty one is a value that is not known, and no reason
    against its row."""
    found = _typed(cells, partial(_history, decimal=decimal), lambda x: abs(x) < math.inf, False, flags=True)
    return Typed(found.values, {place: reason for place, reason in found.reasons.items() if reason != EMPTY})


def labels(cells: pyarrow.Array) -> Typed:
    """The cells as names; an empty one is the level without a name."""
    found = names(cells)
    return Typed(found.values.fill_null(""), {})


def days(cells: pyarrow.Array) -> Typed:
    """The cells as days, written 2026-03-01; of a moment its day."""
    encoded = _encoded(cells)
    distinct = [str(cell).strip()[:10] for cell in encoded.dictionary.to_pylist()]
    values = texts([text if _is_day(text) else None for text in distinct]).take(encoded.indices)
    reasons = {}
    for place in _nulls(values):
        index = encoded.indices[place].as_py()
        reasons[place] = EMPTY if index is None or not distinct[index] else NO_DAY
    return Typed(values, reasons)


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def decimal_style(
    columns: Iterable[pyarrow.Array], *, counted: Iterable[pyarrow.Array] = (), separator: str, name: str
) -> str:
    """Which mark is the decimal mark in the number columns of a file: "point" or "comma".

    ``counted`` are columns of whole numbers, where a point before three digits may as well part thousands.

    Raises:
        InputError: the cells contradict each other, or allow both readings.
    """
    found: dict[str, str] = {}
    in_counts: dict[str, str] = {}
    for evidence, some in ((found, columns), (in_counts, counted)):
        for cells in some:
            if _is_text(cells):
                for text in cells.cast("string").unique().to_pylist():
                    _note_style(evidence, text or "")
    found = in_counts | found
    if POINT in found and COMMA in found:
        raise InputError(
            f"{name} writes numbers in two ways: {found[POINT]!r} and {found[COMMA]!r}.", "Write them all in one way."
        )
    for style in (POINT, COMMA):
        if style in found:
            return style
    if "either," in found or "either." in in_counts or ("either." in found and separator == "semicolon"):
        example = found.get("either,") or in_counts.get("either.") or found["either."]
        raise InputError(
            f"{name}: {example!r} could mean {re.sub('[.,]', '', example)}, or a number with three decimals.",
            "Write the numbers without thousands marks and with a decimal point.",
        )
    return POINT


def _note_style(found: dict[str, str], text: str) -> None:
    kind = decimal_kind(text, whole=False)
    if kind == "either":
        kind += "," if "," in text else "."
    if kind and "e" not in text.lower():
        found.setdefault(kind, text.strip())


def _is_text(cells: pyarrow.Array) -> bool:
    import pyarrow as pa

    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _typed(cells: pyarrow.Array, rule: Rule, fits: Fits, empty_is_zero: bool, *, flags: bool = False) -> Typed:
    """Apply the rule: to all at once where the table has numbers, else once to each distinct cell.

    ``flags``: a column whose type is yes or no is taken as 1 and 0; else it is refused, as it is where it is written.
    """
    import pyarrow as pa

    if pa.types.is_boolean(cells.type) and not flags:
        cells, rule = cells.dictionary_encode(), _no_number
    if is_numeric(cells):
        return _filled(*_of_numbers(cells, rule, fits), empty_is_zero)
    encoded = _encoded(cells)
    distinct = [rule(cell) for cell in encoded.dictionary.to_pylist()]
    good = floats([value if isinstance(value, float) else None for value in distinct])
    values = good.take(encoded.indices)
    places = _nulls(values)
    indices = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)[places].tolist() if places else []
    found = (EMPTY if index < 0 else str(distinct[index]) for index in indices)
    return _filled(values, dict(zip(places, found, strict=True)), empty_is_zero)


def is_numeric(cells: pyarrow.Array) -> bool:
    """Whether the cells are numbers, or yes and no, by their type."""
    import pyarrow as pa

    kind = cells.type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _of_numbers(cells: pyarrow.Array, rule: Rule, fits: Fits) -> tuple[pyarrow.Array, dict[int, str]]:
    """The cells that fit, as they are, and the reasons of the rest, which alone are looked at one by one."""
    import numpy as np
    import pyarrow as pa

    flags = pa.types.is_boolean(cells.type)
    values = (cells.cast(pa.int8()) if flags else cells).cast(pa.float64(), safe=False)
    plain = values.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        misfit = ~fits(plain)
    places = np.flatnonzero(misfit)
    if not places.size:
        return values, {}
    reasons = {place: str(rule(float(plain[place]))) for place in places.tolist()}
    return pa.array(np.where(misfit, 0.0, plain), mask=misfit), reasons


def _filled(values: pyarrow.Array, reasons: dict[int, str], empty_is_zero: bool) -> Typed:
    if not empty_is_zero:
        return Typed(values, reasons)
    left = {place: reason for place, reason in reasons.items() if reason != EMPTY}
    return Typed(_zero_but(values, left), left, emptied=len(reasons) - len(left))


def _zero_but(values: pyarrow.Array, still_null: Iterable[int]) -> pyarrow.Array:
    """The values with 0 for each null, except at the places given."""
    import numpy as np
    import pyarrow as pa

    mask = np.zeros(len(values), dtype=bool)
    mask[list(still_null)] = True
    plain = np.nan_to_num(values.to_numpy(zero_copy_only=False), nan=0.0)
    return pa.array(plain, mask=mask)


def _encoded(cells: pyarrow.Array) -> pyarrow.Array:
    import pyarrow as pa

    return cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()


def _nulls(values: pyarrow.Array) -> Sequence[int]:
    import numpy as np

    if not values.null_count:
        return []
    places: list[int] = np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False)).tolist()
    return places


def _truth(cell: Any) -> float | str:
    text = str(cell).strip().lower()
    if text in _YES:
        return 1.0
    if text in _NO:
        return 0.0
    return EMPTY if text == "nan" or text in NONE_MARKS else NO_TRUTH


def _no_number(cell: Any) -> float | str:
    return TRUTH_FOR_NUMBER


def _history(cell: Any, decimal: str) -> float | str:
    value = _number(cell, decimal)
    return _truth(cell) if value == TRUTH_FOR_NUMBER else value


def _count(cell: Any, decimal: str) -> float | str:
    value = _number(cell, decimal)
    if isinstance(value, float):
        if value < 0:
            return "is negative; a count cannot be"
        if not value.is_integer():
            return NOT_WHOLE
    return value


def _exposure(cell: Any, decimal: str) -> float | str:
    value = _number(cell, decimal)
    return "is negative; an exposure cannot be" if isinstance(value, float) and value < 0 else value


def _number(cell: Any, decimal: str) -> float | str:
    if isinstance(cell, str):
        return _written_number(cell, decimal)
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return "is not a number"
    if math.isnan(value):
        return EMPTY
    return value if math.isfinite(value) else "is not finite"


def _written_number(cell: str, decimal: str) -> float | str:
    text = cell.strip()
    if text in NONE_MARKS or text.lower() in ("nan", "na", "n/a", "null", "none"):
        return EMPTY
    if not _PLAIN.fullmatch(text) or decimal == COMMA:
        text = bare(text)
        if _GROUPED[decimal].fullmatch(text):
            text = "".join(mark for mark in text if mark in "0123456789+-" or mark == (".", ",")[decimal == COMMA])
        if decimal == COMMA:
            if "." in text:
                return "is not a number with a decimal comma"
            text = text.replace(",", ".")
    if not _PLAIN.fullmatch(text):
        if text.lower() in _YES | _NO:
            return TRUTH_FOR_NUMBER
        return "is a share in percent; a number is needed" if text.endswith("%") else "is not a number"
    value = float(text)
    return value if math.isfinite(value) else "is not finite"
