"""A whole results page from the cells of one query: totals, segments, and the test as it stood on every day.

``warehouse.page_query`` reads the rows once, by arm and day and by arm and each dimension; everything else is merged
from those aggregates: the looks of the test by cumulating its days, the total as the last look. ``results_page``
compares all of them in one call of ``compare_many``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.basis.moments import Moments
from experiments.comparing.long_form import Index, Labels, read_columns
from experiments.comparing.many import compare_many
from experiments.comparing.many_kinds import Choices, rate_dispersion
from proofsheet.domain.experiment import OVER_ANOTHER, MetricKind
from proofsheet.domain.result import Page
from proofsheet.errors import InputError

Columns = dict[str, NDArray[Any]]
MOMENTS = ("mean_x", "m2_x", "mean_y", "m2_y", "cxy")
DAY = "day"


def results_page(
    page: Page, cells: Mapping[str, ArrayLike], control: str, choices: Choices | None = None
) -> dict[str, NDArray[Any]]:
    """The results of a page from its cells.

    Args:
        cells: the columns that ``page_query`` names; days in their order.
        control: the arm that the others are compared with.

    Returns:
        The columns of ``compare_many`` without ``experiment``, ``row`` and ``control_row``, preceded by ``dimension``
        and ``level``: the looks (dimension "day", each with all days up to it), of which the last is the total, then
        each dimension's levels. Each of them is a family of its own for each metric.

    Raises:
        InputError: a column is missing, there is no cell, or the control is in none.
    """
    columns = read_columns(cells, ("cut", "level", "arm", "n"))
    arms = sorted(set(columns["arm"].tolist()))
    if control not in arms:
        raise InputError(
            f"The control {control!r} is not among the arms.", f"The arms are: {', '.join(arms) or 'none'}."
        )
    arms = [control, *(arm for arm in arms if arm != control)]
    place = {arm: i for i, arm in enumerate(arms)}
    of_arm = np.array([place[arm] for arm in columns["arm"].tolist()], dtype=np.intp)
    tables, labels = [], []
    for cut, dimension in enumerate((DAY, *page.dimensions)):
        rows = (columns["cut"] == cut).nonzero()[0]
        levels, of_level = _numbered(columns["level"][rows])
        if not levels.size:
            continue
        n, moments = _grid(page, columns, rows, (of_arm[rows], of_level), (len(arms), levels.size))
        tables.append(_cumulated(n, moments) if cut == 0 else (n, moments))
        labels.append((dimension, levels))
    return _compared(page, arms, tables, labels, choices)


def _numbered(labels: Labels) -> tuple[Labels, Index]:
    """The labels in the order in which they first come, and the number of each row's."""
    texts = [str(label) for label in labels.tolist()]
    numbers = {text: i for i, text in enumerate(dict.fromkeys(texts))}
    return np.array(list(numbers), dtype=object), np.array([numbers[text] for text in texts], dtype=np.intp)


def _grid(
    page: Page, columns: Columns, rows: Index, at: tuple[Index, Index], shape: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Units by arm and level, and moments by arm, level, metric and name; 0 where a cell is missing."""
    n = np.zeros(shape)
    n[at] = columns["n"][rows]
    moments = np.zeros((*shape, len(page.metrics), len(MOMENTS)))
    for i, metric in enumerate(page.metrics):
        for j, name in enumerate(MOMENTS):
            key = f"{name}_{i}"
            if key in columns:
                moments[(*at, i, j)] = columns[key][rows]
            elif j == 0 or (j == 1 and metric.kind is MetricKind.MEAN) or metric.kind in OVER_ANOTHER:
                raise InputError(f"The cells lack {key}.", "Take the columns that page_query names.")
        if metric.kind is MetricKind.PROPORTION:
            p = moments[..., i, 0]
            moments[..., i, 1] = n * p * (1.0 - p)
    return n, moments


def _cumulated(n: NDArray[np.float64], moments: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Everything up to and with each day (the second axis)."""
    mean_x, m2_x, mean_y, m2_y, cxy = np.moveaxis(moments, -1, 0)
    cross = np.stack([np.stack([m2_x, cxy], axis=-1), np.stack([cxy, m2_y], axis=-1)], axis=-1)
    units = np.repeat(n[:, :, None], moments.shape[2], axis=2)
    looks = Moments(names=("x", "y"), n=units, mean=np.stack([mean_x, mean_y], axis=-1), cross=cross).cumulate(axis=1)
    parts = (
        looks.mean[..., 0],
        looks.cross[..., 0, 0],
        looks.mean[..., 1],
        looks.cross[..., 1, 1],
        looks.cross[..., 0, 1],
    )
    return looks.n[:, :, 0], np.stack(parts, axis=-1)


def _compared(
    page: Page,
    arms: list[str],
    tables: list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    labels: list[tuple[str, Labels]],
    choices: Choices | None,
) -> Columns:
    """All cuts as one long table, compared, with the names put back."""
    if not tables:
        raise InputError("There are no cells.", "The query gave no rows; look at its source.")
    n = np.concatenate([units for units, _ in tables], axis=1).T
    moments = np.concatenate([part for _, part in tables], axis=1).transpose(1, 2, 0, 3)
    levels, metrics, count = moments.shape[:3]
    shape = (levels, metrics, count)
    numbers = np.indices(shape, dtype=np.intp).reshape(3, -1)
    kinds = np.array([metric.kind.value for metric in page.metrics])
    table = {
        "experiment": numbers[0],
        "metric": numbers[1],
        "arm": numbers[2],
        "kind": kinds[numbers[1]],
        "n": np.broadcast_to(n[:, None, :], shape).ravel(),
        **{name: moments[..., i].ravel() for i, name in enumerate(MOMENTS)},
    }
    if any(metric.kind is MetricKind.RATE for metric in page.metrics):
        table["dispersion"], _ = rate_dispersion(table, np.arange(n.shape[0] * shape[1]).repeat(count) * count)
    found = compare_many(table, choices=choices)
    place = found.pop("experiment")
    dimension = np.repeat(np.array([name for name, _ in labels], dtype=object), [part.size for _, part in labels])
    level = np.concatenate([part for _, part in labels])
    names = {"metric": np.array([m.name for m in page.metrics], dtype=object), "arm": np.array(arms, dtype=object)}
    found |= {key: names["metric" if key == "metric" else "arm"][found[key]] for key in ("metric", "arm", "control")}
    kept = {name: column for name, column in found.items() if name not in ("row", "control_row")}
    return {"dimension": dimension[place], "level": level[place], **kept}
