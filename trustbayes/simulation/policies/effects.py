"""From what people earn and do under policies to tables: levels, differences, break-even costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trustbayes.simulation.policies.policy import Policy
from trustbayes.simulation.policies.stage import PARTIES, Outcomes
from trustbayes.simulation.policies.world import BASELINE, World, averaged

__all__ = ["ALL", "Played", "break_even", "effects_table", "play_all", "rounds_table", "summarised"]

ALL = "all"
"""In place of a treatment: the mean over treatments, each counted alike."""

_ORDER = ("payoff", "share", "inflation", "discount", "lies", "fines", "trust", "expected trust")


@dataclass(frozen=True, eq=False)
class Played:
    """What one policy makes of the outcomes, draw by draw.

    Parameters
    ----------
    level, difference : mapping of (treatment, outcome, party) to array, shape (draws,)
        Under the policy, and less what it is without; with the treatment "all" where there are
        several.
    """

    level: Mapping[tuple[str, str, str], np.ndarray]
    difference: Mapping[tuple[str, str, str], np.ndarray]


def play_all(world: World, policies: Sequence[Policy]) -> tuple[Played, list[Played]]:
    """Play the baseline and every policy in every treatment.

    Parameters
    ----------
    world : World
    policies : sequence of Policy
        Without faults.

    Returns
    -------
    baseline : Played
    played : list of Played
        Of each policy.
    """
    base = {treatment: world.as_it_is(treatment) for treatment in world.treatments}
    changed = [{t: world.play(policy, t) for t in world.treatments} for policy in policies]
    return _played(base, base), [_played(outcomes, base) for outcomes in changed]


def _played(outcomes: Mapping[str, Outcomes], base: Mapping[str, Outcomes]) -> Played:
    level, difference = {}, {}
    for treatment, by_party in outcomes.items():
        for (outcome, party), values in by_party.items():
            key = (treatment, outcome, party)
            level[key] = averaged(values)
            if (outcome, party) in base[treatment]:
                difference[key] = averaged(values - base[treatment][outcome, party])
    if len(outcomes) > 1:
        for kept in (level, difference):
            _add_mean(kept, tuple(outcomes))
    return Played(level, difference)


def _add_mean(kept: dict[tuple[str, str, str], np.ndarray], treatments: Sequence[str]) -> None:
    for outcome, party in dict.fromkeys((o, p) for _, o, p in list(kept)):
        parts = [kept.get((treatment, outcome, party)) for treatment in treatments]
        if all(part is not None for part in parts):
            kept[ALL, outcome, party] = np.mean([p for p in parts if p is not None], axis=0)


def summarised(values: np.ndarray, ci_prob: float) -> tuple[float, float, float]:
    """Mean and equal-tailed interval."""
    tail = (1 - ci_prob) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(values.mean()), float(low), float(high)


def effects_table(
    world: World,
    policies: Sequence[Policy],
    base: Played,
    played: Sequence[Played],
    ci_prob: float,
    smallest: float,
) -> pd.DataFrame:
    """A row for each policy, treatment, outcome and party, see `Counterfactual.effects`."""
    ways = {t: world.ways(t) for t in world.treatments}
    if len(ways) > 1:
        parties = next(iter(ways.values()))
        ends = {p: np.mean([w[p] for w in ways.values()], axis=0) for p in parties}
        ways[ALL] = {p: (float(low), float(high)) for p, (low, high) in ends.items()}
    rows: list[dict[str, Any]] = []
    for policy, play in zip((BASELINE, *policies), (base, *played), strict=True):
        for key in sorted(play.level, key=lambda key: _place(key, world)):
            treatment, outcome, party = key
            gap = play.difference.get(key)
            row = _row(policy, treatment, ALL, outcome, party, play.level[key], gap, ci_prob)
            if policy is not BASELINE and gap is not None:
                least = _least(outcome, ways[treatment].get(party), smallest)
                row["p_matters"] = float((gap > least).mean()) if least is not None else np.nan
            rows.append(row)
    columns = [
        "policy", "treatment", "round", "outcome", "party", "mean", "lower", "upper", "difference",
        "difference_lower", "difference_upper", "p_above_0", "p_matters",
    ]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def rounds_table(world: World, policies: Sequence[Policy], ci_prob: float) -> pd.DataFrame:
    """As `effects_table`, round by round: of people who learn."""
    rows: list[dict[str, Any]] = []
    for policy in (BASELINE, *policies):
        for treatment in world.treatments:
            base = world.by_round(BASELINE, treatment)
            for (outcome, party), values in world.by_round(policy, treatment).items():
                for at, level in enumerate(values):
                    gap = level - base[outcome, party][at]
                    row = _row(policy, treatment, at + 1, outcome, party, level, gap, ci_prob)
                    rows.append(row)
    return pd.DataFrame(rows)


def _row(
    policy: Policy,
    treatment: str,
    number: int | str,
    outcome: str,
    party: str,
    level: np.ndarray,
    gap: np.ndarray | None,
    ci_prob: float,
) -> dict[str, Any]:
    """What is said of an outcome: its level, and under a policy the difference that it makes."""
    row: dict[str, Any] = {
        "policy": policy.name,
        "treatment": treatment,
        "round": number,
        "outcome": outcome,
        "party": party,
        **dict(zip(("mean", "lower", "upper"), summarised(level, ci_prob), strict=True)),
    }
    if policy is BASELINE or gap is None:
        return row
    names = ("difference", "difference_lower", "difference_upper")
    row |= dict(zip(names, summarised(gap, ci_prob), strict=True))
    return row | {"p_above_0": float((gap > 0).mean())}


def _least(outcome: str, way: tuple[float, float] | None, smallest: float) -> float | None:
    """The smallest difference that matters, of what is earned."""
    if outcome == "share":
        return smallest
    if outcome == "payoff" and way is not None:
        return smallest * abs(way[1] - way[0])
    return None


def _place(key: tuple[str, str, str], world: World) -> tuple[int, int, int]:
    treatment, outcome, party = key
    order = (*world.treatments, ALL)
    return order.index(treatment), _ORDER.index(outcome), PARTIES.index(party)


def break_even(
    policies: Sequence[Policy],
    played: Sequence[Played],
    world: World,
    ci_prob: float,
    caution: float,
) -> pd.DataFrame:
    """What each policy may cost at most, see `Counterfactual.costs`."""
    rows, treatments = [], world.treatments
    for policy, play in zip(policies, played, strict=True):
        gains = {
            treatment: play.difference[treatment, "payoff", world.together]
            for treatment in treatments
            if not policy.treatments or treatment in policy.treatments
        }
        if len(treatments) > 1:
            gains[ALL] = np.mean(list(gains.values()), axis=0)
        for treatment, gain in gains.items():
            mean, lower, upper = summarised(gain, ci_prob)
            rows.append(
                {
                    "policy": policy.name,
                    "treatment": treatment,
                    "cost": policy.cost,
                    "break_even": mean,
                    "lower": lower,
                    "upper": upper,
                    "cautious": float(np.quantile(gain, caution)),
                    "p_pays": float((gain > policy.cost).mean()),
                }
            )
    return pd.DataFrame(rows)
