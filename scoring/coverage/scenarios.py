"""Which combinations of a plan's levels no approved asset serves, and which variants would fill a gap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, product

from proofsheet.domain.asset import Asset, Recipe, Variant
from proofsheet.domain.campaign import Brief, Level
from proofsheet.domain.coverage import Asked, AxisCoverage, Cell, Gap
from scoring.coverage.axes import UNCLEAR, Axis
from scoring.coverage.targets import Coverage

#: Factors that make a scenario: whom an ad speaks to, where it plays, how it looks, in which language.
SCENARIO = ("audience", "scene", "style", "locale")
_MOST_CELLS = 2_000
_MOST_TRIED = 5_000
_MOST_PROPOSED = 24


def scenario_factors(brief: Brief) -> tuple[str, ...]:
    """The factors of a scenario that the brief varies."""
    return tuple(name for name in SCENARIO if len(brief.factor(name).levels) > 1)


def cells_of(
    brief: Brief,
    variants: Sequence[Variant],
    assets: Sequence[Asset],
    approved: set[str],
    as_asked: Mapping[str, bool | None],
) -> tuple[Cell, ...]:
    """Every combination of the scenario factors' levels, in the brief's order; none where the brief varies none.

    Args:
        brief: with the factors.
        variants: of the plan.
        assets: made for it.
        approved: ids of approved assets.
        as_asked: by id, whether the asset's picture seems to show what its prompt asks for; None where it asks nothing.
    """
    factors = scenario_factors(brief)
    if not factors:
        return ()

    def key(levels: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(levels.get(name, "") for name in factors)

    planned = Counter(key(variant.levels) for variant in variants)
    made, passed = Counter[tuple[str, ...]](), Counter[tuple[str, ...]]()
    right: dict[tuple[str, ...], list[bool]] = {}
    for asset in assets:
        at = key(asset.levels)
        made[at] += 1
        if asset.id in approved:
            passed[at] += 1
            if (seen := as_asked.get(asset.id)) is not None:
                right.setdefault(at, []).append(seen)
    names = [[level.name for level in brief.factor(name).levels] for name in factors]
    return tuple(
        Cell(
            levels=dict(zip(factors, at, strict=True)),
            planned=planned[at],
            made=made[at],
            approved=passed[at],
            as_asked=sum(right[at]) if at in right else None,
        )
        for at in islice(product(*names), _MOST_CELLS)
    )


def asked_of(axis: Axis, requested: Sequence[str], perceived: Sequence[str]) -> tuple[Asked, ...]:
    """How often pictures whose prompt asks for a value seem to show it; prompts that ask for none are left out."""
    pairs = Counter(pair for pair in zip(requested, perceived, strict=True) if pair[0] != UNCLEAR)
    order = {name: place for place, name in enumerate(axis.names)}
    return tuple(
        Asked(axis=axis.name, requested=one, perceived=other, count=count)
        for (one, other), count in sorted(pairs.items(), key=lambda pair: (order[pair[0][0]], order[pair[0][1]]))
    )


def prompt_of(recipe: Recipe, brief: Brief) -> str:
    """Everything said about an asset's scene: its prompt, and the words of its audience, scene and style."""
    words = [recipe.scene.prompt]
    for name in ("audience", "scene", "style"):
        level = next((one for one in brief.factor(name).levels if one.name == recipe.levels.get(name)), None)
        words.append(level.prompt if level else "")
    return ". ".join(word for word in words if word)


def scenario_gaps(brief: Brief, cells: Sequence[Cell], variants: Sequence[Variant]) -> tuple[Gap, ...]:
    """What to do about each cell that no approved asset serves."""
    gaps = []
    for cell in cells:
        if cell.approved:
            continue
        named = " × ".join(f"{name} {level}" for name, level in cell.levels.items())
        if not cell.planned:
            variant = Variant(levels={**_reference(brief), **cell.levels})
            gaps.append(Gap(what=f"{named}: not in the plan.", remedy="Add this variant.", variants=(variant,)))
        elif not cell.made:
            gaps.append(Gap(what=f"{named}: planned, and not made yet.", remedy="Make it: proofsheet generate"))
        else:
            gaps.append(
                Gap(
                    what=f"{named}: {cell.made} assets made, none approved.",
                    remedy="Review them: proofsheet review; where all are rejected, change the level's prompt.",
                )
            )
    return tuple(gaps)


def share_gaps(
    axis: Axis, coverage: AxisCoverage, brief: Brief, variants: Sequence[Variant], example: str
) -> tuple[Gap, ...]:
    """What to do about each value that is shown too rarely.

    The variants proposed are combinations of the brief's levels, not planned yet, whose words ask for the value: as
    many as would bring the share to its target if each showed it.

    Args:
        axis: of the report.
        coverage: the axis's report.
        brief: with the levels to combine.
        variants: of the plan.
        example: what to write into a level's prompt, with ``{}`` for the value's words.
    """
    gaps = []
    for row in coverage.values:
        too_rare = row.verdict == Coverage.NOT_MET and row.share is not None and row.share < (row.least or 0.0)
        if not too_rare or row.target is None or row.share is None or row.value == UNCLEAR:
            continue
        wanted = max(1, math.ceil(coverage.n * (row.target - row.share) / max(1.0 - row.target, 0.05)))
        found = _asking_for(axis, row.value, brief, variants, min(wanted, _MOST_PROPOSED))
        what = f"{axis.title}: {row.title} is shown by {row.share:.0%} of pictures, {row.target:.0%} are asked for."
        if found:
            gaps.append(Gap(what=what, remedy=f"About {wanted} more pictures of it are needed.", variants=found))
        else:
            value = next(one for one in axis.values if one.name == row.value)
            words = (value.words or (value.title,))[0]
            gaps.append(
                Gap(
                    what=what,
                    remedy=f"About {wanted} more are needed, and no other level of the brief asks for it. Add one, "
                    f"such as: {example.format(words)}",
                )
            )
    return tuple(gaps)


def _asking_for(axis: Axis, value: str, brief: Brief, variants: Sequence[Variant], most: int) -> tuple[Variant, ...]:
    """Combinations of audience, scene and style that are not planned and ask for the value."""
    factors = ("audience", "scene", "style")
    planned = {variant.id for variant in variants}
    found: list[Variant] = []
    combined: Sequence[Sequence[Level]] = [brief.factor(name).levels for name in factors]
    for levels in islice(product(*combined), _MOST_TRIED):
        if axis.asked_for(". ".join(level.prompt for level in levels)) != value:
            continue
        named = {name: level.name for name, level in zip(factors, levels, strict=True)}
        others = [brief.factor(name).levels for name in ("headline", "layout")]
        for words in product(*others):
            rest = {name: level.name for name, level in zip(("headline", "layout"), words, strict=True)}
            variant = Variant(levels={**_reference(brief), **named, **rest})
            if variant.id not in planned:
                found.append(variant)
                planned.add(variant.id)
                break
        if len(found) >= most:
            break
    return tuple(found)


def _reference(brief: Brief) -> dict[str, str]:
    return {factor.name: factor.levels[0].name for factor in brief.factors}
