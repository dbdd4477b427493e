"""Broken briefs: nothing crashes, nothing untrue is said, and bad files are found before anything is made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from generation.briefs import OBJECTIVES, brief_warnings, load_brand, load_campaign
from generation.layouts import layout_names
from generation.placements import load_placements
from generation.scenes import SCENES, STYLES
from proofsheet.errors import InputError

Write = Callable[..., Path]
PLACEMENTS = 'placements = ["meta_feed_portrait", "meta_story", "google_pmax_portrait"]'
FONTS = Path(__file__).resolve().parents[2] / "generation" / "fonts"


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_campaign(path)
    return caught.value.message.splitlines()[1:]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('"tin.png"', '"a\\u0000b"', 13, "product.image: got 'a\\x00b', which holds control characters (U+0000)"),
        ('"Late, not loud"', '"Late\\u0000loud"', 40, "texts.en-US: got 'Late\\x00loud', which holds control"),
        ('"Late, not loud"', '"Late,\\tnot loud"', 40, "(U+0009)"),
        ('never = ["smoke"]', 'never = ["a\\u0007"]', 8, "campaign.never[1]: got 'a\\x07', which holds control"),
        ('name = "Harbour black tea"', 'name = "tea\\u001b[31m"', 12, "(U+001B)"),
        ('kind = "arch_podium"', 'mask = "a\\u0000"', 29, "params.mask: got 'a\\x00', which holds control"),
        ('kind = "arch_podium"', "count = nan", 29, "not a number to draw with"),
        ('"Late, not loud"', '"\\u200b\\u00ad"', 40, "the text shows nothing"),
        ('"Late, not loud"', f'"{"late " * 61}"', 40, "of 304 characters; at most 300 are set on a picture"),
        ('{ en-US = "Two for one in May", de-DE = "Im Mai zwei für eins" }', f'"{"x" * 301}"', 5, "offer: got 'xx"),
        ("https://harbour.example/tea", "https://[::1/", 9, "campaign.destination: got 'https://[::1/'"),
        ("https://harbour.example/tea", "https://harbour.example:tea/", 9, "not a web address"),
        ("https://harbour.example/tea", "https://:80/", 9, "not a web address"),
        ('"tin.png"', f'"{"a" * 5000}"', 13, "cannot be read: File name too long"),
    ],
)  # fmt: skip
def test_texts_that_no_file_should_hold(write: Write, old: str, new: str, line: int, said: str) -> None:
    path = write((old, new))
    (problem,) = problems(path)
    assert said in problem
    assert f"{path}, line {line}, " in problem
    assert len(problem) < len(str(path)) * 2 + 400


@pytest.mark.parametrize("text", ["a = " + "[" * 3000, "a = " + "9" * 5000, "a = " + "[" * 200 + "]" * 200])
def test_files_that_strain_the_parser(tmp_path: Path, text: str) -> None:
    (tmp_path / "brief.toml").write_text(text)
    with pytest.raises(InputError, match=r"brief\.toml"):
        load_campaign(tmp_path / "brief.toml")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("\x00", "texts = { en-US = ")
@example("//[::1/", "destination = ")
@given(
    st.text(max_size=20), st.sampled_from(["destination = ", "image = ", "offer = { en-US = ", "slug = ", "kind = "])
)
def test_no_text_crashes(write: Write, text: str, key: str) -> None:
    path = write()
    brief = path.read_text(encoding="utf-8")
    start = brief.index('"', brief.index(key))
    escaped = "".join(f"\\U{ord(character):08X}" for character in text)
    path.write_text(brief[:start] + f'"{escaped}"' + brief[brief.index('"', start + 1) + 1 :], encoding="utf-8")
    with contextlib.suppress(InputError):
        assert load_campaign(path).brief.factors


def opaque(colour: tuple[int, int, int] = (250, 250, 250)) -> Image.Image:
    """A product on a plain ground."""
    picture = Image.new("RGB", (60, 80), colour)
    picture.paste((30, 90, 60), (20, 15, 40, 70))
    return picture


def noise() -> Image.Image:
    """A ground of many colours."""
    picture = Image.new("RGB", (64, 64))
    picture.putdata([(x * 4, y * 4, (x * y) % 256) for y in range(64) for x in range(64)])
    return picture


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda file: file.write_bytes(b"no picture at all"), "is not a JPEG, PNG or WebP picture"),
        (lambda file: file.write_bytes(b""), "is not a JPEG, PNG or WebP picture"),
        (lambda file: file.write_bytes(file.read_bytes()[:60]), "is damaged"),
        (lambda file: Image.new("RGBA", (30, 30), (9, 9, 9, 0)).save(file), "it is wholly transparent"),
        (lambda file: Image.new("RGB", (30, 30), (9, 9, 9)).save(file), "cannot be used"),
        (lambda file: noise().save(file), "plain"),
        (lambda file: noise().save(file, "GIF"), "is not a JPEG, PNG or WebP picture"),
    ],
)
def test_a_bad_product_picture_is_a_problem(write: Write, make: Callable[[Path], object], said: str) -> None:
    path = write()
    make(path.parent / "tin.png")
    (problem,) = problems(path)
    assert f"1. {path}, line 13, product.image: 'tin.png' cannot be used" in problem
    assert said in problem


def test_a_product_on_a_plain_ground_is_taken(write: Write) -> None:
    path = write()
    opaque().save(path.parent / "tin.png")
    assert load_campaign(path).brief.product.image.name == "tin.png"


def test_bad_files_of_the_brand_are_problems(write: Write) -> None:
    rows = 'name = "Harbour"\nlogo = "logo.png"\nreferences = ["good.png", "bad.png"]\nbody_font = "own.ttf"'
    path = write(brand=(('name = "Harbour"', rows),))
    noise().save(path.parent / "logo.png")
    opaque().save(path.parent / "good.png")
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(path.parent / "bad.png")
    (path.parent / "own.ttf").write_bytes(b"no font")
    logo, reference, font = problems(path)
    assert "brand.toml, line 3, brand.logo: the logo 'logo.png' cannot be told from its ground" in logo
    assert "line 4, brand.references[2]: 'bad.png' cannot be used as a reference picture: it shows nothing" in reference
    assert "line 5, brand.body_font: The font file" in font
    assert "own.ttf cannot be read" in font


def test_a_font_given_by_path_is_taken(write: Write) -> None:
    path = write(brand=(('name = "Harbour"', 'name = "Harbour"\nheadline_font = "own.ttf"'),))
    font = (FONTS / "manrope-500.ttf").read_bytes()
    (path.parent / "own.ttf").write_bytes(font)
    assert load_campaign(path).brand.headline_font == str(path.parent / "own.ttf")
    (path.parent / "own.ttf").write_bytes(font[:200])
    assert any("brand.headline_font" in problem for problem in problems(path))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Sale", "sales"), ("purchase", "purchases"), ("click", "clicks"), *((known, known) for known in OBJECTIVES)],
)
def test_objectives_and_their_singulars(write: Write, written: str, meant: str) -> None:
    path = write(('audience = "people', f'objective = "{written}"\naudience = "people'))
    assert load_campaign(path).brief.objective == meant


def test_an_unknown_objective_names_the_nearest_and_all(write: Write) -> None:
    (problem,) = problems(write(('audience = "people', 'objective = "converions"\naudience = "people')))
    assert "campaign.objective: got 'converions', which is not an objective. Did you mean 'conversions'?" in problem
    assert all(known in problem for known in OBJECTIVES)


def test_names_are_short_enough_for_file_names(write: Write) -> None:
    longest, longer = "a" * 60, "b" * 61
    assert load_campaign(write(('slug = "harbour-tea"', f'slug = "{longest}"'))).slug == longest
    found = problems(write(('slug = "harbour-tea"', f'slug = "{longer}"'), ('name = "arch"', f'name = "{longer}"')))
    assert len(found) == 2
    assert all("of 61 characters; at most 60 are allowed" in problem for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "near", "known"),
    [
        ('"meta_story"', '"meta_storey"', "meta_story", load_placements()),
        ('"meta_story"', '"qqq"', None, load_placements()),
        ('kind = "arch_podium"', 'kind = "arch_podiun"', "arch_podium", SCENES),
        ('kind = "arch_podium"', 'light = "window_worm"', "window_warm", STYLES),
        ("[[factors.cta]]", '[[factors.layout]]\nname = "colum"\n[[factors.cta]]', "column", layout_names()),
    ],
)
def test_the_nearest_word_and_all_that_are_known(
    write: Write, old: str, new: str, near: str | None, known: tuple[str, ...]
) -> None:
    (problem,) = problems(write((old, new)))
    assert ("Did you mean" in problem) == (near is not None)
    assert near is None or f"Did you mean {near!r}? Known: " in problem
    listed = problem.split("Known: ")[1]
    assert all(name in listed for name in known)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ('kind = "discs", count = 99', "The scene parameter count = 99 is out of range. Give a number from 1 to 9."),
        ('kind = "neon", shape = "star"', "The scene parameter shape = 'star' is not known. Known: ring, arch, bars."),
        ('kind = "sweep", tilt = "steep"', "tilt = 'steep' is not a number"),
        ('kind = "sweep", hue = "teal"', "neither a colour nor degrees"),
        ("accent = 7", "names no palette colour: the palette has"),
    ],
)
def test_parameters_are_tried_on_the_renderer(write: Write, params: str, said: str) -> None:
    path = write(('kind = "arch_podium"', params))
    (problem,) = problems(path)
    assert f"{path}, line 29, factors.scene[1].params: The scene parameter" in problem
    assert said in problem


def test_parameters_that_nothing_reads_are_a_warning(write: Write) -> None:
    path = write(('kind = "arch_podium"', 'kind = "discs", cuont = 3, count = 4'))
    (warning,) = brief_warnings(load_campaign(path))
    assert "The scene 'arch' names the parameter 'cuont', which the kind 'discs' does not read" in warning
    assert "count" in warning.split("it reads")[1]


@pytest.mark.parametrize("role", ["primary", "ink", "paper"])
def test_two_colours_cannot_share_a_singular_role(tmp_path: Path, role: str) -> None:
    rows = "".join(f'[[palette]]\nname = "c{at}"\nhex = "#12345{at}"\nrole = "{role}"\n' for at in range(2))
    (tmp_path / "brand.toml").write_text(f'[brand]\nname = "X"\n{rows}')
    with pytest.raises(InputError, match=rf"line 10, palette\[2\]\.role: the role '{role}' is that of the colour 'c0'"):
        load_brand(tmp_path / "brand.toml")


def test_several_support_colours_are_fine(tmp_path: Path) -> None:
    rows = "".join(f'[[palette]]\nname = "c{at}"\nhex = "#12345{at}"\nrole = "support"\n' for at in range(3))
    (tmp_path / "brand.toml").write_text(f'[brand]\nname = "X"\n{rows}')
    assert [colour.role for colour in load_brand(tmp_path / "brand.toml").palette] == ["support"] * 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('locales = ["en-US", "de-DE"]', 'locales = "en-US"', "got 'en-US', a text, where a list must stand"),
        ('locales = ["en-US", "de-DE"]', 'locales = ["en-US", 5]', "got 5 where a text must stand"),
        ('"de-DE"]', '"german"]', "not a language tag"),
        ("[campaign]", "[[campaign]]", "campaign: got a list, a list, where a table must stand"),
        ("[product]", "[[product]]", "product: got"),
        ("[plan]", "[[plan]]", "plan: got"),
        (PLACEMENTS, 'placements = "meta_story"', "campaign.placements: got"),
        ('texts = { en-US = "Try a tin", de-DE = "Jetzt probieren" }', 'texts = "Try a tin"', "cta[1].texts: got"),
        ("[campaign]", "[campaign]\nbrand = 5", "campaign.brand: got 5"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_one_problem(write: Write, old: str, new: str, said: str) -> None:
    found = problems(write((old, new)))
    assert len(found) == 1, found
    assert said.split(": got")[0] in found[0]


def test_wrong_types_of_tables_of_the_brand_and_of_factors(write: Write) -> None:
    (problem,) = problems(
        write(brand=(('[[palette]]\nname = "harbour blue"\nhex = "#1F4E79"\n', ""), ("[[palette]]", "[palette]")))
    )
    assert "palette: got a table, where a list of tables must stand" in problem
    path = write()
    brief = path.read_text(encoding="utf-8")
    path.write_text("factors = 3\n" + brief[: brief.index("[[factors.scene]]")], encoding="utf-8")
    (problem,) = problems(path)
    assert "factors: got 3, a whole number, where a table must stand" in problem


def test_a_brand_file_that_is_no_toml_comes_with_the_problems_of_the_brief(write: Write) -> None:
    found = problems(write(("seed = 11", "seed = 1.5"), brand=(("[brand]", "[brand"),)))
    assert len(found) == 2
    assert "brand.toml, line 1, column 7 is not valid TOML" in found[0]


def test_long_values_are_shortened(write: Write) -> None:
    long = "x" * 4000
    path = write(
        ('"25.00 EUR"', f'"{long}"'), ("seed = 11", f'seed = "{long}"'), ("never =", f'{long} = 1\nnever ='),
        ('name = "arch"', f'name = "{long}!"'), ('"Late, not loud"', f'"Smoke {long}"'), ('"de-DE"]', f'"{long}"]'),
    )  # fmt: skip
    found = problems(path)
    assert len(found) == 7  # the headline is too long, and holds a forbidden word
    assert all(len(problem) < len(str(path)) + 400 and "…" in problem for problem in found), found
