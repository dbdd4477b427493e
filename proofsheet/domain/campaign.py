"""Campaign nouns: the brief, the brand kit and the placements it is made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from proofsheet.domain.coverage import CoverageGoal
from proofsheet.domain.identity import canonical, content_id
from proofsheet.domain.money import Money

#: The factors a plan may vary, in the order in which they are always written.
FACTORS = ("scene", "style", "layout", "headline", "cta", "audience", "locale")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeArea:
    """What a platform's interface may cover, as shares (0–1) of the picture from each edge."""

    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    left: float = 0.0

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The free rectangle in pixels: left, top, right, bottom (right and bottom exclusive)."""
        return (
            round(self.left * width),
            round(self.top * height),
            width - round(self.right * width),
            height - round(self.bottom * height),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """One slot of an ad platform: its size, limits and safe area, with the source of that reading."""

    name: str
    platform: str
    title: str
    width: int
    height: int
    safe_area: SafeArea
    max_bytes: int
    formats: tuple[str, ...]  # lower-case Pillow names: "jpeg", "png"
    headline_chars: int | None = None
    source: str = ""
    checked_on: date | None = None
    conflicts: tuple[str, ...] = ()  # where sources disagree, and which reading was taken

    @property
    def ratio(self) -> float:
        """Width divided by height."""
        return self.width / self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class PaletteColour:
    """One brand colour: ``hex`` is ``#rrggbb`` in lower case; role says what it is for.

    Roles: ``primary``, ``secondary``, ``accent``, ``ink`` (text), ``paper`` (light ground), ``support``.
    """

    name: str
    hex: str
    role: str = "support"

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0–255."""
        return int(self.hex[1:3], 16), int(self.hex[3:5], 16), int(self.hex[5:7], 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandKit:
    """What makes the brand recognisable, and the rules it keeps.

    ``logo`` is a picture with transparency, or None: then ``wordmark`` is set in the headline face.
    ``clear_space`` is the free room around the logo, as a share of the logo's height.
    ``headline_font`` and ``body_font`` name a bundled family or give the path of a font file.
    """

    name: str
    palette: tuple[PaletteColour, ...]
    wordmark: str
    logo: Path | None = None
    clear_space: float = 0.5
    headline_font: str = "manrope"
    body_font: str = "manrope"
    tone: tuple[str, ...] = ()
    descriptors: tuple[str, ...] = ()  # phrases a brand-fit score compares pictures with
    references: tuple[Path, ...] = ()
    forbidden_words: tuple[str, ...] = ()

    def colour(self, role: str) -> PaletteColour | None:
        """The first colour with this role, or None."""
        return next((colour for colour in self.palette if colour.role == role), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is advertised: its name and its picture, with a transparent or a plain background."""

    name: str
    image: Path
    description: str = ""
    kind: str = ""  # how it stands: "bottle", "box", "shoe" …; goes into alternative texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One level of a factor.

    ``name`` is short, lower-case and unique in its factor (it goes into file names and reports). ``prompt`` is what
    the level adds to the prompt (scene, style, audience). ``texts`` holds the words to set by locale (headline, cta).
    ``params`` are plain values for the renderer or the layout, such as ``{"kind": "arch_podium"}``.
    """

    name: str
    prompt: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """Something a plan varies, with its levels; the first level is the reference."""

    name: str
    levels: tuple[Level, ...]

    def level(self, name: str) -> Level:
        """The level of that name. Raises KeyError when there is none."""
        for level in self.levels:
            if level.name == name:
                return level
        raise KeyError(f"{self.name} has no level {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the marketer asks for, as read from a brief file.

    ``factors`` are always all of FACTORS, in that order; one that is not varied has one level.
    ``budget`` caps what generation may cost; ``max_variants`` caps the variant set.
    ``coverage`` says what the pictures together should show; without it nothing is asked of them.
    ``daily_impressions`` and ``baseline_rate`` serve the test's design; ``media_budget`` is the test's spend.
    """

    slug: str
    name: str
    objective: str
    product: Product
    message: str
    offer: str
    audience: str
    placements: tuple[str, ...]
    locales: tuple[str, ...]
    factors: tuple[Factor, ...]
    must: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    max_variants: int = 12
    budget: Money | None = None
    media_budget: Money | None = None
    seed: int = 1
    seeds_per_scene: int = 1
    start: date | None = None
    days: int = 14
    daily_impressions: int = 10_000
    baseline_rate: float = 0.01
    minimum_lift: float = 0.10
    destination: str = ""  # the landing page, for tracking parameters
    offers: Mapping[str, str] = field(default_factory=dict)  # the offer by locale; ``offer`` is the first
    coverage: tuple[CoverageGoal, ...] = ()

    def factor(self, name: str) -> Factor:
        """The factor of that name. Raises KeyError when there is none."""
        for factor in self.factors:
            if factor.name == name:
                return factor
        raise KeyError(f"The brief has no factor {name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A brief with its brand kit: everything that a plan is made from."""

    brief: Brief
    brand: BrandKit

    @property
    def slug(self) -> str:
        """The campaign's name in commands, file names and reports."""
        return self.brief.slug

    @property
    def id(self) -> str:
        """The hash of brief and brand kit."""
        return content_id({"brief": brief_content(self.brief), "brand": self.brand})


def brief_content(brief: Brief) -> dict[str, Any]:
    """A brief as its hash takes it: goals of coverage only where there are any, so that older briefs keep their ids."""
    content: dict[str, Any] = canonical(brief)
    if not brief.coverage:
        del content["coverage"]
    return content
