"""Rates of arms in common cells: log rate = arm + cell, with day-to-day variation beyond counting noise.

A platform delivers each arm to a different mix of days, placements and segments. Comparing within cells takes the mix
out: the estimate is the Poisson one (McCullagh and Nelder 1989) with free cell effects, its variance a sandwich with
``counting noise + tau² × expected²`` per arm and day (Williams 1982), where ``tau`` is fitted by moments so that the
Pearson statistic equals its degrees of freedom. What all arms share on a day cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proofsheet.domain.result import Cell

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CellTable:
    """Trials and successes as arms × cells. ``days`` holds each cell's day as a running number."""

    arms: tuple[str, ...]
    trials: Matrix
    successes: Matrix
    days: NDArray[np.int64]

    @property
    def day_count(self) -> int:
        """How many different days there are."""
        return int(self.days.max()) + 1 if len(self.days) else 0

    def subset(self, rows: Sequence[int]) -> CellTable:
        """The same cells with some arms only."""
        keep = list(rows)
        return CellTable(tuple(self.arms[i] for i in keep), self.trials[keep], self.successes[keep], self.days)

    def columns(self, keep: NDArray[np.bool_]) -> CellTable:
        """The same arms with some cells only; days are numbered anew."""
        days = np.unique(self.days[keep], return_inverse=True)[1].astype(np.int64)
        return CellTable(self.arms, self.trials[:, keep], self.successes[:, keep], days)


def day_of(cell: str) -> str:
    """The day of a cell's name: the part before the first ``|``."""
    return cell.split("|", 1)[0]


def tabulate(cells: Sequence[Cell]) -> CellTable:
    """Put cells into arms × cells; rows of the same arm and cell are added up."""
    arms = {name: i for i, name in enumerate(dict.fromkeys(c.arm for c in cells))}
    names = {name: i for i, name in enumerate(sorted({c.cell for c in cells}))}
    trials, successes = np.zeros((len(arms), len(names))), np.zeros((len(arms), len(names)))
    for c in cells:
        trials[arms[c.arm], names[c.cell]] += c.trials
        successes[arms[c.arm], names[c.cell]] += float(c.successes)
    day_numbers = {day: i for i, day in enumerate(sorted({day_of(name) for name in names}))}
    return CellTable(
        tuple(arms), trials, successes, np.array([day_numbers[day_of(name)] for name in names], dtype=np.int64)
    )


@dataclass(frozen=True, slots=True)
class CellFit:
    """The fitted model.

    Attributes:
        log_rates: arm effects, the first arm's is 0.
        covariance: of ``log_rates``; first row and column are 0.
        counting: the same with counting noise alone.
        levels: rate of the first arm in each cell.
        tau: share by which an arm's rate varies from day to day beyond counting noise (a standard deviation).
        df: degrees of freedom of ``tau``; 0 when it could not be estimated.
    """

    log_rates: Matrix
    covariance: Matrix
    counting: Matrix
    levels: Matrix
    tau: float
    df: int


def comparable(table: CellTable) -> list[int]:
    """The arms that share a cell with the first arm, directly or by way of other arms; the first arm included."""
    linked = (table.trials > 0) & (table.successes.sum(axis=0) > 0)
    reached, grown = np.zeros(len(table.arms), dtype=bool), np.zeros(len(table.arms), dtype=bool)
    grown[:1] = True
    while (grown != reached).any():
        reached = grown
        grown = reached | (linked & linked[reached].any(axis=0)).any(axis=1)
    return [int(i) for i in np.flatnonzero(reached)]


def estimable(table: CellTable, least: int) -> tuple[list[int], CellTable]:
    """The arms whose rates can be fitted, and the table of them: first arm first, cells with two arms or more.

    Each needs ``least`` successes in such cells and a link to the first arm. Successes in a cell without trials (a
    conversion reported on a day without clicks) say nothing about a rate and are left out. Without the first arm, or
    with it alone, no arm can be fitted and the list is empty.
    """
    table = CellTable(table.arms, table.trials, np.where(table.trials > 0, table.successes, 0.0), table.days)
    rows = list(range(len(table.arms)))
    while len(rows) > 1:
        part = table.subset(rows)
        part = part.columns((part.trials > 0).sum(axis=0) > 1)
        linked = comparable(part)
        kept = [rows[i] for i in linked if part.successes[i].sum() >= least]
        if kept == rows:
            return rows, part
        rows = kept if kept[:1] == [0] else []
    return [], table.subset([])


