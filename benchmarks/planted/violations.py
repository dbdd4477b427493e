"""The violations: each spoils an advertisement in one way, in a step of the composer or on the finished picture."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw

from planted.ads import Ad, Design, with_palette
from planted.spoilt_sheets import (
    ButtonOnHeadline,
    CrowdedLogo,
    CutHeadline,
    CutLogo,
    HeadlineOnProduct,
    HiddenProduct,
    LostLogo,
    PaleInk,
    Spoilt,
    Strayed,
    Swallowed,
    TinyLogo,
    TinyType,
)
from proofsheet.domain.asset import Box

Draw = np.random.Generator
Plant = Callable[[Design, Draw], Ad | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of violation: the criterion that must not pass, and what plants it (None where it cannot be planted)."""

    criterion: str
    plant: Plant


def spoilt_with(kind: type[Spoilt]) -> Plant:
    """A plant that composes by a spoilt composer."""

    def plant(design: Design, rng: Draw) -> Ad:
        return design.composed(type(kind.__name__, (kind,), {"rng": rng}))

    return plant


def covered_logo(design: Design, rng: Draw) -> Ad:
    """Something opaque over a part of the logo."""
    ad = design.clean
    return _with_sticker(ad, _logo_of(ad), rng, (0.25, 0.7), (0.5, 1.0))


def covered_product(design: Design, rng: Draw) -> Ad:
    """A sticker on the product."""
    ad = design.clean
    return _with_sticker(ad, ad.composition.product, rng, (0.2, 0.5), (0.1, 0.3))


def covered_words(design: Design, rng: Draw) -> Ad:
    """Something opaque over a part of the headline."""
    ad = design.clean
    headline = next(run.box for run in ad.composition.texts if run.role == "headline")
    return _with_sticker(ad, headline, rng, (0.15, 0.5), (0.6, 1.0))


def recoloured_product(design: Design, rng: Draw) -> Ad:
    """The product in another colour: one channel raised or lowered all over its box."""
    pixels, box = _pixels(design.clean), design.clean.composition.product
    part = pixels[box.top : box.bottom, box.left : box.right].astype(int)
    channel, by = int(rng.integers(3)), int(rng.integers(25, 70))
    part[..., channel] += by if part[..., channel].mean() < 128 else -by
    pixels[box.top : box.bottom, box.left : box.right] = np.clip(part, 0, 255)
    return replace(design.clean, picture=Image.fromarray(pixels))


def stretched_product(design: Design, rng: Draw) -> Ad:
    """The product drawn anew 8 to 25 % higher, as a model that repaints it would."""
    ad, box = design.clean, design.clean.composition.product
    corners = (box.left, box.top, box.right, box.bottom)
    higher = round(box.height * rng.uniform(1.08, 1.25))
    picture = ad.picture.copy()
    picture.paste(ad.picture.crop(corners).resize((box.width, higher)).crop((0, 0, box.width, box.height)), corners[:2])
    return replace(ad, picture=picture)


def foreign_scene(design: Design, rng: Draw) -> Ad | None:
    """A scene in colours far from the brand's; beside a block of the brand's colour it takes too little room."""
    if design.recipe.layout in {"panel", "frame"}:
        return None
    turned = tuple(_opposite(colour.hex) for colour in design.house.brand.palette)
    params = {**design.recipe.scene.params, "kind": str(rng.choice(["sweep", "arch_podium", "steps", "discs"]))}
    scene = replace(design.recipe.scene, params={**params, "light": "soft_north"})
    return with_palette(replace(design, recipe=replace(design.recipe, scene=scene)), turned).composed()


def forbidden_word(design: Design, rng: Draw) -> Ad:
    """A word of the advertisement that the brand forbids, written otherwise than in the brand kit."""
    ad = design.clean
    words = [word.strip(".,!") for word in f"{ad.recipe.headline} {ad.recipe.cta}".split()]
    word = str(rng.choice([word for word in words if len(word) > 3]))
    ways = (str.upper, str.lower, str.title, lambda one: unicodedata.normalize("NFD", one), lambda one: f"\u200b{one}")
    written = ways[int(rng.integers(len(ways)))](word)
    return replace(ad, brand=replace(ad.brand, forbidden_words=(*ad.brand.forbidden_words, written)))


def truncated_headline(design: Design, rng: Draw) -> Ad:
    """A headline that was set without its last word or letters, with dots or without."""
    words = design.recipe.headline.split()
    short = " ".join(words[:-1]) if len(words) > 1 and rng.random() < 0.5 else design.recipe.headline[:-3].rstrip()
    ending = "…" if rng.random() < 0.5 and design.house.brand.name != "Sahar" else ""
    return design.composed(recipe=replace(design.recipe, headline=short + ending))


