"""Rows of comparisons to a file that any program reads."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proofsheet.domain.identity import canonical
from proofsheet.errors import InputError


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of one shape as CSV (empty where a number does not exist) or JSON, by the file's ending.

    Raises:
        InputError: the ending is another, or the file cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in (".csv", ".json"):
        raise InputError(f"{path.name} ends in neither .csv nor .json.", "Name the file like results.csv.")
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            if ending == ".json":
                json.dump([canonical(row) for row in rows], file, ensure_ascii=False, indent=1)
                return
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(rows[0] if rows else ())
            writer.writerows(row.values() for row in rows)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.", "Choose a folder that you may write to."
        ) from error
