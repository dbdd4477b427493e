"""Hostile pictures on the way of campaign assets and uploads: judged FAIL with a remedy, the others go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from generation.pictures import read_picture
from generation.placements import load_placements
from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.campaign import FACTORS, BrandKit, Brief, Campaign, Factor, Level, PaletteColour, Product
from proofsheet.errors import InputError
from proofsheet.pictures import open_picture
from proofsheet.workflows.house import House, open_house
from proofsheet.workflows.score import score
from proofsheet.workflows.upload import upload
from scoring import assess
from scoring.assess import assess_all
from scoring.scorer import Subject

BRAND = BrandKit(name="N", wordmark="n", palette=(PaletteColour(name="Fjord", hex="#0a737b", role="primary"),))
LEVELS = {"headline": Level(name="one", texts={"en-US": "Hi"})}
BRIEF = Brief(
    slug="small", name="Small", objective="clicks", product=Product(name="Tea", image=Path("tea.png")), message="",
    offer="", audience="", placements=("display_300x250",), locales=("en-US",),
    factors=tuple(Factor(name=name, levels=(LEVELS.get(name, Level(name="one")),)) for name in FACTORS),
)  # fmt: skip
MUCH = ("bomb.png", "bomb2.png", "bomb.gif", "bomb.webp", "bomb.jpg", "cut.png", "cut.jpg", "words.png", "empty.jpg")


def subject(name: str, image: Callable[[], Image.Image], size: tuple[int, int] = (300, 250)) -> Subject:
    """An upload that is opened by that function."""
    place = load_placements()["display_300x250"]
    asset = Asset(
        id=name, campaign="", variant_id="", placement=place.name, levels={}, locale="", width=size[0], height=size[1],
        sha256="", media_type="image/png", origin=Origin.UPLOADED, scene_id=None, recipe=None, composition=None,
        label="", ai_made=False, seconds=0.0, created_at=datetime(2026, 6, 1, tzinfo=UTC),
    )  # fmt: skip
    return Subject(asset, image, 10_000, place, None)


def test_each_fails_alone_however_it_is_opened(
    hostile: dict[str, bytes], make_advert: Callable[..., Image.Image]
) -> None:
    subjects = [subject("good", make_advert)]
    for name in MUCH:
        data = hostile[name]
        subjects.append(subject(f"safely {name}", lambda data=data: open_picture(data).flat))  # type: ignore[misc]
        subjects.append(subject(f"plainly {name}", lambda data=data: Image.open(BytesIO(data))))  # type: ignore[misc]
    found = dict(assess_all(subjects, BRAND, scorers=["spec", "palette"]))
    for name in MUCH:
        for way in ("safely", "plainly"):
            (verdict,) = found[f"{way} {name}"].verdicts
            assert (verdict.criterion, verdict.grade) == ("picture", Grade.FAIL)
            assert verdict.remedy
    assert "50 million" in found["plainly bomb2.png"].verdicts[0].reason
    assert "Scale it down" in found["safely bomb.jpg"].verdicts[0].remedy
    assert len(found["good"].verdicts) > 3


def test_large_pictures_are_held_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, make_advert: Callable[..., Image.Image]
) -> None:
    monkeypatch.setattr(assess, "CHUNK_PIXELS", 160_000)
    steps: list[int] = []
    sizes = [(300, 250), (300, 250), (300, 250), (600, 500), (300, 250)]
    subjects = [subject(str(n), make_advert, size) for n, size in enumerate(sizes)]
    list(assess_all(subjects, BRAND, scorers=["spec"], progress=lambda done, _: steps.append(done)))
    assert steps == [2, 3, 4, 5]


@pytest.mark.parametrize("name", [*MUCH, "scan_bomb.jpg", "text_bomb.png", "print.tif"])
def test_uploads_refuse_them_by_name(name: str, hostile: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(hostile[name])
    with pytest.raises(InputError, match=name) as caught:
        read_picture(path)
    assert caught.value.hint


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A home with a campaign that has no asset yet; no CLIP model judges."""
    monkeypatch.setenv("PROOFSHEET_CLIP_MODEL", "none")
    opened = open_house(home=tmp_path / "home")
    with opened.warehouse.write() as writer:
        writer.save_campaign(Campaign(brief=BRIEF, brand=BRAND))
    return opened


def test_what_is_uploaded_is_kept_as_it_is_seen(house: House, odd: dict[str, bytes], tmp_path: Path) -> None:
    for name in ("clear.png", "cmyk.jpg", "deep_grey.png", "turned.jpg", "profile.png"):
        (tmp_path / name).write_bytes(odd[name])
        asset = upload(house, None, tmp_path / name, placement="display_300x250", label=name.partition(".")[0])
        kept = open_picture(house.warehouse.pictures.get(asset.sha256))
        assert kept.facts.traits == set()
        assert kept.image.tobytes() == open_picture(odd[name]).flat.tobytes()
    (tmp_path / "moving.webp").write_bytes(odd["moving.webp"])
    with pytest.raises(InputError, match=r"moving\.webp is animated"):
        upload(house, None, tmp_path / "moving.webp", placement="display_300x250")
    assert score(house, scorers=["spec"]).assets == 5


def test_a_master_that_was_swapped_for_a_bomb_fails_and_the_others_go_on(
    house: House, hostile: dict[str, bytes], odd: dict[str, bytes], tmp_path: Path
) -> None:
    for name in ("cmyk.jpg", "clear.png"):
        (tmp_path / name).write_bytes(odd[name])
        asset = upload(house, None, tmp_path / name, placement="display_300x250", label=name[:4])
    bomb = house.warehouse.pictures.put(hostile["bomb2.png"])
    with house.warehouse.write() as writer:
        writer.save_assets([replace(asset, id="bomb00000000", sha256=bomb)])
    scored = score(house, scorers=["spec"])
    failed = [one for one in scored.verdicts if one.criterion == "picture"]
    assert [(one.asset_id, one.grade) for one in failed] == [("bomb00000000", Grade.FAIL)]
    assert "9000 × 9000 pixels" in failed[0].reason
    assert scored.assets == 3
