"""Small advertisements made by hand, whose every violation is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Asset, Box, Composition, Origin, TextRun
from proofsheet.domain.campaign import BrandKit, PaletteColour, Placement, SafeArea
from proofsheet.domain.identity import bytes_id
from scoring.scorer import Assessment, Subject

BRAND = BrandKit(
    name="Norda",
    wordmark="norda",
    palette=(
        PaletteColour(name="Fir", hex="#1f6f5c", role="primary"),
        PaletteColour(name="Apricot", hex="#e9a15b", role="accent"),
        PaletteColour(name="Ink", hex="#15201d", role="ink"),
        PaletteColour(name="Paper", hex="#faf7f0", role="paper"),
    ),
    descriptors=("calm northern morning", "natural and fresh"),
)

SQUARE = Placement(
    name="square",
    platform="Testgram",
    title="Testgram square",
    width=640,
    height=640,
    safe_area=SafeArea(top=0.05, right=0.05, bottom=0.05, left=0.05),
    max_bytes=150_000,
    formats=("jpeg", "png"),
    headline_chars=27,
)


@dataclass
class Ad:
    """A 640 × 640 advertisement: ground, product, headline, button and brand name, each of which can be spoilt."""

    name: str = "clean"
    ground: tuple[int, int, int] = (214, 230, 222)
    product: Box = field(default_factory=lambda: Box(left=380, top=180, right=540, bottom=560))
    product_colour: tuple[int, int, int] = (31, 111, 92)
    headline: tuple[str, ...] = ("Slow brewed,", "wide awake.")
    headline_at: tuple[int, int] = (48, 120)
    headline_size: int = 50
    ink: str = "#15201d"
    cta: str = "Try it chilled"
    button_at: tuple[int, int] = (48, 320)
    wordmark_at: tuple[int, int] = (48, 540)
    patches: tuple[tuple[Box, tuple[int, int, int]], ...] = ()
    levels: dict[str, str] = field(default_factory=lambda: {"scene": "arch", "headline": "slow"})
    placement: Placement = SQUARE
    noise: int = 0

    def draw(self) -> tuple[Image.Image, Composition]:
        """The picture and where everything stands on it."""
        image = Image.new("RGB", (640, 640), self.ground)
        pen = ImageDraw.Draw(image)
        for box, colour in self.patches:
            pen.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=colour)
        p = self.product
        pen.rounded_rectangle((p.left, p.top, p.right - 1, p.bottom - 1), 30, fill=self.product_colour)
        headline = self._text(pen, "headline", self.headline, self.headline_at, self.headline_size, self.ink)
        x, y = self.button_at
        button = Box(left=x, top=y, right=x + 220, bottom=y + 60)
        pen.rounded_rectangle((x, y, x + 219, y + 59), 30, fill="#15201d")
        cta = self._text(pen, "cta", (self.cta,), (x + 30, y + 16), 24, "#faf7f0")
        wordmark = self._text(pen, "wordmark", ("norda",), self.wordmark_at, 34, self.ink)
        if self.noise:
            dither = np.random.default_rng(5).integers(-self.noise, self.noise + 1, (640, 640, 3))
            image = Image.fromarray(np.clip(np.asarray(image, dtype=np.int16) + dither, 0, 255).astype(np.uint8))
        composition = Composition(
            width=640,
            height=640,
            product=self.product,
            logo=None,
            button=button,
            texts=(headline, cta, wordmark),
            safe=Box(left=32, top=32, right=608, bottom=608),
        )
        return image, composition

    def _text(
        self, pen: ImageDraw.ImageDraw, role: str, lines: tuple[str, ...], at: tuple[int, int], size: int, ink: str
    ) -> TextRun:
        font = ImageFont.load_default(size)
        x, top = at
        right, bottom = x, top
        for line in lines:
            _, _, line_right, lower = pen.textbbox((x, bottom), line, font=font)
            pen.text((x, bottom), line, font=font, fill=ink)
            right, bottom = max(right, int(line_right)), int(lower) + 4
        box = Box(left=x, top=top, right=right, bottom=bottom)
        return TextRun(role=role, text=" ".join(lines), lines=lines, box=box, size=float(size), ink=ink, font="default")

    def subject(self) -> Subject:
        """The advertisement as a generated asset with its lossless master."""
        image, composition = self.draw()
        return subject_of(image, name=self.name, composition=composition, levels=self.levels, placement=self.placement)


def subject_of(
    image: Image.Image,
    *,
    name: str,
    composition: Composition | None = None,
    levels: dict[str, str] | None = None,
    placement: Placement = SQUARE,
    origin: Origin = Origin.GENERATED,
    file_format: str = "png",
    locale: str = "en-US",
) -> Subject:
    """A subject around a picture, encoded and decoded as it would be in the store."""
    buffer = BytesIO()
    image.save(buffer, format=file_format.upper(), compress_level=1)
    data = buffer.getvalue()
    asset = Asset(
        id=name,
        campaign="norda",
        variant_id=f"v-{name}",
        placement=placement.name,
        levels=levels or {},
        locale=locale,
        width=image.width,
        height=image.height,
        sha256=bytes_id(data),
        media_type=f"image/{file_format}",
        origin=origin,
        scene_id=None,
        recipe=None,
        composition=composition,
        label=name.replace("-", " "),
        ai_made=False,
        seconds=0.1,
        created_at=datetime(2026, 6, 1, tzinfo=UTC),
    )
    return Subject(asset, lambda: Image.open(BytesIO(data)), len(data), placement, composition)


@pytest.fixture
def brand() -> BrandKit:
    """A brand of a green, an orange, an ink and a paper."""
    return BRAND


@pytest.fixture
def clean() -> Subject:
    """An advertisement without any violation."""
    return Ad().subject()


@pytest.fixture
def make_ad() -> Callable[..., Subject]:
    """Makes an advertisement with the named parts changed."""

    def make(name: str = "spoilt", **changes: object) -> Subject:
        return replace(Ad(), name=name, **changes).subject()  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_subject() -> Callable[..., Subject]:
    """Makes a subject around a picture of one's own."""
    return subject_of


@pytest.fixture
def grades() -> Callable[[Assessment], dict[str, Grade]]:
    """The grade of each criterion in an assessment (the worst, where there are several)."""

    def by_criterion(assessment: Assessment) -> dict[str, Grade]:
        found: dict[str, Grade] = {}
        for verdict in assessment.verdicts:
            known = found.get(verdict.criterion, Grade.PASS)
            found[verdict.criterion] = max(known, verdict.grade, key=lambda grade: grade.severity)
        return found

    return by_criterion
