"""How strong a policy should be: its net gain over a number of it, and where that is greatest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator
from scipy.optimize import minimize_scalar

from trustbayes.simulation.policies.effects import summarised
from trustbayes.simulation.policies.policy import Policy, at_strength
from trustbayes.simulation.policies.world import World, averaged

__all__ = ["Frontier", "frontier"]

_POINTS = 13
_TOLERANCE = 1e-3  # of the span of strengths


@dataclass(frozen=True, eq=False)
class Frontier:
    """A policy at every strength.

    Parameters
    ----------
    policy : str
    over : str
        The number that is varied.
    table : DataFrame
        A row for each strength: strength, cost (of a meeting), gain, gain_lower, gain_upper (what
        both together earn more, treatments averaged), net, net_lower, net_upper (less the cost),
        cautious (quantile of the net gain), p_pays (probability of a net gain).
    best, best_net : float
        The strength of the greatest mean net gain, and that gain.
    lower, upper : float
        Interval of the best strength: of each draw of the posterior its own.
    cautious, cautious_net : float
        The strength at which the cautious quantile of the net gain is greatest, and that quantile.
    """

    policy: str
    over: str
    table: pd.DataFrame
    best: float
    best_net: float
    lower: float
    upper: float
    cautious: float
    cautious_net: float


def frontier(world: World, policy: Policy, ci_prob: float, caution: float) -> Frontier:
    """Play a policy at many strengths, and find the best by SciPy's bounded scalar minimisation.

    The optima of the mean and of the quantile are those of the policy as it is played; those of
    single draws are found on a monotone cubic through the strengths of the table.

    Parameters
    ----------
    world : World
    policy : Policy
        With a frontier.
    ci_prob, caution : float
        Probability of the intervals; the quantile that a cautious choice goes by.

    Returns
    -------
    Frontier
    """
    strength = policy.frontier
    assert strength is not None
    where = policy.treatments or world.treatments
    seen: dict[float, np.ndarray] = {}

    def gain(at: float) -> np.ndarray:
        if at not in seen:
            chosen, what = at_strength(policy, at), ("payoff", world.together)
            gains = [averaged(world.play(chosen, t)[what] - world.as_it_is(t)[what]) for t in where]
            seen[at] = np.mean(gains, axis=0)
        return seen[at]

    def net(at: float) -> np.ndarray:
        return gain(at) - at_strength(policy, at).cost

    grid = np.linspace(strength.low, strength.high, _POINTS)
    nets = np.array([net(float(at)) for at in grid])
    rows = []
    for at, nets_at in zip(grid, nets, strict=True):
        cost = at_strength(policy, float(at)).cost
        rows.append(
            (
                float(at),
                cost,
                *summarised(nets_at + cost, ci_prob),
                *summarised(nets_at, ci_prob),
                float(np.quantile(nets_at, caution)),
                float((nets_at > 0).mean()),
            )
        )
    columns = ["strength", "cost", "gain", "gain_lower", "gain_upper"]
    columns += ["net", "net_lower", "net_upper", "cautious", "p_pays"]
    best, best_net = _highest(lambda at: float(net(at).mean()), grid, nets.mean(axis=1))
    quantiles = np.quantile(nets, caution, axis=1)
    careful, careful_net = _highest(
        lambda at: float(np.quantile(net(at), caution)), grid, quantiles
    )
    tail = (1 - ci_prob) / 2
    bests = [_highest(_through(grid, draw), grid, draw)[0] for draw in nets.T]
    lower, upper = np.quantile(bests, [tail, 1 - tail])
    return Frontier(
        policy.name,
        strength.over,
        pd.DataFrame(rows, columns=columns),
        best,
        best_net,
        float(lower),
        float(upper),
        careful,
        careful_net,
    )


def _through(grid: np.ndarray, values: np.ndarray) -> Callable[[float], float]:
    curve = PchipInterpolator(grid, values)
    return lambda at: float(curve(at))


def _highest(
    objective: Callable[[float], float], grid: np.ndarray, values: np.ndarray
) -> tuple[float, float]:
    """Where a function is greatest, between the neighbours of the best point of a grid."""
    top = int(values.argmax())
    low, high = grid[max(top - 1, 0)], grid[min(top + 1, grid.size - 1)]
    result = minimize_scalar(
        lambda at: -objective(float(at)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": _TOLERANCE * (grid[-1] - grid[0])},
    )
    if -result.fun > values[top]:
        return float(result.x), float(-result.fun)
    return float(grid[top]), float(values[top])
