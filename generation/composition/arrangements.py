"""The arrangements of the six layouts for all shapes but strips."""

from __future__ import annotations

from generation.composition.arrangement import Arrangement, Block, Frame, Region


def _below_logo(frame: Frame) -> float:
    return frame.top + frame.logo_height + frame.gap


def _logo(frame: Frame, align: str = "left", valign: str = "top") -> Region:
    return Region(left=frame.left, top=frame.top, right=frame.right, bottom=frame.bottom, align=align, valign=valign)


def _pillar(frame: Frame, align: str, **extra: object) -> dict[str, object]:
    """What stacked arrangements in a narrow, tall room share: words above, product below."""
    return {
        "foot": (frame.x(0.5), frame.y(0.95)),
        "room_width": 0.9 * frame.across,
        "room_height": 0.5 * frame.down,
        "stand_width": 0.86 * frame.across,
        "stack": Region(
            left=frame.left,
            top=_below_logo(frame) + frame.gap,
            right=frame.right,
            bottom=frame.y(0.45),
            align=align,
            valign="middle",
        ),
        "logo": _logo(frame, align),
        "headline_size": 0.24 * frame.across,
        "below": True,
        **extra,
    }


def column(frame: Frame) -> Arrangement:
    """Words in a column on the left, the product on the right."""
    if frame.shape == "pillar":
        return Arrangement(**_pillar(frame, "left"))  # type: ignore[arg-type]
    wide = frame.shape == "wide"
    return Arrangement(
        foot=(frame.x(0.79 if wide else 0.77), frame.y(0.95 if wide else 0.93)),
        room_width=(0.41 if wide else 0.46) * frame.across,
        room_height=min((0.8 if wide else 0.62) * frame.height, (0.95 if wide else 0.86) * frame.down),
        stand_width=(0.3 if wide else 0.41) * frame.across,
        stack=Region(
            left=frame.left,
            top=_below_logo(frame),
            right=frame.x(0.56 if wide else 0.46),
            bottom=frame.bottom if wide else frame.y(0.93),
            valign="bottom" if wide else "middle",
        ),
        logo=_logo(frame),
        headline_size=(0.125 if wide else 0.098) * frame.unit,
        grow=True,
    )


def centered(frame: Frame) -> Arrangement:
    """Logo, headline and button in the middle, the product standing below them."""
    if frame.shape == "pillar":
        return Arrangement(**_pillar(frame, "center"))  # type: ignore[arg-type]
    if frame.shape == "wide":
        return Arrangement(
            foot=(frame.x(0.5), frame.y(0.95)),
            room_width=0.3 * frame.across,
            room_height=min(0.82 * frame.height, 0.95 * frame.down),
            stand_width=0.27 * frame.across,
            stack=Region(left=frame.left, top=frame.top, right=frame.x(0.37), bottom=frame.bottom, valign="middle"),
            button=Region(
                left=frame.x(0.66),
                top=frame.top,
                right=frame.right,
                bottom=frame.bottom,
                align="right",
                valign="middle",
            ),
            logo=_logo(frame, "right"),
            headline_size=0.1 * frame.unit,
            headline_lines=3,
        )
    return Arrangement(
        foot=(frame.x(0.5), frame.y(0.965)),
        room_width=0.62 * frame.across,
        room_height=0.58 * frame.height,
        stand_width=0.56 * frame.across,
        stack=Region(
            left=frame.x(0.03), top=_below_logo(frame), right=frame.x(0.97), bottom=frame.y(0.46), align="center"
        ),
        logo=_logo(frame, "center"),
        headline_size=0.092 * frame.unit,
        headline_lines=2,
        below=True,
    )


