"""Coverage from pictures to the page and the terminal: reports, labels, gaps, and a plan that fills them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from dashboard import coverage_charts
from proofsheet.cli.app import app
from proofsheet.domain.asset import Asset, DesignQuality, Scene, Variant, VariantPlan
from proofsheet.domain.campaign import FACTORS, Campaign, Factor, Level
from proofsheet.domain.coverage import CoverageGoal, Label
from proofsheet.errors import InputError, NotFoundError, StateError
from proofsheet.workflows import coverage as verb
from proofsheet.workflows import coverage_labels as labelling
from proofsheet.workflows.coverage_eye import Eye
from proofsheet.workflows.coverage_fill import fill
from proofsheet.workflows.house import House, open_house
from scoring.coverage.axes import Axis, load_axes
from scoring.coverage.confusion import Confused, Confusion
from warehouse.store import Warehouse

from .campaign_nouns import SLUG, make_asset, make_campaign, make_recipe, make_upload
from .experiment_nouns import approve

AGES, SETTING = load_axes()["age_group"], load_axes()["setting"]
GOALS = (
    CoverageGoal(axis="age_group", targets={"older": 0.4}),
    CoverageGoal(axis="setting", targets={"nature": 0.5, "studio": 0.3}),
)
COUNT = 40


class Seen:
    """Perceives what it is told to: an age for each picture, and the setting that its scene was asked for."""

    house = True

    def __init__(self, ages: list[int], settings: list[int]) -> None:
        self.told = {"age_group": ages, "setting": settings}

    def knows(self, axis: Axis) -> tuple[str, ...]:
        return axis.names[:3] if axis.name in self.told else ()

    def question(self, axis: Axis) -> str:
        return "asked" if axis.name in self.told else ""

    def perceive(self, axis: Axis, vectors: NDArray[np.float32]) -> NDArray[np.intp]:
        return np.array(self.told[axis.name][: len(vectors)], dtype=np.intp)


def _campaign(folder: Path) -> Campaign:
    campaign = make_campaign(folder)
    varied = {
        "scene": (Level(name="arch", prompt="an arch and a podium"), Level(name="sand", prompt="rippled sand")),
        "audience": (Level(name="young", prompt="a child"), Level(name="old", prompt="an elderly woman")),
        "headline": tuple(Level(name=f"h{n}", texts={"en-US": f"Words {n}."}) for n in range(20)),
    }
    varied["layout"] = (Level(name="column"),)
    varied["locale"] = (Level(name="en-US"),)
    varied["cta"] = (Level(name="one", texts={"en-US": "Try it"}),)
    factors = tuple(Factor(name=name, levels=varied.get(name, (Level(name="one"),))) for name in FACTORS)
    return replace(campaign, brief=replace(campaign.brief, factors=factors, coverage=GOALS))


@pytest.fixture(scope="module")
def pictured_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Asset, ...]]:
    """Forty scenes of two settings, all for the young; a plan without the old; one upload."""
    folder = tmp_path_factory.mktemp("pictured")
    store, campaign = Warehouse(folder / "home"), _campaign(folder)
    rest = dict.fromkeys(FACTORS, "one") | {"layout": "column", "locale": "en-US", "audience": "young"}
    variants = tuple(
        Variant(levels=rest | {"scene": scene, "headline": f"h{n}"}) for n in range(20) for scene in ("arch", "sand")
    )
    plan = VariantPlan(
        campaign=SLUG,
        campaign_id=campaign.id,
        variants=variants,
        quality=DesignQuality(kind="fraction", runs=COUNT, full_runs=80, d_efficiency=0.5, rank=3, parameters=4),
        placements=("meta_feed_portrait",),
        backend="procedural",
    )
    recipes = [make_recipe(campaign, variant, "meta_feed_portrait") for variant in variants]
    recipes = [replace(one, scene=replace(one.scene, seed=n, prompt="")) for n, one in enumerate(recipes)]
    assets = tuple(make_asset(store, recipe, n) for n, recipe in enumerate(recipes))
    with store.write() as writer:
        writer.save_campaign(campaign)
        writer.save_plan(plan)
        writer.save_recipes(SLUG, recipes)
        for recipe in recipes:
            scene = Scene(
                recipe=recipe.scene,
                sha256=store.pictures.put(f"scene {recipe.scene.seed}".encode()),
                seconds=1.0,
                cost=Decimal(0),
                currency="EUR",
                drawn_at=datetime(2026, 6, 1, tzinfo=UTC),
            )
            writer.save_scene(scene, SLUG)
        writer.save_assets([*assets, make_upload(store, SLUG)])
    return store.home, assets


@pytest.fixture
def pictured(home: Path, pictured_once: tuple[Path, tuple[Asset, ...]]) -> tuple[House, tuple[Asset, ...]]:
    """The same with a house of its own."""
    shutil.copytree(pictured_once[0], home)
    return open_house(), pictured_once[1]


@pytest.fixture
def eye(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what is perceived, and what is known of the model's errors."""

    def chosen(ages: list[int], settings: list[int], confusion: Confusion | str | None = None) -> None:
        sure = {
            axis.name: Confused((*axis.names[:3], "unclear"), 5_000 * np.eye(4), 0.0, "asked")
            for axis in (AGES, SETTING)
        }
        seen = Eye(
            name="seer",
            perceiver=Seen(ages, settings),  # type: ignore[arg-type]
            vectors=np.zeros((COUNT, 1), np.float32),
            confusion=Confusion(sure, "renders", ("procedural",)) if confusion is None else confusion,
        )
        monkeypatch.setattr(verb, "open_eye", lambda house, pictures, progress: seen)

    return chosen


