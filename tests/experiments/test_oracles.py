"""The page of the methods: every row has its oracles, names what there is, and its agreements hold."""

from __future__ import annotations

import ast
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def oracles() -> Iterator[ModuleType]:
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        import oracles

        yield oracles
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def public_names() -> set[str]:
    found = set()
    for path in (ROOT / "experiments").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                found.add(node.name)
    return found


def test_every_method_names_what_there_is_and_has_two_oracles(oracles: ModuleType) -> None:
    methods = [method for _, family in oracles.FAMILIES for method in family]
    assert len(methods) > 60
    named = {name for method in methods for name in method.functions}
    assert named - public_names() == set(), "rows of benchmarks/agreement name functions that are no longer there"
    assert [m.title for m in methods if len(m.oracles) < 2] == []
    assert all(m.formula and m.assumes and m.source for m in methods)


def test_the_page_holds_every_row(oracles: ModuleType) -> None:
    page = (ROOT / "docs" / "statistics.md").read_text(encoding="utf-8")
    lacking = [m.title for _, family in oracles.FAMILIES for m in family if f"| {oracles.cell(m)} |" not in page]
    assert lacking == [], "run python benchmarks/oracles.py"


@pytest.mark.parametrize("family", ["Tests and intervals", "Several comparisons", "Variance reduction"])
def test_agreements_hold(oracles: ModuleType, family: str) -> None:
    for method in dict(oracles.FAMILIES)[family]:
        for oracle in method.oracles:
            value, text = oracle.agreement()
            assert oracle.ok(value), f"{method.title}: {text}"


@pytest.mark.slow
def test_all_agreements_hold(oracles: ModuleType) -> None:
    for _, wrong in oracles.measured():
        assert wrong == []


def test_an_agreement_is_written_as_it_is(oracles: ModuleType) -> None:
    from agreement.method import Oracle, apart, relative

    assert Oracle("a", lambda: 0.0).agreement() == (0.0, "a: exactly")
    assert Oracle("a", lambda: 3e-10, absolute=True).agreement()[1] == "a: 1e-9 (absolute)"
    assert Oracle("a", lambda: 0.0123).agreement()[1] == "a: 0.012"
    assert Oracle("a", lambda: 4e-5, printed=4).agreement()[1] == "a: all 4 decimals"
    assert not Oracle("a", lambda: 6e-5, printed=4).ok(6e-5)
    assert not Oracle("a", lambda: 0.0).ok(math.nan)
    assert relative([1.0, math.inf], [1.1, math.inf]) == pytest.approx(1 / 11)
    assert apart([0.0, -math.inf], [0.5, -math.inf]) == 0.5
    assert math.isnan(relative(math.nan, 1.0))
