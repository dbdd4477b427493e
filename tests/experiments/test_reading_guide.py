"""The guide for readers tells the rules as they are."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.deciding.verdict import RULES

GUIDE = Path(__file__).parents[2] / "docs" / "reading.md"


def test_the_table_of_the_guide_is_the_table_of_the_rules() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", GUIDE.read_text(encoding="utf-8"), re.M)
    told = [(name, when, running.strip("*"), ended.strip("*")) for name, when, running, ended in rows[2:]]
    rules = [
        (r.name.replace("_", " "), r.when[0].lower() + r.when[1:].removesuffix("."), r.running.value, r.ended.value)
        for r in RULES
    ]
    assert [(name, when, running.lower(), ended.lower()) for name, when, running, ended in rules] == told
