"""What the CLIP is not asked in training: values that the split of the data, not the picture, rules out."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from training.attributes import ATTRIBUTES, NAMES, codes_of
from training.clip import _heads_loss, _named_loss
from training.clip_views import VALUES, withheld
from training.people import sample_people
from training.world import Facts, is_held, sample_set

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
