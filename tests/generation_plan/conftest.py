"""A small brief with its brand kit, written to a folder; tests change it line by line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

BRIEF = """\
[campaign]
slug = "harbour-tea"
name = "Harbour tea, spring"
audience = "people who work late"
offer = { en-US = "Two for one in May", de-DE = "Im Mai zwei für eins" }
placements = ["meta_feed_portrait", "meta_story", "google_pmax_portrait"]
locales = ["en-US", "de-DE"]
never = ["smoke"]
destination = "https://harbour.example/tea"

[product]
name = "Harbour black tea"
image = "tin.png"
kind = "tin"

[plan]
max_variants = 6
seed = 11
budget = "25.00 EUR"

[test]
start = 2026-06-01
days = 21
baseline_rate = 0.012

[[factors.scene]]
name = "arch"
prompt = "an arch and a round podium"
params = { kind = "arch_podium" }
[[factors.scene]]
name = "paper"
prompt = "a sweep of coloured paper"
params = { kind = "sweep" }

[[factors.headline]]
name = "calm"
texts = { en-US = "Calm, by the cup", de-DE = "Ruhe in der Tasse" }
[[factors.headline]]
name = "late"
texts = { en-US = "Late, not loud", de-DE = "Spät und leise" }

[[factors.cta]]
name = "try"
texts = { en-US = "Try a tin", de-DE = "Jetzt probieren" }
"""

BRAND = """\
[brand]
name = "Harbour"
tone = ["calm", "salty"]
forbidden_words = ["cheap"]

[[palette]]
name = "harbour blue"
hex = "#1F4E79"
[[palette]]
name = "sail"
hex = "#f7f3ea"
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes brief, brand kit and product picture to a folder, with replacements, and gives the brief's path."""

    def written(*changes: tuple[str, str], brand: tuple[tuple[str, str], ...] = (), folder: str = "campaign") -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        for name, text, edits in (("brief.toml", BRIEF, changes), ("brand.toml", BRAND, brand)):
            for old, new in edits:
                assert old in text, f"{old!r} is not in {name}"
                text = text.replace(old, new)
            (target / name).write_text(text, encoding="utf-8")
        product = Image.new("RGBA", (16, 24), (0, 0, 0, 0))
        product.paste((120, 80, 40, 255), (4, 4, 12, 22))
        product.save(target / "tin.png")
        return target / "brief.toml"

    return written