def panel(frame: Frame) -> Arrangement:
    """A block of the brand's colour holds the words; the scene with the product takes the rest."""
    if frame.shape == "pillar":
        edge = frame.y(0.37)
        block = Block(colour="panel", left=0, top=0, right=frame.width, bottom=edge)
        return Arrangement(
            **_pillar(
                frame,
                "left",
                block=block,
                stack=Region(
                    left=frame.left,
                    top=_below_logo(frame) + frame.gap,  # type: ignore[arg-type]
                    right=frame.right,
                    bottom=edge - frame.gap,
                    valign="middle",
                ),
                room_height=0.53 * frame.down,
                below=False,
            )
        )
    if frame.shape == "wide" or frame.covered_below > 0.2:
        return _side_panel(frame)
    inset, size = 0.058 * frame.unit, 0.086 * frame.unit
    words = inset + 2.1 * size + 1.6 * frame.gap + frame.button_height
    edge = min(frame.height * 0.645, frame.bottom - words)
    return Arrangement(
        foot=(frame.x(0.5), edge - 0.05 * frame.height),
        room_width=0.66 * frame.across,
        room_height=edge - 0.05 * frame.height - 0.9 * frame.top,
        stand_width=0.56 * frame.across,
        stack=Region(
            left=frame.left,
            top=edge + inset,
            right=frame.right,
            bottom=frame.bottom - frame.button_height - 0.8 * frame.gap,
        ),
        button=Region(left=frame.left, top=edge + inset, right=frame.right, bottom=frame.bottom, valign="bottom"),
        logo=Region(
            left=frame.left,
            top=frame.bottom - frame.button_height,
            right=frame.right,
            bottom=frame.bottom,
            align="right",
            valign="middle",
        ),
        headline_size=size,
        headline_lines=2,
        block=Block(colour="panel", left=0, top=edge, right=frame.width, bottom=frame.height),
    )


def _side_panel(frame: Frame) -> Arrangement:
    wide = frame.shape == "wide"
    edge = frame.width * (0.46 if wide else 0.485)
    return Arrangement(
        foot=((edge + frame.width) / 2, frame.y(0.95 if wide else 0.93)),
        room_width=0.86 * (frame.width - edge),
        room_height=min(0.8 * frame.height, 0.95 * frame.down),
        stand_width=0.62 * (frame.width - edge),
        stack=Region(
            left=frame.left,
            top=_below_logo(frame) + frame.gap,
            right=edge - 0.06 * frame.unit,
            bottom=frame.bottom,
            valign="bottom",
        ),
        logo=_logo(frame),
        headline_size=0.11 * frame.unit if wide else 0.085 * frame.unit,
        block=Block(colour="panel", left=0, top=0, right=edge, bottom=frame.height),
    )


def hero(frame: Frame) -> Arrangement:
    """The product very large; small type at the foot of the picture, on a dark shade."""
    if frame.shape == "pillar":
        return Arrangement(
            foot=(frame.x(0.5), frame.y(0.63)),
            room_width=1.0 * frame.across,
            room_height=0.55 * frame.down,
            stand_width=0.86 * frame.across,
            stack=Region(left=frame.left, top=frame.y(0.69), right=frame.right, bottom=frame.bottom, valign="bottom"),
            logo=_logo(frame),
            headline_size=0.2 * frame.across,
            shade=(frame.y(0.5), frame.y(0.76)),
        )
    if frame.shape == "wide":
        return Arrangement(
            foot=(frame.x(0.5), frame.y(0.98)),
            room_width=0.34 * frame.across,
            room_height=min(0.86 * frame.height, 1.0 * frame.down),
            stand_width=0.3 * frame.across,
            stack=Region(left=frame.left, top=frame.y(0.4), right=frame.x(0.34), bottom=frame.bottom, valign="bottom"),
            button=Region(
                left=frame.x(0.66),
                top=frame.top,
                right=frame.right,
                bottom=frame.bottom,
                align="right",
                valign="bottom",
            ),
            logo=_logo(frame),
            headline_size=0.078 * frame.unit,
            shade=(frame.height * 0.42, frame.height * 1.02),
        )
    line = frame.y(0.835)
    return Arrangement(
        foot=(frame.x(0.5), frame.y(0.775)),
        room_width=0.8 * frame.across,
        room_height=min(0.66 * frame.height, 0.775 * frame.down - frame.logo_height - 0.5 * frame.gap),
        stand_width=0.62 * frame.across,
        stack=Region(left=frame.left, top=line, right=frame.x(0.6), bottom=frame.bottom, valign="middle"),
        button=Region(
            left=frame.x(0.64), top=line, right=frame.right, bottom=frame.bottom, align="right", valign="middle"
        ),
        logo=_logo(frame),
        headline_size=0.062 * frame.unit,
        headline_lines=2,
        shade=(frame.y(0.44), frame.y(0.92)),
    )


