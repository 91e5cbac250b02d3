"""What theories prescribe whoever the person is: lines behind raw choices of games on a line."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from trustbayes.games import ContinuousGame, IntervalGame, Role
from trustbayes.models import SPECS, ModelSpec
from trustbayes.report.page.style import Look, look
from trustbayes.theories.benchmarks.interval import partition_equilibrium

__all__ = ["draw", "handles"]

_POINTS = 601
_EQUILIBRIUM = Look("#8C510A", "_", "-")
_FINE = 200  # intervals of an equilibrium beyond which its steps are no more than the truth


def draw(
    panel: Axes,
    game: ContinuousGame,
    role: Role,
    treatment: str,
    mean_report: float,
    back: bool = False,
) -> None:
    """Draw the guides of one treatment, each in the look of its theory.

    Parameters
    ----------
    panel : Axes
    game : ContinuousGame
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
    if _has_equilibrium(game, role, [treatment]):
        made = partition_equilibrium(cast(IntervalGame, game), treatment)
        colour = "black" if back else _EQUILIBRIUM.colour
        heights = np.append(made.actions, made.actions[-1])
        panel.step(made.cuts, heights, where="post", color=colour, lw=0.7 * width)


def handles(game: ContinuousGame, role: Role, back: bool = False) -> list[Line2D]:
    """Their legend."""
    made = [
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
    if _has_equilibrium(game, role, game.treatments):
        colour = "black" if back else _EQUILIBRIUM.colour
        label = "most informative equilibrium"
        made.append(Line2D([], [], color=colour, lw=0.6 if back else 1.1, label=label))
    return made


def _has_equilibrium(game: ContinuousGame, role: Role, treatments: Iterable[str]) -> bool:
    """Whether a partition equilibrium is drawn: to receivers on an interval, unless too fine."""
    if role != "receiver" or not isinstance(game, IntervalGame):
        return False
    width = game.highest - game.lowest
    return any(2 * _FINE * (_FINE - 1) * abs(game.treatments[name]) > width for name in treatments)


def _guiding(role: Role, kind: str) -> list[ModelSpec]:
    """Who declares a guide: benchmarks before theories, which are drawn over them."""
    chosen = [s for s in SPECS if (s.role, s.kind) == (role, kind) and s.guide is not None]
    return chosen[::-1]
