"""Every name that a brief and a brand kit may use: placements, layouts, scene kinds, lights, fonts, objectives, roles.

``python -m generation.vocabulary > docs/vocabulary.md`` writes the page of documentation anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_HEAD = """\
# Vocabulary

Every name that a brief or a brand kit may use. This page is made from Proofsheet's own tables, by
`python -m generation.vocabulary > docs/vocabulary.md`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table of names.

    ``key`` says where in the files the names stand; every row has as many cells as there are columns, and its first
    cell is the name.
    """

    title: str
    key: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def vocabulary() -> tuple[Section, ...]:
    """All names in sections, read from the tables that the renderer, the composer and the briefs use themselves."""
    return (_placements(), _layouts(), _kinds(), _lights(), _fonts(), _objectives(), _roles())


def vocabulary_page() -> str:
    """The vocabulary as a page of Markdown."""
    return "\n".join([_HEAD, *(line for section in vocabulary() for line in _lines(section))])


def _lines(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield f"{section.key}\n"
    yield f"| {' | '.join(section.columns)} |"
    yield f"| {' | '.join('---' for _ in section.columns)} |"
    for name, *others in section.rows:
        yield f"| {' | '.join([f'`{name}`', *(cell.replace('|', '/') for cell in others)])} |"
    yield ""


def _placements() -> Section:
    from generation.placements import load_placements

    return Section(
        title="Placements",
        key='In the brief: `placements = ["meta_feed_portrait", "meta_story"]`.',
        columns=("name", "title", "platform", "pixels", "largest file"),
        rows=tuple(
            (slot.name, slot.title, slot.platform, f"{slot.width} × {slot.height}", f"{slot.max_bytes / 1000:,.0f} KB")
            for slot in load_placements().values()
        ),
    )


def _layouts() -> Section:
    from generation.layouts import LAYOUTS

    return Section(
        title="Layouts",
        key="In the brief: the `name` of a `[[factors.layout]]`.",
        columns=("name", "what it does"),
        rows=tuple((layout.name, _sentence(layout.description)) for layout in LAYOUTS.values()),
    )


def _kinds() -> Section:
    from generation.scenes import SCENES

    return Section(
        title="Scene kinds",
        key='In the brief, for the procedural backend: `params = { kind = "arch_podium" }` of a `[[factors.scene]]`, '
        "with the kind's own parameters beside it where it has any. Every kind takes `hue` (a colour such as "
        "`#2f6f5e`, or degrees), `accent` (a colour, or the position of a colour in the palette counted from 0) and "
        "`tilt` (0.05–0.5, how much of the ground is seen).",
        columns=("name", "what it is", "own parameters"),
        rows=tuple(
            (name, _sentence(kind.description), "; ".join(f"{key}: {what}" for key, what in kind.takes.items()))
            for name, kind in SCENES.items()
        ),
    )


def _lights() -> Section:
    from generation.scenes import STYLES

    return Section(
        title="Lights",
        key='In the brief, for the procedural backend: `params = { light = "window_warm" }` of a `[[factors.style]]`.',
        columns=("name", "what it is"),
        rows=tuple((name, _sentence(style.description)) for name, style in STYLES.items()),
    )


def _fonts() -> Section:
    from generation.composition.typefaces import FAMILIES

    return Section(
        title="Fonts",
        key="In the brand kit: `headline_font` and `body_font`; the path of a font file may stand there as well.",
        columns=("name", "what it is"),
        rows=tuple((family.name, _sentence(family.description)) for family in FAMILIES.values()),
    )


def _objectives() -> Section:
    from generation.briefs import CONVERSION_OBJECTIVES, OBJECTIVES

    metrics = {True: "conversions per impression", False: "click-through rate: clicks per impression"}
    return Section(
        title="Objectives",
        key="In the brief: `objective`; the singular is understood too.",
        columns=("name", "primary metric of the test"),
        rows=tuple((name, metrics[name in CONVERSION_OBJECTIVES]) for name in OBJECTIVES),
    )


def _roles() -> Section:
    from generation.brand_file import SINGULAR_ROLES
    from generation.palette_roles import ROLES

    uses = {
        "primary": "the brand's main colour",
        "secondary": "the second colour, for grounds and sets",
        "accent": "what must be noticed, such as buttons",
        "ink": "dark text",
        "paper": "light text and light grounds",
        "support": "further colours of the sets",
    }
    return Section(
        title="Roles of colours",
        key="In the brand kit: `role` of a `[[palette]]`; colours without one get one.",
        columns=("name", "what it is for", "how many"),
        rows=tuple((role, uses[role], "one" if role in SINGULAR_ROLES else "any number") for role in ROLES),
    )


def _sentence(words: str) -> str:
    return " ".join(words.split()).rstrip(".")


if __name__ == "__main__":
    print(vocabulary_page(), end="")