def editorial(frame: Frame) -> Arrangement:
    """An oversized headline in the face's lighter weight; the product stands in front of its last line."""
    if frame.shape == "pillar":
        return Arrangement(
            foot=(frame.x(0.5), frame.y(0.86)),
            room_width=0.95 * frame.across,
            room_height=0.5 * frame.down,
            stand_width=0.86 * frame.across,
            stack=Region(left=frame.left, top=_below_logo(frame) + frame.gap, right=frame.right, bottom=frame.y(0.4)),
            button=_logo(frame, "left", "bottom"),
            logo=_logo(frame),
            headline_size=0.34 * frame.across,
            light_weight=True,
            below=True,
        )
    wide = frame.shape == "wide"
    return Arrangement(
        foot=(frame.x(0.8 if wide else 0.74), frame.y(0.96 if wide else 0.945)),
        room_width=(0.36 if wide else 0.5) * frame.across,
        room_height=min((0.8 if wide else 0.6) * frame.height, (0.95 if wide else 0.72) * frame.down),
        stand_width=(0.3 if wide else 0.46) * frame.across,
        stack=Region(
            left=frame.left,
            top=_below_logo(frame) + (0 if wide else 0.2 * frame.gap),
            right=frame.x(0.74) if wide else frame.right,
            bottom=frame.y(0.74) if wide else frame.y(0.45),
            valign="top",
        ),
        button=_logo(frame, "left", "bottom"),
        logo=_logo(frame),
        headline_size=(0.2 if wide else 0.175) * frame.unit,
        light_weight=True,
        overlap=True,
    )


def frame(frame: Frame) -> Arrangement:
    """The scene as a framed picture on the brand's paper, the words on the paper."""
    border = 0.045 * min(frame.width, frame.height)
    if frame.shape == "wide":
        edge = frame.width * 0.5
        return Arrangement(
            foot=((edge + frame.width - border) / 2, frame.height - border - 0.09 * frame.height),
            room_width=0.8 * (frame.width - edge - border),
            room_height=min(0.74 * frame.height, frame.down - 0.02 * frame.height),
            stand_width=0.6 * (frame.width - edge),
            stack=Region(
                left=frame.left,
                top=_below_logo(frame),
                right=edge - 0.07 * frame.unit,
                bottom=frame.bottom,
                valign="bottom",
            ),
            logo=_logo(frame),
            headline_size=0.115 * frame.unit,
            block=_window(edge, border, frame.width - border, frame.height - border, frame),
        )
    pillar = frame.shape == "pillar"
    top = frame.y(0.4) if pillar else frame.y(0.335)
    row = top - frame.gap
    return Arrangement(
        foot=(frame.x(0.5), min(frame.height - border - 0.055 * frame.height, frame.bottom - 4)),
        room_width=0.74 * frame.across,
        room_height=min(frame.height - border, frame.bottom)
        - top
        - (0.075 if pillar else 0.035 if frame.covered_below else 0.06) * frame.height,
        stand_width=(0.86 if pillar else 0.56) * frame.across,
        stack=Region(
            left=frame.left,
            top=_below_logo(frame) + frame.gap if pillar else frame.top,
            right=frame.right,
            bottom=row if pillar else row - frame.button_height - frame.gap,
            valign="middle",
        ),
        button=None
        if pillar
        else Region(
            left=frame.left, top=row - frame.button_height, right=frame.right, bottom=row, align="left", valign="middle"
        ),
        logo=_logo(frame)
        if pillar
        else Region(
            left=frame.left,
            top=row - frame.button_height,
            right=frame.right,
            bottom=row,
            align="right",
            valign="middle",
        ),
        headline_size=0.2 * frame.across if pillar else 0.086 * frame.unit,
        headline_lines=3 if pillar else 2,
        block=_window(border, top, frame.width - border, frame.height - border, frame),
    )


def _window(left: float, top: float, right: float, bottom: float, room: Frame) -> Block:
    return Block(colour="paper", left=left, top=top, right=right, bottom=bottom, window=True, radius=0.02 * room.unit)
