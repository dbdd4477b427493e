"""From perceived values to a verdict: what is corrected by what, and when nothing may be said."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from proofsheet.domain.coverage import AxisCoverage, CoverageGoal
from proofsheet.errors import InputError
from scoring.coverage.axes import load_axes
from scoring.coverage.confusion import Confused
from scoring.coverage.report import ENOUGH_LABELS, Labelled, check_goal, cover_axis

AGES = load_axes()["age_group"]
GOAL = CoverageGoal(axis="age_group", targets={"child": 0.2, "adult": 0.3, "older": 0.3, "unclear": 0.2})
KNOWN = ("child", "adult", "older")
SURE = Confused(AGES.names, 10_000 * np.eye(4))
#: Takes 30 % of empty pictures for adults.
RASH = Confused(AGES.names, np.array([[900, 50, 0, 50], [0, 950, 0, 50], [0, 100, 850, 50], [0, 300, 0, 700.0]]))


def places(*counts: int) -> NDArray[np.intp]:
    return np.repeat(np.arange(4), counts)


def covered(counts: tuple[int, ...], **more: object) -> AxisCoverage:
    settings: dict[str, object] = {"known": KNOWN, "confused": SURE, "goal": GOAL, **more}
    return cover_axis(AGES, places(*counts), **settings)  # type: ignore[arg-type]


def test_an_even_set_is_met_and_a_lopsided_one_is_not() -> None:
    even = covered((200, 300, 300, 200))
    assert (even.verdict, even.method, even.n) == ("met", "corrected", 1000)
    assert even.distance == pytest.approx(0.0, abs=1e-6)
    assert even.entropy == pytest.approx(-(0.25 * np.log(0.25) + 0.75 * np.log(0.375)) / np.log(3))
    lopsided = covered((0, 800, 0, 200))
    assert lopsided.verdict == "not met"
    assert lopsided.entropy == pytest.approx(0.0, abs=1e-6)
    assert [row.verdict for row in lopsided.values] == ["not met", "not met", "not met", "met"]
    assert lopsided.distance == pytest.approx(0.5, abs=1e-4)


def test_eight_pictures_prove_nothing() -> None:
    assert covered((2, 2, 2, 2)).verdict == "insufficient evidence"


def test_what_the_model_sees_too_often_is_taken_off() -> None:
    # Truth: 5 % child, 5 % adult, 90 % empty; a third of what is empty is taken for an adult.
    perceived = np.rint(1000 * np.array([0.05, 0.05, 0.0, 0.90]) @ (RASH.counts / 1000)).astype(int)
    found = covered(tuple(perceived), confused=RASH)
    adult = found.values[1]
    assert adult.naive is not None
    assert adult.share is not None
    assert adult.low is not None
    assert adult.high is not None
    assert adult.naive > 0.25
    assert adult.share == pytest.approx(0.05, abs=0.02)
    assert adult.low <= 0.05 <= adult.high
    assert not adult.low <= adult.naive <= adult.high


def test_without_measured_errors_nothing_is_met_and_the_naive_share_stands_alone() -> None:
    found = covered((200, 300, 300, 200), confused="not measured")
    assert (found.method, found.why, found.verdict) == ("uncorrected", "not measured", "insufficient evidence")
    assert found.values[1].naive == 0.3
    assert all(row.share is None and row.verdict == "insufficient evidence" for row in found.values)
    assert found.distance is None


def test_labels_of_the_same_pictures_go_before_the_models_errors() -> None:
    # The model calls everybody adult; of 50 labelled ones half are older.
    counts = np.zeros((4, 4))
    counts[1, 1], counts[2, 1] = 25, 25
    found = covered((0, 400, 0, 0), labelled=Labelled(counts, raters=2, agreement=0.9))
    assert (found.method, found.labels, found.raters, found.agreement) == ("labels", 50, 2, 0.9)
    older = found.values[2]
    assert older.share == pytest.approx(0.5)
    assert older.naive == 0.0
    few = np.zeros((4, 4))
    few[1, 1] = ENOUGH_LABELS - 1
    assert covered((0, 400, 0, 0), labelled=Labelled(few, raters=1)).method == "corrected"


def test_an_axis_that_the_model_was_not_taught_needs_labels() -> None:
    found = covered((0, 0, 0, 60), known=())
    assert (found.method, found.verdict) == ("uncorrected", "insufficient evidence")
    assert "label" in found.why
    counts = np.zeros((4, 4))
    counts[1, 3] = 40
    assert covered((0, 0, 0, 60), known=(), labelled=Labelled(counts, raters=1)).values[1].share == 1.0


def test_values_that_the_model_cannot_see_stay_open() -> None:
    seen = Confused(("child", "adult", "unclear"), 1000 * np.eye(3))
    goal = CoverageGoal(axis="age_group", targets={"child": 0.2, "adult": 0.5, "older": 0.1, "unclear": 0.2})
    found = covered((200, 560, 0, 240), confused=seen, known=("child", "adult"), goal=goal)
    assert [row.verdict for row in found.values] == ["met", "met", "insufficient evidence", "met"]
    assert found.verdict == "insufficient evidence"
    assert found.values[2].share is None
    assert "older adult" in found.why


def test_what_the_brief_does_not_name_is_not_judged() -> None:
    found = covered((200, 300, 300, 200), goal=CoverageGoal(axis="age_group", targets={"older": 0.3}))
    assert [row.verdict for row in found.values] == [None, None, "met", None]
    assert found.verdict == "met"
    without = covered((200, 300, 300, 200), goal=None)
    assert (without.verdict, without.distance) == (None, None)
    assert without.values[0].share == pytest.approx(0.2, abs=0.01)


def test_no_pictures_no_shares() -> None:
    found = covered((0, 0, 0, 0))
    assert (found.n, found.method, found.verdict) == (0, "uncorrected", "insufficient evidence")
    assert all(row.naive is None and row.share is None for row in found.values)


def test_a_goal_that_does_not_fit_is_named_with_its_axis() -> None:
    with pytest.raises(InputError, match=r"age_group: 'elder' is no value"):
        check_goal(AGES, CoverageGoal(axis="age_group", targets={"elder": 0.2}))
    with pytest.raises(InputError, match=r"add up to 1\.3"):
        check_goal(AGES, CoverageGoal(axis="age_group", targets={"child": 0.7, "adult": 0.6}))
