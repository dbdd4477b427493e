"""Python values to Arrow arrays by their buffers.

``pyarrow.array`` imports pandas to look at a plain list; the command line should not wait for that.
Layouts: https://arrow.apache.org/docs/format/Columnar.html.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from proofsheet.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow

T = TypeVar("T")

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 -- moments are UTC without a zone here


def texts(values: Sequence[str | None]) -> pyarrow.Array:
    """Text; None is null."""
    import numpy as np
    import pyarrow as pa

    filled = [value or "" for value in values]
    joined = "".join(filled)
    data = joined.encode()
    sizes = map(len, filled) if len(data) == len(joined) else (len(value.encode()) for value in filled)
    offsets = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(sizes, np.int64, len(values)), out=offsets[1:])
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(data)]
    return pa.Array.from_buffers(pa.large_string(), len(values), buffers)


def floats(values: Sequence[float | None]) -> pyarrow.Array:
    """Double precision numbers; None is null."""
    import pyarrow as pa

    return _fixed(pa.float64(), values, "float64", float)


def whole(values: Sequence[int | None]) -> pyarrow.Array:
    """64-bit whole numbers; None is null.

    Raises:
        InputError: a number needs more than 64 bits.
    """
    import pyarrow as pa

    try:
        return _fixed(pa.int64(), values, "int64", int)
    except OverflowError as error:
        raise InputError("A count is too large: it needs more than 64 bits.", "Mend the file.") from error


def days(values: Sequence[date | None]) -> pyarrow.Array:
    """Days; None is null."""
    import pyarrow as pa

    return _fixed(pa.date32(), values, "int32", lambda value: value.toordinal() - _EPOCH_DAY)


def moments(values: Sequence[datetime | None]) -> pyarrow.Array:
    """Moments without a zone, to the microsecond; None is null."""
    import pyarrow as pa

    def microseconds(value: datetime) -> int:
        since = value - _EPOCH
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    return _fixed(pa.timestamp("us"), values, "int64", microseconds)


def decimals(values: Sequence[Decimal | None], places: int) -> pyarrow.Array:
    """Exact decimals of 38 digits, all given with exactly ``places`` places; None is null."""
    import pyarrow as pa

    zero = bytes(16)
    data = b"".join(
        zero if value is None else int(value.scaleb(places)).to_bytes(16, "little", signed=True) for value in values
    )
    return pa.Array.from_buffers(pa.decimal128(38, places), len(values), [_validity(values), pa.py_buffer(data)])


def bits(mask: np.ndarray[Any, Any]) -> pyarrow.Buffer:
    """A mask as Arrow keeps it."""
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(mask, bitorder="little").tobytes())


def _validity(values: Sequence[Any]) -> pyarrow.Buffer | None:
    import numpy as np

    if None not in values:
        return None
    return bits(np.fromiter((value is not None for value in values), bool, len(values)))


def _fixed(kind: Any, values: Sequence[T | None], width: str, convert: Callable[[T], float]) -> pyarrow.Array:
    import numpy as np
    import pyarrow as pa

    numbers = np.fromiter((0 if value is None else convert(value) for value in values), width, len(values))
    return pa.Array.from_buffers(kind, len(values), [_validity(values), pa.py_buffer(numbers)])
