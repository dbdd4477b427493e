"""score --data: judge any folder of pictures by a brand kit, with no campaign and no workspace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from proofsheet import __version__
from proofsheet.domain.assessment import Grade, Score
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.campaign import BrandKit, Placement
from proofsheet.errors import NotFoundError
from proofsheet.picture_files import read_file
from proofsheet.pictures import OpenedPicture, open_picture
from proofsheet.settings import load_settings
from proofsheet.workflows.folder_files import FolderFile, folder_files
from proofsheet.workflows.house import Progress, quiet

if TYPE_CHECKING:
    from PIL.Image import Image

    from scoring.placement_guess import PlacementGuess
    from scoring.report import FolderReport, PictureReport, Swatch
    from scoring.scorer import Assessment, Subject

#: Pixels of the longest side of a report's thumbnail: sharp on a fine screen.
_THUMBNAIL = 520
#: What cannot be judged where no placement is known.
_LIMITS = ("size", "file_size", "format")


@dataclass(slots=True)
class _Seen:
    """What is kept of a picture once it has been opened: enough for the report, little for memory."""

    opened: OpenedPicture | None = None  # without its pixels
    small: Image | None = None
    thumbnail: bytes = b""
    swatches: tuple[Swatch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One picture to be judged: its file, files with the same bytes, its placement, and what was seen of it."""

    file: FolderFile
    guess: PlacementGuess
    copies: list[str] = field(default_factory=list)
    seen: _Seen = field(default_factory=_Seen)

    @property
    def place(self) -> Placement:
        from scoring.placement_guess import no_placement

        return self.guess.placement or no_placement(self.file.width, self.file.height)


