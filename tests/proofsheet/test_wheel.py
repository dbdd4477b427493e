"""The wheel carries what the program needs at run time: settings, weights and entry points, and no training code."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = (
    "generation/house/weights/diffusion/model_index.json",
    "generation/house/weights/diffusion/README.md",
    "generation/house/weights/diffusion/unet/diffusion_pytorch_model.safetensors",
    "generation/house/weights/upscaler/diffusion_pytorch_model.safetensors",
    "scoring/house_clip/open_clip_model.safetensors",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of a copy of the project in which every file of weights stands, if only in name."""
    uv = shutil.which("uv", path=Path(sys.executable).parent)
    if uv is None:
        pytest.skip("uv is not installed beside python")
    copy = tmp_path_factory.mktemp("project")
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for name in packages["packages"]:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "weights", "house_clip"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, copy / name)
    for name in WEIGHTS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("weights")
    done = subprocess.run(
        [uv, "build", "--wheel", "--out-dir", str(copy / "out"), str(copy)], capture_output=True, text=True, timeout=240
    )
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("the build backend could not be fetched")
    assert done.returncode == 0, done.stderr
    return zipfile.ZipFile(next((copy / "out").glob("*.whl")))


@pytest.mark.processes
def test_the_wheel_carries_the_weights_and_no_training(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert set(WEIGHTS) <= names
    assert {"generation/models.toml", "generation/house/__init__.py", "proofsheet/py.typed"} <= names
    assert not [name for name in names if name.startswith(("training/", "tests/"))]


@pytest.mark.processes
def test_the_wheel_names_its_backends(wheel: zipfile.ZipFile) -> None:
    entry_points = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(entry_points).decode()
    assert "house = generation.backends.house:HouseBackend" in text
