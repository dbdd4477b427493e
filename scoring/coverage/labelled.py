"""Shares of a set of which a person labelled a random part and a classifier saw the whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from proofsheet.errors import InputError
from scoring.coverage.shares import Floats, Shares, check_counts, wilson

_FEWEST = 5  # labels among the pictures of a perceived value, for these to be taken on their own


def double_sampled_shares(perceived: ArrayLike, labelled: ArrayLike, *, confidence: float = 0.95) -> Shares:
    """Shares from counts of what the classifier saw in all pictures and what a person saw in some of them.

    The labelled pictures are a random sample of the same set, so that nothing need be known of the classifier: within
    each perceived value the labels tell how the true ones lie, and all pictures tell how common it is (Tenenbein, 1970;
    the prediction-powered estimate of Angelopoulos et al., 2023, at its best weight). The classifier's errors make the
    interval wider, never wrong. Perceived values with fewer than five labels are taken together. The interval is
    Wilson's at the number of plain labels that would be as exact.

    Args:
        perceived: counts (K,) of all pictures by perceived value, the labelled ones among them.
        labelled: counts (K, K) of the labelled ones by true value (rows) and perceived value (columns).
        confidence: of each interval, on its own.

    Raises:
        InputError: more pictures are labelled than there are, none is, or the confidence is not a share.
    """
    counts, labels = np.asarray(perceived, dtype=np.float64), np.asarray(labelled, dtype=np.float64)
    _check(counts, labels, confidence)
    n, known = counts.sum(), labels.sum()
    groups = _groups(labels.sum(0))
    common, each = counts @ groups / n, labels @ groups  # (groups,), (K, groups)
    of_group = each.sum(0)
    true_in = each / of_group
    share = true_in @ common
    # Shares of 0 and 1 in a group are not known to be so.
    likely = (each + 0.5) / (of_group + 1.0)
    variance = (common**2 * likely * (1.0 - likely) / of_group).sum(1)
    variance += (common * (true_in - share[:, None]) ** 2).sum(1) / n
    middle = (share * known + 0.5) / (known + 1.0)
    worth = np.clip(middle * (1.0 - middle) / variance, 1.0, n)
    low, high = wilson(share * worth, worth, confidence)
    naive_low, naive_high = wilson(counts, n, confidence)
    return Shares(
        share=share,
        low=low,
        high=high,
        naive=counts / n,
        naive_low=naive_low,
        naive_high=naive_high,
        n=np.asarray(n),
    )


def _groups(labels: Floats) -> NDArray[np.float64]:
    """Which perceived values (rows) are taken together (columns): each on its own where it has labels enough."""
    own = labels >= _FEWEST
    rest = ~own
    if rest.any() and labels[rest].sum() < _FEWEST and own.any():
        # Too few even together: they join the value that has most labels.
        most = int(labels.argmax())
        groups = np.eye(labels.size)[:, own]
        groups[rest, int(own[:most].sum())] = 1.0
        return groups
    columns = [np.eye(labels.size)[:, own]] if own.any() else []
    if rest.any():
        columns.append(rest[:, None].astype(np.float64))
    return np.concatenate(columns, axis=1)


def _check(counts: Floats, labels: Floats, confidence: float) -> None:
    check_counts(counts, labels, confidence)
    if (labels.sum(0) > counts + 1e-9).any():
        raise InputError(
            f"{labels.sum():.0f} pictures are labelled of {counts.sum():.0f}, more of some value than there are.",
            "Count every labelled picture among the perceived ones too.",
        )
    if not labels.sum():
        raise InputError("No picture is labelled.", "Label some first: proofsheet label")