Pictures = tuple[House, tuple[Asset, ...]]


@pytest.mark.slow
def test_a_report_says_what_is_shown_and_what_is_missing(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, assets = pictured
    with house.warehouse.write():
        pass
    approve(house.warehouse, assets[:1])
    eye([0] * COUNT, [0 if n % 2 else 2 for n in range(COUNT)])
    report = verb.coverage(house, SLUG)
    ages, setting = report.axes
    assert (report.pictures, report.assets, report.left_out) == (COUNT, COUNT, 1)
    assert (ages.verdict, ages.method, ages.n) == ("not met", "corrected", COUNT)
    assert ages.values[2].share == pytest.approx(0.0, abs=1e-6)
    assert setting.verdict == "insufficient evidence"
    assert [(cell.levels, cell.planned, cell.made, cell.approved) for cell in report.cells] == [
        ({"audience": "young", "scene": "arch"}, 20, 20, 1),
        ({"audience": "young", "scene": "sand"}, 20, 20, 0),
        ({"audience": "old", "scene": "arch"}, 0, 0, 0),
        ({"audience": "old", "scene": "sand"}, 0, 0, 0),
    ]
    asked = {(one.axis, one.requested, one.perceived): one.count for one in report.asked}
    assert asked["age_group", "child", "child"] == COUNT
    assert sum(count for (axis, _, _), count in asked.items() if axis == "setting") == COUNT
    older, outside, waiting = report.gaps
    assert "older adult is shown by 0%" in older.what
    assert {variant.levels["audience"] for variant in older.variants} == {"old"}
    assert [len(gap.variants) for gap in (outside, waiting)] == [2, 0]
    assert any("real people" in text for text in report.limitations)
    with house.warehouse.read() as reader:
        assert reader.coverage(SLUG) == report


@pytest.mark.slow
def test_a_report_goes_stale_when_something_is_labelled(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, _ = pictured
    eye([0] * COUNT, [0] * COUNT)
    verb.coverage(house)
    with house.warehouse.read() as reader:
        assert verb.latest(reader, reader.campaign(SLUG))[1]
    drawn = labelling.sample(house, size=1)
    labelling.add_label(house, drawn, drawn.questions[0], "older")
    with house.warehouse.read() as reader:
        assert not verb.latest(reader, reader.campaign(SLUG))[1]


@pytest.mark.slow
def test_labels_of_a_random_part_overrule_a_model_that_is_wrong(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, _ = pictured
    eye([1] * COUNT, [0] * COUNT, "not measured")
    assert verb.coverage(house).axes[0].verdict == "insufficient evidence"
    drawn = labelling.sample(house, axes=["age_group"], size=32)
    with house.warehouse.write() as writer:
        for number, one in enumerate(drawn.questions):
            value, at = "older" if number % 2 else "adult", datetime(2026, 6, 2, tzinfo=UTC)
            label = Label(campaign=SLUG, picture=one.picture, axis=one.axis, value=value, rater="ada", at=at)
            writer.add_label(label)
    ages = verb.coverage(house).axes[0]
    assert (ages.method, ages.labels, ages.raters) == ("labels", 32, 1)
    assert ages.values[2].share == pytest.approx(0.5)
    assert ages.values[2].naive == 0.0


@pytest.mark.slow
def test_gaps_are_planned_beside_what_is_there(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, _ = pictured
    eye([0] * COUNT, [0] * COUNT)
    filled = fill(house, verb.coverage(house))
    assert len(filled.plan.variants) == COUNT + len(filled.added)
    assert {variant.levels["audience"] for variant in filled.added} == {"old"}
    with house.warehouse.read() as reader:
        assert reader.plan(SLUG) == filled.plan
        assert len(reader.recipes(SLUG)) == len(filled.plan.variants)
        assert len(reader.assets(SLUG, current_only=False)) == COUNT + 1
    again = verb.coverage(house)
    with pytest.raises(StateError, match="No gap can be filled"):
        fill(house, replace(again, gaps=()))


def test_errors_measured_with_other_phrases_correct_nothing(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, _ = pictured
    other = Confused((*AGES.names[:3], "unclear"), 5_000 * np.eye(4), 0.0, "other words")
    eye([0] * COUNT, [0] * COUNT, Confusion({"age_group": other}, "renders", ("procedural",)))
    ages, setting = verb.coverage(house).axes
    assert (ages.method, setting.method) == ("uncorrected", "uncorrected")
    assert "other phrases" in ages.why
    assert "setting have not been measured" in setting.why


@pytest.mark.slow
def test_a_sample_is_random_shared_and_resumed(pictured: Pictures) -> None:
    house, _ = pictured
    first = labelling.sample(house, size=5, rater="ada")
    assert [question.axis for question in first.questions[:2]] == ["age_group", "setting"]
    assert len(first.questions) == 10
    assert first.questions == labelling.sample(house, size=5, rater="ada").questions
    for question in first.questions[:3]:
        labelling.add_label(house, first, question, "unclear")
    labelling.undo_label(house, first, first.questions[2])
    left = labelling.sample(house, size=5, rater="ada")
    assert (left.done, left.questions[0].number, left.questions[0].axis) == (1, 2, "age_group")
    assert len(labelling.sample(house, size=5, rater="ben").questions) == 10
    with house.warehouse.read() as reader:
        assert len(reader.labels(SLUG)) == 4, "what was taken back is kept"
    with pytest.raises(InputError, match="'tall' is no value of age_group"):
        labelling.add_label(house, first, first.questions[0], "tall")
    with pytest.raises(NotFoundError, match="no axis 'hair'"):
        labelling.sample(house, axes=["hair"])


def test_raters_who_differ_leave_a_picture_unclear() -> None:
    at = datetime(2026, 6, 1, tzinfo=UTC)

    def label(picture: str, value: str, rater: str) -> Label:
        return Label(campaign=SLUG, picture=picture, axis="age_group", value=value, rater=rater, at=at)

    labels = [
        label("p", "child", "ada"),
        label("p", "adult", "ada"),
        label("p", "adult", "ben"),
        label("q", "adult", "ada"),
        label("q", "older", "ben"),
        label("r", "older", "ben"),
        label("s", "older", "ben"),
        label("s", "", "ben"),
    ]
    assert labelling.agreed(labels, "age_group") == ({"p": "adult", "q": "unclear", "r": "older"}, 2, 0.5)


def test_rejected_assets_are_not_looked_at(pictured: Pictures, eye: Callable[..., None]) -> None:
    from proofsheet.domain.assessment import Judgement
    from proofsheet.workflows.review import review

    house, assets = pictured
    review(house, SLUG, [assets[0].id], Judgement.REJECT, reason="dull")
    approve(house.warehouse, assets[1:4])
    eye([0] * COUNT, [0] * COUNT)
    with house.warehouse.read() as reader:
        campaign = reader.campaign(SLUG)
        assert len(verb.read_material(reader, campaign).pictures) == COUNT - 1
        assert len(verb.read_material(reader, campaign, approved_only=True).pictures) == 3


def test_without_a_model_labels_are_asked_for(pictured: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROOFSHEET_CLIP_MODEL", "none")
    report = verb.coverage(open_house())
    assert report.model == "none"
    assert {axis.method for axis in report.axes} == {"uncorrected"}
    assert {axis.verdict for axis in report.axes} == {"insufficient evidence"}


def _typed(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    answers: Iterator[str] = iter(words.split())

    def answer(_: str) -> str:
        found = next(answers, None)
        if found is None:
            raise EOFError
        return found

    monkeypatch.setattr("builtins.input", answer)


@pytest.mark.slow
def test_the_terminal_asks_keeps_and_goes_back(pictured: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    house, _ = pictured
    runner = CliRunner()
    _typed(monkeypatch, "3 9 x 2 b 1 s")
    done = runner.invoke(app, ["label", "--sample", "3", "--rater", "ada"], catch_exceptions=False)
    assert "A number from 1 to 7, or b, s, q." in done.output
    assert "2 answers kept" in done.output
    with house.warehouse.read() as reader:
        kept = {(one.axis, one.value) for one in labelling.current_labels(reader.labels(SLUG))}
    assert kept == {("age_group", "older"), ("setting", "studio")}
    left = json.loads(runner.invoke(app, ["label", "--sample", "3", "--rater", "ada", "--json"]).output)
    assert (left["done"], len(left["questions"])) == (1, 4)


@pytest.mark.slow
def test_the_commands_answer(pictured: Pictures, eye: Callable[..., None]) -> None:
    eye([0] * COUNT, [0] * COUNT)
    runner = CliRunner()
    shown = runner.invoke(app, ["coverage"], catch_exceptions=False).output
    for words in ("age group: not met (n = 40)", "naive", "What this report cannot tell", "Scenarios: 0 of 4"):
        assert words in shown
    report = json.loads(runner.invoke(app, ["coverage", "--approved", "--json"]).output)
    assert (report["population"], report["pictures"]) == ("approved assets", 0)
    filled = json.loads(runner.invoke(app, ["coverage", "--fill", "--json"]).output)
    assert filled["filled"]["added"]
    axes = json.loads(runner.invoke(app, ["coverage", "--list", "--json"]).output)
    assert [axis["axis"] for axis in axes] == list(load_axes())


def test_the_chart_has_bands_intervals_and_the_naive_share(pictured: Pictures, eye: Callable[..., None]) -> None:
    house, _ = pictured
    eye([0] * COUNT, [0] * COUNT, None)
    ages = verb.coverage(house).axes[0]
    chart = coverage_charts.shares(ages)
    assert chart.title == "Perceived age group: not met"
    assert len(chart.figure.layout.shapes) == 1
    assert "older adult 0%" in chart.alt
    lines = [trace for trace in chart.figure.data if trace.mode == "lines"]
    assert len(lines) == len(ages.values)
    unknown = tuple(replace(value, share=None) for value in ages.values)
    none = coverage_charts.shares(replace(ages, verdict=None, values=unknown))
    assert none.title == "Perceived age group: not known"


@pytest.mark.slow
def test_the_page_shows_the_report_and_says_when_it_is_old(
    pictured: Pictures, eye: Callable[..., None], open_page: Callable[..., AppTest]
) -> None:
    house, _ = pictured
    eye([0] * COUNT, [0] * COUNT)
    verb.coverage(house)
    page = open_page("coverage")
    words = "\n".join(str(p.value) for p in (*page.markdown, *page.caption, *page.subheader)).replace("\\", "")
    assert not page.exception
    assert not page.warning
    for said in ("Perceived age group: not met", "Scenarios: 0 of 4 served", "Gaps, and what would fill them"):
        assert said in words
    drawn = labelling.sample(house, size=1)
    labelling.add_label(house, drawn, drawn.questions[0], "older")
    assert "have changed since this report" in str(open_page("coverage").warning[0].value)


@pytest.mark.models
@pytest.mark.slow
def test_the_house_clip_looks_at_scenes(pictured: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROOFSHEET_CLIP_MODEL", raising=False)
    house = open_house()
    from io import BytesIO

    from PIL import Image

    with house.warehouse.write() as writer:
        for number, scene in enumerate(writer.scenes(SLUG).values()):
            out = BytesIO()
            Image.new("RGB", (96, 96), (number * 5, 120, 90)).save(out, "PNG")
            writer.save_scene(replace(scene, sha256=house.warehouse.pictures.put(out.getvalue())), SLUG)
    report = verb.coverage(house, axes=["people", "region"])
    people, region = report.axes
    assert "house_clip@" in report.model
    assert people.method == "corrected"
    assert (region.method, region.values[-1].count) == ("uncorrected", COUNT)
