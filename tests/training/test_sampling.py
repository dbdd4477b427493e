"""Choosing steps, guidance and solver."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.models
pytest.importorskip("torch")
pytest.importorskip("diffusers")
pytest.importorskip("open_clip")

from training.chart import draw_chart  # noqa: E402
from training.sampling import Way, choose, write_defaults  # noqa: E402
from training.solvers import SOLVERS, solver  # noqa: E402


def way(steps: int, guidance: float, joint: float, frechet: float = 0.1, name: str = "dpm++") -> Way:
    return Way(name, steps, guidance, joint, frechet, 0.1)


def test_the_cheapest_of_the_good_ways_is_chosen() -> None:
    ways = [way(20, 3, 0.90), way(8, 3, 0.89), way(6, 3, 0.885), way(6, 1, 0.80), way(2, 5, 0.5)]
    assert choose(ways) == ways[2]


def test_a_way_without_guidance_costs_half() -> None:
    assert way(8, 1, 0.9).passes == 8
    assert way(8, 1.5, 0.9).passes == 16


def test_a_way_that_hears_what_must_not_be_seen_is_chosen_where_there_is_one() -> None:
    assert choose([way(8, 1, 0.9), way(6, 2, 0.88)]).guidance == 2
    assert choose([way(8, 1, 0.9), way(6, 1, 0.9)]).steps == 6


def test_pictures_unlike_renders_are_not_chosen_for_showing_what_was_asked() -> None:
    plain, loud = way(8, 2, 0.9, 0.05), way(6, 5, 0.9, 0.3)
    assert choose([loud, plain]) == plain


def test_more_than_eight_steps_only_if_nothing_else_is_as_good() -> None:
    assert choose([way(20, 2, 0.9), way(8, 2, 0.5)]).steps == 20


def test_results_that_are_no_numbers_are_never_chosen() -> None:
    assert choose([way(2, 5, float("nan"), float("nan")), way(8, 2, 0.4)]).steps == 8


def test_chart_marks_the_chosen_way(tmp_path) -> None:  # type: ignore[no-untyped-def]
    ways = [way(s, g, s / 10, name=n) for n in SOLVERS for s in (2, 4) for g in (1.0, 2.0)]
    one, other = draw_chart(ways, ways[0]), draw_chart(ways, ways[-1])
    assert one.size == other.size
    assert one.tobytes() != other.tobytes()
    assert '"steps": 4' in write_defaults(ways[-1], tmp_path).read_text("utf-8")


@pytest.mark.parametrize("name", list(SOLVERS))
def test_solvers_go_down_from_noise_to_nothing(name: str) -> None:
    scheduler = solver(name)
    scheduler.set_timesteps(8)
    assert scheduler.config.prediction_type == "flow_prediction"
    assert float(scheduler.sigmas[0]) > 0.99
    assert float(scheduler.sigmas[-1]) == 0
