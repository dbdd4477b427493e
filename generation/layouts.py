"""The layouts: visibly different ways to put product, words, button and logo on a scene."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from generation.composition import arrangements, strips
from generation.composition.arrangement import Arrangement, Frame, frame_of
from proofsheet.domain.campaign import Placement
from proofsheet.errors import InputError

Arrange = Callable[[Frame], Arrangement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A named layout; ``overlaps`` says that it sets the product before the headline on purpose."""

    name: str
    description: str
    in_room: Arrange
    in_strip: Arrange
    overlaps: bool = False

    def arrange(self, placement: Placement) -> Arrangement:
        """Where everything goes in a placement."""
        frame = frame_of(placement)
        return self.in_strip(frame) if frame.shape == "strip" else self.in_room(frame)


def _layout(name: str, in_room: Arrange, in_strip: Arrange, *, overlaps: bool = False) -> Layout:
    description = (in_room.__doc__ or "").strip()
    return Layout(name=name, description=description, in_room=in_room, in_strip=in_strip, overlaps=overlaps)


#: Every layout by name, in the order in which they are offered.
LAYOUTS: Mapping[str, Layout] = {
    layout.name: layout
    for layout in (
        _layout("column", arrangements.column, strips.column),
        _layout("centered", arrangements.centered, strips.centered),
        _layout("panel", arrangements.panel, strips.panel),
        _layout("hero", arrangements.hero, strips.hero),
        _layout("editorial", arrangements.editorial, strips.editorial, overlaps=True),
        _layout("frame", arrangements.frame, strips.frame),
    )
}


def layout_names() -> tuple[str, ...]:
    """The names of all layouts."""
    return tuple(LAYOUTS)


def layout(name: str) -> Layout:
    """The layout of that name.

    Raises:
        InputError: there is none; the hint lists the layouts.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    near = difflib.get_close_matches(name, LAYOUTS, n=1)
    raise InputError(
        f"The layout {name!r} is not known.",
        (f"Did you mean {near[0]!r}? " if near else "") + f"Known are: {', '.join(LAYOUTS)}.",
    )


def stand_for(layout_name: str, placement: Placement) -> tuple[float, float, float]:
    """Where a layout stands the product in a placement: x, y and width as shares (0–1) of the picture.

    A scene renderer draws its podium, table or floor there, so that scene and product belong together.

    Raises:
        InputError: there is no such layout.
    """
    arrangement = layout(layout_name).arrange(placement)
    x, y = arrangement.foot
    return (
        round(x / placement.width, 4),
        round(y / placement.height, 4),
        round(min(arrangement.stand_width / placement.width, 1.0), 4),
    )
