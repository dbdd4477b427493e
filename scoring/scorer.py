"""What a scorer is given and what it gives back; the agreement every scorer plug-in keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from proofsheet.domain.assessment import Score, Verdict
from proofsheet.domain.asset import Asset, Composition
from proofsheet.domain.campaign import BrandKit, Placement
from proofsheet.pictures import flattened

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Scene:
    """The drawn scene behind an asset, before product and words: its bytes' SHA-256, and what opens it."""

    sha256: str
    image: Callable[[], Image]


@dataclass(frozen=True, slots=True)
class Subject:
    """An asset to be judged.

    ``image`` opens the picture when called, so that a thousand subjects need the memory of a few pictures.
    ``data_size`` is the size of the stored master file in bytes. ``composition`` is None for uploads, ``scene`` where
    there is none or nobody needs it.
    """

    asset: Asset
    image: Callable[[], Image]
    data_size: int
    placement: Placement
    composition: Composition | None
    scene: Scene | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one or more scorers make of one asset.

    Each verdict has a score of the same criterion: the number the rule was applied to.
    """

    scores: tuple[Score, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def joined(self, other: Assessment) -> Assessment:
        """Both assessments together."""
        return Assessment(self.scores + other.scores, self.verdicts + other.verdicts)


@runtime_checkable
class Scorer(Protocol):
    """Something that judges assets.

    ``compares`` says that it sets subjects against each other: then it is given all subjects of a placement and locale
    at once, with thumbnails for pictures. Any other scorer is given a few subjects at a time. Options come as keyword
    arguments of the constructor; an unknown one is an error.
    """

    name: str
    version: str
    compares: bool

    def assess(self, subjects: Sequence[Subject], brand: BrandKit) -> Iterator[Assessment]:
        """One assessment per subject, in order."""
        ...


def score_of(
    scorer: Scorer, asset_id: str, criterion: str, value: float | None, unit: str, detail: str = "", *, by: str = ""
) -> Score:
    """A score by that scorer; ``by`` names what it measured with, such as the model."""
    made_by = f"{scorer.name}/{scorer.version} {by}".rstrip()
    return Score(asset_id=asset_id, criterion=criterion, value=value, unit=unit, scorer=made_by, detail=detail)


#: The longest side in pixels of what comparing scorers look at: a contact sheet's thumbnail.
THUMBNAIL_SIDE = 160


def rgb_picture(image: Image) -> Image:
    """The picture as RGB, fully decoded; transparency is laid on white, as a platform would show it.

    Raises:
        OSError, SyntaxError or ValueError: the picture is damaged (from Pillow; see ``DECODING_ERRORS``).
    """
    return flattened(image)


def thumbnail_of(image: Image, side: int = THUMBNAIL_SIDE) -> Image:
    """The whole picture in RGB with its longest side at most ``side`` pixels, averaged by area."""
    from PIL import Image as Pillow

    picture = rgb_picture(image)
    longest = max(picture.size)
    if longest <= side:
        return picture
    size = (max(1, round(picture.width * side / longest)), max(1, round(picture.height * side / longest)))
    return picture.resize(size, Pillow.Resampling.BOX)
