"""What trust is worth: what the people of an experiment earn by meeting, as things are.

Source of the game and of its efficiency: Özer, Zheng and Chen (2011), Management Science 57(6).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from trustbayes.errors import Fault, InputError
from trustbayes.estimates.profits import share_of_trust
from trustbayes.inference.fit import Fit
from trustbayes.simulation.policies.effects import summarised
from trustbayes.simulation.policies.stage import PARTIES
from trustbayes.simulation.policies.world import World, averaged

__all__ = ["trust_worth"]


def trust_worth(
    sender: Fit, receiver: Fit, *, seed: int, ci_prob: float = 0.9, draws: int = 200
) -> pd.DataFrame:
    """What the people of an experiment earn when they meet at random, and what trust adds.

    This is `trustbayes.counterfactual` without any policy: everybody who played a treatment meets
    others who did, in each draw of the posterior, with her own parameters and the noise of her
    choices. Where the model has types, a person's type is drawn once for each draw, from its
    probabilities given the draw and her trials. Payoffs are expected over demand, or over states,
    messages and actions, in closed form.

    The share says how far from babbling to full trust the profit lies. It is below 0 where
    people earn less than if messages said nothing and all knew it, as receivers who believe
    exaggerations may. It is above 1 for a sender whose exaggerations are believed, since
    receivers then do more than is good for them; that may even be good for both together.

    The intervals are those of the expected profit, not of single meetings. In games on a line
    a draw averages 8 rounds of at least 1,000 meetings in each treatment, 30 states or more for
    each sender, spread evenly over all there are (the midpoints of equal strata), and in a round
    receivers are dealt so that all meet equally many messages, up to one. The spread that the
    simulation still adds to the draws is known from how the rounds differ, and is taken out. The
    midpoints err by less than 0.003 of the way from babbling to full trust, in the default
    treatments of forecast sharing. In a finite game nothing is simulated.

    Parameters
    ----------
    sender, receiver : Fit
        Models of the two roles of one game. The two posteriors are taken to be independent,
        their draws matched at random, unless they are the halves of a joint fit.
    seed : int
        At least 0. The same seed gives the same table.
    ci_prob : float
        Probability of the equal-tailed intervals, between 0 and 1.
    draws : int
        How many posterior draws to use, at least 1; all of them if there are fewer.

    Returns
    -------
    DataFrame
        A row for each treatment that both roles played, in the order of the game, and each
        party: "sender", "receiver", "both". Columns treatment, party; profit, lower, upper
        (posterior mean and interval of the expected profit of a meeting, payoff units);
        babbling, full_trust (expected profits there, payoff units); share, share_lower,
        share_upper (0 at babbling, 1 at full trust; NaN where these are the same).

    Raises
    ------
    InputError
        If a fit is of the other role or of people who learn, if the fits are of different
        games, or have no treatment in common; if a number is out of its range.

    Examples
    --------
    >>> import trustbayes as tb
    >>> fits = [tb.load_fit(f"{role}.nc") for role in ("sender", "receiver")]  # doctest: +SKIP
    >>> trust_worth(*fits, seed=1)[["treatment", "party", "share"]]  # doctest: +SKIP
    """
    place = "worth of trust"
    faults = [
        Fault(f"{place}, {role}", "people who learn", 'learning="none": one round is played')
        for role, fit in (("sender", sender), ("receiver", receiver))
        if fit.model.learns
    ]
    if not 0 < ci_prob < 1:
        faults.append(Fault(f"{place}, ci_prob", str(ci_prob), "a number between 0 and 1"))
    rounds = 1 if any(fit.model.learns for fit in (sender, receiver)) else None
    try:
        world = World(sender, receiver, "these", "held", seed, draws, place, rounds=rounds)
    except InputError as error:
        raise InputError([*error.faults, *faults]) from None
    if faults:
        raise InputError(faults)
    rows = []
    for treatment in world.treatments:
        outcomes, ways = world.as_it_is(treatment), world.ways(treatment)
        for party in PARTIES:
            low, high = ways[party]
            profit = np.array(summarised(averaged(outcomes["payoff", party]), ci_prob))
            share = np.full(3, np.nan) if high == low else share_of_trust(profit, low, high)
            share = np.array([share[0], *sorted(share[1:])])  # full trust may earn less
            rows.append((treatment, party, *profit, low, high, *share))
    columns = ["profit", "lower", "upper", "babbling", "full_trust"]
    columns += ["share", "share_lower", "share_upper"]
    return pd.DataFrame(rows, columns=["treatment", "party", *columns])
