"""A brief's claims: short statements about what a picture shows, each of which is judged apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from proofsheet.domain.campaign import Brief

#: Factors whose levels say something about the drawn scene, and what of an asset a claim is looked for in.
SEEN_IN_SCENE = ("scene", "style", "audience")

_SENTENCES = re.compile(r"(?:(?<=[.!?])\s+|\s*[;\n•]+\s*|\s+[–—]\s+)")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_NEVER = re.compile(r"^(?:no|never|without|avoid|not|don't show|do not show)\s+(?:any\s+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of the brief. ``source`` says where it stands; one that is not ``wanted`` must not be seen."""

    text: str
    source: str
    wanted: bool = True


def claims_of(brief: Brief, levels: Mapping[str, str]) -> tuple[Claim, ...]:
    """What the brief claims of a variant's pictures: product, audience, must and never, and the levels' own prompts.

    Message and offer are said in words on the picture; rules look at those.
    """
    product = brief.product
    named = [("product", product.description or product.kind), ("audience", brief.audience)]
    named += [("must", text) for text in brief.must]
    for factor in brief.factors:
        if factor.name in SEEN_IN_SCENE:
            named += [(factor.name, one.prompt) for one in factor.levels if one.name == levels.get(factor.name)]
    found = [_claim(text, source) for source, whole in named for text in split_claims(whole)]
    found += [
        Claim(text=_NEVER.sub("", text), source="never", wanted=False)
        for whole in brief.never
        for text in split_claims(whole)
    ]
    return tuple(dict.fromkeys(found))


def split_claims(text: str) -> tuple[str, ...]:
    """The statements of a text: its sentences, lines and bullets, without their closing marks."""
    parts = [_BULLET.sub("", part).strip(" .;!?\t") for part in _SENTENCES.split(text)]
    return tuple(part for part in parts if re.search(r"\w", part))


def _claim(text: str, source: str) -> Claim:
    """A claim; one that begins with "no" or "without" is one of what must not be seen: models do not hear the no."""
    bare = _NEVER.sub("", text)
    return Claim(text=bare, source=source, wanted=bare == text)
