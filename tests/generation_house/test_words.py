"""What the house model is told: known words in its manner, and every unknown word by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from generation.briefs import load_campaign
from generation.house import framing
from generation.house.words import (
    ACROSS,
    COLOURS_OF,
    DISTANCE,
    DOWN,
    HUES,
    LIGHT,
    NEUTRAL,
    PEOPLE_LIGHT,
    ROOM,
    SETTING,
    Vocabulary,
    colour_word,
    house_prompt,
    palette_words,
    read_vocabulary,
    ruled_out,
    tell,
    word_remarks,
)
from generation.plan import plan_variants
from generation.recipes import distinct_scenes, make_recipes
from proofsheet.domain.campaign import BrandKit, Level, PaletteColour
from proofsheet.errors import InputError
from training import phrases, world
from training import phrases_people as people
from training.grammar import vocabulary, words_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KNOWN = Vocabulary(frozenset(vocabulary()), 46)


def brand(*hexes: str) -> BrandKit:
    roles = ("primary", "accent", "secondary")
    colours = tuple(
        PaletteColour(name=f"c{number}", hex=text, role=role)
        for number, (text, role) in enumerate(zip(hexes, roles, strict=False))
    )
    return BrandKit(name="Test", palette=colours, wordmark="test", tone=("calm",))


def test_every_fixed_phrase_is_in_the_grammars_vocabulary() -> None:
    fixed = (*ACROSS.values(), *DOWN.values(), *DISTANCE.values(), ROOM, COLOURS_OF, *HUES, NEUTRAL)
    said = {word for phrase in fixed for word in words_of(phrase.replace("{}", " "))}
    assert said - set(vocabulary()) == set()


def test_there_is_a_taught_phrase_to_write_for_every_setting_and_light() -> None:
    for told, taught in ((SETTING, phrases.SETTING), (LIGHT, phrases.LIGHT), (PEOPLE_LIGHT, people.PEOPLE_LIGHT)):
        assert set(told) == set(taught)
        assert all(phrase in taught[word] for word, phrase in told.items())
    assert (tuple(SETTING), tuple(LIGHT)) == (world.SETTINGS, world.LIGHTS)


def test_the_fixed_phrases_mean_what_the_grammar_means_by_them() -> None:
    assert all(phrase in phrases.STAND_X[word] for word, phrase in ACROSS.items())
    assert all(phrase in phrases.STAND_Y[word] for word, phrase in DOWN.items())
    assert all(phrase in phrases.DISTANCE[word] for word, phrase in DISTANCE.items())
    assert ROOM in phrases.ROOM
    assert COLOURS_OF in phrases.IN_COLOUR
    assert all(word in phrases.COLOUR[word] for word in (*HUES, NEUTRAL))


def test_words_and_shapes_stand_where_the_pictures_were_taught() -> None:
    order = list(framing.DISTANCES)
    for word, share in framing.NEARNESS.items():
        after = order[order.index(word) + 1 :]
        assert framing.DISTANCES[word] <= share
        assert not after or share < framing.DISTANCES[after[0]]
    for shape in framing.SHAPES.values():
        assert set(shape.across) <= set(framing.ACROSS)
        assert set(shape.down) <= set(framing.DOWN)
        assert set(shape.distances) <= set(framing.NEARNESS)
    assert world.HUES is HUES


def test_unknown_content_words_are_named_and_left_out() -> None:
    told = tell("A kangaroo's café beside an arch, with a unicorn", KNOWN)
    assert told.unknown == ("kangaroo", "cafe", "unicorn")
    assert told.prompt == "a an arch with a"


def test_words_that_mean_nothing_are_left_out_unsaid() -> None:
    assert tell("something beside the arch", KNOWN).unknown == ()


@pytest.mark.parametrize(("written", "known"), [("Podiums", "podium"), ("GRAY", "grey"), ("windows", "window")])
def test_other_numbers_and_spellings_are_understood(written: str, known: str) -> None:
    assert tell(written, KNOWN).prompt == known


def test_what_is_said_too_late_is_named_too() -> None:
    told = tell(", ".join(["an arch"] * 60 + ["sand"]), KNOWN)
    assert len(told.prompt.split()) <= 46
    assert told.unread == ("arch", "sand")
    assert "sand" in word_remarks([", ".join(["an arch"] * 60 + ["sand"])], KNOWN)[0]


def test_remarks_name_every_unknown_word_once_and_the_way_out() -> None:
    said = word_remarks(["an arch, a kangaroo", "sand and a kangaroo with a tuba"], KNOWN)
    assert len(said) == 1
    assert said[0].startswith("Not known to the house model: 'kangaroo', 'tuba'; ")
    assert "--backend diffusers" in said[0]
    assert word_remarks(["an arch in front of a plain wall"], KNOWN) == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [("#e0672c", "orange"), ("#0a737b", "teal"), ("#888888", "neutral"), ("#d4a5c9", "pink"), ("#1f4e79", "blue"),
     ("#b4533c", "coral"), ("#2f7d4f", "green"), ("#e8c91c", "yellow"), ("#6a3fb5", "violet")],
)  # fmt: skip
def test_a_colour_is_said_by_its_hue(text: str, word: str) -> None:
    assert colour_word(PaletteColour(name="x", hex=text).rgb) == word


def test_the_palette_is_said_where_the_setting_shows_it() -> None:
    palette = brand("#0a737b", "#e0672c").palette
    assert palette_words(palette, "an arch and a round podium") == "in teal"
    assert palette_words(palette, "a plain paper sweep") == "in teal"
    assert palette_words(palette, "rippled sand") == ""  # sand has its own
    assert palette_words(palette, "a pink sweep") == ""  # the brief's own colour counts
    assert palette_words(brand("#0a737b", "#0b8088").palette, "stacked blocks") == "in teal"
    assert palette_words((), "stacked blocks") == ""


def test_a_light_that_makes_another_colour_of_the_brands_gets_the_next_of_the_palette() -> None:
    palette = brand("#0a737b", "#e08a2c").palette  # teal, and orange as the accent
    assert palette_words(palette, "an arch", "soft_north") == "in teal"
    assert palette_words(palette, "an arch", "window_warm") == "in teal"
    assert palette_words(palette, "an arch", "golden_low") == "in orange", "teal by a low sun is green"
    assert palette_words(brand("#0a737b").palette, "an arch", "golden_low") == "in teal", "there is no other"
    assert palette_words(palette, "an arch", "a light of its own") == "in teal"


def test_colour_words_mean_the_hue_that_renders_have_in_a_light() -> None:
    """A few large renders are measured again, as the table was."""
    import numpy as np

    from generation.composition.colour import to_oklch
    from generation.house import words as told

    for light, word in (("golden_low", "teal"), ("high_key", "coral"), ("window_warm", "blue")):
        facts = {"setting": "arch_podium", "light": light, "colour": word, "detail": "", "stand_x": "middle"}
        facts |= {"subject": "set", "season": "none", "stand_y": "bottom", "distance": "far"}
        recipe = world.recipe_of({**facts, "seed": 1}, 264, 264)
        pixels = np.asarray(world.draw_scene(recipe))[:160:16, ::16].reshape(-1, 3)
        tones = [to_oklch((int(r), int(g), int(b))) for r, g, b in pixels]
        total = sum(chroma * np.exp(1j * np.radians(hue)) for _, chroma, hue in tones)
        assert told._apart(float(np.degrees(np.angle(total))), told._seen(light)[word]) < 20


def test_a_prompt_is_short_and_in_the_models_manner() -> None:
    frame = framing.frame_for(1080, 1350, (0.735, 0.9, 0.36))
    prompt = house_prompt(
        brand("#0a737b", "#e0672c"), frame, scene=Level(name="arch", prompt="an arch and a podium."),
        style=Level(name="soft_north"), audience=Level(name="all", prompt="for night owls"),
    )  # fmt: skip
    assert prompt == (
        "an arch and a podium, soft north, in teal, a wide view, "
        "empty foreground on the right, standing at the bottom, for night owls"
    )


def test_only_what_could_be_drawn_is_ruled_out() -> None:
    never = ["people", "ice cubes with text", "other brands", "kangaroos", "sand", "sand"]
    assert ruled_out(never, KNOWN) == "people sand"


@pytest.mark.parametrize("example", ["norda", "mira"])
def test_the_examples_lie_in_the_models_world(example: str) -> None:
    campaign = load_campaign(EXAMPLES / example / "brief.toml")
    recipes = make_recipes(
        plan_variants(campaign), campaign, backend_name="house", model="m", revision="1", steps=8, guidance=3.0,
        size_multiple=1, max_side=None, product_sha256="0" * 64,
    )  # fmt: skip
    assert word_remarks((scene.prompt for scene in distinct_scenes(recipes)), KNOWN) == ()
    assert {(scene.width, scene.height) for scene in distinct_scenes(recipes)} >= {(1080, 1350)} or example == "mira"


def test_the_vocabulary_is_read_from_the_folder(words_folder: Path, tmp_path: Path) -> None:
    read = read_vocabulary(words_folder)
    assert read == KNOWN
    with pytest.raises(InputError, match="vocabulary cannot be read"):
        read_vocabulary(tmp_path)


def test_words_are_cut_as_the_models_own_tokenizer_cuts_them(words_folder: Path) -> None:
    from training.tokenizer import Words

    tokenizer = Words(words_folder / "diffusion" / "tokenizer" / "tokenizer.json")
    for text in ("An ARCH’s wall; kangaroo's, naïve tuba-player 2", "soft\tlight,,an_arch!"):
        unknown = set(tokenizer.unknown(text))
        told = set(tell(text, Vocabulary(KNOWN.words, 1000)).unknown)
        assert told <= unknown | {word.replace("ï", "i") for word in unknown}
        assert unknown == set() or told
