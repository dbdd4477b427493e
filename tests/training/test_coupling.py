"""A picture's own numbers and the noise that carries them: the noise stays noise, and the numbers can be read back."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from generation.house.choices import SLOTS as OPEN  # noqa: E402
from generation.house.choices import chosen, shares_of  # noqa: E402
from generation.house.sketch import carried  # noqa: E402
from training.attributes import NAMES, spoken_of  # noqa: E402
from training.chance import SLOTS, Dice, draws_of  # noqa: E402
from training.coupling import quietest, with_open, written  # noqa: E402
from training.grammar import caption  # noqa: E402
from training.people import sample_people  # noqa: E402
from training.world import Facts, render, sample_set  # noqa: E402


@pytest.mark.parametrize("shape", [(16, 16), (20, 12), (12, 24), (8, 32)])
def test_what_is_written_is_carried(shape: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(3, 16, *shape, generator=generator)
    draws = torch.randn(3, SLOTS, generator=generator)
    order = torch.randperm(SLOTS, generator=generator)
    found = carried(written(noise, draws, order))
    assert found[:, order].numpy() == pytest.approx(draws.numpy(), abs=1e-5)


def test_written_noise_is_still_plain_noise() -> None:
    generator = torch.Generator().manual_seed(2)
    noise = torch.randn(400, 16, 8, 8, generator=generator)
    found = written(noise, torch.randn(400, SLOTS, generator=generator), torch.arange(SLOTS)).flatten(1).numpy()
    assert stats.kstest(found.ravel()[::7], "norm").pvalue > 0.001
    spread = np.cov(found[:, :40].T) - np.eye(40)
    assert np.abs(spread).max() < 0.25  # 400 samples: 5 standard errors
    # Only 48 directions have changed.
    change = (torch.from_numpy(found) - noise.flatten(1)).numpy()
    assert np.linalg.matrix_rank(change, tol=1e-3) == SLOTS


def test_the_numbers_of_a_seed_are_normal_and_its_own() -> None:
    drawn = np.stack([draws_of(seed) for seed in range(3000)])
    for slot in (0, 1, SLOTS - 1):
        assert stats.kstest(drawn[:, slot], "norm").pvalue > 0.001
    assert np.abs(np.corrcoef(drawn.T) - np.eye(SLOTS)).max() < 0.1
    assert np.array_equal(draws_of(7), draws_of(7))


def test_dice_use_the_numbers_first() -> None:
    draws = draws_of(3)
    dice = Dice(draws, 4, 6)
    assert dice.random() == pytest.approx(stats.norm.cdf(draws[4]), abs=1e-9)
    assert dice.uniform(2, 4) == pytest.approx(2 + 2 * stats.norm.cdf(draws[5]), abs=1e-9)
    later = [dice.random() for _ in range(100)]
    assert len(set(later)) == 100
    assert Dice(draws, 4, 6).choice("abcd") == Dice(draws, 4, 6).choice("abcd")
    assert {Dice(draws_of(seed), 4, 5).randrange(3) for seed in range(50)} == {0, 1, 2}


def test_a_choice_grows_with_its_number() -> None:
    """A network hears the numbers; a choice by their last digits would be noise to it."""
    rising = np.linspace(-2.5, 2.5, 101).astype(np.float32)
    chosen = ["abcde".index(Dice(np.array([number], np.float32), 0, 1).choice("abcde")) for number in rising]
    assert chosen == sorted(chosen)
    assert set(chosen) == {0, 1, 2, 3, 4}
    drawn = [Dice(np.array([number], np.float32), 0, 1).randrange(10, 40, 10) for number in rising]
    assert drawn == sorted(drawn)
    assert set(drawn) == {10, 20, 30}


def test_pictures_with_the_same_numbers_are_the_same() -> None:
    facts = sample_set(random.Random(2))
    again = {**facts, "seed": int(facts["seed"]) + 2**32}  # only the lower half counts
    assert np.array_equal(render(facts, 64, 64), render(again, 64, 64))
    assert not np.array_equal(render(facts, 64, 64), render({**facts, "seed": 5}, 64, 64))


def test_what_a_caption_leaves_out_is_written_into_free_slots() -> None:
    rng, chance = np.random.default_rng(4), random.Random(4)
    found: dict[str, list[tuple[float, str]]] = {name: [] for name in OPEN["people"]}
    for _ in range(1500):
        facts: Facts = {**sample_people(chance), "subject": "people"}
        draws = draws_of(int(facts["seed"]))
        spoken = np.zeros(len(NAMES), bool)
        spoken[NAMES.index("gender")] = True
        told = with_open(draws, facts, spoken, "square", rng)
        assert told[OPEN["people"]["gender"]] == draws[OPEN["people"]["gender"]]
        kept = sorted(set(range(SLOTS)) - set(OPEN["people"].values()))
        assert np.array_equal(told[kept], draws[kept])
        for name, slot in OPEN["people"].items():
            found[name].append((float(told[slot]), str(facts[name])))
    for name in ("skin", "age", "colour"):
        values = np.array([value for value, _ in found[name]])
        assert stats.kstest(values, "norm").pvalue > 0.001, name
    tones = [(value, int(tone)) for value, tone in found["skin"]]
    assert all(tone == min(10, 1 + int(10 * stats.norm.cdf(value))) for value, tone in tones)
    shares = shares_of("people", "skin", "square")
    assert all(chosen(shares, value) == str(tone) for value, tone in tones), "the model takes the same borders"


def test_numbers_that_decide_are_written_where_pictures_have_least() -> None:
    loud = np.linspace(3.0, 0.1, SLOTS)
    wave = np.array([[1, -1, -1, 1], [1, -1, 1, -1], [1, 1, -1, -1]], np.float32).reshape(3, 2, 2) / 2
    rng = np.random.default_rng(3)
    strength = (rng.standard_normal((300, SLOTS)) * loud).astype(np.float32).reshape(300, 3, 16)
    latents = np.einsum("nsc,sij->ncij", strength, wave).astype(np.float16)
    order = quietest([latents], 16)
    assert sorted(order) == list(range(SLOTS))
    deciding = {0, 1, 18, 19, *OPEN["set"].values(), *OPEN["people"].values()}
    assert min(order[list(deciding)]) > SLOTS // 2, "the last directions are the quiet ones here"


def test_named_places_are_left_to_chance_alone() -> None:
    chance = random.Random(6)
    facts = sample_set(chance)
    text = caption(facts, chance)
    rng = np.random.default_rng(1)
    draws = draws_of(int(facts["seed"]))
    told = with_open(draws, facts, spoken_of(text, facts), "square", rng)
    assert spoken_of(text, facts)[NAMES.index("stand_x")]
    for name, slot in OPEN["set"].items():
        if spoken_of(text, facts)[NAMES.index(name)]:
            assert told[slot] == draws[slot]
    silent = with_open(draws, facts, np.zeros(len(NAMES), bool), "square", rng)
    sides = {"left": (0.0, 0.25), "middle": (0.25, 0.7), "right": (0.7, 1.0)}
    low, high = sides[str(facts["stand_x"])]
    assert low <= stats.norm.cdf(silent[OPEN["set"]["stand_x"]]) <= high
