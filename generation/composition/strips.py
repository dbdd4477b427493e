"""The arrangements of the six layouts for strips: product, five words, button and logo in one line, nothing else."""

from __future__ import annotations

from generation.composition.arrangement import Arrangement, Block, Frame, Region

_IN_LINE = ("logo", "headline", "button")


def _strip(
    room: Frame,
    *,
    product_at: float,
    span: tuple[float, float],
    row: tuple[str, ...] = _IN_LINE,
    size: float = 0.4,
    block: Block | None = None,
    light_weight: bool = False,
    shade: tuple[float, float] | None = None,
) -> Arrangement:
    """``product_at`` and ``span`` are shares of the width: the product's middle, and where the line of words runs."""
    slot = 1.9 * _half_slot(room) * room.width
    foot_y = room.height * (0.93 if room.height >= 80 else 0.95)
    return Arrangement(
        foot=(product_at * room.width, foot_y),
        room_width=slot,
        room_height=0.84 * room.height,
        stand_width=slot,
        stack=Region(
            left=max(span[0] * room.width, room.left),
            top=room.top,
            right=min(span[1] * room.width, room.right),
            bottom=room.bottom,
            valign="middle",
        ),
        logo=Region(left=room.left, top=room.top, right=room.right, bottom=room.bottom, valign="middle"),
        headline_size=size * room.down,
        headline_lines=2,
        light_weight=light_weight,
        block=block,
        shade=shade,
        row=row,
    )


def column(room: Frame) -> Arrangement:
    """Logo, words and button, then the product at the right end."""
    half = _half_slot(room)
    return _strip(room, product_at=1 - half, span=(0, 1 - 2 * half))


def centered(room: Frame) -> Arrangement:
    """The product a third of the way along, words and button to its right, the logo on the left."""
    half = _half_slot(room)
    at = 0.2 + half
    return _strip(room, product_at=at, span=(at + half, 1), row=("headline", "button"))


def panel(room: Frame) -> Arrangement:
    """The product in the scene on the left, all words on a block of the brand's colour."""
    half = _half_slot(room)
    edge = 2 * half + 0.03
    block = Block(colour="panel", left=edge * room.width, top=0, right=room.width, bottom=room.height)
    return _strip(
        room,
        product_at=edge / 2,
        span=(edge + 0.3 * room.height / room.width, 1),
        row=("headline", "logo", "button"),
        block=block,
    )


def hero(room: Frame) -> Arrangement:
    """The product first, then words, button and logo, on a dark shade."""
    half = _half_slot(room)
    return _strip(
        room,
        product_at=half,
        span=(2 * half, 1),
        row=("headline", "logo", "button"),
        size=0.36,
        shade=(-0.8 * room.height, 0.9 * room.height),
    )


def editorial(room: Frame) -> Arrangement:
    """Large words in the lighter weight lead; product near the end, before the button."""
    half = _half_slot(room)
    return _strip(
        room,
        product_at=1 - half,
        span=(0, 1 - 2 * half),
        row=("headline", "logo", "button"),
        size=0.5,
        light_weight=True,
    )


def frame(room: Frame) -> Arrangement:
    """A small framed picture with the product on the left, words on paper."""
    half = _half_slot(room)
    border = 0.09 * room.height
    right = 2 * half + 0.03
    block = Block(
        colour="paper",
        left=border,
        top=border,
        right=right * room.width,
        bottom=room.height - border,
        window=True,
        radius=0.06 * room.height,
    )
    return _strip(
        room,
        product_at=(right * room.width + border) / 2 / room.width,
        span=(right + 0.3 * room.height / room.width, 1),
        row=("logo", "headline", "button"),
        block=block,
    )


def _half_slot(room: Frame) -> float:
    """Half of the product's slot as a share of the width."""
    return max(0.055, 0.45 * room.height / room.width)
