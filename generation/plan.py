"""Lays out the variant set of a campaign: the full factorial where it fits, else a balanced D-optimal fraction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import prod

import numpy as np

from generation.design_matrix import Levels, aliasing, d_efficiency, full_factorial, parameters, rank
from generation.design_search import search_fraction
from generation.identity import campaign_id
from proofsheet.domain.asset import DesignQuality, Variant, VariantPlan
from proofsheet.domain.campaign import Campaign, Factor
from proofsheet.errors import InputError

#: Correlations of effects from this on are listed among a plan's aliases.
ALIAS_THRESHOLD = 0.3

#: The most combinations a brief may span: beyond it something in the brief is a slip.
MOST_COMBINATIONS = 1_000_000

#: The most main effects (with the mean) that a fraction is searched for.
MOST_PARAMETERS = 300


def plan_variants(campaign: Campaign, *, backend: str = "procedural", model: str = "") -> VariantPlan:
    """Choose the variants of a campaign, at most ``brief.max_variants`` of them.

    All combinations of levels are taken when they fit. Otherwise a fraction is chosen that estimates the main effects
    best (see ``generation.design_search``); the same brief always gives the same fraction. Both hold the reference
    variant, which has the first level of every factor.

    Raises:
        InputError: the factors span more than MOST_COMBINATIONS, a fraction would have to tell more than
            MOST_PARAMETERS apart, or a file of the campaign cannot be read.
    """
    brief = campaign.brief
    sizes = [len(factor.levels) for factor in brief.factors]
    combinations = prod(sizes)
    counts = ", ".join(f"{factor.name} {len(factor.levels)}" for factor in brief.factors if len(factor.levels) > 1)
    if combinations > MOST_COMBINATIONS:
        raise InputError(
            f"The factors of {brief.slug} span {combinations:,} combinations ({counts}); "
            f"the most allowed is {MOST_COMBINATIONS:,}.",
            "Take away levels, or split the brief into two campaigns.",
        )
    if combinations <= brief.max_variants:
        levels = full_factorial(sizes)
    elif parameters(sizes) > MOST_PARAMETERS:
        raise InputError(
            f"The factors of {brief.slug} have too many levels ({counts}) to choose {brief.max_variants} variants of "
            f"their {combinations:,} combinations well: their levels may sum to about {MOST_PARAMETERS}.",
            "Take away levels, or raise plan.max_variants so that all combinations fit.",
        )
    else:
        levels = search_fraction(sizes, brief.max_variants, brief.seed)
    variants = tuple(_variant(brief.factors, run) for run in levels.tolist())
    return VariantPlan(
        campaign=brief.slug,
        campaign_id=campaign_id(campaign),
        variants=variants,
        quality=design_quality(brief.factors, variants),
        placements=brief.placements,
        backend=backend,
        model=model,
        seed=brief.seed,
    )


def design_quality(factors: Sequence[Factor], variants: Sequence[Variant]) -> DesignQuality:
    """Judge a variant set as a design for main effects.

    ``d_efficiency`` is (|X'X/n| / |F'F/N|)^(1/p): information per run relative to the full factorial (1 is as good,
    0 means that some main effect cannot be estimated, and then ``rank`` is less than ``parameters``). ``aliases``
    pairs main effects with each other, then with interactions of two factors (``"layout × cta"``), strongest first,
    where the figure of ``generation.design_matrix.aliasing`` is at least ALIAS_THRESHOLD.

    Args:
        factors: with all their levels, also those that no variant has.
        variants: at least one.

    Raises:
        InputError: a variant has a level that its factor does not have.
    """
    sizes = [len(factor.levels) for factor in factors]
    levels = _positions(factors, variants)
    full_runs = prod(sizes)
    is_full = len({variant.id for variant in variants}) == full_runs
    is_plain = is_full and len(variants) == full_runs  # each combination once: orthogonal, whatever the sizes
    return DesignQuality(
        kind="full" if is_full else "fraction",
        runs=len(variants),
        full_runs=full_runs,
        d_efficiency=1.0 if is_plain else round(d_efficiency(levels, sizes), 6),
        rank=parameters(sizes) if is_plain else rank(levels, sizes),
        parameters=parameters(sizes),
        aliases=() if is_plain else _aliases(factors, levels, sizes),
        balance={
            factor.name: {
                level.name: sum(variant.levels[factor.name] == level.name for variant in variants)
                for level in factor.levels
            }
            for factor in factors
            if len(factor.levels) > 1
        },
    )


def plan_table(plan: VariantPlan) -> list[dict[str, str]]:
    """The variants as rows for display: ``variant`` (its id) and the level of every factor that varies.

    When nothing varies, every factor is shown.
    """
    names = list(plan.variants[0].levels)
    varied = [name for name in names if len(Counter(variant.levels[name] for variant in plan.variants)) > 1]
    shown = varied or names
    return [{"variant": variant.id, **{name: variant.levels[name] for name in shown}} for variant in plan.variants]


def _variant(factors: Sequence[Factor], run: Sequence[int]) -> Variant:
    return Variant(levels={factor.name: factor.levels[at].name for factor, at in zip(factors, run, strict=True)})


def _positions(factors: Sequence[Factor], variants: Sequence[Variant]) -> Levels:
    known = {factor.name: {level.name: at for at, level in enumerate(factor.levels)} for factor in factors}
    rows = []
    for variant in variants:
        for name, positions in known.items():
            if variant.levels.get(name) not in positions:
                raise InputError(
                    f"The variant {variant.id} has {name} {variant.levels.get(name)!r}, which the brief does not have.",
                    "Plan the campaign again.",
                )
        rows.append([known[factor.name][variant.levels[factor.name]] for factor in factors])
    return np.array(rows, dtype=np.int64).reshape(len(rows), len(factors))


def _aliases(factors: Sequence[Factor], levels: Levels, sizes: Sequence[int]) -> tuple[tuple[str, str, float], ...]:
    found = []
    for (main, other), figure in aliasing(levels, sizes).items():
        if figure >= ALIAS_THRESHOLD:
            named = " × ".join(factors[at].name for at in other)
            found.append((len(other), -round(figure, 3), factors[main[0]].name, named))
    return tuple((main, named, -negative) for _, negative, main, named in sorted(found))
