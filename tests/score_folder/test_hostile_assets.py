"""Hostile pictures on the way of campaign assets and uploads: judged FAIL with a remedy, the others go on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from generation.pictures import read_picture
from generation.placements import load_placements
from proofsheet.domain.assessment import Grade
from proofsheet.domain.asset import Asset, Origin
from proofsheet.domain.campaign import BrandKit, PaletteColour
from proofsheet.errors import InputError
from proofsheet.pictures import open_picture
from scoring import assess
from scoring.assess import assess_all
from scoring.scorer import Subject

BRAND = BrandKit(name="N", wordmark="n", palette=(PaletteColour(name="Fjord", hex="#0a737b", role="primary"),))
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
