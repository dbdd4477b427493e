"""Pictures by content: the SHA-256 of the bytes is the name, and what is read is checked against it."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from proofsheet.domain.identity import bytes_id
from proofsheet.errors import InputError, NotFoundError, ProofsheetError

_SHA256 = re.compile(r"[0-9a-f]{64}")


class PictureStore:
    """Bytes kept by their hash in ``folder``/ab/cd/abcd….

    Args:
        folder: where the pictures lie; made at the first ``put``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie, or would lie.

        Raises:
            InputError: the text is not 64 lower-case hex digits, so it could point outside the folder.
        """
        if not _SHA256.fullmatch(sha256):
            raise InputError(f"{sha256[:80]!r} is not the SHA-256 of a picture.", "It has 64 hex digits in lower case.")
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    def has(self, sha256: str) -> bool:
        """Whether bytes with this hash are kept (their content is not checked here)."""
        return self.path(sha256).is_file()

    def put(self, data: bytes) -> str:
        """Keep the bytes and give back their hash; bytes already kept whole are not written again.

        The bytes are written under another name, synced and renamed, so that a name never stands for half a picture.

        Raises:
            ProofsheetError: the disk is full or the folder may not be written.
        """
        sha256 = bytes_id(data)
        path = self.path(sha256)
        if path.is_file() and _reads_as(path, data):
            return sha256
        try:
            write_atomically(path, data)
        except OSError as error:
            raise ProofsheetError(
                f"The picture {sha256[:12]} could not be written to {self.folder}: {error.strerror}.",
                "Free some space or mend the rights on that folder, then run this again.",
            ) from error
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes with this hash.

        Raises:
            NotFoundError: they are not kept here.
            ProofsheetError: the file was changed or damaged, so that it is another picture now.
        """
        path = self.path(sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise NotFoundError(
                f"The picture {sha256[:12]} is missing from {self.folder}.",
                "Put it back from a backup, or generate the asset again.",
            ) from None
        except OSError as error:
            raise ProofsheetError(
                f"The picture {path} cannot be read: {error.strerror}.", "Check the rights on it and the disk."
            ) from error
        if bytes_id(data) != sha256:
            raise ProofsheetError(
                f"The picture {path} is damaged: its bytes do not have the hash it is named by.",
                "Delete that file and put it back from a backup, or generate the asset again.",
            )
        return data


def _reads_as(path: Path, data: bytes) -> bool:
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except OSError:
        return False


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash of the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in the folder last through a crash of the machine, where the system can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
