"""Encoding: what a file does that a platform may show otherwise than it was judged here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from proofsheet.domain.assessment import Score
from proofsheet.pictures import OpenedPicture, Trait
from scoring.scorer import Assessment
from scoring.verdict import load_rules

_RULES = Path(__file__).parent / "file_rules.toml"

#: The suffixes of the kinds of pictures that are opened.
SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "png": (".png", ".apng"),
    "webp": (".webp",),
    "gif": (".gif",),
}

#: What was done to open the picture and changes nothing that one sees.
_NOTES = {
    Trait.DEEP: "16 bits per channel, judged at 8",
    Trait.TURNED: "turned upright by its EXIF note",
    Trait.PROFILE: "colours converted to sRGB by its profile",
}


def assess_encoding(asset_id: str, opened: OpenedPicture, suffix: str) -> Assessment:
    """The score ``encoding``: how many things a platform may show otherwise; the verdict names each with its remedy.

    ``suffix`` is the file's, such as ``.png``; empty where there is none to compare with.
    """
    found = _problems(opened, suffix.lower())
    notes = [text for trait, text in _NOTES.items() if trait in opened.facts.traits]
    kind = opened.facts.kind.upper()
    verdict = load_rules(_RULES)["encoding"].judge(
        asset_id,
        float(len(found)),
        told=f"A plain {kind} still{'; ' if notes else ''}{'; '.join(notes)}",
        problems=" ".join(problem for problem, _ in found),
        mend=" ".join(mend for _, mend in found),
    )
    score = Score(
        asset_id=asset_id,
        criterion="encoding",
        value=float(len(found)),
        unit="things to mend",
        scorer="encoding/1",
        detail="; ".join([kind, *notes]),
    )
    return Assessment((score,), (verdict,))


def _problems(opened: OpenedPicture, suffix: str) -> list[tuple[str, str]]:
    """What is the matter and what mends it, the gravest first."""
    traits, kind = opened.facts.traits, opened.facts.kind
    found = []
    if Trait.ANIMATED in traits:
        found.append(("It is animated, and only its first frame was judged.", "Look at every frame, or give a still."))
    if Trait.CMYK in traits:
        found.append(
            ("Its colours are CMYK, made for print: on screens they shift.", "Export it in RGB with the sRGB profile.")
        )
    if Trait.CLEAR in traits:
        share = f"{opened.clear_share:.0%}" if opened.clear_share >= 0.01 else "Less than 1%"
        found.append(
            (
                f"{share} of it is see-through and was judged on white; a platform may lay it on another colour.",
                "Lay it on the ground that is meant.",
            )
        )
    if suffix and suffix not in SUFFIXES[kind]:
        right = SUFFIXES[kind][0]
        found.append((f"It is named {suffix} and is a {kind.upper()} picture.", f"Rename it to {right}."))
    return found
