"""The vocabulary of a layout: the frame of a placement, regions in it, and the arrangement of one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

from proofsheet.domain.asset import Box
from proofsheet.domain.campaign import Placement

#: What the room inside a placement's margins looks like, by width ÷ height.
SHAPES = ("pillar", "portrait", "square", "wide", "strip")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A room in pixels with the corner its content keeps to."""

    left: float
    top: float
    right: float
    bottom: float
    align: str = "left"  # "left" | "center" | "right"
    valign: str = "top"  # "top" | "middle" | "bottom"

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.bottom - self.top

    def corner(self, width: float, height: float) -> tuple[float, float]:
        """Where something of this size stands in the region: its left and top."""
        x = {"left": 0.0, "center": (self.width - width) / 2, "right": self.width - width}[self.align]
        y = {"top": 0.0, "middle": (self.height - height) / 2, "bottom": self.height - height}[self.valign]
        return self.left + x, self.top + y


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A placement as the layouts see it: its size, the free room inside margins and safe area, and a unit of length.

    ``unit`` is the geometric mean of the free room's sides; type, buttons and gaps are shares of it.
    """

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    safe: Box
    covered_below: float  # share of the picture that the platform may cover at the bottom

    @property
    def across(self) -> float:
        """Width of the free room."""
        return self.right - self.left

    @property
    def down(self) -> float:
        """Height of the free room."""
        return self.bottom - self.top

    @property
    def unit(self) -> float:
        """The unit of length, pixels."""
        return math.sqrt(self.across * self.down)

    @property
    def shape(self) -> str:
        """One of SHAPES."""
        ratio = self.across / self.down
        if ratio < 0.45:
            return "pillar"
        if ratio < 0.85:
            return "portrait"
        if ratio < 1.35:
            return "square"
        return "wide" if ratio < 5.5 else "strip"

    def x(self, share: float) -> float:
        """The place of a share of the free room's width."""
        return self.left + share * self.across

    def y(self, share: float) -> float:
        """The place of a share of the free room's height."""
        return self.top + share * self.down

    @property
    def logo_height(self) -> float:
        """The height of the logo's row."""
        return {"strip": 0.30 * self.down, "pillar": 0.11 * self.across + 6}.get(self.shape, 0.052 * self.unit)

    @property
    def button_height(self) -> float:
        """The height of the button."""
        if self.shape == "strip":
            return min(max(0.46 * self.down, 24.0), self.down)
        # On a phone a picture this large is shown smaller, and the label must stay readable there.
        on_phone = 0.0516 * self.width if min(self.width, self.height) >= 600 else 0.0
        return max(0.08 * self.unit, 26.0, on_phone)

    @property
    def gap(self) -> float:
        """The usual distance between things that belong together."""
        return max(0.042 * self.unit, 8.0)


def frame_of(placement: Placement) -> Frame:
    """The frame of a placement: margins of 6.5 % of the shorter side, or what the platform covers if that is more."""
    width, height = placement.width, placement.height
    ratio = width / height
    margin = min(width, height) * (0.12 if ratio > 5 else 0.075 if ratio < 0.4 else 0.065)
    left, top, right, bottom = placement.safe_area.box(width, height)
    inset = 2 + 0.003 * min(width, height)  # so that rounding and soft edges stay inside too
    return Frame(
        width=width,
        height=height,
        left=max(left + inset, margin * (1.2 if ratio > 5 else 1)),
        top=max(top + inset, margin),
        right=min(right - inset, width - margin * (1.2 if ratio > 5 else 1)),
        bottom=min(bottom - inset, height - margin),
        safe=Box(left=left, top=top, right=right, bottom=bottom),
        covered_below=placement.safe_area.bottom,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A ground drawn over the scene: the brand's colour, or paper with a window through which the scene is seen."""

    colour: str  # "panel" | "paper"
    left: float
    top: float
    right: float
    bottom: float
    window: bool = False  # the box is what stays open, everything around it is covered
    radius: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """Where everything goes in one placement, before the words and the product's proportions are known.

    ``foot`` is the middle of the product's foot; ``room_width`` and ``room_height`` the most it may take.
    ``stack`` holds headline, offer and, unless ``button`` has a region of its own, the button below them. With
    ``row`` the stack is one line: logo, headline and button side by side, in that order.
    """

    foot: tuple[float, float]
    room_width: float
    room_height: float
    stand_width: float
    stack: Region
    logo: Region
    headline_size: float
    headline_lines: int = 3
    button: Region | None = None
    block: Block | None = None
    shade: tuple[float, float] | None = None  # a dark shade rises from the bottom: where it starts, where it is full
    light_weight: bool = False  # the text weight of the face, set very large
    overlap: bool = False  # the product stands before the headline on purpose
    grow: bool = False  # the stack may grow to the product's edge
    below: bool = False  # the product takes what the stack leaves below it
    row: tuple[str, ...] = ()
