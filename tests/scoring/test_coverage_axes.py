"""The library of axes: whole, in the house's words, and read out of prompts."""

from __future__ import annotations

import pytest

from proofsheet.errors import NotFoundError
from scoring.coverage.axes import UNCLEAR, axes_named, load_axes
from training.grammar import vocabulary, words_of

WANTED = (
    "people",
    "age_group",
    "gender_presentation",
    "skin_tone",
    "skin_tone_group",
    "body",
    "ability",
    "setting",
    "season",
    "region",
    "use_situation",
)


def test_every_axis_is_there_with_unclear_and_a_limitation() -> None:
    axes = load_axes()
    assert tuple(axes) == WANTED
    for axis in axes.values():
        assert axis.names[-1] == UNCLEAR
        assert len(set(axis.names)) == len(axis.names) >= 3
        assert len(axis.titles) == len(axis.names)
        assert axis.limitation.endswith(".")
        assert axis.about in {"people", "scene"}
        assert all(value.phrases for value in axis.values)
    assert all("perceived" in axes[name].title.lower() for name in WANTED[:6])
    assert axes["age_group"].titles[-1] == "unclear / no person"


def test_the_monk_scale_has_ten_steps_and_three_groups() -> None:
    axes = load_axes()
    assert len(axes["skin_tone"].values) == 10
    groups = axes["skin_tone_group"].values
    assert [len(value.house) for value in groups] == [3, 3, 4]
    assert sum((value.phrases for value in groups), ()) == sum((one.phrases for one in axes["skin_tone"].values), ())


def test_the_house_is_asked_in_words_that_it_was_taught() -> None:
    known = set(vocabulary())
    for axis in load_axes().values():
        concepts = [*(one for value in axis.values for one in value.house), *axis.house_unclear]
        for text in (*(way for ways in concepts for way in ways), *axis.house_contexts):
            assert set(words_of(text.replace("{}", " "))) <= known, (axis.name, text)


@pytest.mark.parametrize(
    ("axis", "prompt", "value"),
    [
        ("age_group", "an elderly woman using a wheelchair", "older"),
        ("gender_presentation", "an elderly woman using a wheelchair", "feminine"),
        ("ability", "an elderly woman using a wheelchair", "wheelchair"),
        ("people", "two people in a kitchen", "two"),
        ("age_group", "a child with an older man", UNCLEAR),
        ("age_group", "stones and water", UNCLEAR),
        ("gender_presentation", "a human hand", UNCLEAR),
        ("setting", "Wet dark stones, with a thin film of water", "nature"),
        ("skin_tone_group", "a woman with monk 10 skin", "darker"),
        ("skin_tone", "a woman with monk 10 skin", "monk_10"),
        ("skin_tone", "a woman with monk 1 skin", "monk_1"),
    ],
)
def test_a_prompt_asks_for_a_value_in_so_many_words(axis: str, prompt: str, value: str) -> None:
    assert load_axes()[axis].asked_for(prompt) == value


def test_an_axis_that_is_not_in_the_library_is_named() -> None:
    assert [axis.name for axis in axes_named(["season", "people", "season"])] == ["season", "people"]
    with pytest.raises(NotFoundError, match=r"no axis 'hair'") as caught:
        axes_named(["hair"])
    assert "age_group" in caught.value.hint
