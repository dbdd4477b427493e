"""Scoring a folder: every file accounted for, placements guessed, twins named, nothing written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from proofsheet.cli import main
from proofsheet.domain.assessment import Grade
from proofsheet.errors import InputError, NotFoundError
from proofsheet.workflows.score_folder import score_folder
from scoring.report import FolderReport, PictureReport

Advert = Callable[..., Image.Image]
Bytes = Callable[..., bytes]


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No CLIP model judges, and nothing may be written where the program runs."""
    monkeypatch.setenv("PROOFSHEET_CLIP_MODEL", "none")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def ads(tmp_path: Path, make_advert: Advert, make_bytes: Bytes) -> Path:
    """A folder of ordinary pictures, some in sub-folders."""
    folder = tmp_path / "ads"
    for name, picture in {
        "banner.png": make_advert(),
        "tiktok/tall.png": make_advert((1080, 1920)),
        "deep/down/wide.png": make_advert((1456, 180)),
        "odd_shape.png": make_advert((640, 400), "#e0672c"),
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make_bytes(picture, compress_level=1))
    return folder


def by_path(report: FolderReport) -> dict[str, PictureReport]:
    """The pictures by their paths."""
    return {one.path: one for one in report.pictures}


def test_every_picture_is_judged_for_the_placement_it_seems_made_for(ads: Path, kit: Path) -> None:
    found = by_path(score_folder(ads, kit))
    placements = {path: one.placement for path, one in found.items()}
    assert placements == {
        "banner.png": "display_300x250",
        "tiktok/tall.png": "tiktok_image",
        "deep/down/wide.png": "display_728x90",
        "odd_shape.png": "",
    }
    assert "tiktok in its path" in found["tiktok/tall.png"].placement_by
    reasons = {one.criterion: one for one in found["deep/down/wide.png"].verdicts}
    assert "larger" in reasons["size"].reason
    assert found["banner.png"].grade is Grade.PASS
    assert found["banner.png"].thumbnail
    assert found["banner.png"].swatches[0].nearest in {"Fjord", "Ember"}


def test_what_is_not_known_is_not_judged_and_said(ads: Path, kit: Path) -> None:
    report = score_folder(ads, kit)
    odd = by_path(report)["odd_shape.png"]
    silent = {score.criterion: score.detail for score in odd.scores if score.value is None}
    assert {"size", "file_size", "format", "safe_area", "contrast", "brand_fit"} <= set(silent)
    assert "no known placement has the shape 1.60:1" in silent["size"]
    assert not {"size", "file_size", "format", "safe_area", "contrast"} & {one.criterion for one in odd.verdicts}
    assert any(line.startswith("Safe area (4 of 4 pictures): ") for line in report.abstained)


def test_a_named_placement_holds_for_all(ads: Path, kit: Path) -> None:
    report = score_folder(ads, kit, placement="meta_feed_square")
    assert {one.placement for one in report.pictures} == {"meta_feed_square"}
    assert report.grades == {"FAIL": 4}
    with pytest.raises(InputError, match="meta_feed_sqare"):
        score_folder(ads, kit, placement="meta_feed_sqare")


def test_the_same_file_is_judged_once_and_look_alikes_are_named(
    ads: Path, kit: Path, make_advert: Advert, make_bytes: Bytes
) -> None:
    (ads / "copy.png").write_bytes((ads / "banner.png").read_bytes())
    (ads / "resaved.jpg").write_bytes(make_bytes(make_advert(), "JPEG", quality=90))
    (ads / "other.png").write_bytes(make_bytes(make_advert(hue="#e7cda5", at=60)))
    report = score_folder(ads, kit)
    found = by_path(report)
    assert found["banner.png"].copies == ("copy.png",)
    assert "copy.png" not in found
    assert report.look_alikes == (("banner.png", "copy.png", "resaved.jpg"),)
    twins = {path for path, one in found.items() if "duplicates" in {v.criterion for v in one.problems}}
    assert twins == {"banner.png", "resaved.jpg"}
    assert "by plan" not in " ".join(v.reason for v in found["banner.png"].problems)


