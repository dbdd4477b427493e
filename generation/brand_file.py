"""Reads the file of a brand kit."""

from __future__ import annotations

import re
from pathlib import Path

from generation.file_checks import check_font, check_logo, check_reference
from generation.identity import is_font_file
from generation.palette_roles import ROLES, with_roles
from generation.toml_fields import Problems, Table, choices, shown
from generation.toml_source import TomlSource
from proofsheet.domain.campaign import BrandKit, PaletteColour

#: Roles that one colour of a palette may have.
SINGULAR_ROLES = ("primary", "ink", "paper")

_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_FONT_FOLDER = Path(__file__).parent / "fonts"


def read_brand(path: Path, problems: Problems) -> BrandKit:
    """Read a brand file; broken rules are noted, and the kit is only whole when there were none.

    Raises:
        InputError: the file is not TOML.
        NotFoundError: there is no such file.
    """
    source = TomlSource(path)
    root = Table(source, (), source.data, problems)
    if not root.has("brand"):
        root.note(None, "the section [brand] is missing.", "Begin the file with the line [brand].")
    table = root.table("brand")
    name = table.text("name", required=root.is_a("brand", dict), like='"Norda"')
    brand = BrandKit(
        name=name,
        palette=_palette(root),
        wordmark=table.text("wordmark", default=name),
        logo=_logo(table),
        clear_space=table.number("clear_space", 0.5, low=0.0, high=3.0, like="0.5"),
        headline_font=_font(table, "headline_font"),
        body_font=_font(table, "body_font"),
        tone=table.texts("tone"),
        descriptors=table.texts("descriptors"),
        references=_references(table),
        forbidden_words=table.texts("forbidden_words"),
    )
    table.close({"palette": "Write each colour as its own [[palette]] after the section [brand]."})
    root.close()
    return brand


def bundled_families() -> tuple[str, ...]:
    """The font families that come with Proofsheet."""
    return tuple(sorted({file.stem.rsplit("-", 1)[0] for file in _FONT_FOLDER.glob("*.ttf")}))


def _font(table: Table, key: str) -> str:
    name = table.text(key, default="manrope")
    if is_font_file(name):
        found = table.existing_file(key, name)
        if found:
            check_font(table, key, found)
        return str(found) if found else name
    family = name.lower().replace(" ", "-")
    if family not in bundled_families():
        remedy = f"{choices(family, bundled_families())} Or give the path of a font file, such as fonts/own.ttf."
        table.note(key, f"got {shown(name)}, which is not a bundled font family.", remedy)
    return family


def _logo(table: Table) -> Path | None:
    path = table.file("logo", required=False, like='"logo.png"')
    if path:
        check_logo(table, "logo", path)
    return path


def _references(table: Table) -> tuple[Path, ...]:
    found = []
    for position, name in enumerate(table.texts("references", like='["one.png"]')):
        path = table.existing_file("references", name, position)
        if path:
            check_reference(table, "references", path, position)
            found.append(path)
    return tuple(found)


def _palette(root: Table) -> tuple[PaletteColour, ...]:
    entries = root.tables("palette")
    if not entries and root.data.get("palette", []) == []:
        root.note(
            None, "the palette is empty.", 'Add at least one colour: [[palette]], name = "green", hex = "#14532d".'
        )
    colours: list[PaletteColour] = []
    for entry in entries:
        name = entry.text("name", required=True, like='"deep green"')
        hex_code = _hex(entry)
        role = entry.text("role")
        if role and role not in ROLES:
            entry.note("role", f"got {shown(role)}, which is not a role of a colour.", choices(role, ROLES))
        owner = next((colour.name for colour in colours if colour.role == role), None)
        if role in SINGULAR_ROLES and owner is not None:
            rule = f"the role {role!r} is that of the colour {shown(owner)} already; a palette has one."
            entry.note("role", rule, "Give one of them another role, or none.")
        if name and name in {colour.name for colour in colours}:
            entry.note(
                "name", f"the colour {shown(name)} stands twice in the palette.", "Give every colour its own name."
            )
        if hex_code:
            colours.append(PaletteColour(name=name, hex=hex_code, role=role))
        entry.close()
    return with_roles(colours) if colours else ()


def _hex(entry: Table) -> str:
    value = entry.text("hex", required=True, like='"#14532d"')
    match = _HEX.fullmatch(value)
    if match is None:
        if value:
            rule = f"got {shown(value)}, which is not a colour of six hexadecimal digits."
            entry.note("hex", rule, 'Write it as "#14532d": red, green and blue, two digits each.')
        return ""
    digits = match[1] if len(match[1]) == 6 else "".join(2 * digit for digit in match[1])
    return f"#{digits.lower()}"
