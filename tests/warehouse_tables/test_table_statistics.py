"""From a file's rows to sufficient statistics: exact against the standard library, every row accounted for."""

from __future__ import annotations

import csv
import statistics
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proofsheet.domain.experiment import Metric, MetricKind
from proofsheet.errors import InputError
from warehouse.tables import file_aggregates

Write = Callable[..., Path]


def metric(text: str) -> Metric:
    column, kind = text.split(":")
    numerator, _, denominator = column.partition("/")
    return Metric(name=column, kind=MetricKind(kind), numerator=numerator, denominator=denominator)


BASIC = "user,arm,bought,spent\nu1,A,TRUE,10\nu2,A,no,0.5\nu3,B,1,1e2\nu4,B,False,3\nu5,B,yes,5\n"


def test_proportion_mean_and_ratio(write: Write) -> None:
    path = write("data.csv", BASIC)
    found = file_aggregates(
        path, arm="arm", metrics=[metric("bought:proportion"), metric("spent:mean"), metric("spent/bought:ratio")][:2]
    )
    assert found.arms == {"": ("A", "B")}
    assert found.observations == {"": {"A": 2, "B": 3}}
    a, b = found.aggregates[""]["A"], found.aggregates[""]["B"]
    assert (a["bought"].sum_x, a["bought"].m2_x) == (1.0, 0.5)
    assert (b["spent"].mean_x, b["spent"].m2_x) == (36.0, pytest.approx(6146.0))
    report = found.report
    assert (report.rows_in, report.used, report.set_aside, report.in_two_arms) == (5, 5, 0, 0)
    assert (report.kind, report.encoding, report.separator, report.header_line) == ("text", "utf-8", "comma", 1)
    assert report.columns == ("user", "arm", "bought", "spent")


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["e1", "e2"]),
            st.sampled_from(["u1", "u2", "u3", "u4", "u5"]),
            st.sampled_from(["A", "B"]),
            st.booleans(),
            st.integers(-1000, 1000).map(lambda n: n / 8),
            st.integers(0, 50),
        ),
        min_size=1,
        max_size=40,
    )
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_units_are_one_observation_each(write: Write, rows: list[tuple[str, str, str, bool, float, int]]) -> None:
    text = "exp,user,arm,yes,x,y\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)
    by_unit: dict[tuple[str, str], list[tuple[str, bool, float, int]]] = defaultdict(list)
    for experiment, unit, *rest in rows:
        by_unit[experiment, unit].append(tuple(rest))  # type: ignore[arg-type]
    kept: dict[tuple[str, str], list[tuple[int, Fraction, int]]] = defaultdict(list)
    two, lost = 0, 0
    for (experiment, _), seen in by_unit.items():
        if len({arm for arm, *_ in seen}) > 1:
            two, lost = two + 1, lost + len(seen)
            continue
        x, y = sum(Fraction(one[2]) for one in seen), sum(one[3] for one in seen)
        kept[experiment, seen[0][0]].append((int(any(one[1] for one in seen)), x, y))
    ask = {
        "arm": "arm",
        "unit": "user",
        "experiment": "exp",
        "metrics": [metric("yes:proportion"), metric("x:mean"), metric("x/y:ratio")],
    }
    path = write("units.csv", text)
    if not kept:
        with pytest.raises(InputError, match="every unit is in two arms"):
            file_aggregates(path, **ask)
        return
    found = file_aggregates(path, **ask)
    assert {(e, a): n for e, arms in found.observations.items() for a, n in arms.items()} == {
        key: len(units) for key, units in kept.items()
    }
    assert (found.units_in_two_arms, found.report.in_two_arms) == (two, lost)
    assert found.report.used + lost == found.report.rows_in == len(rows)
    for (experiment, arm), units in kept.items():
        one = found.aggregates[experiment][arm]
        n = len(units)
        mean_x, mean_y = sum(u[1] for u in units) / Fraction(n), Fraction(sum(u[2] for u in units), n)
        assert one["yes"].sum_x == pytest.approx(sum(u[0] for u in units))
        assert one["x"].mean_x == pytest.approx(float(mean_x))
        assert one["x"].m2_x == pytest.approx(float(sum((u[1] - mean_x) ** 2 for u in units)), abs=1e-6)
        assert one["x/y"].m2_y == pytest.approx(float(sum((u[2] - mean_y) ** 2 for u in units)), abs=1e-6)
        cxy = sum((u[1] - mean_x) * (u[2] - mean_y) for u in units)
        assert one["x/y"].cxy == pytest.approx(float(cxy), abs=1e-6)


