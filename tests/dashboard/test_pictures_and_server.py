"""Pictures for the screen, the command that starts the server, and what the dashboard may load."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dashboard import pictures, server
from proofsheet.domain.asset import Asset
from proofsheet.domain.campaign import Placement, SafeArea
from warehouse.store import Warehouse

Filled = tuple[Warehouse, tuple[Asset, ...]]


def pixels(data: bytes) -> np.ndarray:
    """The picture's pixels."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"), dtype=int)


def test_a_thumbnail_is_narrow_small_and_keeps_its_shape(filled: Filled) -> None:
    store, assets = filled
    master = store.pictures.get(assets[0].sha256)
    shown = pixels(pictures.thumbnail(master, 108))
    assert shown.shape[:2] == (135, 108)


def test_a_cell_holds_pictures_of_other_shapes_in_its_middle(filled: Filled) -> None:
    store, assets = filled
    story = next(asset for asset in assets if asset.placement == "meta_story")
    shown = pixels(pictures.thumbnail(store.pictures.get(story.sha256), 200, 0.8))
    assert shown.shape[:2] == (250, 200)
    assert shown[125, 2, 3] == shown[125, -3, 3] == 0, "transparent beside it"
    assert shown[125, 100, 3] == 255


def test_cells_are_needed_only_for_different_shapes() -> None:
    assert pictures.common_ratio([(1080, 1350), (216, 270)]) is None
    assert pictures.common_ratio([(1080, 1350), (1080, 1920)]) == 0.8


def test_evidence_stands_where_the_composition_says(filled: Filled) -> None:
    store, assets = filled
    asset = assets[0]
    assert asset.composition is not None
    master = store.pictures.get(asset.sha256)
    plain = pixels(pictures.thumbnail(master, 216))
    drawn = pixels(pictures.evidence(master, asset.composition, ["product"]))
    changed = np.argwhere(np.abs(plain[..., :3] - drawn[..., :3]).max(axis=2) > 60)
    box = asset.composition.product
    assert changed.min(axis=0) == pytest.approx((box.top - 2, box.left - 2), abs=2)
    assert not any((box.top + 1 < y < box.bottom - 2) and (box.left + 1 < x < box.right - 2) for y, x in changed), (
        "what is framed is not covered"
    )
    assert changed.max(axis=0) == pytest.approx((box.bottom + 1, box.right + 1), abs=2)


def test_the_covered_part_is_dimmed_and_the_safe_part_is_not(filled: Filled) -> None:
    store, assets = filled
    asset = assets[0]
    assert asset.composition is not None
    master = store.pictures.get(asset.sha256)
    plain = pixels(pictures.thumbnail(master, 216))
    drawn = pixels(pictures.evidence(master, asset.composition, ["safe"]))
    assert drawn[4, 180, :3].sum() < plain[4, 180, :3].sum() - 60
    assert drawn[60, 180, :3] == pytest.approx(plain[60, 180, :3], abs=12)


def test_a_frame_is_to_scale_and_its_words_cannot_break_it() -> None:
    placement = Placement(
        name="x",
        platform="meta",
        title='Story <script>"',
        width=1080,
        height=1920,
        safe_area=SafeArea(top=0.25, bottom=0.25),
        max_bytes=1,
        formats=("png",),
    )
    root = ElementTree.fromstring(pictures.frame_svg(placement, 1920, side=192))
    outer, safe = root.findall("{http://www.w3.org/2000/svg}rect")
    assert (float(outer.get("width", "")), float(outer.get("height", ""))) == (108.0, 192.0)
    assert float(safe.get("height", "")) == pytest.approx(96)


def test_the_server_is_quiet_bounded_and_local() -> None:
    command = server.serve_command(9876, Path("somewhere"), headless=True)
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert Path(command[4]).is_file()
    for option in (
        "--browser.gatherUsageStats=false",
        "--client.showErrorDetails=none",
        "--client.toolbarMode=minimal",
        "--server.maxUploadSize=50",
        "--server.address=localhost",
        "--server.port=9876",
        "--server.headless=true",
    ):
        assert option in command
    assert "--server.allowedHosts=localhost" in command, "a page from elsewhere cannot pretend to be this machine"
    public = server.serve_command(9876, Path("somewhere"), headless=True, address="0.0.0.0")
    assert not any(option.startswith("--server.allowedHosts") for option in public)
    assert Path(server.serve_environment(Path("somewhere"))["PROOFSHEET_HOME"]).is_absolute()


def test_the_look_says_the_same_as_the_command_and_its_files_are_there() -> None:
    folder = server.SCRIPT.parent
    look = tomllib.loads((folder / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for name, value in server.OPTIONS.items():
        section, key = name.split(".")
        assert str(look[section][key]).lower() == value
    for face in look["theme"]["fontFaces"]:
        assert (folder / "static" / Path(face["url"]).name).is_file()


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("ground", ["light", "dark"])
def test_every_badge_and_all_text_can_be_read(ground: str) -> None:
    look = tomllib.loads((server.SCRIPT.parent / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    theme = look["theme"][ground]
    pairs = [(theme["textColor"], theme["backgroundColor"]), (theme["linkColor"], theme["backgroundColor"])]
    pairs.append(("#ffffff", theme["primaryColor"]))
    for hue in ("green", "orange", "red", "blue", "gray"):
        pairs.append((theme[f"{hue}TextColor"], theme[f"{hue}BackgroundColor"]))
    for ink, paper in pairs:
        light, dark = sorted((_luminance(ink), _luminance(paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ground, ink, paper)


@pytest.mark.processes
@pytest.mark.slow
def test_the_dashboard_loads_no_model_library() -> None:
    probe = (
        "import sys\n"
        "from dashboard import actions, charts, data, navigation, pictures, pieces, server\n"
        "[navigation.page(entry.name) for entry in navigation.ENTRIES]\n"
        "print(sorted({'torch', 'diffusers', 'open_clip', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"
