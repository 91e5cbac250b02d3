"""Pictures of priors: where the values lie before any data."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

__all__ = ["plot_shares", "plot_values"]

_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_LINES = ("-", "--", ":", "-.")
_BINS = 60
_TAIL = 0.05  # beyond each end of the interval that is stated
_SEEN = 0.01  # of draws of unbounded values that lie beyond each end of the axis


def plot_values(
    draws: Mapping[str, np.ndarray], support: str, title: str, whose: str, axes: Axes | None
) -> Axes:
    """Densities of values, from many draws of each.

    Parameters
    ----------
    draws : mapping of str to array, shape (size,)
        By label; one density for each.
    support : "real", "positive" or "unit"
    title, whose : str
        What it is, and whose values they are.
    axes : Axes or None
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
    """
    axes = _titled(axes, title)
    low, high = np.quantile(np.concatenate(list(draws.values())), [_SEEN, 1 - 2 * _SEEN])
    if support == "unit":
        low, high = 0.0, 1.0
    elif support == "positive":
        low = 0.0
    edges = np.linspace(low, high, _BINS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    for position, (label, values) in enumerate(draws.items()):
        counts, _ = np.histogram(values, edges)
        density = counts / values.size / np.diff(edges)
        first, median, last = np.quantile(values, [_TAIL, 0.5, 1 - _TAIL])
        words = f"median {median:.2g}, 90% between {first:.2g} and {last:.2g}"
        colour = _COLOURS[position % len(_COLOURS)]
        axes.plot(
            middle,
            density,
            color=colour,
            ls=_LINES[position % len(_LINES)],
            label=f"{label}: {words}" if label else words,
        )
        inside = (middle >= first) & (middle <= last)
        axes.fill_between(middle, density, where=inside, color=colour, alpha=0.15, lw=0)
    axes.set_xlim(low, high)
    axes.set_ylim(0, axes.get_ylim()[1] * (1.1 + 0.1 * len(draws)))  # the legend has a place
    axes.set_xlabel(whose)
    axes.set_ylabel("density")
    axes.legend(frameon=False, fontsize="small", loc="upper right")
    return axes


def plot_shares(draws: np.ndarray, labels: Sequence[str], title: str, axes: Axes | None) -> Axes:
    """Mean and interval of each of some shares, from many draws.

    Parameters
    ----------
    draws : array, shape (size, shares)
    labels : sequence of str
        Of the shares.
    title : str
    axes : Axes or None
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
    """
    axes = _titled(axes, title)
    x, mean = np.arange(draws.shape[1]), draws.mean(axis=0)
    ends = np.quantile(draws, [_TAIL, 1 - _TAIL], axis=0)
    axes.vlines(x, *ends, color=_COLOURS[0], lw=3, alpha=0.4, label="90% of the prior")
    axes.plot(x, mean, "o", color=_COLOURS[0], label="mean")
    axes.set_xticks(x, list(labels))
    axes.set_xlim(-0.5, x.size - 0.5)
    axes.set_ylim(0, 1)
    axes.set_xlabel("what is shared, such as the level")
    axes.set_ylabel("share of the population")
    axes.legend(frameon=False, fontsize="small")
    return axes


def _titled(axes: Axes | None, title: str) -> Axes:
    if axes is None:
        _, axes = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
    axes.set_title(textwrap.fill(title, 70), fontsize="small", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return axes