def test_hostile_and_odd_pictures_each_get_an_answer(
    tmp_path: Path, kit: Path, hostile: dict[str, bytes], odd: dict[str, bytes]
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, data in (hostile | odd).items():
        (folder / name).write_bytes(data)
    found = by_path(score_folder(folder, kit, scorers=["spec"]))
    assert set(found) == set(hostile) | set(odd)
    for name in hostile:
        (verdict,) = found[name].verdicts
        assert (verdict.criterion, verdict.grade) == ("picture", Grade.FAIL)
        assert verdict.remedy
        assert "another seed" not in verdict.remedy
    encoding = {name: next(one for one in found[name].verdicts if one.criterion == "encoding") for name in odd}
    words = {
        "wrong_suffix.png": "is named .png and is a JPEG",
        "cmyk.jpg": "CMYK",
        "clear.png": "50% of it is see-through",
        "clear.webp": "see-through",
        "moving.gif": "only its first frame",
        "moving.webp": "only its first frame",
        "moving.png": "only its first frame",
    }
    for name, verdict in encoding.items():
        assert verdict.grade is (Grade.REVIEW if name in words else Grade.PASS), name
        assert words.get(name, "A plain ") in verdict.reason
    assert "16 bits per channel" in encoding["deep_grey.png"].reason
    assert "turned upright" in encoding["turned.jpg"].reason
    gif = next(one for one in found["moving.gif"].verdicts if one.criterion == "format")
    assert gif.grade is Grade.REVIEW
    assert "export" not in gif.reason.lower(), "nothing of ours exports this file"


def test_files_that_are_no_pictures_are_left_out_and_named(ads: Path, kit: Path, make_bytes: Bytes) -> None:
    (ads / "notes.txt").write_text("notes")
    (ads / "unnamed").write_bytes((ads / "banner.png").read_bytes()[:-20] + b"x" * 20)
    (ads / ".hidden.png").write_bytes(b"x")
    (ads / "__MACOSX").mkdir()
    (ads / "round").symlink_to(ads, target_is_directory=True)
    (ads / "gone.png").symlink_to(ads / "nowhere.png")
    os.mkfifo(ads / "pipe.png")
    report = score_folder(ads, kit, scorers=["spec"])
    assert dict(report.skipped) == {
        "gone.png": "it cannot be read: No such file or directory",
        "notes.txt": "it is no picture",
        "pipe.png": "it is no ordinary file",
    }
    found = by_path(report)
    assert len(found) == 5
    assert found["unnamed"].grade is Grade.FAIL, "told by its bytes to be a picture, and damaged"


def test_the_kits_own_pictures_are_no_ads(ads: Path, make_bytes: Bytes) -> None:
    mark = Image.new("RGBA", (80, 40))
    mark.paste("#0a737b", (10, 10, 60, 30))
    (ads / "logo.png").write_bytes(make_bytes(mark))
    (ads / "brand.toml").write_text(
        '[brand]\nname = "N"\nlogo = "logo.png"\nreferences = ["banner.png"]\n'
        '[[palette]]\nname = "Fjord"\nhex = "#0a737b"\n'
    )
    report = score_folder(ads, ads / "brand.toml", scorers=["spec"])
    own = {path for path, why in report.skipped if why == "it is the brand kit's own picture"}
    assert own == {"logo.png", "banner.png"}


def test_one_picture_alone(ads: Path, kit: Path) -> None:
    assert [one.path for one in score_folder(ads / "banner.png", kit).pictures] == ["banner.png"]


def test_nothing_to_judge_is_said(tmp_path: Path, kit: Path) -> None:
    empty = tmp_path / "empty"
    (empty / "inner").mkdir(parents=True)
    with pytest.raises(NotFoundError, match=r"There is no picture in .*empty\."):
        score_folder(empty, kit)
    (empty / "inner" / "a.txt").write_text("a")
    with pytest.raises(NotFoundError, match=r"\(1 other files\)"):
        score_folder(empty, kit)
    with pytest.raises(NotFoundError, match="There is no folder"):
        score_folder(tmp_path / "nowhere", kit)


def test_progress_is_told(ads: Path, kit: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    score_folder(ads, kit, scorers=["spec"], progress=lambda *step: steps.append(step))
    assert ("Looking at files", 4, 4) in steps
    assert ("Scoring pictures", 4, 4) in steps


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """The program's exit status, answer and complaints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["proofsheet", *words])
        try:
            main()
        except SystemExit as stop:
            told = capsys.readouterr()
            return int(stop.code or 0), told.out, told.err
    raise AssertionError("the program did not end")


def test_the_command_answers_on_the_terminal_in_json_and_writes_only_the_report(
    ads: Path, kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("score", "--data", str(ads), "--brand", str(kit), "--scorer", "spec")
    _, out, _ = run(capsys, *words, "--json")
    answer = json.loads(out)
    assert answer["grades"] == {"PASS": 3, "REVIEW": 1}
    assert {one["path"] for one in answer["pictures"]} == {
        "banner.png", "tiktok/tall.png", "deep/down/wide.png", "odd_shape.png",
    }  # fmt: skip
    assert all("thumbnail" not in one for one in answer["pictures"])
    assert list((tmp_path / "here").iterdir()) == []
    page = tmp_path / "here" / "report.html"
    code, out, _ = run(capsys, *words, "--report", str(page))
    assert code == 0
    assert "4 pictures judged by the brand kit of Norda & <Sons>: 3 PASS, 1 REVIEW, 0 FAIL." in out
    assert f"The report is in {page}" in out
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["report.html"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--brand", "KIT"), 2, "--brand is for a folder"),
        (("--report", "r.html"), 2, "--report is for a folder"),
        (("--data", "ADS"), 2, "judged by a brand kit"),
        (("--data", "ADS", "--brand", "KIT", "--campaign", "x"), 2, "both named"),
        (("--data", "ADS", "--brand", "KIT", "--report", "r.pdf"), 2, "an HTML page"),
        (("--data", "ADS", "--brand", "KIT", "--report", "no/r.html"), 2, "There is no folder"),
        (("--data", "ADS", "--brand", "no.toml"), 3, "no.toml"),
        (("--data", "ADS", "--brand", "BAD"), 2, "colour"),
        (("--data", "ADS", "--brand", "ADS/banner.png"), 2, "banner.png"),
        (("--data", "ADS", "--brand", "KIT", "--scorer", "taste"), 3, "taste"),
    ],
)
def test_what_cannot_be_done_is_said(
    words: tuple[str, ...], code: int, said: str, ads: Path, kit: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = kit.with_name("bad.toml")
    bad.write_text('[brand]\nname = "N"\n[[palette]]\nname = "x"\nhex = "green"\n')
    filled = [word.replace("KIT", str(kit)).replace("ADS", str(ads)).replace("BAD", str(bad)) for word in words]
    got, _, err = run(capsys, "score", *filled)
    assert (got, said in err) == (code, True), err
    assert "Traceback" not in err
