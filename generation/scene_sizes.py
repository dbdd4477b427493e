"""The sizes scenes are drawn in: placements of nearly the same shape share one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from proofsheet.domain.campaign import Placement

#: The shapes scenes are drawn in, as width ÷ height; a placement takes the one that is nearest by proportion.
BUCKETS: dict[str, float] = {
    "1:4": 160 / 600,
    "1:2": 1 / 2,
    "9:16": 9 / 16,
    "2:3": 2 / 3,
    "4:5": 4 / 5,
    "1:1": 1.0,
    "6:5": 6 / 5,
    "1.91:1": 1200 / 628,
    "4:1": 970 / 250,
    "6:1": 320 / 50,
    "8:1": 728 / 90,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneFormat:
    """What the scenes of some placements have in common: their size, and the placement that says where things stand."""

    bucket: str
    width: int
    height: int
    representative: Placement


def bucket_of(placement: Placement) -> str:
    """The name of the shape nearest to a placement's, by the logarithm of the ratio."""
    return min(BUCKETS, key=lambda name: abs(math.log(placement.ratio / BUCKETS[name])))


def scene_formats(
    placements: Sequence[Placement], *, size_multiple: int = 1, max_side: int | None = None
) -> dict[str, SceneFormat]:
    """The scene format of each placement, by the placement's name.

    A scene is as large as the largest placement of its bucket needs; where that is more than ``max_side``, it is
    smaller and will be enlarged. The representative is the placement whose interface leaves the least room free:
    what stands well there stands well in the others.

    Args:
        placements: those a campaign is made for.
        size_multiple: both sides become multiples of it.
        max_side: the longest side allowed, pixels.
    """
    groups: dict[str, list[Placement]] = {}
    for placement in placements:
        groups.setdefault(bucket_of(placement), []).append(placement)
    formats = {}
    for bucket, members in groups.items():
        width, height = _size(members, BUCKETS[bucket], size_multiple, max_side)
        representative = min(members, key=lambda member: (round(_free_share(member), 6), member.name))
        for member in members:
            formats[member.name] = SceneFormat(bucket=bucket, width=width, height=height, representative=representative)
    return formats


def _size(members: Sequence[Placement], ratio: float, multiple: int, max_side: int | None) -> tuple[int, int]:
    """The smallest size of this ratio that covers every member, in multiples and within the longest side."""
    exact = {(member.width, member.height) for member in members}
    if len(exact) == 1:
        width, height = (float(side) for side in exact.pop())
    else:
        width = max(max(member.width, member.height * ratio) for member in members)
        height = width / ratio
    scale = min(1.0, max_side / max(width, height)) if max_side else 1.0
    return _rounded(width * scale, multiple, max_side), _rounded(height * scale, multiple, max_side)


def _rounded(side: float, multiple: int, max_side: int | None) -> int:
    """The next multiple, or the one before where the next one is too long."""
    up = math.ceil(round(side / multiple, 6)) * multiple
    if max_side and up > max_side:
        return max(max_side // multiple, 1) * multiple
    return up


def _free_share(placement: Placement) -> float:
    area = placement.safe_area
    return (1 - area.left - area.right) * (1 - area.top - area.bottom)
