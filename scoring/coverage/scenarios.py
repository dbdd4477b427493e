"""Which combinations of a plan's levels no approved asset serves, and which variants would fill a gap."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, product

from proofsheet.domain.asset import Asset, Recipe, Variant
from proofsheet.domain.campaign import Brief, Level
from proofsheet.domain.coverage import Asked, AxisCoverage, Cell, Gap
from scoring.coverage.axes import UNCLEAR, Axis
from scoring.coverage.targets import Coverage

#: Factors that make a scenario: whom an ad speaks to, where it plays, how it looks, in which language.
SCENARIO = ("audience", "scene", "style", "locale")
_SCENE = ("audience", "scene", "style")
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
    for name in _SCENE:
        level = next((one for one in brief.factor(name).levels if one.name == recipe.levels.get(name)), None)
        words.append(level.prompt if level else "")
    return ". ".join(word for word in words if word)


def scenario_gaps(brief: Brief, cells: Sequence[Cell]) -> tuple[Gap, ...]:
    """What to do about the cells that no approved asset serves: at most one gap of each kind."""
    empty = [cell for cell in cells if not cell.approved]
    outside = [cell for cell in empty if not cell.planned and not cell.made]
    unmade = [cell for cell in empty if cell.planned and not cell.made]
    waiting = [cell for cell in empty if cell.made]
    gaps = []
    if outside:
        variants = tuple(Variant(levels={**_reference(brief), **cell.levels}) for cell in outside[:_MOST_PROPOSED])
        remedy = "Add a variant of each." if len(outside) <= _MOST_PROPOSED else f"Add the first {_MOST_PROPOSED}."
        gaps.append(Gap(what=f"{_listed(outside)} not in the plan.", remedy=remedy, variants=variants))
    if unmade:
        gaps.append(Gap(what=f"{_listed(unmade)} planned and not made yet.", remedy="Run: proofsheet generate"))
    if waiting:
        remedy = "Run: proofsheet review; where all are rejected, change the prompt of a level."
        gaps.append(Gap(what=f"{_listed(waiting)} made, and nothing of it approved.", remedy=remedy))
    return tuple(gaps)


def _listed(cells: Sequence[Cell]) -> str:
    """``3 combinations (women × arch, men × arch and 1 more) are``."""
    named = [" × ".join(cell.levels.values()) for cell in cells[:3]]
    more = f" and {len(cells) - 3} more" if len(cells) > 3 else ""
    count = "1 combination" if len(cells) == 1 else f"{len(cells)} combinations"
    return f"{count} ({', '.join(named)}{more}) {'is' if len(cells) == 1 else 'are'}"


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
        need = f"About {wanted} more pictures of it are needed"
        if found:
            gaps.append(Gap(what=what, remedy=f"{need}.", variants=found))
        elif any(_asks(axis, row.value, levels) for levels in _scenes(brief)):
            remedy = (
                f"{need}; every combination that asks for it is planned. Reword its level, or raise seeds_per_scene."
            )
            gaps.append(Gap(what=what, remedy=remedy))
        else:
            value = next(one for one in axis.values if one.name == row.value)
            said = example.format((value.words or (value.title,))[0])
            remedy = f"{need}, and no level of the brief asks for it. Add one, such as: {said}"
            gaps.append(Gap(what=what, remedy=remedy))
    return tuple(gaps)


def _asking_for(axis: Axis, value: str, brief: Brief, variants: Sequence[Variant], most: int) -> tuple[Variant, ...]:
    """Combinations of audience, scene and style that are not planned and ask for the value."""
    planned = {variant.id for variant in variants}
    found: list[Variant] = []
    for levels in _scenes(brief):
        if not _asks(axis, value, levels):
            continue
        named = {name: level.name for name, level in zip(_SCENE, levels, strict=True)}
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


def _scenes(brief: Brief) -> Iterable[tuple[Level, ...]]:
    """The combinations of what decides a scene, as many as can be tried."""
    return islice(product(*(brief.factor(name).levels for name in _SCENE)), _MOST_TRIED)


def _asks(axis: Axis, value: str, levels: Sequence[Level]) -> bool:
    return axis.asked_for(". ".join(level.prompt for level in levels)) == value


def _reference(brief: Brief) -> dict[str, str]:
    return {factor.name: factor.levels[0].name for factor in brief.factors}
