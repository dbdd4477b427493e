"""Several comparisons at once."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

from agreement import cases
from agreement.method import Method, Oracle, apart, recorded, relative
from experiments.comparing.dunnett import dunnett_critical
from experiments.comparing.families import adjust_families
from experiments.comparing.family_tests import KEPT, false_discovery, false_discovery_p, step_down
from experiments.comparing.multiplicity import adjust
from experiments.deciding.metric_families import metric_weights

P = list(cases.P_VALUES)


def _multitest(ours: str, theirs: str) -> float:
    rng = np.random.default_rng(6)
    p = rng.beta(0.3, 1.0, 300)
    families = adjust_families(p, np.zeros(300, dtype=int), 0.05, ours).p_value
    wanted = multipletests(p, method=theirs)[1]
    one = [a.p_value for a in adjust(p.tolist(), 0.05, ours)]
    return max(relative(families, wanted), relative(one, wanted))


def _tea(method: str) -> float:
    found = step_down(P, 1.0, kept=0.0).adjusted_p if method == "holm" else false_discovery_p(P)
    return relative(found, recorded("tea_tasting")[method])


def _holm() -> float:
    p = np.random.default_rng(6).beta(0.3, 1.0, 300)
    return relative(step_down(p, 1.0, kept=0.0).adjusted_p, multipletests(p, method="holm")[1])


def _decided(p: list[float], alpha: float, kept: float) -> list[bool]:
    """Which are decided, step by step as the rule says it; equal weights, one direction."""
    decided = [False] * len(p)
    for _ in p:
        share = sum(decided) / len(p)
        if share == 1.0:
            break
        level = alpha / 2 / len(p) * (1 + (1 - kept) * share / (1 - share))
        decided = [d or value / 2 < level for d, value in zip(decided, p, strict=True)]
    return decided


def _half_kept() -> float:
    """Each adjusted p is the least alpha that decides, found by halving."""
    gaps = []
    for k, a in enumerate(adjust(P, 0.05, "holm")):
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if _decided(P, middle, KEPT)[k] else (middle, high)
        gaps.append(relative(a.p_value, high))
    return max(gaps)


def _between() -> float:
    """By how much the adjusted p leaves the range from Holm's to Bonferroni's."""
    found = np.array([a.p_value for a in adjust(P, 0.05, "holm")])
    low, high = (multipletests(P, method=m)[1] for m in ("holm", "bonferroni"))
    return float(np.max(np.maximum(np.maximum(low - found, found - high), 0.0)))


def _dunnett() -> float:
    rng = np.random.default_rng(11)
    control, arms = rng.normal(0, 1, 4_000), [rng.normal(m, 1, 4_000) for m in (0.02, 0.05, 0.06)]
    p = [stats.ttest_ind(a, control).pvalue for a in arms]
    theirs = stats.dunnett(*arms, control=control, rng=np.random.default_rng(1)).pvalue
    return apart([a.p_value for a in adjust(p, 0.05, "dunnett")], theirs)


def _dunnett_table() -> float:
    """Dunnett 1964, table of two-sided 5 % points with infinitely many degrees of freedom, equal arms."""
    published = {2: 2.21, 3: 2.35, 4: 2.44, 5: 2.51}
    return apart([float(dunnett_critical(0.05, [0.5], [k])) for k in published], list(published.values()))


def _dunnett_normal() -> float:
    c = float(dunnett_critical(0.05, [0.5], [3]))
    law = stats.multivariate_normal(np.zeros(3), 0.5 + 0.5 * np.eye(3), seed=1, abseps=1e-7, releps=1e-7)
    return apart(1 - law.cdf(np.full(3, c), lower_limit=np.full(3, -c)), 0.05)


def _closed() -> float:
    """Decisions that differ from the closed test's, of 200 × 4 × 2."""
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(200):
        z, weights = rng.normal(1.5, 2.0, 4), rng.dirichlet(np.ones(4))
        found = step_down(2 * stats.norm.sf(np.abs(z)), z, weights=weights, kept=0.0).direction
        for sign, tails in ((1, stats.norm.sf(z)), (-1, stats.norm.cdf(z))):
            rejected = np.ones(4, dtype=bool)
            for size in range(1, 5):
                for members in map(list, combinations(range(4), size)):
                    if not (tails[members] < 0.025 * weights[members] / weights[members].sum()).any():
                        rejected[members] = False
            wrong += int(np.sum((found == sign) != rejected))
    return float(wrong)