def fit_rates(table: CellTable) -> Matrix:
    """Arm effects on the log rate relative to the first arm; every arm needs successes and a link to the first.

    Raises:
        numpy.linalg.LinAlgError: the likelihood has no maximum that can be reached.
    """
    trials, successes = table.trials, table.successes
    used = successes.sum(axis=0) > 0
    trials, successes = trials[:, used], successes[:, used]
    totals, cell_totals = successes.sum(axis=1), successes.sum(axis=0)
    rates = np.ones(len(totals))
    for _ in range(12):
        rates = totals / (trials @ (cell_totals / (rates @ trials)))
    effects: Matrix = np.log(rates / rates[0])
    for _ in range(60):
        weighted = np.exp(effects)[:, None] * trials
        shares = weighted / weighted.sum(axis=0)
        expected = shares * cell_totals
        gradient = totals - expected.sum(axis=1)
        information = np.diag(expected.sum(axis=1)) - expected @ shares.T
        step = np.linalg.solve(information[1:, 1:], gradient[1:])
        step *= min(1.0, 1.0 / max(1e-300, float(np.abs(step).max(initial=0.0))))
        effects[1:] += step
        if float(np.abs(step).max(initial=0.0)) < 1e-11 and float(np.abs(gradient / totals).max()) < 1e-6:
            return effects
    raise np.linalg.LinAlgError("the rates do not converge")


def fit_cells(table: CellTable) -> CellFit:
    """Fit arm effects, day-to-day variation and their covariance (see the module's text).

    Raises:
        numpy.linalg.LinAlgError: the arms' rates cannot be told apart from the cells'.
    """
    effects = fit_rates(table)
    weighted = np.exp(effects)[:, None] * table.trials
    offered = weighted.sum(axis=0)
    shares = np.divide(weighted, offered, out=np.zeros_like(weighted), where=offered > 0)
    expected = shares * table.successes.sum(axis=0)
    rate = np.divide(expected, table.trials, out=np.zeros_like(expected), where=table.trials > 0)
    noise = expected * (1.0 - np.clip(rate, 0.0, 0.999))
    blocks = table.days if table.day_count > 1 else np.arange(table.trials.shape[1])
    tau_squared, df = _day_variation(table.successes - expected, expected, noise, blocks)
    bread = np.linalg.inv((np.diag(expected.sum(axis=1)) - expected @ shares.T)[1:, 1:])
    counting = np.diag(noise.sum(axis=1)) - shares @ noise.T - noise @ shares.T
    counting += (shares * noise.sum(axis=0)) @ shares.T
    between = np.zeros_like(counting)
    for block in np.unique(blocks):
        inside = blocks == block
        spread = np.diag(expected[:, inside].sum(axis=1)) - shares[:, inside] @ expected[:, inside].T
        between += spread @ spread.T
    return CellFit(
        effects,
        _sandwich(bread, counting + tau_squared * between),
        _sandwich(bread, counting),
        np.divide(table.successes.sum(axis=0), offered, out=np.zeros_like(offered), where=offered > 0),
        float(np.sqrt(tau_squared)),
        df,
    )


def _sandwich(bread: Matrix, middle: Matrix) -> Matrix:
    whole = np.zeros_like(middle)
    whole[1:, 1:] = bread @ middle[1:, 1:] @ bread
    return whole


def _day_variation(residual: Matrix, expected: Matrix, noise: Matrix, blocks: NDArray[np.int64]) -> tuple[float, int]:
    """``tau²`` and its degrees of freedom, from sums over each arm's cells of one day (Williams' moments)."""
    count = int(blocks.max()) + 1 if len(blocks) else 0
    membership = np.zeros((len(blocks), count))
    membership[np.arange(len(blocks)), blocks] = 1.0
    gaps, means, variances = (part @ membership for part in (residual, expected, noise))
    seen = variances > 0
    several = seen.sum(axis=0) > 1  # a day with one arm only says nothing about arms
    seen = seen & several
    df = int(seen.sum()) - int(several.sum()) - int(seen.any(axis=1).sum()) + 1
    if df < 1:
        return 0.0, 0
    squares, means, variances = gaps[seen] ** 2, means[seen], variances[seen]
    if float(np.sum(squares / variances)) <= df:
        return 0.0, df
    low, high = 0.0, 1.0
    while float(np.sum(squares / (variances + high * means**2))) > df and high < 1e6:
        high *= 4.0
    for _ in range(100):
        middle = (low + high) / 2.0
        if float(np.sum(squares / (variances + middle * means**2))) > df:
            low = middle
        else:
            high = middle
    return high, df


def jackknife_days(table: CellTable) -> tuple[Matrix, int] | None:
    """The covariance of the arm effects by leaving out one day at a time, with its degrees of freedom.

    None when there are fewer than 3 days, or an arm would be left without successes or without a link.
    """
    days = table.day_count
    if days < 3:
        return None
    effects = []
    for day in range(days):
        part = table.columns(table.days != day)
        if (part.successes.sum(axis=1) <= 0).any() or len(comparable(part)) < len(table.arms):
            return None
        try:
            effects.append(fit_rates(part))
        except np.linalg.LinAlgError:
            return None
    spread = np.array(effects) - np.mean(effects, axis=0)
    return (days - 1) / days * spread.T @ spread, days - 1
