"""What theories prescribe in forecast sharing whoever the person is: lines behind raw choices."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trustbayes.games import ForecastGame, Role
from trustbayes.models import SPECS, ModelSpec
from trustbayes.report.page.style import look

__all__ = ["draw", "handles"]

_POINTS = 601


def draw(
    panel: Axes,
    game: ForecastGame,
    role: Role,
    treatment: str,
    mean_report: float,
    back: bool = False,
) -> None:
    """Draw the guides of one treatment, each in the look of its theory.

    Parameters
    ----------
    panel : Axes
    game : ForecastGame
    role : "sender" or "receiver"
    treatment : str
    mean_report : float
        Where to draw senders who may report anything if only it is unrelated to the forecast.
    back : bool
        Whether they stand behind other things: thin and black.
    """
    seen, width = np.linspace(*game.seen_range(role), _POINTS), 0.8 if back else 1.6
    for spec in _guiding(role, game.kind):
        assert spec.guide is not None
        line, shape = spec.guide.line(game, treatment, seen, mean_report), look(spec.name)
        colour = "black" if back else shape.colour
        panel.plot(line.seen, line.choice, shape.line, color=colour, lw=width)
        if line.last is not None:
            panel.plot(*line.last, shape.marker, color=colour, ms=2.5 * width)


def handles(game: ForecastGame, role: Role, back: bool = False) -> list[Line2D]:
    """Their legend."""
    return [
        Line2D(
            [],
            [],
            color="black" if back else look(spec.name).colour,
            ls=look(spec.name).line,
            lw=0.8 if back else 1.6,
            label=spec.guide.label,
        )
        for spec in _guiding(role, game.kind)
        if spec.guide is not None
    ]


def _guiding(role: Role, kind: str) -> list[ModelSpec]:
    """Who declares a guide: benchmarks before theories, which are drawn over them."""
    chosen = [s for s in SPECS if (s.role, s.kind) == (role, kind) and s.guide is not None]
    return chosen[::-1]
