"""The first pass over a report: which decimal mark, which order of day and month, and do twin columns agree."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proofsheet.errors import InputError
from warehouse.importers.reading import Question, Request
from warehouse.reports.dates import DAY_FIRST, MONTH_FIRST, OrderEvidence
from warehouse.reports.numbers import COMMA, POINT, DecimalEvidence, currency_of_sign
from warehouse.reports.table import Table

_DECIMAL_WORDS = {POINT: "decimal point (1,234.56)", COMMA: "decimal comma (1.234,56)"}
_ORDER_WORDS = {DAY_FIRST: "day before month", MONTH_FIRST: "month before day"}


@dataclass(slots=True, kw_only=True)
class Styles:
    """How a file writes numbers and days; ``decimal`` or ``order`` is empty where a question is open.

    ``currency_sign`` is the ISO code that the amounts' signs stand for; ``results`` counts the texts of the column
    ``tally``.
    """

    rows_in: int
    decimal: str
    order: str
    number_style: str
    date_style: str
    currency_sign: str
    tallies: Mapping[int, Counter[str]]
    questions: list[Question]
    notes: list[str]


def find_styles(
    table: Table,
    request: Request,
    *,
    counts: Sequence[int],
    amounts: Sequence[int],
    days: Sequence[int],
    tally: Sequence[int] = (),
    date_rule: str = "",
) -> Styles:
    """Look at every row once; evidence counts different texts by column.

    Args:
        table: the file.
        request: the user's answers (``decimal`` and ``date_order``).
        counts: columns that hold whole numbers; amounts: columns that hold any numbers; days: columns of days.
        tally: columns whose texts are to be counted.
        date_rule: the layout's own order of day and month, used where the days leave it open.

    Raises:
        InputError: two columns of one name hold different values, or an answer is not one of those offered.
    """
    numbers, order = DecimalEvidence(), OrderEvidence()
    tallies: dict[int, Counter[str]] = {index: Counter() for index in tally}
    twins = _twins(table.header)
    signs: set[str] = set()
    kinds = (("count", counts), ("amount", amounts), ("day", days))
    looked_at: list[tuple[int, set[str], str]] = [(index, set(), kind) for kind, group in kinds for index in group]
    rows_in = 0
    for row in table.rows():
        rows_in += 1
        cells = row.cells
        if row.damage or tuple(cells) == table.header:
            continue
        for first, other in twins:
            if cells[first] != cells[other]:
                _refuse_twins(table, row.line, cells, first, other)
        for index, seen, kind in looked_at:
            text = cells[index]
            if text in seen:
                continue
            seen.add(text)
            if kind == "day":
                order.add(text, row.line)
                continue
            numbers.add(text, row.line, whole=kind == "count")
            if not text.isascii() and (code := currency_of_sign(text)):
                signs.add(code)
        for index in tally:
            tallies[index][cells[index].strip()] += 1
    if numbers.counts["either"] and not (numbers.counts[POINT] or numbers.counts[COMMA]) and table.kind == "csv":
        _ask_other_columns(table, numbers, skip={*days, *tally})
    questions: list[Question] = []
    notes = [_twin_note(table, first, other) for first, other in twins]
    decimal, number_style = _decimal(numbers, request, table.kind, questions)
    found_order, date_style = _order(order, request, date_rule, questions, notes)
    return Styles(
        rows_in=rows_in,
        decimal=decimal,
        order=found_order,
        number_style=number_style,
        date_style=date_style if days else "",
        currency_sign=signs.pop() if len(signs) == 1 else "",
        tallies=tallies,
        questions=questions,
        notes=notes,
    )


def _twins(header: Sequence[str]) -> list[tuple[int, int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(header):
        if text:
            places[text].append(index)
    return [(found[0], other) for found in places.values() for other in found[1:]]


def _refuse_twins(table: Table, line: int, cells: Sequence[str], first: int, other: int) -> None:
    raise InputError(
        f"{table.file_name} has the column {table.header[first]!r} twice (columns {first + 1} and {other + 1}), and "
        f"they differ: line {line} holds {cells[first]!r} and {cells[other]!r}.",
        "Remove or rename one of them.",
    )


def _twin_note(table: Table, first: int, other: int) -> str:
    return f"The column {table.header[first]!r} stands twice (columns {first + 1} and {other + 1}) with equal values."


def _ask_other_columns(table: Table, numbers: DecimalEvidence, skip: set[int]) -> None:
    """Rates and averages beside the columns read may settle the decimal mark."""
    wanted = [index for index in range(len(table.header)) if index not in skip]
    for row in table.rows():
        if not row.damage:
            numbers.add_all([row.cells[index] for index in wanted], row.line)


def _choice(request: Request, name: str, offered: Sequence[str]) -> str:
    answer = request.options.get(name, "")
    if answer and answer not in offered:
        raise InputError(f"--option {name}={answer}: not one of the answers.", f"Write {' or '.join(offered)}.")
    return answer


def _decimal(evidence: DecimalEvidence, request: Request, kind: str, questions: list[Question]) -> tuple[str, str]:
    answer = _choice(request, "decimal", (POINT, COMMA))
    if answer:
        return answer, f"{_DECIMAL_WORDS[answer]}, as told"
    point, comma, either = (evidence.counts[name] for name in (POINT, COMMA, "either"))
    offered = ("--option decimal=point", "--option decimal=comma")
    if point and comma:
        here, there = evidence.examples[POINT], evidence.examples[COMMA]
        text = (
            f"Two number styles: {point} cells need a decimal point (line {here[0]}: {here[1]!r}) and {comma} need "
            f"a decimal comma (line {there[0]}: {there[1]!r}). Rows that do not fit the answer are set aside."
        )
        questions.append(Question(topic="number style", text=text, answers=offered))
        return "", "open"
    if point or comma:
        found = POINT if point else COMMA
        return found, f"{_DECIMAL_WORDS[found]}, by {point or comma} different cells"
    if either and kind == "csv":
        line, example = evidence.examples["either"]
        text = f"{example!r} (line {line}) can be a thousand or a fraction, and no other cell tells which."
        questions.append(Question(topic="number style", text=text, answers=offered))
        return "", "open"
    return POINT, "typed numbers" if kind != "csv" else "whole numbers without separators"


def _order(
    evidence: OrderEvidence, request: Request, rule: str, questions: list[Question], notes: list[str]
) -> tuple[str, str]:
    answer = _choice(request, "date_order", (DAY_FIRST, MONTH_FIRST))
    forms = ", ".join(form for form, _ in evidence.forms.most_common() if form != "unknown")
    if evidence.forms["serial number"]:
        notes.append("Days are a spreadsheet's serial numbers, counted from 1900; check the range of days.")
    if not evidence.counts:
        return "", forms
    if answer:
        return answer, f"{forms}: {_ORDER_WORDS[answer]}, as told"
    day_first, month_first = evidence.counts[DAY_FIRST], evidence.counts[MONTH_FIRST]
    found = DAY_FIRST if day_first and not month_first else MONTH_FIRST if month_first and not day_first else ""
    if found and rule in {"", found}:
        line, example = evidence.examples[found]
        return (
            found,
            f"{forms}: {_ORDER_WORDS[found]}, by days such as {example!r} (line {line})",
        )
    if not (day_first or month_first) and rule:
        return rule, f"{forms}: {_ORDER_WORDS[rule]}, the layout's rule"
    if day_first and month_first:
        here, there = evidence.examples[DAY_FIRST], evidence.examples[MONTH_FIRST]
        text = (
            f"{day_first} different days put the day first (line {here[0]}: {here[1]!r}) and {month_first} the month "
            f"(line {there[0]}: {there[1]!r}). Rows that do not fit the answer are set aside."
        )
    elif found:
        line, example = evidence.examples[found]
        text = f"This layout writes {_ORDER_WORDS[rule]}, but {example!r} (line {line}) needs {_ORDER_WORDS[found]}."
    else:
        line, example = evidence.examples["either"]
        text = f"{example!r} (line {line}) can be read with the day or the month first, and no other day tells which."
    questions.append(
        Question(topic="date order", text=text, answers=("--option date_order=dmy", "--option date_order=mdy"))
    )
    return "", "open"
