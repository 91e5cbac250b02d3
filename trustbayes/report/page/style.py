"""How figures look: one colour, marker and line per model, and text that data cannot break."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from PIL import Image

from trustbayes.models import SPECS, Look

__all__ = [
    "GREY",
    "OBSERVED",
    "PRIOR",
    "Encoded",
    "Look",
    "brief",
    "encode",
    "grid",
    "legend_below",
    "log_axis",
    "look",
    "style",
    "wrapped",
]


OBSERVED = Look("#000000", "x", "-")
"""What was observed."""
PRIOR = Look("#0072B2", "o", "-")
"""What a model says before any data."""
GREY = "#8C8C8C"
"""What stands in the background: priors, guides."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "text.parse_math": False,  # labels come from data: a $ is a dollar
    "text.usetex": False,
    "svg.hashsalt": "trustbayes",  # the same file every time
}
_DPI = 150
_CSS_DPI = 96


@contextmanager
def style() -> Iterator[None]:
    """Draw and encode in the report's style, whatever the user's settings."""
    with warnings.catch_warnings(), mpl.rc_context(_STYLE):
        # A label in a script that the font lacks shows as boxes; the tables have its text.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        yield


@dataclass(frozen=True)
class Encoded:
    """A drawn figure.

    Parameters
    ----------
    uri : str
        A PNG, as a data URI in base64.
    width, height : int
        At which its text has the size that the style means, in CSS pixels.
    """

    uri: str
    width: int
    height: int


def encode(draw: Callable[[], Figure]) -> Encoded:
    """Draw a figure and encode it.

    Parameters
    ----------
    draw : callable

    Returns
    -------
    Encoded
    """
    with style():
        canvas = FigureCanvasAgg(draw())
        canvas.figure.set_dpi(_DPI)
        canvas.draw()
        pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    file = io.BytesIO()
    # A palette of 256 colours makes the file a third of the size, with no visible loss.
    pixels.quantize(256, method=Image.Quantize.MEDIANCUT).save(file, "png", optimize=True)
    uri = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    width, height = (round(_CSS_DPI * size / _DPI) for size in pixels.size)
    return Encoded(uri, width, height)


def look(model: str) -> Look:
    """The look of a model, as its theory declares it; see `trustbayes.theories.spec.Look`.

    Examples
    --------
    >>> look("trust-embedded").marker
    'o'
    """
    return SPECS.look(model)


def brief(text: object, most: int = 18) -> str:
    """A label short enough for an axis; its middle is left out if need be.

    Examples
    --------
    >>> brief("low capacity cost, high uncertainty", 18)
    'low capac…certainty'
    """
    line = "".join(c if c.isprintable() else " " for c in str(text)).strip()
    if len(line) <= most:
        return line
    half = most // 2
    return f"{line[:half]}…{line[-half:]}"


def wrapped(text: str, width: int = 40) -> str:
    r"""Text broken into lines between words.

    Examples
    --------
    >>> wrapped("per standard deviation of the payoff table", 30)
    'per standard deviation of the\npayoff table'
    """
    return "\n".join(wrap(text, width, break_long_words=False, break_on_hyphens=False))


def grid(
    panels: int,
    columns: int,
    width: float = 3.2,
    height: float = 2.8,
    *,
    shown: bool = False,
    **shared: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure of panels in rows, the unused places empty.

    Parameters
    ----------
    panels, columns : int
    width, height : float
        Of a panel, inches.
    shown : bool
        Whether it is pyplot's, which shows it in a notebook or a window.
    **shared
        For ``Figure.subplots``.

    Returns
    -------
    figure : Figure
    axes : list of Axes
        One for each panel.
    """
    columns = max(1, min(columns, panels))
    rows = -(-panels // columns)
    size = (max(width * columns, 4.5), height * rows)
    figure = plt.figure(figsize=size) if shown else Figure(figsize=size)
    axes = list(figure.subplots(rows, columns, squeeze=False, **shared).ravel())
    for empty in axes[panels:]:
        empty.remove()
    return figure, axes[:panels]


def legend_below(figure: Figure, handles: Sequence[Any], columns: int = 4) -> None:
    """One legend for all panels, under them."""
    figure.legend(
        handles=list(handles), loc="outside lower center", ncols=min(columns, len(handles))
    )


def log_axis(axes: Axes, which: str) -> None:
    """A logarithmic axis with plain numbers at 1, 2, 5 times powers of ten, or at the powers."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = sorted(axes.get_xlim() if which == "x" else axes.get_ylim())
    steps = [1.0, 2.0, 5.0] if high / low < 200 else [1.0]
    ticks = [s * 10.0**p for p in range(-12, 13) for s in steps]
    ticks = [t for t in ticks if low <= t <= high]
    if len(ticks) > 7:
        ticks = ticks[:: -(-len(ticks) // 6)]
    if len(ticks) < 2:
        ticks = [t for t in MaxNLocator(4).tick_values(low, high) if low <= t <= high and t > 0]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
