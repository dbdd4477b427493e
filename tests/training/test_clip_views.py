"""What the CLIP is not asked in training: values that the split of the data, not the picture, rules out."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from training.attributes import ATTRIBUTES, NAMES, codes_of
from training.clip import _contrast, _heads_loss, _named_loss
from training.clip_views import VALUES, Batch, withheld
from training.people import sample_people
from training.world import Facts, is_held, sample_set

pytestmark = pytest.mark.models

_FIRST = dict(zip(NAMES, np.cumsum([0, *(len(values) for values in ATTRIBUTES.values())]), strict=False))


def _drawn(seed: int) -> Facts:
    rng = random.Random(seed)
    while True:
        facts = sample_set(rng) if seed % 2 else {**sample_people(rng), "subject": "people"}
        if not is_held(facts):
            return facts


@pytest.mark.parametrize("seed", range(40))
def test_just_the_values_are_withheld_that_make_a_held_out_combination(seed: int) -> None:
    facts = _drawn(seed)
    kept = withheld(facts)
    assert kept.shape == (VALUES,)
    for name in ("colour", "setting") if seed % 2 else ("skin", "age", "gender", "count", "ability"):
        for number, value in enumerate(ATTRIBUTES[name]):
            changed = {**facts, name: value}
            assert kept[_FIRST[name] + number] == is_held(changed), (name, value)


def test_the_truth_is_never_withheld() -> None:
    for seed in range(60):
        facts = _drawn(seed)
        kept = withheld(facts)
        codes = codes_of(facts)
        assert not any(kept[_FIRST[name] + code] for name, code in zip(NAMES, codes, strict=True) if code >= 0)


def test_what_is_withheld_does_not_count_against_a_picture() -> None:
    facts = next(facts for facts in map(_drawn, range(1, 999, 2)) if withheld(facts).any())
    kept = torch.from_numpy(withheld(facts))[None]
    codes = torch.from_numpy(codes_of(facts))[None]
    outputs = torch.zeros(1, VALUES, requires_grad=True)
    _heads_loss(outputs, codes, kept).backward()  # type: ignore[no-untyped-call]
    assert outputs.grad is not None
    assert not outputs.grad[kept].any()
    assert outputs.grad[~kept].any()


def test_phrases_of_withheld_values_do_not_count_either() -> None:
    facts = next(facts for facts in map(_drawn, range(1, 999, 2)) if withheld(facts)[_FIRST["colour"] :][:9].any())
    size = len(ATTRIBUTES["colour"])
    likeness = torch.zeros(1, 3 + size, requires_grad=True)
    slices = {"setting": (0, [0, 1, 2]), "colour": (3, list(range(size)))}
    codes = torch.from_numpy(codes_of(facts))[None]
    _named_loss(likeness, codes, slices, torch.from_numpy(withheld(facts))[None]).backward()  # type: ignore[no-untyped-call]
    assert likeness.grad is not None
    hidden = withheld(facts)[_FIRST["colour"] :][:size]
    assert not likeness.grad[0, 3:][torch.from_numpy(hidden)].any()
    assert likeness.grad[0, 3:][torch.from_numpy(~hidden)].all()


def test_captions_that_name_what_is_withheld_do_not_count_against_the_picture() -> None:
    facts = next(facts for facts in map(_drawn, range(1, 999, 2)) if withheld(facts)[_FIRST["colour"] :][:9].any())
    colours = ATTRIBUTES["colour"]
    hidden = withheld(facts)[_FIRST["colour"] :][: len(colours)]
    kept = next(colour for colour, off in zip(colours, hidden, strict=True) if not off and colour != facts["colour"])
    rows = [facts, {**facts, "colour": colours[int(hidden.argmax())]}, {**facts, "colour": kept}]
    spoken = np.zeros((3, len(NAMES)), bool)
    spoken[:, NAMES.index("colour")] = True
    batch = Batch(
        pictures=np.zeros((3, 1, 1, 3), np.uint8),
        codes=np.stack([codes_of(row) for row in rows]),
        captions=("", "", ""),
        spoken=spoken,
        withheld=np.stack([withheld(rows[0]), *np.zeros((2, VALUES), bool)]),
    )
    told = torch.nn.functional.normalize(torch.randn(3, 8, generator=torch.Generator().manual_seed(0)), dim=-1)
    seen = told.clone().requires_grad_(True)
    alone = told.clone().requires_grad_(True)
    _contrast(told, seen, batch, torch.tensor(2.0)).backward()  # type: ignore[no-untyped-call]
    without = (told @ alone.T * 2.0).masked_fill(
        torch.tensor([[0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=torch.bool), -1e4
    )
    loss = -(without.log_softmax(1).diagonal().mean() + without.log_softmax(0).diagonal().mean()) / 2
    loss.backward()  # type: ignore[no-untyped-call]
    assert seen.grad is not None
    assert alone.grad is not None
    assert torch.allclose(seen.grad, alone.grad, atol=1e-6)
