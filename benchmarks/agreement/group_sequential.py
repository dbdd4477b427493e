"""Group-sequential tests."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from agreement.method import Method, Oracle, apart, relative
from experiments.sequential.group_sequential import (
    OBRIEN_FLEMING,
    POCOCK,
    boundaries,
    conduct,
    drift_for_power,
    fixed_form_boundaries,
    repeated_limits,
    repeated_p_value,
)

Z95 = 1.959963984540054


FIVE = np.arange(1, 6) / 5


def _jennison(what: str) -> float:
    """Jennison and Turnbull (2000), tables 2.1 to 2.4 for 2 to 5 looks and 2.7, 2.8: alpha 0.05, power 0.9."""
    table = {2: (2.178, 1.977, 1.100, 1.007), 3: (2.289, 2.004, 1.151, 1.016), 5: (2.413, 2.040, 1.207, 1.026)}
    fixed, gaps = Z95 + float(special.ndtri(0.9)), []
    for looks, row in table.items():
        t = np.arange(1, looks + 1) / looks
        for shape, constant, inflation in ((0.5, row[0], row[2]), (0.0, row[1], row[3])):
            bounds = fixed_form_boundaries(t, shape=shape)
            if what == "bounds":
                gaps.append(apart(bounds[-1], constant))
                continue
            drift = drift_for_power(t, bounds, 0.9)
            gaps.append(apart((drift / fixed) ** 2, inflation))
            if looks == 5:
                share = conduct(t, bounds, drift).expected_fraction * (drift / fixed) ** 2
                gaps.append(apart(share, 0.685 if shape else 0.750))
    return max(gaps)


def _spending() -> float:
    """Five looks, two-sided 0.05: the program of Reboussin, DeMets, Kim and Lan (2000), R's ldbounds."""
    published = {
        OBRIEN_FLEMING: [4.8769, 3.3569, 2.6803, 2.2898, 2.0310],
        POCOCK: [2.4380, 2.4268, 2.4101, 2.3966, 2.3859],
    }
    return max(apart(boundaries(FIVE, spending=s), b) for s, b in published.items())


def _seqbounds() -> float:
    theirs = [3.74955, 2.53993, 2.01604, 1.72014]
    return apart(boundaries(np.arange(1, 5) / 4, alternative="greater"), theirs)


def _gsdesign() -> float:
    t, bounds = [0.2, 0.45, 0.8, 1.0], [3.2, 2.7, 2.3, 2.05]
    theirs = {
        0.0: [0.0013742759, 0.0065142467, 0.0180572167, 0.0241404430],
        2.5: [0.0186806585, 0.1385589636, 0.3286305873, 0.2035907687],
    }
    return max(apart(conduct(t, bounds, drift).stop_chances, chances) for drift, chances in theirs.items())


def _multivariate() -> float:
    t = np.array([0.3, 0.55, 1.0])
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    bounds, gaps = boundaries(t), []
    for drift in (0.0, 2.0):
        law = stats.multivariate_normal(drift * np.sqrt(t), correlation, seed=1, abseps=1e-7, releps=1e-7)
        gaps.append(apart(1.0 - conduct(t, bounds, drift).power, law.cdf(bounds, lower_limit=-bounds)))
    return max(gaps)


def _repeated() -> float:
    t = np.array([0.2, 0.5, 0.8, 1.0])
    gaps = [relative(repeated_p_value(boundaries(t, level), t), np.full(4, level)) for level in (3e-5, 0.02, 0.3)]
    return max(gaps)


def _repeated_limits() -> float:
    bounds = boundaries(FIVE)
    low, high = repeated_limits(0.2, 0.1, bounds)
    return apart([low, high], [0.2 - 0.1 * bounds, 0.2 + 0.1 * bounds])


METHODS = (
    Method(
        title="Group-sequential bounds by error spending (by name)",
        functions=(
            "boundaries",
            "conduct",
            "Spending",
        ),
        formula="critical values by which the error spent at each information is what the spending function allows",
        assumes="normal scores with independent increments",
        source="Lan and DeMets 1983",
        oracles=(
            Oracle("Reboussin and others 2000 (R ldbounds)", _spending, 2e-4, absolute=True),
            Oracle("SeqBounds.jl, one-sided", _seqbounds, 5e-5, absolute=True),
            Oracle("gsDesign (Python 0.1.5), stopping chances", _gsdesign, 1e-9, absolute=True),
            Oracle("scipy multivariate normal", _multivariate, 1e-6, absolute=True),
        ),
    ),
    Method(
        title="Pocock, O'Brien–Fleming and between",
        functions=(
            "fixed_form_boundaries",
            "drift_for_power",
        ),
        formula="c × t^(shape − ½) at looks that are all known",
        assumes="as above",
        source="Wang and Tsiatis 1987",
        oracles=(
            Oracle("Jennison and Turnbull 2000, tables 2.1, 2.3", lambda: _jennison("bounds"), printed=3),
            Oracle("the same, tables 2.2, 2.4, 2.7, 2.8", lambda: _jennison("sizes"), 6e-4, absolute=True),
        ),
    ),
    Method(
        title="Repeated intervals and p-values",
        functions=("repeated_limits", "repeated_p_value"),
        formula="effect ± bound × error; the least level whose bound is met",
        assumes="as above",
        source="Jennison and Turnbull 1989; 2000, section 9.3",
        oracles=(
            Oracle("closed form (limits)", _repeated_limits, absolute=True),
            Oracle("bounds at the level found", _repeated, 0.012),
        ),
    ),
)
