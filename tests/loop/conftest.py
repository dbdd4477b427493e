"""A small campaign of our own, and the program run as a user runs it."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from proofsheet.cli import main

#: These tests are about the loop: its scenes are drawn the fast way and no model judges, whatever is installed.
os.environ["PROOFSHEET_BACKEND"] = "procedural"
os.environ["PROOFSHEET_CLIP_MODEL"] = "none"

BRIEF = """
[campaign]
slug = "small"
name = "Small campaign"
objective = "clicks"
message = "Tea that waits for you"
offer = ""
audience = "people at work"
placements = ["display_300x250"]
locales = ["en-US"]
destination = "https://example.com/tea?ref=ads"

[product]
name = "Calm tea"
image = "product.png"
description = "a green tin of tea"
kind = "tin"

[plan]
max_variants = 4
seed = 3
budget = "5.00 EUR"

[test]
start = 2026-06-01
days = 10
daily_impressions = 40000
baseline_rate = 0.02
minimum_lift = 0.25
media_budget = "900 EUR"

[[factors.scene]]
name = "sweep"
prompt = "a seamless studio sweep"
params = { kind = "sweep" }

[[factors.scene]]
name = "discs"
prompt = "large soft discs"
params = { kind = "discs" }

[[factors.headline]]
name = "calm"
texts = { en-US = "Calm in a cup." }

[[factors.headline]]
name = "wait"
texts = { en-US = "Tea can wait." }

[[factors.cta]]
name = "try"
texts = { en-US = "Try it" }
"""

BRAND = """
[brand]
name = "Calm"
wordmark = "calm"
descriptors = ["a calm tea brand in green"]

[[palette]]
name = "leaf"
hex = "#2f7d4f"
role = "primary"

[[palette]]
name = "sand"
hex = "#e8d9b8"
role = "secondary"
"""

SIMULATION = """
base_rate = 0.02
conversion_rate = 0.05
fatigue = 0.004

[level_effects.scene]
discs = 0.25

[level_effects.headline]
wait = -0.15
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What the program answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as data."""
        return json.loads(self.out)


Program = Callable[..., Run]


def run_program(*words: str, home: Path, cwd: Path | None = None, expect: int | None = 0) -> Run:
    """Run the program in this process; fails the test when the exit status is not the one expected."""
    out, err = io.StringIO(), io.StringIO()
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["proofsheet", "--home", str(home), *words])
        patch.setenv("PROOFSHEET_USER", "tester")
        patch.chdir(cwd or before)
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code if isinstance(ended.value.code, int) else 0
    if expect is not None:
        assert code == expect, f"{words}: {code}\n{out.getvalue()}\n{err.getvalue()}"
    assert "Traceback" not in err.getvalue()
    return Run(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def program() -> Program:
    """Run the program as the command line does."""
    return run_program


@pytest.fixture(scope="session")
def small_brief(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A brief of two scenes and two headlines for one placement, with product, baseline and simulation."""
    folder = tmp_path_factory.mktemp("brief")
    product = Image.new("RGBA", (240, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(product)
    draw.rounded_rectangle((20, 20, 220, 390), 30, fill=(32, 120, 80, 255))
    draw.rectangle((50, 150, 190, 270), fill=(240, 236, 220, 255))
    product.save(folder / "product.png")
    (folder / "baseline").mkdir()
    baseline = Image.new("RGB", (300, 250), (232, 217, 184))
    baseline.paste(product.resize((120, 200)), (90, 30), product.resize((120, 200)))
    baseline.save(folder / "baseline" / "display_300x250.png")
    (folder / "brief.toml").write_text(BRIEF, encoding="utf-8")
    (folder / "brand.toml").write_text(BRAND, encoding="utf-8")
    (folder / "simulation.toml").write_text(SIMULATION, encoding="utf-8")
    return folder / "brief.toml"