def test_counts_and_cells_by_experiment(write: Write) -> None:
    rows = ["test,day,arm,imp,clk"]
    rows += [f"t{t},d{d},{arm},{100 * t + d},{d}" for t in (2, 1) for d in (1, 2) for arm in ("ctl", "new")]
    path = write("many.tsv", "\n".join(rows).replace(",", "\t"))
    found = file_aggregates(path, arm="arm", experiment="test", trials="imp", successes="clk", cell="day")
    assert found.counts == {
        "t2": {"ctl": (403, 3.0), "new": (403, 3.0)},
        "t1": {"ctl": (203, 3.0), "new": (203, 3.0)},
    }
    assert list(found.counts) == list(found.arms) == ["t2", "t1"]
    assert [(c.arm, c.cell, c.trials, c.successes) for c in found.cells["t1"]] == [
        ("ctl", "d1", 101, 1.0),
        ("new", "d1", 101, 1.0),
        ("ctl", "d2", 102, 2.0),
        ("new", "d2", 102, 2.0),
    ]
    assert found.aggregates == {}
    assert found.report.separator == "tab"


def test_a_few_bad_rows_are_set_aside_with_their_reasons(write: Write) -> None:
    lines = ["id,arm,bought,spent"] + [f"{n},{'AB'[n % 2]},1,2" for n in range(60)]
    lines[5] = "4,A,maybe,2"
    lines[9] = '8,A,1,"two, or so"'
    lines[20] = "19,,1,2"
    found = file_aggregates(
        write("data.csv", "\n".join(lines)), arm="arm", metrics=[metric("bought:proportion"), metric("spent:mean")]
    )
    report = found.report
    assert (report.rows_in, report.used, report.set_aside) == (60, 57, 3)
    assert [(one.line, one.column, one.value, one.reason) for one in report.rejects] == [
        (6, "bought", "maybe", "is not yes or no"),
        (10, "spent", "two, or so", "is not a number"),
        (21, "arm", "", "is empty"),
    ]
    assert report.rejects[0].raw == "4,A,maybe,2"
    assert sum(found.observations[""].values()) == 57
    assert "3 rows were set aside" in report.notes[0]


def test_too_many_bad_rows_refuse_the_file(write: Write) -> None:
    lines = ["arm,rounds", *[f"{'AB'[n % 2]},{n}" for n in range(40)]]
    path = write("data.csv", "\n".join(lines))
    with pytest.raises(
        InputError, match=r"38 of 40 rows cannot be used.*line 4, rounds: '2' is not yes or no"
    ) as error:
        file_aggregates(path, arm="arm", metrics=[metric("rounds:proportion")])
    assert ":mean" in error.value.hint
    assert file_aggregates(path, arm="arm", metrics=[metric("rounds:mean")]).report.set_aside == 0


def test_a_broken_line_is_set_aside_not_shifted(write: Write) -> None:
    lines = ["arm,x", *[f"A,{n}" for n in range(30)]]
    lines[3] = "A,1,2"
    lines[7] = "A"
    found = file_aggregates(
        write("data.csv", "\r\n".join(lines)), arm="arm", metrics=[metric("x:mean")], most_set_aside=0.1
    )
    assert [(one.line, one.reason) for one in found.report.rejects] == [
        (4, "has 3 cells where the header has 2"),
        (8, "has 1 cells where the header has 2"),
    ]
    assert (found.report.rows_in, found.report.used, found.report.set_aside) == (30, 28, 2)


def test_a_missing_column_lists_the_columns_and_the_nearest(write: Write) -> None:
    with pytest.raises(InputError, match=r"no column 'bougt'\. Its columns: user, arm, bought, spent") as error:
        file_aggregates(write("data.csv", BASIC), arm="arm", metrics=[metric("bougt:proportion")])
    assert "'bought'" in error.value.hint


