"""People in both roles: what each is as a sender beside what she is as a receiver."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from trustbayes.analysis.analyse import Analysis
from trustbayes.comparison import BothRoles
from trustbayes.models import Parameter
from trustbayes.report.page.style import grid, log_axis
from trustbayes.report.page.wording import fixed, probability

__all__ = ["both_sides", "both_sides_says", "parameters_of"]

_DENSE = 60  # people from which on intervals are faint


def parameters_of(analysis: Analysis, both: BothRoles) -> tuple[Parameter, Parameter]:
    """The sender's parameter and the receiver's."""
    fits = (
        analysis.fits[both.models[0], "sender"].model,
        analysis.fits[both.models[1], "receiver"].model,
    )
    first, second = (
        next(p for p in model.parameters if p.name == name)
        for model, name in zip(fits, (both.sender, both.receiver), strict=True)
    )
    return first, second


def both_sides(analysis: Analysis, both: BothRoles) -> Figure:
    """Everybody's two values with their intervals."""
    figure, (panel,) = grid(1, 1, width=6.4, height=4.4)
    people = both.people
    faint = 0.25 if len(people) > _DENSE else 0.6
    sides = zip(("sender", "receiver"), parameters_of(analysis, both), strict=True)
    at: dict[str, Any] = {}
    for name, parameter in sides:
        factor = parameter.factor(analysis.trials.game)
        middle = people[name].to_numpy() * factor
        ends = people[[f"{name}_lower", f"{name}_upper"]].to_numpy().T * factor
        at[name] = middle, np.abs(ends - middle)
    (x, across), (y, along) = at["sender"], at["receiver"]
    panel.errorbar(x, y, along, across, fmt="none", ecolor="#888888", elinewidth=0.6, alpha=faint)
    panel.plot(x, y, "o", color="#000000", ms=3.5, alpha=0.8)
    for which, parameter in zip("xy", parameters_of(analysis, both), strict=True):
        label = f"{parameter.name.replace('_', ' ')} {parameter.symbol}"
        unit = parameter.report_unit or parameter.unit
        if which == "x":
            panel.set_xlabel(f"{label} as a sender\n({unit})")
        else:
            panel.set_ylabel(f"{label} as a receiver\n({unit})")
        if parameter.support == "positive":
            log_axis(panel, which)
        elif which == "y":
            panel.set_ylim(-0.02, 1.02)
    return figure


def both_sides_says(analysis: Analysis, both: BothRoles) -> str:
    """Whether who is averse to lies trusts, and how sure that is."""
    first, second = (p.name.replace("_", " ") for p in parameters_of(analysis, both))
    low, high = both.interval
    sure = max(both.positive, 1 - both.positive)
    if sure < 0.95:
        words = f"Whether people of more {first} have more or less {second} is not settled"
    else:
        words = f"People of more {first} have {'more' if both.positive > 0.5 else 'less'} {second}"
    return (
        f"{words}: correlation {fixed(both.mean)} ({fixed(low)} to {fixed(high)}), above zero with "
        f"a probability of {_sure(both.positive)}. A point is a person; bars: "
        f"{probability(both.ci_prob)} intervals."
    )


def _sure(share: float) -> str:
    if share > 0.999:
        return "more than 0.999"
    return "less than 0.001" if share < 0.001 else fixed(share, 3)
