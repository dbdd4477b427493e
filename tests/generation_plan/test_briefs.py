"""Briefs and brand kits: what is read, and what is said about what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from generation.briefs import brief_warnings, load_brand, load_campaign
from generation.identity import brand_id, campaign_id
from proofsheet.domain.campaign import FACTORS
from proofsheet.domain.money import Money
from proofsheet.errors import InputError, NotFoundError

Write = Callable[..., Path]
GREAT_BRITAIN = tuple(
    (f'en-US = "{words}"', f'en-US = "{words}", en-GB = "{words}"')
    for words in ("Calm, by the cup", "Late, not loud", "Try a tin")
)
EN_CALM = 'en-US = "Calm, by the cup"'


def problems(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        load_campaign(path)
    return caught.value.message.splitlines()[1:]


def test_a_whole_brief_is_read(write: Write) -> None:
    campaign = load_campaign(write())
    brief, brand = campaign.brief, campaign.brand
    assert (brief.slug, brief.seed, brief.max_variants, brief.days) == ("harbour-tea", 11, 6, 21)
    assert brief.budget == Money(Decimal("25.00"), "EUR")
    assert brief.start == date(2026, 6, 1)
    assert brief.product.image.is_absolute()
    assert brief.product.image.is_file()
    assert tuple(factor.name for factor in brief.factors) == FACTORS
    assert [level.name for level in brief.factor("locale").levels] == ["en-US", "de-DE"]
    assert brief.factor("headline").level("late").texts["de-DE"] == "Spät und leise"
    assert brief.factor("scene").level("arch").params == {"kind": "arch_podium"}
    assert [len(brief.factor(name).levels) for name in ("style", "layout", "audience")] == [1, 1, 1]
    assert brand.wordmark == "Harbour"
    assert [(colour.hex, colour.role) for colour in brand.palette] == [("#1f4e79", "primary"), ("#f7f3ea", "paper")]


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ('audience = "people', 'audiance = "people', 4, "Did you mean 'audience'?"),
        ("seed = 11", 'seed = "11"', 18, "got '11', a text, where a whole number must stand"),
        ("seed = 11", "seed = true", 18, "got true, true or false, where a whole number"),
        ("seed = 11", "seed = -1", 18, "got -1, which is not between 0 and"),
        ('"25.00 EUR"', '"25,00 EUR"', 19, "with a decimal point and no thousands separator"),
        ('"25.00 EUR"', '"25.00 eur"', 19, "three capital letters"),
        ("start = 2026-06-01", 'start = "2026-02-30"', 22, "not a day of the calendar"),
        ("start = 2026-06-01", "start = 2026-06-01T10:00:00", 22, "a date with time, where a date"),
        ("baseline_rate = 0.012", "baseline_rate = 1.2", 24, "not between"),
        ('"meta_story"', '"meta_storey"', 6, "placements[2]: got 'meta_storey', which is not a placement."),
        ('"meta_story"', '"meta_feed_portrait"', 6, "stands twice"),
        ('"de-DE"]', '"german"]', 7, "got 'german', which is not a language tag"),
        ('"https://harbour.example/tea"', '"harbour.example"', 9, "not a web address"),
        ('slug = "harbour-tea"', 'slug = "Harbour Tea"', 2, "small letters"),
        ('"tin.png"', '"pictures/tin.png"', 13, "the file 'pictures/tin.png' does not exist"),
        ('kind = "arch_podium"', 'kind = "arch_podiun"', 29, "Did you mean 'arch_podium'?"),
        ('kind = "arch_podium"', "kind = [1]", 29, "got a list, where a text or a number"),
        ('name = "paper"', 'name = "arch"', 31, "the name 'arch' stands twice"),
        ('name = "paper"', 'name = "Torn Paper"', 31, 'Write, for example: name = "torn-paper"'),
        (', de-DE = "Spät und leise"', "", 40, "headline 'late' has no text for de-DE"),
        ('de-DE = "Spät und leise"', 'de-DE = " "', 40, "the text is empty"),
        ('"Late, not loud"', '"Smoke and tea"', 40, "'late', en-US: 'Smoke and tea' contains 'smoke', which the brief"),
        ('"Try a tin"', '"Try it CHEAP"', 44, "contains 'cheap', which the brand kit forbids"),
        ("Two for one", "Cheap", 5, "the offer, en-US: 'Cheap in May' contains 'cheap'"),
        (', de-DE = "Im Mai zwei für eins"', "", 5, "the offer has no text for de-DE"),
        ('"Jetzt probieren" }', '"Jetzt probieren", fr-FR = "Goûtez" }', 44, "Add 'fr-FR' to the locales"),
        ("[[factors.cta]]", '[[factors.button]]\nname = "x"\n[[factors.cta]]', 42, "this key is not known here"),
        ("[[factors.cta]]", '[[factors.locale]]\nname = "x"\n[[factors.cta]]', 42, "its levels are the locales"),
        ("[[factors.cta]]", "[factors.style]\n[[factors.cta]]", 42, "Begin each with [[factors.style]]"),
        ("[[factors.cta]]", '[[factors.layout]]\nname = "colum"\n[[factors.cta]]', 43, "Did you mean 'column'?"),
        ("[product]", "[produkt]", 11, "Did you mean 'product'?"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_said_with_its_line(write: Write, old: str, new: str, line: int, said: str) -> None:
    path = write((old, new))
    found = [problem for problem in problems(path) if said in problem]
    assert found, problems(path)
    assert f"{path}, line {line}, " in found[0]


def test_all_problems_of_both_files_come_at_once_and_in_order(write: Write) -> None:
    path = write(
        ("seed = 11", "seed = 1.5"), ("days = 21", "days = 0"), ('slug = "harbour-tea"\n', ""),
        brand=(("#f7f3ea", "#f7f3e"), ('name = "Harbour"\n', ""), ("tone =", "tune =")),
    )  # fmt: skip
    found = problems(path)
    assert len(found) == 6
    assert [problem.split(", line ")[0].split("/")[-1] for problem in found] == ["brief.toml"] * 3 + ["brand.toml"] * 3
    assert "slug is missing" in found[0]
    assert "palette[2].hex: got '#f7f3e'" in found[5]


def test_empty_files_name_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "brief.toml").write_text("")
    said = "\n".join(problems(tmp_path / "brief.toml"))
    for part in (
        "[campaign] is missing",
        "[product] is missing",
        "no scene",
        "no headline",
        "no cta",
        "'brand.toml' does not exist",
    ):
        assert part in said


def test_a_brief_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        load_campaign(tmp_path / "brief.toml")


def test_forbidden_words_are_whole_words(write: Write) -> None:
    assert load_campaign(write((EN_CALM, 'en-US = "Smoked calm"'))).slug == "harbour-tea"
    assert any("contains" in problem for problem in problems(write((EN_CALM, 'en-US = "No  SMOKE."'))))


def test_a_kit_of_one_colour_is_enough(tmp_path: Path) -> None:
    (tmp_path / "brand.toml").write_text('[brand]\nname = "One"\n[[palette]]\nname = "ink"\nhex = "101820"\n')
    brand = load_brand(tmp_path / "brand.toml")
    assert [(colour.hex, colour.role) for colour in brand.palette] == [("#101820", "primary")]


def test_written_roles_stay_and_grey_is_not_primary(tmp_path: Path) -> None:
    rows = [
        ("white", "#ffffff", ""),
        ("coal", "#111111", ""),
        ("red", "#c8102e", ""),
        ("sand", "#d9c7a0", 'role = "support"'),
    ]
    text = '[brand]\nname = "Roles"\n' + "".join(f'[[palette]]\nname="{n}"\nhex="{h}"\n{r}\n' for n, h, r in rows)
    (tmp_path / "brand.toml").write_text(text)
    roles = {colour.name: colour.role for colour in load_brand(tmp_path / "brand.toml").palette}
    assert roles == {"white": "paper", "coal": "ink", "red": "primary", "sand": "support"}


def test_an_unknown_font_names_the_bundled_ones(tmp_path: Path) -> None:
    (tmp_path / "brand.toml").write_text(
        '[brand]\nname="X"\nheadline_font="manrop"\n[[palette]]\nname="a"\nhex="#123456"\n'
    )
    with pytest.raises(InputError, match="Did you mean 'manrope'"):
        load_brand(tmp_path / "brand.toml")


def test_ids_do_not_depend_on_the_folder_but_on_the_bytes(write: Write) -> None:
    here, there = load_campaign(write()), load_campaign(write(folder="elsewhere"))
    assert here.brief.product.image != there.brief.product.image
    assert campaign_id(here) == campaign_id(there)
    assert brand_id(here.brand) == brand_id(there.brand)
    there.brief.product.image.write_bytes(b"another picture")
    assert campaign_id(here) != campaign_id(there)
    there.brief.product.image.unlink()
    with pytest.raises(InputError, match=r"tin\.png cannot be read"):
        campaign_id(there)


def test_an_offer_in_one_language_stays_in_it(write: Write) -> None:
    words = 'offer = { en-US = "Two for one in May", de-DE = "Im Mai zwei für eins" }'
    campaign = load_campaign(write((words, 'offer = "Two for one"'), ('"de-DE"]', '"de-DE", "en-GB"]'), *GREAT_BRITAIN))
    assert campaign.brief.offers == {"en-US": "Two for one", "en-GB": "Two for one"}
    assert campaign.brief.offer == "Two for one"
    assert any("the ads in de-DE carry none" in warning for warning in brief_warnings(campaign))


def test_warnings_name_long_headlines_and_too_few_variants(write: Write) -> None:
    assert brief_warnings(load_campaign(write())) == ()
    path = write((EN_CALM, 'en-US = "Calm by the cup, however late it gets"'), ("max_variants = 6", "max_variants = 3"))
    long, few = brief_warnings(load_campaign(path))
    assert "'calm' is longer than the 27 characters" in long
    assert "(en-US)" in long
    assert "at least 4" in few
