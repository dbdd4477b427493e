"""Assignment of units to arms by a salted hash: stable, stateless, and independent between experiments."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from proofsheet.domain.experiment import Arm
from proofsheet.errors import InputError


def assign(unit: str, salt: str, arms: Sequence[Arm]) -> str:
    """The name of the arm of a unit.

    The first 53 bits of SHA-256 over the salt and the unit (each preceded by its length, so that no two pairs share a
    text) give a point in [0, 1); the arms' weights, in their order, divide that range.

    Args:
        unit: what is assigned, such as a user id.
        salt: the experiment's id; another salt gives an independent assignment.
        arms: names and weights; an arm of weight 0 gets no units.

    Raises:
        InputError: no arm has a positive weight, or a weight is negative or not finite.
    """
    total = math.fsum(arm.weight for arm in arms)
    if not total > 0 or any(not math.isfinite(arm.weight) or arm.weight < 0 for arm in arms):
        raise InputError(
            f"The weights {[arm.weight for arm in arms]} do not divide the traffic.",
            "Give weights of 0 or more, at least one of them positive.",
        )
    point = share_of(unit, salt) * total
    chosen = ""
    passed = 0.0
    for arm in arms:
        if not arm.weight:
            continue
        passed += arm.weight
        chosen = arm.name
        if point < passed:
            break
    return chosen


def share_of(unit: str, salt: str) -> float:
    """The unit's point in [0, 1) under a salt."""
    text = f"{len(salt)}:{salt}|{len(unit)}:{unit}".encode()
    return (int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 11) / float(1 << 53)
