"""Calibration: shares that hold for simulated reviewers, abstaining where there are too few, and kept by model."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from proofsheet.domain.assessment import Judgement, Review, Score
from scoring.fit.approval import approvals
from scoring.fit.calibration import ISOTONIC_FROM, MIN_REVIEWS, calibrate, lacking, log_loss, reliability

RNG = np.random.default_rng


def _reviewed(n: int, seed: int, step: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    scores = rng.uniform(0, 100, n)
    chance = np.where(scores > 40, 0.9, 0.1) if step else 1 / (1 + np.exp(-(scores - 45) / 14))
    return scores, rng.random(n) < chance


def test_few_reviews_are_logistic_and_hold_for_new_ones() -> None:
    found = calibrate(*_reviewed(150, 1))
    assert found is not None
    assert found.method == "logistic"
    scores, approved = _reviewed(4000, 2)
    assert reliability(found.share(scores), approved).error < 0.05
    low, high = found.interval(scores)
    truth = 1 / (1 + np.exp(-(scores - 45) / 14))
    assert ((low <= truth) & (truth <= high)).mean() > 0.85
    assert (high - low).mean() < 0.3


def test_many_reviews_show_a_step_that_no_logistic_curve_has() -> None:
    found = calibrate(*_reviewed(ISOTONIC_FROM * 2, 3, step=True))
    assert found is not None
    assert found.method == "isotonic"
    assert found.share(np.array([20.0, 70.0])) == pytest.approx([0.1, 0.9], abs=0.06)
    assert (np.diff(found.curve) >= -1e-9).all()
    assert found.reviews == ISOTONIC_FROM * 2


def test_a_curve_never_falls_even_where_reviewers_like_low_scores() -> None:
    scores, approved = _reviewed(120, 4)
    found = calibrate(scores, ~approved)
    assert found is not None
    assert found.curve == pytest.approx(np.full(len(found.curve), (~approved).mean()), abs=0.02)


def test_equal_scores_and_the_order_of_reviews_do_no_harm() -> None:
    level = calibrate(np.full(80, 3.0), np.arange(80) % 4 == 0)
    assert level is not None
    assert level.share(np.array([-1.0, 3.0, 9.0])) == pytest.approx([0.25] * 3, abs=0.03)
    scores, approved = _reviewed(90, 5)
    forth, back = calibrate(scores, approved), calibrate(scores[::-1], approved[::-1])
    assert forth is not None
    assert back is not None
    assert forth.curve == pytest.approx(back.curve)


@pytest.mark.parametrize(
    ("approved", "told"),
    [
        ([True] * 5, "45 more reviews and 5 more approvals and 10 more rejections"),
        ([True] * 60, "10 more rejections"),
        ([True] * 45 + [False] * 4, "1 more reviews and 6 more rejections"),
        ([True] * 40 + [False] * 10, ""),
    ],
)
def test_what_is_missing_is_said(approved: list[bool], told: str) -> None:
    assert lacking(approved) == told
    assert (calibrate(np.arange(len(approved)), approved) is None) == bool(told)


def test_the_error_of_true_chances_is_about_what_chance_would_show() -> None:
    rng = RNG(6)
    chances = rng.uniform(0.05, 0.95, 3000)
    rows = [reliability(chances, rng.random(3000) < chances) for _ in range(20)]
    assert np.mean([row.error for row in rows]) == pytest.approx(rows[0].by_chance, rel=0.1)
    assert reliability(np.full(400, 0.9), rng.random(400) < 0.5).error == pytest.approx(0.4, abs=0.06)
    assert sum(rows[0].count) == 3000
    assert log_loss(np.array([0.0, 1.0]), np.array([0.0, 1.0])) < 0.01


def _score(asset: str, value: float, scorer: str = "brand_fit/2 model@1 by words a") -> Score:
    return Score(asset_id=asset, criterion="brand_fit", value=value, unit="percentile", scorer=scorer)


def _review(asset: str, judgement: Judgement) -> Review:
    return Review(asset_id=asset, judgement=judgement, reason="r", reviewer="ada", at=datetime(2026, 6, 1, tzinfo=UTC))


def test_approval_is_learnt_from_the_same_models_scores_alone() -> None:
    scores, approved = _reviewed(200, 7)
    known = [_score(f"a{n}", float(value)) for n, value in enumerate(scores)]
    reviews = {
        one.asset_id: _review(one.asset_id, Judgement.APPROVE if label else Judgement.REJECT)
        for one, label in zip(known, approved, strict=True)
    }
    new = [_score("new-low", 5.0), _score("new-high", 95.0)]
    (low, high), (told,) = approvals(new, known, reviews)
    assert low.value is not None
    assert high.value is not None
    assert low.value < 0.3 < 0.7 < high.value
    assert "200 reviews" in low.detail
    assert "model@1 by words a" in low.scorer
    assert told.reliability is not None
    assert (told.reviews, told.approved) == (200, int(approved.sum()))
    others = [replace(one, scorer="brand_fit/2 model@2 by words a") for one in known]
    (silent, _), (bare,) = approvals(new, others, reviews)
    assert silent.value is None
    assert f"{MIN_REVIEWS} more reviews" in silent.detail
    assert bare.reviews == 0


def test_withdrawn_reviews_do_not_count_and_a_new_score_takes_the_place_of_the_old() -> None:
    judged = [_score(f"a{n}", float(n)) for n in range(60)]
    judgements = [Judgement.WITHDRAW] * 5 + [Judgement.APPROVE] * 40 + [Judgement.REJECT] * 15
    reviews = {one.asset_id: _review(one.asset_id, said) for one, said in zip(judged, judgements, strict=True)}
    _, (told,) = approvals(judged, [replace(one, value=1.0) for one in judged], reviews)
    assert (told.reviews, told.approved) == (55, 40)
    abstained = replace(judged[0], value=None)
    assert approvals([abstained], judged, reviews) == ((), ())
