"""What a report on a folder of pictures holds: each picture with its verdicts, and what concerns them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from proofsheet.domain.assessment import Grade, Score, Verdict
from proofsheet.domain.campaign import PaletteColour


@dataclass(frozen=True, slots=True)
class Swatch:
    """A dominant colour: ``#rrggbb``, its share (0–1) of the picture, the nearest brand colour and its ΔE00."""

    hex: str
    share: float
    nearest: str
    difference: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureReport:
    """One picture: what file it is, what it was judged as, and what was found.

    ``path`` starts from the folder, as do ``copies``: files with the same bytes for the same placement. ``placement``
    is "" where none is known; ``placement_by`` says what it was told by. ``kind``, ``width`` and ``height`` are empty
    for a file that does not open. ``verdicts`` are ranked, the gravest first. ``thumbnail`` is a WebP, or b"".
    """

    path: str
    copies: tuple[str, ...]
    kind: str
    width: int
    height: int
    size: int
    sha256: str
    placement: str
    placement_title: str
    placement_by: str
    grade: Grade
    verdicts: tuple[Verdict, ...]
    scores: tuple[Score, ...]
    swatches: tuple[Swatch, ...] = ()
    thumbnail: bytes = b""

    @property
    def problems(self) -> tuple[Verdict, ...]:
        """The verdicts that are not PASS, the gravest first."""
        return tuple(one for one in self.verdicts if one.grade is not Grade.PASS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """All pictures of a folder, the gravest first, and what they are together.

    ``look_alikes`` are clusters of paths; ``skipped`` are files that were not judged, with the reason; ``abstained``
    says which criteria could not be judged, each once.
    """

    folder: str
    brand: str
    palette: tuple[PaletteColour, ...]
    pictures: tuple[PictureReport, ...]
    look_alikes: tuple[tuple[str, ...], ...]
    skipped: tuple[tuple[str, str], ...]
    abstained: tuple[str, ...]
    scored_at: datetime
    version: str

    @property
    def grades(self) -> Mapping[str, int]:
        """How many pictures have which grade."""
        return Counter(one.grade.value for one in self.pictures)

    def plain(self) -> dict[str, Any]:
        """The report as nested plain values and nouns, without the thumbnails."""
        kept = {one.name: getattr(self, one.name) for one in fields(self)}
        kept["pictures"] = [
            {one.name: getattr(picture, one.name) for one in fields(picture) if one.name != "thumbnail"}
            for picture in self.pictures
        ]
        return {**kept, "grades": self.grades}
