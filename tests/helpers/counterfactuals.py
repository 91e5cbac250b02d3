"""People who meet in games on a line, and looking up what a policy does."""

import pandas as pd
from synthetic import synthetic_fit

from trustbayes import model, trials_from_frame


def meetings_of(game, people=3):
    """A meeting of each pair in each treatment."""
    rows = [
        (f"s{i}", f"r{i}", 2 * i + at, name, 10.0 * i, 12.0 * i, 9.0 * i)
        for at, name in enumerate(game.treatments)
        for i in range(1, people + 1)
    ]
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    return trials_from_frame(pd.DataFrame(rows, columns=columns), game)


def made_up_fits(game, name="trust-embedded", draws=4, **conventions):
    """Made-up fits of a sender's and a receiver's model to these."""
    trials = meetings_of(game)
    return tuple(
        synthetic_fit(model(name, role, game, **conventions), trials, seed, 1, draws)
        for seed, role in enumerate(("sender", "receiver"), 1)
    )


def effect(counterfactual, policy, outcome="payoff", party="both", treatment="all"):
    """The row of an outcome under a policy."""
    rows = counterfactual.effects
    keys = {"policy": policy, "outcome": outcome, "party": party, "treatment": treatment}
    for column, value in keys.items():
        rows = rows[rows[column] == value]
    [row] = rows.to_dict("records")
    return row