def long_headline(design: Design, rng: Draw) -> Ad | None:
    """A headline longer than the placement shows as ad text."""
    limit = design.placement.headline_chars
    if limit is None or limit > 50:
        return None
    longer, words = design.recipe.headline, design.recipe.headline.split()
    while len(longer) <= limit:
        longer += f" {rng.choice(words)}"
    changed = replace(design, recipe=replace(design.recipe, headline=longer))
    return changed.composed()


def heavy_file(design: Design, rng: Draw) -> Ad:
    """A picture that would have to be compressed more than allowed to fit the placement."""
    buffer = BytesIO()
    design.clean.picture.save(buffer, "JPEG", quality=int(rng.integers(25, 50)), subsampling=2)
    return replace(design.clean, placement=replace(design.placement, max_bytes=buffer.tell()))


def wrong_size(design: Design, rng: Draw) -> Ad:
    """A picture smaller than the placement asks for, or of another shape."""
    picture, share = design.clean.picture, rng.uniform(0.5, 0.95)
    across = max(round(picture.width * share), 2)
    down = max(round(picture.height * (share if rng.random() < 0.5 else 1.0)), 2)
    return replace(design.clean, picture=picture.resize((across, down)))


def blank_picture(design: Design, rng: Draw) -> Ad:
    """One even colour, or one with the faint noise that saving leaves."""
    colour = rng.integers(0, 256, 3)
    shape = (design.placement.height, design.placement.width, 3)
    noise = rng.integers(-2, 3, shape) if rng.random() < 0.5 else 0
    pixels = np.clip(np.broadcast_to(colour, shape) + noise, 0, 255).astype(np.uint8)
    return replace(design.clean, picture=Image.fromarray(pixels))


#: What can be wrong, by name in the order of the report.
KINDS: Mapping[str, Kind] = {
    "ink like its ground": Kind("contrast", spoilt_with(PaleInk)),
    "patch of the ink's colour behind words": Kind("contrast", spoilt_with(Swallowed)),
    "headline outside the safe area": Kind("safe_area", spoilt_with(Strayed)),
    "logo outside the safe area": Kind("safe_area", spoilt_with(LostLogo)),
    "product outside the safe area": Kind("product_visible", spoilt_with(HiddenProduct)),
    "logo too small": Kind("logo_size", spoilt_with(TinyLogo)),
    "logo crowded": Kind("logo_space", spoilt_with(CrowdedLogo)),
    "logo cut": Kind("logo_whole", spoilt_with(CutLogo)),
    "logo covered": Kind("logo_whole", covered_logo),
    "headline cut": Kind("text_whole", spoilt_with(CutHeadline)),
    "headline covered": Kind("text_whole", covered_words),
    "headline without its last word": Kind("text_whole", truncated_headline),
    "headline across the product": Kind("overlap", spoilt_with(HeadlineOnProduct)),
    "button on the headline": Kind("overlap", spoilt_with(ButtonOnHeadline)),
    "type too small": Kind("text_size", spoilt_with(TinyType)),
    "headline too long for the placement": Kind("headline_length", long_headline),
    "forbidden word": Kind("wording", forbidden_word),
    "product recoloured": Kind("product_unchanged", recoloured_product),
    "product covered": Kind("product_unchanged", covered_product),
    "product redrawn higher": Kind("product_unchanged", stretched_product),
    "scene in foreign colours": Kind("palette", foreign_scene),
    "file too heavy": Kind("file_size", heavy_file),
    "wrong size": Kind("size", wrong_size),
    "blank picture": Kind("blank", blank_picture),
}


def _logo_of(ad: Ad) -> Box:
    wordmark = next((run.box for run in ad.composition.texts if run.role == "wordmark"), None)
    found = ad.composition.logo or wordmark
    assert found is not None
    return found


def _pixels(ad: Ad) -> np.ndarray:
    return np.array(ad.picture)


def _with_sticker(ad: Ad, box: Box, rng: Draw, wide: tuple[float, float], high: tuple[float, float]) -> Ad:
    """An opaque rectangle somewhere in a box, in a colour that differs from all that it covers."""
    across, down = max(round(box.width * rng.uniform(*wide)), 2), max(round(box.height * rng.uniform(*high)), 2)
    left = box.left + round((box.width - across) * rng.uniform(0.2, 0.8))
    top = box.top + round((box.height - down) * rng.uniform(0.3, 0.7))
    picture = ad.picture.copy()
    under = np.asarray(picture.crop((left, top, left + across, top + down))).reshape(-1, 3).astype(int)
    colours = rng.integers(0, 256, (64, 3))
    apart = np.abs(colours[:, None, :] - under[None, :: max(len(under) // 200, 1), :]).max(axis=2).min(axis=1)
    colour = colours[int(apart.argmax())].tolist()
    ImageDraw.Draw(picture).rectangle((left, top, left + across - 1, top + down - 1), fill=tuple(colour))
    return replace(ad, picture=picture)


def _opposite(colour: str) -> str:
    """The colour with its channels passed on by a third of the circle, which turns its hue by 120 degrees."""
    return f"#{colour[5:7]}{colour[1:3]}{colour[3:5]}"
