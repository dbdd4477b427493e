"""Assessing many: one pass over the pictures, few in memory, and damaged ones judged rather than raised."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from proofsheet.domain.assessment import Grade
from proofsheet.domain.campaign import BrandKit
from proofsheet.errors import InputError, NotFoundError, ProofsheetError
from scoring.assess import CHUNK, assess_all, open_scorer, overall
from scoring.scorer import Scorer, Subject, rgb_picture, thumbnail_of

Make = Callable[..., Subject]
RULE_SCORERS = ("contrast", "duplicates", "palette", "safe_area", "spec")


def test_a_clean_advertisement_passes_every_rule(make_ad: Make, brand: BrandKit) -> None:
    subjects = [make_ad("one", ground=(188, 220, 206)), make_ad("two", ground=(240, 205, 170))]
    found = dict(assess_all(subjects, brand, clip_model="none"))
    assert set(found) == {"one", "two"}
    for assessment in found.values():
        assert overall(assessment.verdicts) is Grade.PASS, [v for v in assessment.verdicts if v.grade is not Grade.PASS]
        judged = {verdict.criterion for verdict in assessment.verdicts}
        measured = {score.criterion for score in assessment.scores}
        assert judged <= measured
        assert {"palette", "contrast", "safe_area", "size", "duplicates"} <= judged


def test_without_a_model_brand_fit_abstains(clean: Subject, brand: BrandKit) -> None:
    ((_, assessment),) = assess_all([clean], brand, scorers=["brand_fit"], clip_model="none")
    assert assessment.verdicts == ()
    (score,) = assessment.scores
    assert score.value is None
    assert score.detail.startswith("No CLIP model is wanted")


def test_each_picture_is_opened_once_and_few_at_a_time(make_ad: Make, brand: BrandKit) -> None:
    opened: list[str] = []

    def counting(subject: Subject) -> Subject:
        def image() -> Image.Image:
            opened.append(subject.asset.id)
            return subject.image()

        return replace(subject, image=image)

    subjects = [counting(make_ad(f"ad-{n}", headline_at=(48, 100 + 4 * n))) for n in range(CHUNK + 3)]
    steps: list[tuple[int, int]] = []
    stream = assess_all(subjects, brand, scorers=["spec"], progress=lambda done, total: steps.append((done, total)))
    assert opened == []
    next(stream)
    assert len(opened) == CHUNK
    rest = list(stream)
    assert sorted(opened) == sorted(subject.asset.id for subject in subjects)
    assert len(rest) == CHUNK + 2
    assert steps == [(CHUNK, CHUNK + 3), (CHUNK + 3, CHUNK + 3)]
    opened.clear()
    assert len(dict(assess_all(subjects, brand, clip_model="none"))) == CHUNK + 3
    assert len(opened) == CHUNK + 3


def _broken(data: bytes) -> Callable[[], Image.Image]:
    return lambda: Image.open(BytesIO(data))


def test_a_picture_that_cannot_be_opened_fails_and_the_others_go_on(make_ad: Make, brand: BrandKit) -> None:
    def missing() -> Image.Image:
        raise ProofsheetError("The picture abc is not in the store.")

    buffer = BytesIO()
    make_ad().image().save(buffer, format="PNG")
    whole = buffer.getvalue()
    bad = {
        "cut": _broken(whole[: len(whole) // 2]),
        "empty": _broken(b""),
        "text": _broken(b"no picture at all"),
        "missing": missing,
    }
    subjects = [make_ad("good")] + [replace(make_ad(name), image=image) for name, image in bad.items()]
    found = dict(assess_all(subjects, brand, scorers=RULE_SCORERS))
    assert list(found) == ["good", *bad]
    for name in bad:
        (verdict,) = found[name].verdicts
        assert (verdict.criterion, verdict.grade) == ("picture", Grade.FAIL)
        assert verdict.remedy
    assert "not in the store" in found["missing"].verdicts[0].reason
    assert "picture" not in {verdict.criterion for verdict in found["good"].verdicts}
    assert len(found["good"].verdicts) > 5


def test_look_alikes_are_found_across_chunks(make_ad: Make, brand: BrandKit) -> None:
    others = [make_ad(f"ad-{n}", headline_at=(48, 60 + 10 * n), levels={"scene": str(n)}) for n in range(CHUNK)]
    subjects = [make_ad("twin-a"), *others, make_ad("twin-b")]
    found = dict(assess_all(subjects, brand, scorers=["duplicates"]))
    flagged = {name for name, one in found.items() if overall(one.verdicts) is Grade.REVIEW}
    assert flagged >= {"twin-a", "twin-b"}
    assert "ad-0" not in flagged


def test_the_same_result_alone_and_together(make_ad: Make, brand: BrandKit) -> None:
    subjects = [make_ad("a"), make_ad("b", headline=("Wake up", "slowly.")), make_ad("c", ground=(90, 90, 120))]
    together = dict(assess_all(subjects, brand, scorers=["palette", "contrast", "duplicates"]))
    for name in ("palette", "contrast", "duplicates"):
        alone = list(open_scorer(name).assess(subjects, brand))
        for subject, one in zip(subjects, alone, strict=True):
            assert set(one.scores) <= set(together[subject.asset.id].scores)
            assert set(one.verdicts) <= set(together[subject.asset.id].verdicts)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 2), (7, 5)])
def test_the_smallest_pictures_are_judged_like_any_other(
    size: tuple[int, int], make_subject: Make, brand: BrandKit
) -> None:
    shades = [Image.effect_noise(size, 50).convert("RGB"), Image.new("RGB", size, "#1f6f5c")]
    subjects = [make_subject(image, name=f"tiny-{n}") for n, image in enumerate(shades)]
    for _, assessment in assess_all(subjects, brand, scorers=RULE_SCORERS):
        assert overall(assessment.verdicts) is Grade.FAIL
        assert "too small" in "".join(v.reason for v in assessment.verdicts) or size[0] != size[1]


def test_no_subjects_no_results(brand: BrandKit) -> None:
    assert list(assess_all([], brand)) == []


def test_unknown_scorers_and_options_are_named(brand: BrandKit) -> None:
    with pytest.raises(NotFoundError, match="taste"):
        assess_all([], brand, scorers=["taste"])
    with pytest.raises(InputError, match="contrast takes no option 'strict'"):
        open_scorer("contrast", strict=True)


@pytest.mark.parametrize("name", [*RULE_SCORERS, "brand_fit"])
def test_every_scorer_keeps_the_agreement(name: str) -> None:
    scorer = open_scorer(name)
    assert isinstance(scorer, Scorer)
    assert scorer.name == name
    assert scorer.version


def test_transparency_is_laid_on_white_and_thumbnails_show_all() -> None:
    clear = Image.new("RGBA", (400, 100), (0, 0, 0, 0))
    assert rgb_picture(clear).getpixel((5, 5)) == (255, 255, 255)
    assert thumbnail_of(clear).size == (160, 40)
    assert thumbnail_of(Image.new("P", (10, 12))).size == (10, 12)


@pytest.mark.processes
def test_importing_and_scoring_by_rules_loads_no_torch() -> None:
    code = (
        "import sys, scoring, scoring.assess as a\n"
        "[a.open_scorer(n) for n in ('brand_fit','contrast','duplicates','palette','safe_area','spec')]\n"
        "bad = {'torch','open_clip','streamlit','diffusers','pandas','duckdb'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(bad)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
