"""Conformance: what any plug-in must keep, as checks that its author's tests can call.

Each function raises AssertionError with the rule that was broken. Our own plug-ins pass the same checks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from proofsheet.domain.asset import Asset, Origin, SceneRecipe
from proofsheet.domain.campaign import BrandKit, PaletteColour, Placement, SafeArea
from proofsheet.errors import InputError


def example_scene(backend: Any, *, seed: int = 1, width: int = 64, height: int = 80, **params: Any) -> SceneRecipe:
    """A small scene recipe for a backend, at sizes that it allows."""
    step = backend.size_multiple
    return SceneRecipe(
        backend=backend.name,
        model=backend.model,
        revision=backend.revision,
        prompt="a plain studio backdrop in soft light",
        negative_prompt="text, letters, logo",
        seed=seed,
        steps=backend.steps,
        guidance=backend.guidance,
        width=max(step, width // step * step),
        height=max(step, height // step * step),
        scene="plain",
        style="soft",
        params=params,
        palette=("#2f7d4f", "#e8d9b8"),
    )


def check_backend(backend: Any, **params: Any) -> None:
    """Sizes, order, seeds and repeatability of an ``ImageBackend``.

    Args:
        backend: an opened backend.
        params: scene parameters that it needs, such as ``kind`` for the procedural backend.
    """
    import numpy as np

    from generation.backend import ImageBackend

    assert isinstance(backend, ImageBackend), "the backend lacks an attribute or method of the ImageBackend protocol"
    recipes = [example_scene(backend, seed=seed, **params) for seed in (1, 2, 1)]
    drawn = list(backend.draw(recipes))
    assert [one.recipe for one in drawn] == recipes, "one rendering for each recipe, in their order"
    for one in drawn:
        assert one.image.mode == "RGB", f"pictures are RGB, not {one.image.mode}"
        assert one.image.size == (one.recipe.width, one.recipe.height), "a picture has exactly its recipe's size"
        assert one.seconds >= 0, "seconds are not negative"
    first, second, again = (np.asarray(one.image, dtype=np.int16) for one in drawn)
    assert np.abs(first - again).max() <= 1, "the same recipe gives the same picture, within 1 of 255"
    assert (first != second).any(), "another seed gives another picture"
    assert list(backend.draw([])) == [], "no recipes, no renderings"


def check_executor(executor: Any) -> None:
    """Order and errors of an ``Executor``."""
    assert list(executor.map(abs, range(-20, 0))) == list(range(20, 0, -1)), "results come in the order of the items"
    assert list(executor.map(abs, [])) == [], "no items, no results"
    results = executor.map(_refuse_seven, range(20))
    seen = [next(results) for _ in range(7)]
    assert seen == list(range(7)), "items before a failing one have their results"
    try:
        next(results)
    except ValueError:
        return
    raise AssertionError("the error of an item is raised at that item")


def _refuse_seven(value: int) -> int:
    if value == 7:
        raise ValueError("seven")
    return value


def example_brand() -> BrandKit:
    """A small brand kit."""
    colours = (
        PaletteColour(name="leaf", hex="#2f7d4f", role="primary"),
        PaletteColour(name="sand", hex="#e8d9b8", role="secondary"),
    )
    return BrandKit(name="Calm", palette=colours, wordmark="calm", descriptors=("a calm tea brand in green",))


def check_scorer(factory: Callable[[], Any]) -> None:
    """One assessment for each subject in order, verdicts with scores, and abstaining on an upload, of a ``Scorer``."""
    from PIL import Image

    from scoring.scorer import Scorer, Subject

    scorer = factory()
    assert isinstance(scorer, Scorer), "the scorer lacks an attribute or method of the Scorer protocol"
    place = Placement(
        name="square", platform="test", title="Square", width=120, height=120, safe_area=SafeArea(), max_bytes=100_000,
        formats=("jpeg", "png"),
    )  # fmt: skip
    upload = Asset(
        id="a" * 12, campaign="test", variant_id="b" * 8, placement=place.name, levels={}, locale="en-US", width=120,
        height=120, sha256="0" * 64, media_type="image/png", origin=Origin.UPLOADED, scene_id=None, recipe=None,
        composition=None, label="baseline", ai_made=False, seconds=0.0, created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    subjects = [
        Subject(
            asset=replace(upload, id=f"{number:012x}"),
            image=lambda colour=colour: Image.new("RGB", (120, 120), colour),  # type: ignore[misc]
            data_size=2000,
            placement=place,
            composition=None,
        )
        for number, colour in enumerate([(47, 125, 79), (232, 217, 184)])
    ]
    assessed = list(scorer.assess(subjects, example_brand()))
    assert len(assessed) == len(subjects), "one assessment for each subject"
    for subject, one in zip(subjects, assessed, strict=True):
        assert all(score.asset_id == subject.asset.id for score in one.scores), "scores name their asset"
        scored = {score.criterion for score in one.scores}
        assert all(verdict.criterion in scored for verdict in one.verdicts), "each verdict has its score"
        assert all(verdict.reason for verdict in one.verdicts), "each verdict gives its reason"
        for score in one.scores:
            assert score.value is not None or score.detail, "a score that cannot be measured says why"
            assert score.scorer, "a score names its scorer and version"
    try:
        factory_with_nonsense = factory(surely_no_option=1)  # type: ignore[call-arg]
    except (TypeError, InputError):
        return
    raise AssertionError(f"an unknown option is an error, yet {factory_with_nonsense!r} was made")


def check_importer(importer: Any, file: Path, **options: str) -> None:
    """Every row of a file accounted for, and the same answer twice, of an ``Importer``.

    Args:
        importer: the importer; it is chosen by its registered name.
        file: a report in its layout.
        options: the answers that the file needs.
    """
    from warehouse.ingest import inspect_file

    found = inspect_file(file, layout=importer.name, options=options)
    assert found.ready, f"the file leaves questions open: {[str(one) for one in found.questions]}"
    assert found.rows_in == found.loaded + found.set_aside, "rows in = loaded + set aside"
    assert found.loaded > 0, "the file has rows that load"
    assert all(one.reason and one.line > 0 for one in found.rejects), "a row set aside has its line and reason"
    assert inspect_file(file, layout=importer.name, options=options) == found, "the same file is read the same twice"
    assert inspect_file(file, options=options).layout == importer.name, "its own layout is recognised without help"
