"""Type: balanced lines, exact boxes, kerning, glyphs and scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from generation.composition import typefaces
from generation.composition.linebreak import breakings, tokens
from generation.composition.typefaces import FAMILIES, FOLDER, check_text, open_typeface, script_of
from generation.composition.typeset import draw_mask, fit_text, line_boxes, paste_text, place_clusters
from proofsheet.errors import InputError

MANROPE = open_typeface("manrope", strong=True)


def test_bundled_families_have_their_files_and_licences() -> None:
    total = 0
    for family in FAMILIES.values():
        for file in (family.text, family.strong):
            total += (FOLDER / file).stat().st_size
        licence = (FOLDER / f"{family.name}-OFL.txt").read_text()
        assert "SIL OPEN FONT LICENSE Version 1.1" in licence
        assert licence.startswith("Copyright")
    assert total < 1_500_000


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize("strong", [True, False])
def test_bundled_families_set_the_languages_of_europe(family: str, strong: bool) -> None:
    for text in (
        "Größe, Straße – „Müßiggang“ 20 %",
        "Où ça? Là-bas, cœur naïf, l’été",
        "Zażółć gęślą jaźń",
        "Příliš žluťoučký kůň úpěl ďábelské ódy",
        "Pijamalı hasta yağız şoföre çabucak güvendi. İĞŞ",
        "Flygande bäckasiner søker hwila på mjuka tuvor æøå",
        "Șapte țări, ñandú, ¿qué?, Łódź, őűŐŰ, ģķļņ",
        "€ £ $ 1.234,50 · “quotes” … — ½",
    ):
        check_text(text, open_typeface(family, strong=strong))


def test_measured_ink_is_what_is_drawn() -> None:
    picture = Image.new("RGB", (900, 400), (255, 255, 255))
    setting = fit_text("Jagt nach Öl, fix!", MANROPE, width=700, height=300, largest=90, smallest=10)
    box, _ = paste_text(picture, setting, 50, 60, (0, 0, 0))
    dark = np.argwhere(np.asarray(picture.convert("L")) < 200)
    assert (box.left, box.top) == pytest.approx((50, 60), abs=2)
    assert box.right == pytest.approx(50 + setting.width, abs=2)
    assert box.bottom == pytest.approx(60 + setting.height, abs=2)
    assert dark[:, 0].min() >= box.top
    assert dark[:, 0].max() < box.bottom
    assert dark[:, 1].min() >= box.left
    assert dark[:, 1].max() < box.right


def test_pairs_are_kerned() -> None:
    placed = dict(place_clusters("AV", MANROPE.path, -0.0001))
    apart = typefaces.font_at(MANROPE.path, 1000).getlength("A") / 1000
    assert placed["V"] < apart - 0.025


def test_lines_break_at_the_comma_and_are_even() -> None:
    setting = fit_text("Slow brewed, wide awake.", MANROPE, width=480, height=300, largest=90, smallest=10)
    assert setting.lines == ("Slow brewed,", "wide awake.")


def test_no_short_word_is_left_alone() -> None:
    for text in ("Made for the long way to me", "Everything you want is in it", "Good things come to us all"):
        setting = fit_text(text, MANROPE, width=420, height=300, largest=80, smallest=10)
        assert len(setting.lines[-1]) > 4
        assert " " in setting.lines[-1]


def test_units_stay_with_their_numbers() -> None:
    assert [piece.text for piece in tokens("Jetzt 20 % sparen")] == ["Jetzt", "20\u00a0%", "sparen"]


def test_soft_hyphens_break_long_words() -> None:
    setting = fit_text("Kalt\u00adgebrühter Genuss", MANROPE, width=270, height=300, largest=64, smallest=46)
    assert any(line.endswith("-") for line in setting.lines)
    assert "\u00ad" not in "".join(setting.lines)


def test_given_line_ends_are_kept() -> None:
    setting = fit_text("One\ntwo three four", MANROPE, width=900, height=300, largest=60, smallest=10)
    assert setting.lines[0] == "One"


@given(st.lists(st.text("abcdefghijklmnop", min_size=1, max_size=9), min_size=1, max_size=12), st.integers(1, 3))
@settings(max_examples=80, deadline=None)
def test_breaking_loses_no_word(words: list[str], most: int) -> None:
    text = " ".join(words)
    found = list(breakings(text, most))
    assert found
    for lines, _ in found:
        assert len(lines) <= most
        assert " ".join(lines) == text


@given(st.integers(120, 900), st.integers(40, 400))
@settings(max_examples=60, deadline=None)
def test_settings_fit_their_room_or_are_refused(width: int, height: int) -> None:
    words = "Eighteen hours, clear head"
    if width < 190:
        with pytest.raises(InputError, match="does not fit"):
            fit_text(words, MANROPE, width=width, height=height, largest=120, smallest=48)
        return
    setting = fit_text(words, MANROPE, width=width, height=height, largest=120, smallest=9)
    assert setting.width <= width + 0.01
    assert setting.height <= height + 0.01
    assert draw_mask(setting).getbbox() is not None
    assert len(line_boxes(setting, 0, 0)) == len(setting.lines)


def test_scripts_are_told_apart() -> None:
    assert script_of("Ärger") == "plain"
    assert script_of("Кофе") == "plain"
    assert script_of("قهوة") == "rtl"
    assert script_of("कॉफ़ी") == "complex"
    assert script_of("珈琲") == "cjk"


def test_scripts_that_need_shaping_are_refused_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typefaces, "has_shaping", lambda: False)
    monkeypatch.setattr(typefaces, "_has_glyph", lambda path, character: True)
    with pytest.raises(InputError, match="needs shaping") as caught:
        check_text("قهوة باردة", MANROPE)
    assert "libfribidi0" in caught.value.hint
    check_text("Café", MANROPE)


def test_east_asian_text_breaks_between_characters_but_not_before_marks() -> None:
    lines = [found for found, _ in breakings("冷たい珈琲、朝に。", 3)]
    assert any(len(found) == 3 for found in lines)
    assert not any(line[0] in "、。" for found in lines for line in found)


def test_fonts_by_path_and_wrong_names(tmp_path: Path) -> None:
    own = tmp_path / "Own.ttf"
    own.write_bytes((FOLDER / "manrope-700.ttf").read_bytes())
    assert open_typeface("Own.ttf", strong=True, base=tmp_path).path == own
    assert open_typeface("Bricolage Grotesque", strong=False).name == "bricolage-grotesque"
    with pytest.raises(InputError, match="neither a bundled family") as caught:
        open_typeface("manrop", strong=True)
    assert "'manrope'" in caught.value.hint
    with pytest.raises(InputError, match="does not exist"):
        open_typeface("missing.ttf", strong=True, base=tmp_path)
    broken = tmp_path / "broken.otf"
    broken.write_bytes(b"not a font")
    with pytest.raises(InputError, match="cannot be read"):
        open_typeface(str(broken), strong=True)
