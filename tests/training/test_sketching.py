"""The sketch: it reads what a text says, knows what chance decides, and looks scenes up where they are rendered."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy import stats

pytestmark = pytest.mark.models
torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from generation.house import lookup  # noqa: E402
from generation.house.choices import (  # noqa: E402
    DETAILS,
    HEADS,
    SUBJECTS,
    UNSAID,
    chosen,
    completed,
    nth,
    shares_of,
)
from generation.house.framing import SHAPES  # noqa: E402
from generation.house.sketch import DECIDING, Sketcher, carried, carrying  # noqa: E402
from training import attributes, people, seasons  # noqa: E402
from training.chance import SLOTS, Dice, draws_of  # noqa: E402
from training.grammar import caption  # noqa: E402
from training.people import colours, setting  # noqa: E402
from training.people.look import STYLES, look  # noqa: E402
from training.sketching import said_in  # noqa: E402
from training.world import box_of, sample_set  # noqa: E402


def test_the_model_knows_the_worlds_values_in_the_worlds_order() -> None:
    assert SUBJECTS["people"]["colour"] == tuple(colours.WALLS)
    assert SUBJECTS["people"]["light"] == tuple(colours.TINTS)
    for name in ("age", "gender", "ability", "framing", "count", "build"):
        assert set(SUBJECTS["people"][name]) == set(attributes.ATTRIBUTES[name]), name
    for name in ("setting", "light", "colour", "detail", "stand_x", "stand_y", "distance"):
        assert set(SUBJECTS["set"][name]) == set(attributes.ATTRIBUTES[name]), name
    assert set(seasons._COLOURS) == set(seasons.SEASONS)
    assert len(colours.CLOTHES) == lookup._CLOTHES
    assert len(colours._HAIR) == lookup._HAIRS
    assert len(setting.PROPS) == lookup._PROPS
    assert {len(styles) for styles in STYLES.values()} == {lookup._STYLES}


def test_what_chance_draws_of_people_is_looked_up_where_chance_put_it() -> None:
    rng = random.Random(8)
    seen = set()
    for _ in range(200):
        facts = people.sample_people(rng)
        draws = draws_of(int(facts["seed"]))
        places, codes = lookup._drawn(facts, draws.tolist())
        chance = Dice(draws, 0, 18)
        wall = colours.wall(str(facts["colour"]), str(facts["light"]), chance)
        prop = setting.PROPS.index(chance.choice(setting.PROPS))
        assert places[5] == prop * 2 + (facts["framing"] == "figure")
        owns = [Dice(draws, 18 + 8 * k, 26 + 8 * k) for k in range(int(facts["count"]))]
        assert codes[4] == owns[0].randrange(len(colours.CLOTHES))
        for person, own in enumerate(owns):
            found = look(facts, wall.base, -1, "none", own, codes[4] + person)
            style = STYLES[str(facts["gender"])].index(found.style)
            assert places[2 + person] // len(lookup._GROUPS) == style
            if facts["age"] != "older":
                assert found.hair == colours._HAIR[codes[6 + person]]
            else:
                assert codes[6 + person] == lookup._SILVER
        assert codes[6 + len(owns) :] == [lookup._NOBODY] * (3 - len(owns))
        seen.add((places[0], prop))
    assert len(seen) > 50


@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_backdrop_is_looked_up_inside_the_crop_that_is_rendered(shape: str) -> None:
    rng = random.Random(shape)
    taught = SHAPES[shape]
    for _ in range(20):
        facts = sample_set(rng, shape)
        _, box = lookup._seen(facts, float(draws_of(int(facts["seed"]))[0]), shape)
        rendered = box_of(facts, taught.width, taught.height)
        assert np.multiply(box, [800, 448, 800, 448]) == pytest.approx(rendered)


def test_sampling_finds_what_stands_at_a_place() -> None:
    ramp = torch.linspace(0, 1, 100).expand(1, 1, 56, 100)
    places = lookup._places(torch.tensor([[0.25, 0.0, 0.75, 1.0], [0.0, 0.0, 1.0, 1.0]]), (16, 16))
    found = lookup._sampled(torch.cat([ramp, ramp + 5]), torch.tensor([1, 0]), places)
    assert found.shape == (2, 1, 32, 32)
    assert found[0, 0, 3, [0, -1]].tolist() == pytest.approx([5 + 0.25 + 0.5 / 64, 5 + 0.75 - 0.5 / 64], abs=0.01)
    assert float(found[1].min()) == pytest.approx(1 / 64, abs=0.01)


def test_numbers_decide_what_is_not_said_and_nothing_else() -> None:
    said = {"subject": "set", "setting": "kitchen_shelf", "detail": UNSAID, "light": "moody", "season": "none"}
    rng = np.random.default_rng(2)
    drawn = [completed(said, rng.standard_normal(SLOTS).tolist(), "square") for _ in range(900)]
    assert {(row["setting"], row["light"], row["season"]) for row in drawn} == {("kitchen_shelf", "moody", "none")}
    for name in ("detail", "colour", "stand_x", "stand_y", "distance"):
        shares = shares_of("set", name, "square", "kitchen_shelf")
        counts = [sum(row[name] == value for row in drawn) for value in shares]
        assert stats.chisquare(counts, [900 * share for share in shares.values()]).pvalue > 1e-4, name


def test_what_contradicts_itself_is_mended() -> None:
    numbers = [0.0] * SLOTS
    oak = completed({"subject": "set", "setting": "tabletop_stone", "detail": "oak"}, numbers, "square")
    assert oak["detail"] in DETAILS["tabletop_stone"][1]
    assert completed({"subject": "set", "setting": "sand", "colour": "pink"}, numbers, "square")["colour"] == "natural"
    assert completed({"subject": "set", "setting": "sand", "stand_y": "raised"}, numbers, "wide")["stand_y"] == "bottom"
    two = completed({"subject": "people", "count": "2", "framing": "portrait"}, numbers, "square")
    assert (two["count"], two["framing"], two["ability"]) == ("2", "figure", "none")


def test_parts_of_the_normal_are_equal_and_borders_hold() -> None:
    assert [nth(number, 3) for number in (-9, -0.44, -0.42, 0.0, 0.42, 0.44, 9)] == [0, 0, 1, 1, 1, 2, 2]
    assert chosen({"a": 0.25, "b": 0.75}, -0.7) == "a"
    assert chosen({"a": 0.25, "b": 0.75}, -0.6) == "b"
    assert {chosen({"a": 0.5, "b": 0.5}, number) for number in (-40.0, 40.0)} == {"a", "b"}


def test_a_caption_says_what_it_names_and_that_there_is_no_season() -> None:
    rng = random.Random(3)
    facts = {
        **sample_set(rng),
        "setting": "sand",
        "colour": "natural",
        "detail": "",
        "season": "none",
        "light": "moody",
    }
    said = said_in("a sandy desert", {**facts, "setting": "sand"})
    assert said["subject"] == "set"
    assert said["set.season"] == "none"
    assert said["set.light"] == said["set.colour"] == said["set.detail"] == UNSAID
    for _ in range(100):
        subject = people.sample_people(rng) if rng.random() < 0.5 else sample_set(rng)
        whole = said_in(caption(subject, rng), subject)
        assert all(value in HEADS[head] for head, value in whole.items())
        told = [head for head, value in whole.items() if value != UNSAID]
        assert len(told) >= 6


@pytest.mark.parametrize(("height", "width"), [(16, 16), (8, 32), (18, 14)])
def test_noise_is_understood_although_the_picture_shows_through(height: int, width: int) -> None:
    torch.manual_seed(4)
    sketch, text = Sketcher(192, 16), torch.randn(6, 192)
    order = sketch.get_buffer("order")
    order.copy_(torch.randperm(SLOTS))
    for shape in SHAPES:
        sketch.get_buffer(f"mean_{shape}").normal_()
    numbers = torch.randn(6, SLOTS)
    deciding = list(DECIDING)
    with torch.no_grad():
        placed = torch.empty(6, SLOTS)
        placed[:, order] = numbers
        noise = carrying(torch.randn(6, 16, height, width), placed)
        first, heard = sketch.understood(text, noise, torch.ones(6))
        assert heard.numpy() == pytest.approx(numbers.numpy(), abs=1e-4)
        clean = sketch.quieted(first + torch.randn_like(first))
        for share in (0.7, 0.3):
            mixed = (1 - share) * clean + share * noise
            guess, heard = sketch.understood(text, mixed, torch.full((6,), share))
            assert heard[:, deciding].numpy() == pytest.approx(numbers[:, deciding].numpy(), abs=1e-3)
            assert torch.allclose(guess, first, atol=1e-3), "the same scene as at first"
    loud = (carried(mixed) / 0.3)[:, order][:, deciding]
    assert float((loud - numbers[:, deciding]).abs().max()) > 0.5


def test_quieting_changes_only_what_decides() -> None:
    torch.manual_seed(5)
    sketch, latent = Sketcher(192, 16), torch.randn(2, 16, 12, 24)
    found = sketch.quieted(latent)
    change = (carried(found) - carried(latent)).abs()
    others = [slot for slot in range(SLOTS) if slot not in DECIDING]
    assert float(change[:, others].max()) < 1e-5
    assert float(carried(found)[:, list(DECIDING)].abs().max()) < 1e-5, "as the mean, which is nothing here"
    assert float((found - latent).square().sum()) == pytest.approx(float(change.square().sum()), rel=1e-3)
    assert torch.allclose(sketch.quieted(found), found, atol=1e-5)


def test_a_sketch_learns_what_its_pictures_show_and_leaves_other_grids_alone() -> None:
    torch.manual_seed(1)
    sketch = Sketcher(192, 16)
    rng = random.Random(1)
    facts = [{**sample_set(rng), "setting": "sand", "detail": "", "colour": "natural"} for _ in range(8)]
    numbers = torch.randn(8, SLOTS)
    clean = torch.randn(16, 1, 1).expand(8, 16, 16, 16)
    optimiser = torch.optim.Adam(sketch.parameters(), lr=1e-2)
    before = sketch.backdrops.stages.detach().clone()
    losses = []
    for _ in range(25):
        loss = (sketch.laid_out(facts, numbers, "square") - clean).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.2 * losses[0]
    changed = (sketch.backdrops.stages.detach() - before).abs().amax(dim=(1, 2, 3)) > 0
    stage = [place for place, (name, _) in enumerate(lookup._STAGES) if name == "sand"]
    assert changed.nonzero().flatten().tolist() == stage


def test_texts_of_all_kinds_stand_side_by_side_in_one_batch() -> None:
    torch.manual_seed(2)
    sketch = Sketcher(192, 16)
    sketch.get_buffer("mean_tall").fill_(7.0)
    whole = [
        sample_set(random.Random(1), "tall"),
        None,
        people.sample_people(random.Random(2)),
    ]
    numbers = torch.randn(3, SLOTS)
    with torch.no_grad():
        found = sketch.laid_out(whole, numbers, "tall")
        alone = sketch.laid_out(whole[2:], numbers[2:], "tall")
    assert found.shape == (3, 16, 20, 12)
    assert float(found[1].min()) == 7.0
    assert torch.allclose(found[2:], alone, atol=1e-5)
    assert float((found[0] - 7).abs().mean()) > 1


def test_people_in_wide_pictures_stand_in_the_middle() -> None:
    torch.manual_seed(2)
    sketch, facts = Sketcher(192, 16), people.sample_people(random.Random(2))
    numbers = torch.randn(1, SLOTS)
    with torch.no_grad():
        wide, square = (sketch.laid_out([facts], numbers, shape) for shape in ("wide", "square"))
    assert wide.shape == (1, 16, 12, 24)
    assert torch.equal(wide[..., 0], wide[..., 5])
    assert not torch.equal(wide[..., 6], wide[..., 9])
    assert float(wide[..., 6:18].mean()) == pytest.approx(float(square.mean()), abs=0.02)
