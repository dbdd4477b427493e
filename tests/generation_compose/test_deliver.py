"""Delivered files: size, limits, marks, names, and the placements they are for."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from PIL import Image

from generation.deliver import Mark, check_delivered, deliver, read_mark
from generation.naming import file_stem, parse_stem
from generation.pictures import encode_master
from generation.placements import load_placements, placement
from proofsheet.domain.asset import Asset, Origin
from proofsheet.errors import InputError

MARK = Mark(
    asset_id="0123456789ab",
    campaign="norda-summer",
    title="Größer & <besser> — „eiskalt“",
    ai_made=True,
    system="Proofsheet diffusers some/model",
    system_version="abc123",
    credit="Norda",
)


def noisy(width: int, height: int) -> bytes:
    """A master that compresses badly."""
    pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return encode_master(Image.fromarray(pixels))


def calm(width: int, height: int) -> bytes:
    """A master that compresses well."""
    return encode_master(Image.linear_gradient("L").resize((width, height)).convert("RGB"))


@pytest.mark.parametrize(
    "name", ["display_320x50", "display_728x90", "display_300x250", "meta_feed_square", "x_square"]
)
@pytest.mark.parametrize("make", [calm, noisy])
def test_files_obey_their_placement(name: str, make) -> None:
    place = placement(name)
    found = deliver(make(place.width, place.height), place, MARK)
    assert len(found.data) <= place.max_bytes
    assert check_delivered(found.data, place) == []
    assert read_mark(found.data)["asset_id"] == "0123456789ab"
    with Image.open(io.BytesIO(found.data)) as picture:
        assert picture.size == (place.width, place.height)
        assert {"jpg": "JPEG", "png": "PNG"}[found.extension] == picture.format


def test_small_banners_are_lossless_and_large_pictures_best_quality() -> None:
    banner = placement("display_728x90")
    found = deliver(calm(728, 90), banner, MARK)
    assert (found.extension, found.quality) == ("png", None)
    large = deliver(calm(1080, 1080), placement("meta_feed_square"), MARK)
    assert (large.extension, large.quality) == ("jpg", 95)


def test_quality_is_the_best_that_fits() -> None:
    place = replace(placement("meta_feed_square"), max_bytes=600_000)
    found = deliver(noisy(1080, 1080), place, MARK)
    assert found.quality is not None
    assert found.quality < 80
    assert any("quality" in note for note in found.notes)
    assert 0.93 * 600_000 < len(found.data) <= 600_000


def test_what_cannot_fit_is_refused() -> None:
    place = replace(placement("meta_feed_square"), max_bytes=20_000)
    with pytest.raises(InputError, match="cannot be made smaller than the 20,000 bytes"):
        deliver(noisy(1080, 1080), place, MARK)


def test_masters_of_another_shape_are_refused_and_of_another_size_scaled() -> None:
    place = placement("meta_feed_square")
    with pytest.raises(InputError, match="not the shape of meta_feed_square"):
        deliver(calm(1200, 628), place, MARK)
    found = deliver(calm(1400, 1400), place, MARK)
    assert check_delivered(found.data, place) == []
    assert found.notes


@pytest.mark.parametrize("name", ["display_320x50", "meta_feed_square"])
def test_marks_come_back_from_png_and_jpeg(name: str) -> None:
    place = placement(name)
    data = deliver(calm(place.width, place.height), place, MARK).data
    assert read_mark(data) == {
        "asset_id": "0123456789ab",
        "campaign": "norda-summer",
        "title": MARK.title,
        "credit": "Norda",
        "tool": "Proofsheet 0.1.0",
        "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
        "system": MARK.system,
        "system_version": "abc123",
    }


def test_marks_of_computed_scenes_and_uploads_claim_no_trained_model() -> None:
    place = placement("display_320x50")
    computed = read_mark(deliver(calm(320, 50), place, replace(MARK, ai_made=False)).data)
    assert computed["digital_source_type"].endswith("/compositeSynthetic")
    assert "system" not in computed
    uploaded = read_mark(deliver(calm(320, 50), place, replace(MARK, ai_made=False, system="")).data)
    assert "digital_source_type" not in uploaded


def test_files_without_a_mark_or_with_a_hostile_one_give_nothing() -> None:
    assert read_mark(calm(20, 20)) == {}
    assert read_mark(b"no picture") == {}
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>'
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", xmp=bomb)
    assert read_mark(buffer.getvalue()) == {}


def test_problems_of_files_are_named() -> None:
    place = replace(placement("meta_feed_square"), max_bytes=50, formats=("jpeg",))
    problems = " ".join(check_delivered(calm(50, 60), place))
    for words in ("takes 50.", "is png", "50 × 60", "no mark"):
        assert words in problems
    assert "cannot be decoded" in check_delivered(b"nothing", place)[-1]


def make_asset(**changes: object) -> Asset:
    """An uploaded asset."""
    plain: dict[str, object] = {
        "id": "ffff00001111",
        "campaign": "norda-summer",
        "variant_id": "0a1b2c3d",
        "placement": "meta_feed_portrait",
        "levels": {"layout": "column"},
        "locale": "de-DE",
        "width": 1080,
        "height": 1350,
        "sha256": "",
        "media_type": "image/png",
        "origin": Origin.UPLOADED,
        "scene_id": None,
        "recipe": None,
        "composition": None,
        "label": "",
        "ai_made": False,
        "seconds": 0.0,
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Asset(**{**plain, **changes})  # type: ignore[arg-type]


def test_names_say_what_they_are_and_are_read_back() -> None:
    stem = file_stem("norda-summer", make_asset(), placement("meta_feed_portrait"))
    assert stem == "norda-summer_meta-feed-portrait_column_de-de_0a1b2c3d"
    read = parse_stem(stem)
    assert (read.campaign, read.placement, read.layout) == ("norda-summer", "meta_feed_portrait", "column")
    assert (read.locale, read.variant_id, read.suffix) == ("de-de", "0a1b2c3d", "")
    assert parse_stem(stem + "_ffff").suffix == "ffff"
    assert "_upload_" in file_stem("c", make_asset(levels={}), placement("meta_story"))
    with pytest.raises(InputError, match="is not of the form"):
        parse_stem("holiday picture")


def test_placements_are_whole_and_their_sources_are_dated() -> None:
    known = load_placements()
    assert len(known) >= 20
    newest = max(place.checked_on for place in known.values() if place.checked_on)
    for name, place in known.items():
        assert place.name == name
        assert place.source
        assert place.checked_on is not None
        assert newest - place.checked_on <= timedelta(days=180)
        assert place.checked_on >= date(2026, 1, 1)
        assert set(place.formats) <= {"jpeg", "png"}
        left, top, right, bottom = place.safe_area.box(place.width, place.height)
        assert 0 <= left < right <= place.width
        assert 0 <= top < bottom <= place.height


def test_placements_agree_with_the_platforms_pages() -> None:
    known = load_placements()
    sizes = {name: (place.width, place.height, place.max_bytes) for name, place in known.items()}
    assert sizes["meta_feed_portrait"] == (1080, 1350, 30_000_000)
    assert sizes["google_pmax_landscape"] == (1200, 628, 5_242_880)
    assert sizes["display_320x50"] == (320, 50, 50_000)
    assert sizes["display_970x250"] == (970, 250, 250_000)
    assert known["meta_story"].safe_area.bottom == 0.35
    assert known["meta_story"].conflicts


def test_an_unknown_placement_names_the_nearest() -> None:
    with pytest.raises(InputError, match="'meta_storys' is not known") as caught:
        placement("meta_storys")
    assert "'meta_story'" in caught.value.hint