def score_folder(
    folder: Path,
    kit: Path,
    *,
    placement: str | None = None,
    scorers: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> FolderReport:
    """Judge every picture in a folder and its sub-folders (or one picture); nothing is written.

    Args:
        folder: where the pictures are; hidden files, links to folders and the brand kit's own pictures are left out.
        kit: the brand kit, a TOML file.
        placement: judge all pictures as for this placement; by default it is guessed, picture by picture.
        scorers: names of scorer plug-ins; all by default.

    A file with the bytes of another, for the same placement, is judged once and named beside it. A picture that cannot
    be opened gets a FAIL that says why.

    Raises:
        NotFoundError: there is no such folder, kit or scorer, or no picture in the folder.
        InputError: the kit breaks rules, or the placement is not known.
    """
    from generation.briefs import load_brand
    from generation.placements import load_placements
    from generation.placements import placement as find_placement
    from scoring.assess import assess_all
    from scoring.placement_guess import PlacementGuess

    brand = load_brand(kit)
    given = PlacementGuess(find_placement(placement), "as asked for") if placement else None
    files, skipped = folder_files(folder, left_out=_own_pictures(brand), progress=partial(progress, "Looking at files"))
    if not files:
        others = f" ({len(skipped)} other files)" if skipped else ""
        raise NotFoundError(
            f"There is no picture in {folder}{others}.",
            "Name a folder with JPEG, PNG, WebP or GIF pictures; its sub-folders are looked at too.",
        )
    entries = _entries(files, given, list(load_placements().values()))
    settings = load_settings()
    judged = dict(
        assess_all(
            [_subject(entry, brand) for entry in entries],
            brand,
            scorers=scorers,
            clip_model=settings.clip_model,
            clip_checkpoint=settings.clip_checkpoint,
            progress=partial(progress, "Scoring pictures"),
        )
    )
    return _report(folder, brand, entries, judged, skipped)


def _own_pictures(brand: BrandKit) -> frozenset[Path]:
    """The kit's logo and references: they lie beside the ads often enough, and are none."""
    own = (*brand.references, *([brand.logo] if brand.logo else []))
    return frozenset(path.resolve() for path in own)


def _entries(files: Sequence[FolderFile], given: PlacementGuess | None, known: Sequence[Placement]) -> list[_Entry]:
    """Each distinct picture once; files that do not open are all kept."""
    from scoring.placement_guess import PlacementGuess, guess_placement

    found: dict[tuple[str, str], _Entry] = {}
    for file in files:
        if file.problem:
            guess = given or PlacementGuess(None, "it does not open")
        else:
            guess = given or guess_placement(file.width, file.height, file.path, known)
        key = (file.sha256 or file.path, guess.placement.name if guess.placement else "")
        if key in found:
            found[key].copies.append(file.path)
        else:
            found[key] = _Entry(file=file, guess=guess)
    return list(found.values())


def _subject(entry: _Entry, brand: BrandKit) -> Subject:
    from scoring.scorer import Subject

    file, place = entry.file, entry.place
    asset = Asset(
        id=file.path,
        campaign="",
        variant_id="",
        placement=place.name,
        levels={},
        locale="",
        width=file.width,
        height=file.height,
        sha256=file.sha256,
        media_type=f"image/{file.kind}",
        origin=Origin.UPLOADED,
        scene_id=None,
        recipe=None,
        composition=None,
        label="",
        ai_made=False,
        seconds=0.0,
        created_at=datetime.now(UTC),
    )
    return Subject(asset, _opener(entry, brand), file.size, place, None)


def _opener(entry: _Entry, brand: BrandKit) -> Callable[[], Image]:
    """Opens the picture, and keeps of it what the report needs, so that it is opened once."""

    def opened() -> Image:
        import numpy as np

        from scoring.palette import PaletteScorer
        from scoring.report import Swatch
        from scoring.scorer import thumbnail_of

        if entry.file.problem is not None:
            raise entry.file.problem
        picture = open_picture(read_file(entry.file.absolute))
        image = picture.flat
        seen = entry.seen
        seen.small = thumbnail_of(image)
        seen.opened = replace(picture, image=seen.small)
        buffer = BytesIO()
        thumbnail_of(image, _THUMBNAIL).save(buffer, "WEBP", quality=82, method=2)
        seen.thumbnail = buffer.getvalue()
        reading = PaletteScorer().read(np.asarray(seen.small).reshape(-1, 3), brand)
        seen.swatches = tuple(
            Swatch(one.hex, one.share, name, gap)
            for one, (name, gap) in zip(reading.dominant, reading.nearest, strict=True)
        )
        return image

    return opened


def _report(
    folder: Path,
    brand: BrandKit,
    entries: Sequence[_Entry],
    judged: dict[str, Assessment],
    skipped: Sequence[tuple[str, str]],
) -> FolderReport:
    from scoring.report import FolderReport
    from scoring.scales import title_of

    pictures = [_picture(entry, judged[entry.file.path]) for entry in entries]
    pictures.sort(key=lambda one: (-one.grade.severity, one.path))
    silent: dict[tuple[str, str], list[str]] = defaultdict(list)
    for picture in pictures:
        for score in picture.scores:
            if score.value is None and score.detail:
                why = score.detail.partition(". ")[0].rstrip(".")
                silent[score.criterion, why].append(picture.path)
    return FolderReport(
        folder=str(folder),
        brand=brand.name,
        palette=brand.palette,
        pictures=tuple(pictures),
        look_alikes=_look_alikes(entries),
        skipped=tuple(skipped),
        abstained=tuple(
            f"{title_of(criterion)} ({len(paths)} of {len(pictures)} pictures): {why}."
            for (criterion, why), paths in silent.items()
        ),
        scored_at=datetime.now(UTC),
        version=__version__,
    )


def _picture(entry: _Entry, assessment: Assessment) -> PictureReport:
    from scoring.assess import overall
    from scoring.encoding import assess_encoding
    from scoring.file_words import as_of_a_file
    from scoring.report import PictureReport
    from scoring.verdict import ranked

    file, place, opened = entry.file, entry.place, entry.seen.opened
    if opened is not None:
        assessment = assessment.joined(assess_encoding(file.path, opened, Path(file.path).suffix))
        assessment = replace(assessment, verdicts=as_of_a_file(assessment.verdicts, file.kind, file.size, place))
        if entry.guess.placement is None:
            assessment = _without_limits(assessment, f"No placement is known for it: {entry.guess.why}.")
    return PictureReport(
        path=file.path,
        copies=tuple(entry.copies),
        kind=file.kind,
        width=file.width,
        height=file.height,
        size=file.size,
        sha256=file.sha256,
        placement=place.name,
        placement_title=place.title if place.name else "",
        placement_by=entry.guess.why,
        grade=overall(assessment.verdicts),
        verdicts=(*ranked(assessment.verdicts), *(one for one in assessment.verdicts if one.grade is Grade.PASS)),
        scores=assessment.scores,
        swatches=entry.seen.swatches,
        thumbnail=entry.seen.thumbnail,
    )


def _without_limits(assessment: Assessment, why: str) -> Assessment:
    """The assessment with nothing said about a placement's limits but why not."""

    def silent(score: Score) -> Score:
        return replace(score, value=None, detail=why) if score.criterion in _LIMITS else score

    return replace(
        assessment,
        scores=tuple(silent(score) for score in assessment.scores),
        verdicts=tuple(one for one in assessment.verdicts if one.criterion not in _LIMITS),
    )


def _look_alikes(entries: Sequence[_Entry]) -> tuple[tuple[str, ...], ...]:
    """Clusters among the pictures of one placement; a picture with copies is at least one with these."""
    from scoring.duplicates import look_alikes
    from scoring.signature import signature_of

    groups: dict[str, list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.place.name].append(entry)
    found = []
    for members in groups.values():
        shown = [entry for entry in members if entry.seen.small is not None]
        clusters = look_alikes([signature_of(entry.seen.small) for entry in shown if entry.seen.small is not None])
        inside = {index for cluster in clusters for index in cluster}
        alone = [(index,) for index, entry in enumerate(shown) if entry.copies and index not in inside]
        for cluster in (*clusters, *alone):
            found.append(tuple(path for index in cluster for path in (shown[index].file.path, *shown[index].copies)))
    return tuple(found)
