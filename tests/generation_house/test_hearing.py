"""What the house model hears is what it draws by, is said before drawing, and stays the same where it is left open."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from generation.backends.house import HouseBackend
from generation.house import hearing as module
from generation.house.choices import SLOTS, SUBJECTS
from generation.house.folder import WEIGHTS, has_weights
from generation.house.hearing import Hearing, heard, left_open
from generation.house.remarks import remarks
from generation.house.words import LIGHT, SETTING, read_vocabulary
from proofsheet.domain.asset import SceneRecipe

MakeRecipe = Callable[..., SceneRecipe]
PROMPTS = ("an arch in teal", "", "rippled sand low golden evening light a wide view", " ".join(["stone"] * 70))

shipped = pytest.mark.skipif(not has_weights(), reason="the house model's weights are not in this copy")


@pytest.fixture
def hearing(stand_in: Path) -> Hearing:
    found = Hearing.of(stand_in)
    assert found is not None
    return found


@pytest.mark.models
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_text_is_heard_as_the_text_tower_hears_it(hearing: Hearing, stand_in: Path, prompt: str) -> None:
    torch = pytest.importorskip("torch")
    from transformers import PreTrainedTokenizerFast

    from generation.house import HouseTextEncoder, HouseTransformer

    home = stand_in / "diffusion"
    tower = HouseTextEncoder.from_pretrained(home / "text_encoder", dtype=torch.float32).eval()
    words = PreTrainedTokenizerFast.from_pretrained(home / "tokenizer")
    tokens = words([prompt], padding="max_length", max_length=48, truncation=True, return_tensors="pt").input_ids
    unet = HouseTransformer.from_pretrained(home / "unet", dtype=torch.float32)
    with torch.no_grad():
        vector = tower(tokens).last_hidden_state[:, 0]
        (facts,) = unet.sketch.reader.facts(vector, torch.zeros(1, 48), "square")
    assert hearing._vector(prompt) == pytest.approx(vector[0].numpy(), abs=1e-4)
    said = hearing.said(prompt)
    assert (said is None) == (facts is None)
    if said is not None and facts is not None:
        assert said["subject"] == facts["subject"]
        named = {name: value for name, value in said.items() if value and name in ("setting", "light")}
        assert {name: facts[name] for name in named} == named


def test_what_a_level_leaves_open_is_the_same_for_all_its_scenes(make_recipe: MakeRecipe) -> None:
    silent = {"subject": "set", **dict.fromkeys(SUBJECTS["set"], "")}
    one, other = left_open(make_recipe(seed=1), silent), left_open(make_recipe(seed=2), silent)
    assert one == other
    assert set(one) == {SLOTS["set"][name] for name in ("setting", "detail", "light")}
    told = {**silent, "setting": "kitchen_shelf", "light": "moody"}
    assert set(left_open(make_recipe(), told)) == {SLOTS["set"]["detail"]}
    assert left_open(make_recipe(), None) == {}
    person = {"subject": "people", **dict.fromkeys(SUBJECTS["people"], "")}
    assert set(left_open(make_recipe(), person)) == {SLOTS["people"]["light"]}, "who is seen is the seed's to say"


def test_the_numbers_of_levels_are_normal_and_differ() -> None:
    drawn = [module._number_of("light", f"style {number}") for number in range(2000)]
    assert len(set(drawn)) == 2000
    assert stats.kstest(drawn, "norm").pvalue > 0.001
    assert module._number_of("light", "dusk") != module._number_of("setting", "dusk")


@pytest.mark.models
@pytest.mark.usefixtures("one_thread")
def test_noise_carries_the_levels_numbers_and_else_is_the_seeds(
    stand_in: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from generation.house.packing import unpacked
    from generation.house.sketch import carried

    backend = HouseBackend(str(stand_in), steps=1)
    recipes = [make_recipe(seed=number, width=128, height=128) for number in (1, 2)]

    def begun(open_slots: dict[int, float]) -> Any:
        monkeypatch.setattr("generation.backends.house.left_open", lambda *_: open_slots)
        generators = [torch.Generator().manual_seed(recipe.seed) for recipe in recipes]
        return backend._start(backend._pipeline, recipes, generators)["latents"]

    order = backend._pipeline.unet.sketch.get_buffer("order").tolist()
    plain, changed = begun({}), begun({40: 1.25, 46: -0.5})
    numbers = carried(unpacked(changed))
    assert numbers[:, order[40]].numpy() == pytest.approx([1.25, 1.25], abs=1e-4)
    assert numbers[:, order[46]].numpy() == pytest.approx([-0.5, -0.5], abs=1e-4)
    kept = [place for place in range(48) if place not in (order[40], order[46])]
    assert torch.allclose(numbers[:, kept], carried(unpacked(plain))[:, kept], atol=1e-4)
    with_noise = [np.asarray(one.image) for one in backend.draw(recipes)]
    monkeypatch.setattr(Hearing, "of", lambda _: None)
    monkeypatch.setattr(backend, "_start", lambda *_: {})
    for mine, theirs in zip(with_noise, backend.draw(recipes), strict=True):
        gap = np.abs(mine.astype(int) - np.asarray(theirs.image))
        assert gap.max() > 0, "the numbers change what is drawn"
    monkeypatch.undo()


@pytest.mark.models
@pytest.mark.usefixtures("one_thread")
def test_where_nothing_is_left_open_the_noise_is_diffusers_own(
    stand_in: Path, make_recipe: MakeRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, recipe = HouseBackend(str(stand_in), steps=2), make_recipe(width=96, height=160)
    monkeypatch.setattr("generation.backends.house.left_open", lambda *_: {})
    (ours,) = backend.draw([recipe])
    monkeypatch.setattr(backend, "_start", lambda *_: {})
    (theirs,) = backend.draw([recipe])
    assert np.abs(np.asarray(ours.image).astype(int) - np.asarray(theirs.image)).max() <= 1


@shipped
def test_what_is_heard_is_said_and_what_could_be(make_recipe: MakeRecipe) -> None:
    hearing, vocabulary = Hearing.of(WEIGHTS), read_vocabulary(WEIGHTS)
    assert hearing is not None
    plain = make_recipe(prompt="an arch and a round podium, low golden evening light, in teal, a wide view")
    assert heard([plain], hearing, vocabulary) == (
        f"The house model hears scene 'arch' as {SETTING['arch_podium']}; style 'morning' as {LIGHT['golden_low']}."
    )
    strange = make_recipe(
        prompt="xylophone spaceship, zany sparkle, in teal, a wide view, empty foreground on the right"
    )
    said = remarks([strange], WEIGHTS)
    assert "'xylophone', 'spaceship', 'zany', 'sparkle'" in said[0]
    assert "scene 'arch' as no setting; style 'morning' as no light." in said[1]
    assert all(phrase in said[1] for phrase in (*SETTING.values(), *LIGHT.values()))


@shipped
@pytest.mark.parametrize(("kind", "taught"), [("setting", SETTING), ("light", LIGHT)])
def test_the_phrases_that_are_recommended_are_heard(kind: str, taught: dict[str, str]) -> None:
    hearing = Hearing.of(WEIGHTS)
    assert hearing is not None
    for value, phrase in taught.items():
        said = hearing.said(f"{phrase} a wide view empty foreground on the right standing at the bottom")
        assert said is not None
        assert said[kind] == value


@shipped
@pytest.mark.processes
def test_saying_what_is_heard_loads_no_torch() -> None:
    code = (
        "import sys\nfrom generation.house.folder import WEIGHTS\nfrom generation.house.hearing import Hearing\n"
        "assert Hearing.of(WEIGHTS).said('soft north light')['light'] == 'soft_north'\n"
        "print(sorted({'torch', 'diffusers', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
