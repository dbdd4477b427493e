"""The report on a folder of pictures as one file: composed in full before anything is written."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet.errors import InputError, ProofsheetError

if TYPE_CHECKING:
    from scoring.report import FolderReport

_FONTS = (
    ("Manrope", "200 600", "manrope-500.ttf"),
    ("Manrope", "601 800", "manrope-700.ttf"),
    ("Bricolage Grotesque", "200 800", "bricolage-grotesque-700.ttf"),
)


def check_report(path: Path) -> None:
    """Refuse a report's path, before any work is done.

    Raises:
        InputError: it is no HTML file, or it cannot be written there.
    """
    if path.suffix.lower() not in {".html", ".htm"}:
        raise InputError(
            f"--report is {path}: a report is an HTML page.", f"Name it so: --report {path.with_suffix('.html')}"
        )
    if path.is_dir():
        raise InputError(f"--report is {path}, a folder.", f"Name a file in it: --report {path / 'report.html'}")
    if not path.absolute().parent.is_dir():
        raise InputError(f"There is no folder {path.absolute().parent} for the report.", "Make it first.")


def write_report(path: Path, found: FolderReport) -> None:
    """Write the report as one HTML page, whole or not at all.

    Raises:
        ProofsheetError: it cannot be written there.
    """
    from scoring.report_page import FontFace, page_of
    from warehouse.pictures import write_atomically

    fonts = files("generation").joinpath("fonts")
    faces = [FontFace(family, weights, fonts.joinpath(name).read_bytes()) for family, weights, name in _FONTS]
    page = page_of(found, faces).encode("utf-8", "replace")
    try:
        write_atomically(path, page)
    except OSError as error:
        raise ProofsheetError(
            f"The report could not be written to {path}: {error.strerror}.", "Name another file with --report."
        ) from error
