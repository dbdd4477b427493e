"""Corrections over many families at once against statsmodels and the engine's own correction of one family."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from experiments.comparing.families import CORRECTIONS, adjust_families
from experiments.comparing.family_tests import false_discovery_p
from experiments.comparing.multiplicity import adjust
from proofsheet.errors import InputError


@pytest.mark.parametrize("correction", CORRECTIONS)
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.floats(1e-300, 1.0), st.sampled_from([-1.0, 1.0])), min_size=1, max_size=60
    )
)
def test_each_family_is_as_if_alone(correction: str, rows: list[tuple[int, float, float]]) -> None:
    families, p, signs = (np.array(column) for column in zip(*rows, strict=True))
    found = adjust_families(p, families, 0.05, correction, signs)
    for family in np.unique(families):
        own = (families == family).nonzero()[0]
        one = adjust(p[own].tolist(), 0.05, correction, effects=signs[own].tolist())
        assert found.p_value[own] == pytest.approx([a.p_value for a in one], rel=1e-12)
        assert found.low_alpha[own] == pytest.approx([a.low_alpha for a in one], rel=1e-12)
        assert found.high_alpha[own] == pytest.approx([a.high_alpha for a in one], rel=1e-12)
        assert found.rejected[own].tolist() == [a.rejected for a in one]


@pytest.mark.parametrize(("ours", "theirs"), [("bh", "fdr_bh"), ("bonferroni", "bonferroni")])
def test_large_families_agree_with_statsmodels(ours: str, theirs: str) -> None:
    rng = np.random.default_rng(6)
    families = np.concatenate([np.repeat(np.arange(70_000), 2), np.full(3_000, 70_000)])
    p = rng.beta(0.3, 1.0, families.size) ** 4 + 1e-300
    found = adjust_families(p, families, 0.05, ours).p_value
    for family in (0, 41_234, 70_000):
        own = families == family
        assert found[own] == pytest.approx(multipletests(p[own], method=theirs)[1], rel=1e-12)


def test_false_discoveries_over_everything_agree_with_statsmodels() -> None:
    p = np.random.default_rng(7).beta(0.3, 1.0, 5_000) ** 6 + 1e-300
    assert false_discovery_p(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)
    assert false_discovery_p(p).min() > 0
    assert false_discovery_p([]).size == 0


def test_unfit_arguments_are_refused() -> None:
    with pytest.raises(InputError, match="correction"):
        adjust_families([0.1], [0], 0.05, "sidak")
    with pytest.raises(InputError, match="families"):
        adjust_families([0.1, 0.2], [0], 0.05)
    with pytest.raises(InputError, match="alpha"):
        adjust_families([0.1], [0], 1.5)