METHODS = (
    Method(
        title="Holm",
        functions=("step_down",),
        formula="step down with alpha / (number left)",
        assumes="nothing about dependence",
        source="Holm 1979",
        oracles=(
            Oracle("statsmodels holm", _holm),
            Oracle("tea-tasting, Bonferroni step-down", lambda: _tea("holm")),
        ),
    ),
    Method(
        title="Holm that keeps half (default)",
        functions=("adjust", "adjust_families", "family_test"),
        formula="a decided comparison passes on half of its share, and keeps half for a finite limit of its own",
        assumes="nothing about dependence",
        source="Strassburger and Bretz 2008",
        oracles=(
            Oracle("least alpha that decides, step by step", _half_kept),
            Oracle("statsmodels: outside of Holm to Bonferroni by", _between, 1e-12, absolute=True),
        ),
    ),
    Method(
        title="Benjamini–Hochberg, with intervals of the found",
        functions=(
            "adjust",
            "adjust_families",
            "false_discovery",
            "false_discovery_p",
        ),
        formula="step up with alpha × rank / number; intervals at alpha × found / number",
        assumes="independent or positively dependent tests",
        source="Benjamini and Hochberg 1995; Benjamini and Yekutieli 2005",
        oracles=(
            Oracle("statsmodels fdr_bh", lambda: _multitest("bh", "fdr_bh")),
            Oracle("tea-tasting adjust_fdr", lambda: _tea("bh")),
            Oracle(
                "statsmodels, over many families",
                lambda: relative(false_discovery_p(P), multipletests(P, method="fdr_bh")[1]),
            ),
            Oracle(
                "statsmodels, with directions",
                lambda: relative(false_discovery(P, 1.0).adjusted_p, multipletests(P, method="fdr_bh")[1]),
            ),
        ),
    ),
    Method(
        title="Bonferroni",
        functions=("adjust",),
        formula="p × number",
        assumes="nothing",
        source="Bonferroni 1936",
        oracles=(
            Oracle("statsmodels bonferroni", lambda: _multitest("bonferroni", "bonferroni")),
            Oracle(
                "closed form",
                lambda: relative([a.p_value for a in adjust(P, 0.05, "bonferroni")], np.minimum(np.array(P) * 5, 1)),
            ),
        ),
    ),
    Method(
        title="Dunnett",
        functions=("adjust", "dunnett_critical", "chance_beyond"),
        formula="the largest of normal statistics that share a control",
        assumes="many units",
        source="Dunnett 1955",
        oracles=(
            Oracle("Dunnett 1964, table (infinite degrees of freedom)", _dunnett_table, printed=2),
            Oracle("scipy multivariate normal", _dunnett_normal, 1e-5, absolute=True),
            Oracle("scipy dunnett (randomised, 4,000 units)", _dunnett, 0.01, absolute=True),
        ),
    ),
    Method(
        title="Primary-weighted families of metrics × arms",
        functions=("step_down", "metric_weights", "separate"),
        formula="weighted Holm on both directions; limits cut to agree with the decisions",
        assumes="nothing about dependence",
        source="Bretz and others 2009; Brannath and Schmidt 2014 (informative limits)",
        oracles=(
            Oracle("closed test by hand, decisions that differ", _closed, 0.0, absolute=True),
            Oracle(
                "statsmodels holm, equal weights",
                lambda: relative(step_down(P, 1.0, kept=0.0).adjusted_p, multipletests(P, method="holm")[1]),
            ),
            Oracle(
                "weights by the published formula",
                lambda: relative(metric_weights([True, False, False], 2, 0.7).ravel(), [0.35] * 2 + [0.075] * 4),
            ),
        ),
    ),
)
