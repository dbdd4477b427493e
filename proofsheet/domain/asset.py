"""Making nouns: the variant plan, the recipes, the scene and the asset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from proofsheet.domain.identity import content_id
from proofsheet.domain.prints import Print


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One combination of levels: a mapping of factor name to level name."""

    levels: Mapping[str, str]

    @property
    def id(self) -> str:
        """Eight hex digits, in every file name and in ``utm_content``: what joins reports to assets."""
        return content_id(self.levels, length=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignQuality:
    """How good a variant set is for estimating main effects.

    ``d_efficiency`` is relative to the full factorial of the same candidates (1 is as good per run; see
    generation.plan for the formula); ``aliases`` lists pairs of effects that are correlated, with the absolute
    correlation; ``balance`` gives, by factor, how often each level occurs.
    """

    kind: str  # "full" | "fraction"
    runs: int
    full_runs: int
    d_efficiency: float
    rank: int
    parameters: int
    aliases: tuple[tuple[str, str, float], ...] = ()
    balance: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantPlan:
    """The variant set of a campaign with its design quality and what it is expected to cost."""

    campaign: str
    campaign_id: str
    variants: tuple[Variant, ...]
    quality: DesignQuality
    placements: tuple[str, ...]
    backend: str
    model: str = ""
    seed: int = 1
    options: Mapping[str, str | int | float] = field(default_factory=dict)  # the backend's, such as steps

    @property
    def id(self) -> str:
        """The hash of the plan."""
        return content_id(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecipe:
    """Everything that decides a scene's pixels; its hash is the scene's id.

    ``scene`` and ``style`` are level names with their ``params`` resolved; ``palette`` is the brand's colours as
    ``#rrggbb`` in the order of the brand kit, for renderers that can be told colours.
    """

    backend: str
    model: str
    revision: str
    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    guidance: float
    width: int
    height: int
    scene: str
    style: str
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    palette: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The hash of the recipe."""
        return content_id(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that decides an asset: the scene, and what is composed on top; its hash is the asset's id."""

    campaign: str
    variant_id: str
    levels: Mapping[str, str]
    scene: SceneRecipe
    placement: str
    layout: str
    locale: str
    headline: str
    cta: str
    product_sha256: str
    brand_id: str
    composer: str  # version of the composer: a new one makes new assets
    layout_params: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The hash of the recipe."""
        return content_id(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A drawn scene: its recipe, its bytes by hash, what drawing it took, and what its backend noted."""

    recipe: SceneRecipe
    sha256: str
    seconds: float
    cost: Decimal
    currency: str
    drawn_at: datetime
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The recipe's id."""
        return self.recipe.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in pixels: right and bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.bottom - self.top

    def overlaps(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """Text as it was set: where, how large, in which ink."""

    role: str  # "headline" | "cta" | "offer" | "wordmark"
    text: str
    lines: tuple[str, ...]
    box: Box
    size: float  # pixels of the em
    ink: str  # "#rrggbb"
    font: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """Where everything stands on an asset, known because we composed it; scorers and the dashboard draw on it."""

    width: int
    height: int
    product: Box
    logo: Box | None
    button: Box | None
    texts: tuple[TextRun, ...]
    safe: Box
    intended_overlaps: tuple[str, ...] = ()  # roles of texts that the product stands before on purpose
    prints: tuple[Print, ...] = ()  # how product, logo and texts looked when they were drawn


class Origin(StrEnum):
    """How an asset came to be."""

    GENERATED = "generated"
    UPLOADED = "uploaded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One finished picture for one placement.

    ``id`` is the recipe's id for a generated asset, and the hash of campaign, placement and bytes for an upload.
    ``cost`` is what this asset alone cost (its share of the scene is in the ledger by scene).
    """

    id: str
    campaign: str
    variant_id: str
    placement: str
    levels: Mapping[str, str]
    locale: str
    width: int
    height: int
    sha256: str
    media_type: str  # "image/png" …
    origin: Origin
    scene_id: str | None
    recipe: Recipe | None
    composition: Composition | None
    label: str
    ai_made: bool
    seconds: float
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CostEntry:
    """One line of the append-only ledger: every action that costs writes one, once.

    ``key`` makes it idempotent: a second entry with the same key is not written. ``source`` says where the price
    comes from.
    """

    key: str
    campaign: str
    what: str  # "scene" | "compose" | "upload" | "review" | "media" …
    quantity: Decimal
    unit: str
    unit_price: Decimal
    amount: Decimal
    currency: str
    asset_id: str | None = None
    scene_id: str | None = None
    source: str = ""
    at: datetime | None = None
