"""A brand, a product and recipes for composing, drawn by hand and small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generation.compose import COMPOSER_VERSION, Composer
from generation.layouts import stand_for
from generation.staging import Stage, stand_params
from proofsheet.domain.asset import Recipe, SceneRecipe
from proofsheet.domain.campaign import BrandKit, PaletteColour, Placement, Product

MakeRecipe = Callable[..., Recipe]


@pytest.fixture(scope="session")
def bottle_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain teal bottle with transparency."""
    picture = Image.new("RGBA", (240, 640))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((20, 180, 219, 629), radius=30, fill=(12, 110, 118, 255))
    pen.rectangle((80, 20, 159, 200), fill=(200, 120, 60, 255))
    pen.rectangle((20, 330, 219, 520), fill=(240, 230, 210, 255))
    path = tmp_path_factory.mktemp("product") / "bottle.png"
    picture.save(path)
    return path


@pytest.fixture(scope="session")
def brand() -> BrandKit:
    """A brand of one colour, without a logo."""
    return BrandKit(
        name="Test & Söhne",
        palette=(PaletteColour(name="Teal", hex="#0a737b", role="primary"),),
        wordmark="testo",
    )


@pytest.fixture(scope="session")
def composer(brand: BrandKit, bottle_file: Path) -> Composer:
    """A composer of that brand and bottle."""
    return Composer(brand, Product(name="Bottle", image=bottle_file))


@pytest.fixture(scope="session")
def make_recipe() -> MakeRecipe:
    """Recipes by layout and placement; words and offer can be given."""

    def make(
        layout: str,
        placement: Placement,
        *,
        headline: str = "Slow brewed, wide awake.",
        cta: str = "Try it chilled",
        offer: str = "",
    ) -> Recipe:
        scene = SceneRecipe(
            backend="procedural",
            model="",
            revision="",
            prompt="",
            negative_prompt="",
            seed=1,
            steps=0,
            guidance=0.0,
            width=placement.width,
            height=placement.height,
            scene="plain",
            style="soft",
            params=stand_params(*stand_for(layout, placement)),
        )
        return Recipe(
            campaign="test",
            variant_id="0a1b2c3d",
            levels={"layout": layout},
            scene=scene,
            placement=placement.name,
            layout=layout,
            locale="en-US",
            headline=headline,
            cta=cta,
            product_sha256="",
            brand_id="",
            composer=COMPOSER_VERSION,
            layout_params={"offer": offer} if offer else {},
        )

    return make


@pytest.fixture(scope="session")
def drawn() -> SimpleNamespace:
    """Scenes to compose on: ``gradient``, ``noise``, and ``stage_for`` a layout."""
    return SimpleNamespace(gradient=gradient, noise=noise, stage_for=stage_for)


def stage_for(layout: str, placement: Placement) -> Stage:
    """A stage where the layout wants it."""
    x, y, width = stand_for(layout, placement)
    return Stage(stand_x=x, stand_y=y, stand_width=width)


def gradient(width: int, height: int, base: tuple[int, int, int] = (214, 190, 160)) -> Image.Image:
    """A calm scene: a soft gradient of one colour."""
    across = np.linspace(1.06, 0.92, width)[None, :, None]
    down = np.linspace(1.03, 0.96, height)[:, None, None]
    return Image.fromarray(np.clip(across * down * np.array(base), 0, 255).astype(np.uint8))


def noise(width: int, height: int, seed: int = 3) -> Image.Image:
    """A scene as busy as can be: squares of random colours."""
    cells = np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize((width, height), Image.Resampling.NEAREST)
