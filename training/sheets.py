"""Sheets of pictures for a person to look at: samples with their captions, what becomes of renders, nearest renders."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from training.metrics import Floats
from training.recognised import Recognised

Pixels = NDArray[np.uint8]

_FONT = Path(__file__).parent.parent / "generation" / "fonts" / "manrope-500.ttf"
_PICTURE, _GAP, _LINES = 160, 8, 6
_INK, _PAPER, _WRONG = (40, 40, 40), (250, 250, 248), (176, 40, 32)


def write_sheets(
    folder: Path,
    renders: Pixels,
    rebuilt: Pixels,
    drawn: Pixels,
    texts: Sequence[str],
    generated: Recognised,
    nearest: tuple[Pixels, Floats, NDArray[np.intp]],
) -> None:
    """Write samples.png, beside.png and nearest.png.

    Args:
        folder: where to.
        renders, rebuilt, drawn: pictures of the same facts (N, 128, 128, 3).
        texts: the captions of ``drawn``.
        generated: what the probe reads of ``drawn``; what it does not find is told in red.
        nearest: training renders, the distance of each drawn picture to its nearest one, and which that is.
    """
    some = spread(len(drawn), 64)
    notes = [_missed(generated, place) for place in some]
    captioned(drawn[some], [texts[place] for place in some], notes).save(folder / "samples.png")
    few = spread(len(drawn), 12)
    rows = [renders[few], rebuilt[few], drawn[few]]
    labels = ["render", "through the autoencoder", "generated from the caption"]
    in_rows(rows, labels).save(folder / "beside.png")
    train, gaps, places = nearest
    close = np.argsort(gaps)[:12]
    labels = ["generated", "nearest training render in pixels"]
    in_rows([drawn[close], train[places[close]]], labels).save(folder / "nearest.png")


def spread(count: int, wanted: int) -> list[int]:
    """``wanted`` places spread evenly over ``count``; all of them where there are not so many."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(wanted, count)).round()})


def captioned(images: Pixels, texts: Sequence[str], notes: Sequence[str], columns: int = 8) -> Image.Image:
    """Pictures in a grid, each with its caption below and a note in red."""
    font = ImageFont.truetype(str(_FONT), 10)
    tall = _PICTURE + 13 * _LINES + _GAP
    rows = -(-len(images) // columns)
    sheet = Image.new("RGB", (columns * (_PICTURE + _GAP) + _GAP, rows * tall + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, (image, text, note) in enumerate(zip(images, texts, notes, strict=True)):
        x, y = _GAP + place % columns * (_PICTURE + _GAP), _GAP + place // columns * tall
        sheet.paste(_enlarged(image), (x, y))
        lines = textwrap.wrap(text, 31)[: _LINES - 1 if note else _LINES]
        for line, words in enumerate(lines):
            draw.text((x, y + _PICTURE + 2 + 13 * line), words, _INK, font)
        if note:
            draw.text((x, y + _PICTURE + 2 + 13 * len(lines)), note[:34], _WRONG, font)
    return sheet


def in_rows(rows: Sequence[Pixels], labels: Sequence[str]) -> Image.Image:
    """Pictures in rows, each row under its label."""
    font = ImageFont.truetype(str(_FONT), 13)
    tall = _PICTURE + 22
    sheet = Image.new("RGB", (len(rows[0]) * (_PICTURE + _GAP) + _GAP, len(rows) * tall + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for line, (images, label) in enumerate(zip(rows, labels, strict=True)):
        draw.text((_GAP, line * tall + 4), label, _INK, font)
        for place, image in enumerate(images):
            sheet.paste(_enlarged(image), (_GAP + place * (_PICTURE + _GAP), line * tall + 22))
    return sheet


def _enlarged(image: Pixels) -> Image.Image:
    return Image.fromarray(image).resize((_PICTURE, _PICTURE), Image.Resampling.LANCZOS)


def _missed(generated: Recognised, place: int) -> str:
    row, reading = generated.facts[place], generated.readings[place]
    wrong = [name for name in generated.seen.requested(row) if reading[name] != str(row[name])]
    return ", ".join(f"{name}: {reading[name]}" for name in wrong)
