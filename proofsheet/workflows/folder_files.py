"""The pictures of a folder: which files are pictures, what their headers say, and which are left out and why."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from proofsheet.domain.identity import bytes_id
from proofsheet.errors import NotFoundError
from proofsheet.picture_files import BEGINNING, FORMATS, PictureError, kind_of, read_file
from proofsheet.pictures import look_at

#: Endings by which a file claims to be a picture; whether it is one is told by its bytes.
CLAIMS = frozenset(
    f".{name}"
    for name in (
        *("jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "tif", "tiff"),
        *("bmp", "avif", "heic", "heif", "psd", "svg", "jp2", "jxl"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFile:
    """A file that is a picture or claims to be one; ``path`` starts from the folder, with forward slashes.

    ``problem`` says why it does not open; then kind and size in pixels are empty. ``size`` is in bytes.
    """

    path: str
    absolute: Path
    size: int
    sha256: str = ""
    kind: str = ""
    width: int = 0
    height: int = 0
    problem: PictureError | None = None


def folder_files(
    folder: Path, *, left_out: frozenset[Path], progress: Callable[[int, int], None]
) -> tuple[list[FolderFile], list[tuple[str, str]]]:
    """The pictures of a folder and its sub-folders in the order of their paths, and what was skipped with the reason.

    Hidden files and folders are not looked at. Links to files are followed, links to folders are not.

    Raises:
        NotFoundError: there is no such folder or file.
    """
    if not folder.exists():
        raise NotFoundError(f"There is no folder {folder}.", "Check the path; it is relative to where you are.")
    found: list[FolderFile] = []
    skipped: list[tuple[str, str]] = []
    if folder.is_file():
        paths = [folder]
    else:
        paths = sorted(_walk(folder, skipped))
    for done, path in enumerate(paths, start=1):
        name = path.name if path == folder else path.relative_to(folder).as_posix()
        why = _not_wanted(path, left_out, claimed=path == folder)
        if why:
            skipped.append((name, why))
        else:
            found.append(_looked_at(name, path))
        progress(done, len(paths))
    return found, skipped


def _walk(folder: Path, skipped: list[tuple[str, str]]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        name = Path(error.filename or folder)
        skipped.append((name.relative_to(folder).as_posix(), f"the folder cannot be read: {error.strerror}"))

    for here, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(here, name) for name in files if not name.startswith("."))


def _not_wanted(path: Path, left_out: frozenset[Path], *, claimed: bool) -> str:
    """Why a file is no picture to judge; "" for one that is."""
    try:
        if path.resolve() in left_out:
            return "it is the brand kit's own picture"
        if not stat.S_ISREG(path.stat().st_mode):
            return "it is no ordinary file"
        claimed = claimed or path.suffix.lower() in CLAIMS
        if claimed:
            return ""
        with path.open("rb") as file:
            return "" if kind_of(file.read(BEGINNING)) in FORMATS else "it is no picture"
    except (OSError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
        told = getattr(error, "strerror", None) or "it leads nowhere"
        return "" if claimed and not path.is_symlink() else f"it cannot be read: {told}"


def _looked_at(name: str, path: Path) -> FolderFile:
    size = 0
    try:
        size = path.stat().st_size
        data = read_file(path)
        facts = look_at(data)
    except OSError as error:
        told = PictureError("damage", f"cannot be read: {error.strerror}", "Check the rights on the file.")
        return FolderFile(path=name, absolute=path, size=size, problem=told)
    except PictureError as error:
        return FolderFile(path=name, absolute=path, size=size, problem=error)
    return FolderFile(
        path=name,
        absolute=path,
        size=size,
        sha256=bytes_id(data),
        kind=facts.kind,
        width=facts.width,
        height=facts.height,
    )