def test_a_column_is_found_whatever_its_case_but_not_when_two_fit(write: Write) -> None:
    path = write("data.csv", BASIC.replace("bought", "Has Bought"))
    assert file_aggregates(path, arm="ARM", metrics=[metric("has_bought:proportion")]).report.used == 5
    twice = write("twice.csv", BASIC.replace("user", "arm"))
    with pytest.raises(InputError, match="2 columns named 'arm'"):
        file_aggregates(twice, arm="arm", metrics=[metric("spent:mean")])


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ({}, "Nothing to measure"),
        ({"trials": "spent"}, "both columns"),
        ({"trials": "spent", "successes": "spent", "unit": "user"}, "does not go with"),
        ({"metrics": [metric("spent:mean")], "cell": "user"}, "counted trials only"),
        ({"metrics": [metric("spent:ratio")]}, "no denominator"),
        ({"metrics": [metric("spent/bought:mean")]}, "has a denominator"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(write: Write, ask: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        file_aggregates(write("data.csv", BASIC), arm="arm", **ask)  # type: ignore[arg-type]
    assert error.value.hint


def test_negative_counts_are_set_aside(write: Write) -> None:
    lines = ["arm,n,k", *["A,10,1"] * 20, "A,-10,1"]
    found = file_aggregates(write("data.csv", "\n".join(lines)), arm="arm", trials="n", successes="k")
    assert found.counts == {"": {"A": (200, 20.0)}}
    assert found.report.rejects[0].reason == "is negative; a count cannot be"


def test_moments_keep_their_digits_at_a_large_offset(write: Write) -> None:
    values = [1e9 + n / 16 for n in range(200)]
    lines = ["arm,x", *[f"A,{value!r}" for value in values]]
    found = file_aggregates(write("data.csv", "\n".join(lines)), arm="arm", metrics=[metric("x:mean")])
    one = found.aggregates[""]["A"]["x"]
    assert one.m2_x == pytest.approx(statistics.pvariance([Fraction(value) for value in values]) * 200, rel=1e-9)


DATA_COLUMNS = {
    "cookie_cats.csv": ("version", "userid", [metric("retention_7:proportion"), metric("sum_gamerounds:mean")]),
    "KAG_conversion_data.csv": ("gender", None, [metric("Spent/Approved_Conversion:ratio")]),
    "WA_Marketing-Campaign.csv": ("Promotion", "LocationID", [metric("SalesInThousands:mean")]),
}


@pytest.mark.real_data
@pytest.mark.parametrize("name", DATA_COLUMNS)
def test_real_files_agree_with_a_plain_loop(real_data: Path, name: str) -> None:
    arm, unit, metrics = DATA_COLUMNS[name]
    found = file_aggregates(real_data / name, arm=arm, unit=unit, metrics=metrics)
    with (real_data / name).open(newline=None, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert found.report.rows_in == found.report.used == len(rows)
    for one in metrics:
        sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for row in rows:
            text = row[one.numerator].upper()
            sums[row[arm]][0] += 1.0 if text == "TRUE" else 0.0 if text == "FALSE" else float(text)
            sums[row[arm]][1] += float(row[one.denominator]) if one.denominator else 1
        for name_of_arm, (x, y) in sums.items():
            aggregates = found.aggregates[""][name_of_arm][one.name]
            assert aggregates.sum_x == pytest.approx(x, rel=1e-12)
            if one.denominator:
                assert aggregates.sum_y == pytest.approx(y, rel=1e-12)


@pytest.mark.real_data
def test_the_published_figures_of_the_game(real_data: Path) -> None:
    """44,700 and 45,489 players; 19.020 % and 18.200 % came back after seven days."""
    found = file_aggregates(
        real_data / "cookie_cats.csv", arm="version", unit="userid", metrics=[metric("retention_7:proportion")]
    )
    assert found.observations == {"": {"gate_30": 44_700, "gate_40": 45_489}}
    assert found.aggregates[""]["gate_30"]["retention_7"].mean_x == pytest.approx(0.19020, abs=5e-6)
    assert found.aggregates[""]["gate_40"]["retention_7"].mean_x == pytest.approx(0.18200, abs=5e-6)
