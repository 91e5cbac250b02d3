"""What the benchmarks of forecast sharing prescribe, as lines over what is seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trustbayes.games import ForecastGame, Role
from trustbayes.report.page.style import look
from trustbayes.theories.benchmarks.forecast import babbling_capacity, credulous_capacity
from trustbayes.theories.level_k.forecast import capacities, reports

__all__ = ["Benchmark", "benchmarks", "draw", "handles"]

_LABELS: dict[Role, dict[str, str]] = {
    "sender": {
        "full-trust": "truth",
        "babbling": "babbling (here: the mean report)",
        "level-k": "level 1",
    },
    "receiver": {
        "full-trust": "credulous (full trust)",
        "babbling": "babbling",
        "level-k": "level 1",
    },
}


@dataclass(frozen=True, eq=False)
class Benchmark:
    """What a benchmark prescribes.

    Parameters
    ----------
    model : str
        Whose colour it has.
    seen, choice : array
        Of a line, units of demand.
    last : tuple of float, or None
        A point where the line ends in a jump.
    """

    model: str
    seen: np.ndarray
    choice: np.ndarray
    last: tuple[float, float] | None = None


def benchmarks(
    game: ForecastGame, role: Role, treatment: str, mean_report: float
) -> list[Benchmark]:
    """Face value, babbling and level 1 in one treatment.

    Parameters
    ----------
    game : ForecastGame
    role : "sender" or "receiver"
    treatment : str
    mean_report : float
        Where to draw the babbling sender, who may report anything if only it is unrelated to
        the forecast.

    Returns
    -------
    list of Benchmark
    """
    terms, (low, high) = game.terms([treatment]), game.seen_range(role)
    seen = np.linspace(low, high, 601)
    if role == "sender":
        return [
            Benchmark("full-trust", seen, seen),
            Benchmark("babbling", seen, np.full_like(seen, mean_report)),
            Benchmark("level-k", seen, reports(seen, 1, terms)[1]),
        ]
    level = capacities(seen, 1, terms)[1]
    return [
        Benchmark("full-trust", seen, credulous_capacity(seen, terms)),
        Benchmark("babbling", seen, np.full_like(seen, babbling_capacity(terms)[0])),
        Benchmark("level-k", seen[:-1], level[:-1], (high, float(level[-1]))),
    ]


def draw(panel: Axes, lines: list[Benchmark], back: bool = False) -> None:
    """Draw benchmarks, each in the look of its model; thin and black behind other things."""
    for line in lines:
        shape, width = look(line.model), 0.8 if back else 1.6
        colour = "black" if back else shape.colour
        panel.plot(line.seen, line.choice, shape.line, color=colour, lw=width)
        if line.last is not None:
            panel.plot(*line.last, shape.marker, color=colour, ms=2.5 * width)


def handles(role: Role, back: bool = False) -> list[Line2D]:
    """Their legend."""
    return [
        Line2D(
            [],
            [],
            color="black" if back else look(model).colour,
            ls=look(model).line,
            lw=0.8 if back else 1.6,
            label=label,
        )
        for model, label in _LABELS[role].items()
    ]
