"""Ranks of what was planted among posterior draws."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import arviz as az
import numpy as np
import pandas as pd

from trustbayes.comparison.both_roles import BothRoles, both_roles
from trustbayes.inference.fit import Fit
from trustbayes.models.draws import Draws, subject_log_likelihood
from trustbayes.models.replications import draw_types
from trustbayes.simulation.enough import Unusable
from trustbayes.simulation.experiments import SimulatedTrials
from trustbayes.simulation.planted import estimable, planted_draw
from trustbayes.simulation.same_people import planted_correlation

__all__ = ["COLUMNS", "RANKS", "ranks_of", "ranks_of_both", "short_of_draws"]

RANKS = 100
"""Possible ranks: that of a value among 99 draws."""

COLUMNS = ["quantity", "about", "rank", "pit", "ess"]
_SUBJECTS = 2
_JOINED = 200  # draws of each role that are joined, at most: twice the ranks


def ranks_of(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """Rank of what was planted among posterior draws, for every quantity.

    Those of the population, of two subjects (in one treatment each, where it matters), and the log
    likelihood of all data. Draws are thinned to 99; ties, as between levels, are broken at random.

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of one Fit

    Returns
    -------
    DataFrame
        Columns quantity, about, rank, pit, ess.
    """
    [fit] = fits
    truth = planted_draw(fit, played.parameters)
    rng = np.random.default_rng([played.seed, 20180418])
    draws = fit.draws(RANKS - 1)
    ess = az.ess(fit.posterior, method="bulk")
    rows = []

    def add(quantity: str, about: str, planted: Any, values: np.ndarray, size: float) -> None:
        ties = int((values == planted).sum())
        rank = int((values < planted).sum()) + int(rng.integers(ties + 1))
        pit = (rank + rng.random()) / (values.size + 1)
        row = {"quantity": quantity, "about": about, "rank": rank, "pit": pit, "ess": size}
        rows.append(row)

    for name, index, label, about in _quantities(fit, truth):
        values = np.moveaxis(draws.data[name].to_numpy(), 0, -1)[index]
        planted = truth.data[name].to_numpy()[0, *index]
        add(label, about, planted, values, float(ess[name].to_numpy()[index]))
    if any(fit.model.ignored.values()):
        return pd.DataFrame(rows)  # subjects' own draws are those of their type only
    levels = _levels(played, fit)
    kinds = draw_types(draws, rng)
    if kinds is not None and levels is not None:
        for number in range(_SUBJECTS):
            add(f"level, subject {number + 1}", "subject", levels[number], kinds[:, number], np.nan)
    [planted] = _log_likelihood(truth)
    add("log likelihood", "data", planted, _log_likelihood(draws), np.nan)
    return pd.DataFrame(rows)


def ranks_of_both(played: SimulatedTrials, fits: Sequence[Fit]) -> pd.DataFrame:
    """Ranks in the joint posterior of people in both roles: both populations, and the correlation.

    Draws of the two fits count by their weights, see `trustbayes.both_roles`; a rank is the share
    of them below what was planted, as that of so many draws as they are worth.

    Parameters
    ----------
    played : SimulatedTrials
    fits : sequence of Fit
        Of senders and of receivers.

    Returns
    -------
    DataFrame
        Columns quantity, about, rank, pit, ess.

    Raises
    ------
    Unusable
        If the weights cannot be relied on.
    """
    sender, receiver = fits
    both = both_roles(sender, receiver, draws=_JOINED)
    if reason := short_of_draws(both):
        raise Unusable(reason)
    rng = np.random.default_rng([played.seed, 20180418])
    rows = []

    def add(quantity: str, share: float) -> None:
        pit = (share * both.draws + rng.random()) / (both.draws + 1)
        row = {"quantity": quantity, "about": "population", "rank": int(pit * RANKS), "pit": pit}
        rows.append(row | {"ess": both.draws})

    weights = both.pairs["weight"].to_numpy()
    for fit in fits:
        role = fit.model.role
        truth, draws = planted_draw(fit, played.parameters), fit.thinned(_JOINED).draws()
        for name, index, label, about in _quantities(fit, truth):
            if about == "population":
                values = np.moveaxis(draws.data[name].to_numpy(), 0, -1)[index]
                below = values < truth.data[name].to_numpy()[0, *index]
                add(f"{role}: {label}", float(weights @ below[both.pairs[role]]))
    add("correlation", both.below(planted_correlation(played.parameters)))
    return pd.DataFrame(rows, columns=COLUMNS)


def short_of_draws(both: BothRoles) -> str:
    """Why the weights of joined roles cannot be relied on; empty if they can."""
    if both.passed:
        return ""
    return f"joined roles: Pareto k {both.pareto_k:.2f}, worth {both.draws:.0f} draws"


def _quantities(fit: Fit, truth: Draws) -> list[tuple[str, tuple[int, ...], str, str]]:
    """Name, place, label and what it is about, of all that is planted and estimated."""
    quantities = []
    for name, of_subjects in estimable(fit, truth.data).items():
        values = truth.data[name]
        dims = values.dims[1:]
        seen = set()
        for index in np.ndindex(*values.shape[1:]):
            where = dict(zip(dims, index, strict=True))
            if of_subjects:
                number = where["subject"]
                treatments = values.sizes.get("treatment", 1)
                if number >= _SUBJECTS or where.get("treatment", 0) != number % treatments:
                    continue
                if number in seen:  # the first of its options
                    continue
                seen.add(number)
            if np.isnan(values.to_numpy()[0, *index]):
                continue
            labels = [
                f"subject {where[dim] + 1}" if dim == "subject" else str(values[dim].to_numpy()[i])
                for dim, i in zip(dims, index, strict=True)
            ]
            label = ", ".join([str(name).replace("_", " "), *map(str, labels)])
            quantities.append((str(name), index, label, "subject" if of_subjects else "population"))
    return quantities


def _levels(played: SimulatedTrials, fit: Fit) -> np.ndarray | None:
    """Position of each subject's planted level; None if the types are no levels."""
    known = played.parameters
    here = known[(known["parameter"] == "level") & (known["role"] == fit.model.role)]
    if here.empty:
        return None
    labels = here.set_index("subject")["value"].loc[list(fit.units.subjects)]
    return np.array([fit.model.types.index(f"{value:g}") for value in labels])


def _log_likelihood(draws: Draws) -> np.ndarray:
    return np.asarray(subject_log_likelihood(draws).sum(axis=1))
