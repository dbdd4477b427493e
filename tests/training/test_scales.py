"""Attributes that are scales: what lies between two values is like what lies between their words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from training.attributes import ATTRIBUTES, NAMES
from training.scales import SCALES, Scales, likenesses, points_of

pytestmark = pytest.mark.models


@pytest.mark.parametrize("name", SCALES)
def test_every_value_is_likest_its_own_words(name: str) -> None:
    found = likenesses(name)
    assert found.argmax(dim=1).tolist() == list(range(len(ATTRIBUTES[name])))
    assert found.sum(dim=1).abs().max() < 1e-5


@pytest.mark.parametrize("name", SCALES)
def test_what_lies_anywhere_is_likest_the_nearest_value(name: str) -> None:
    points = points_of(name)
    rng = np.random.default_rng(4)
    anywhere = rng.uniform(-1.2, 1.2, (200, 2))
    likest = (anywhere @ points.T - (points**2).sum(1) / 2).argmax(1)
    nearest = ((anywhere[:, None] - points[None]) ** 2).sum(2).argmin(1)
    assert (likest == nearest).all()


def test_between_blue_and_pink_is_violet() -> None:
    values = ATTRIBUTES["colour"]
    found = likenesses("colour")
    between = (found[values.index("blue")] + found[values.index("pink")]) / 2
    assert values[int(between.argmax())] == "violet"


def _scales(seed: int = 0) -> tuple[Scales, torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    torch.manual_seed(seed)
    words = {name: functional.normalize(torch.randn(len(ATTRIBUTES[name]), 64), dim=-1) for name in SCALES}
    codes = torch.full((60, len(NAMES)), -1)
    codes[:40, NAMES.index("colour")] = torch.arange(40) % 9
    codes[20:60, NAMES.index("skin")] = torch.arange(40) % 10
    vectors = torch.randn(60, 64) * 0.05
    for name in SCALES:
        values = codes[:, NAMES.index(name)]
        vectors[values >= 0] += words[name][values[values >= 0]]
    facts = functional.normalize(vectors, dim=-1)
    return Scales(words, facts, codes), facts, codes, words


def test_facts_are_placed_where_their_scales_ask_and_what_is_right_costs_nothing() -> None:
    scales, facts, codes, words = _scales()
    placed = scales.placed(facts, codes)
    assert torch.allclose(placed.norm(dim=1), torch.ones(60), atol=1e-5)
    for name in SCALES:
        values = codes[:, NAMES.index(name)]
        rows = values >= 0
        found = placed[rows] @ (words[name] - words[name].mean(dim=0)).T
        wanted = likenesses(name)[values[rows]]
        assert (found.argmax(dim=1) == values[rows]).all()
        alike = torch.nn.functional.cosine_similarity(found, wanted, dim=1)
        assert alike.min() > 0.999
    losses = scales.losses(placed, placed, codes)
    assert all(float(loss) == 0 for loss in losses.values())
    assert all(float(loss) > 0.05 for loss in scales.losses(facts, placed, codes).values())


def test_facts_without_a_scale_stay_where_they_are() -> None:
    scales, facts, codes, _ = _scales()
    codes = torch.full_like(codes, -1)
    assert torch.allclose(scales.placed(facts, codes), facts, atol=1e-6)
    assert scales.losses(facts, facts, codes) == {}


def test_a_scale_that_no_facts_have_is_left_alone() -> None:
    words = {"colour": functional.normalize(torch.randn(9, 16), dim=-1)}
    facts, codes = functional.normalize(torch.randn(3, 16), dim=-1), torch.full((3, len(NAMES)), -1)
    scales = Scales(words, facts, codes)
    codes[:, NAMES.index("colour")] = 2
    assert torch.equal(scales.placed(facts, codes), facts)
    assert scales.losses(facts, facts, codes) == {}
