"""Regression on people and treatments, every prior in plain sight.

    python models/regression.py [TRIALS --game GAME.toml [--people PEOPLE.csv]]

Without TRIALS it runs on an experiment of its own making, in which receivers who reflect more trust
less and senders who reflect more think deeper. It fits both models, says whether the draws can be
trusted, and prints the population beside its prior and what people's traits predict.

To make it yours: copy this file, change a formula or a prior, and run the copy. A formula names
columns of the trials, or of a file of people with a row for each subject, that are the same in all
trials of a subject: ``crt`` is the column ``crt``, or ``receiver_crt`` for receivers. It also may
name ``treatment``, and matching groups as ``(1 | group)``. Numbers are standardised, so slopes are
for one standard deviation, and the prior of the population's location is that of average people.
"""

import numpy as np
import pandas as pd

import trustbayes as tb

# Response precision: per standard deviation of the payoff table. Gamma is given by mean and shape.
PRECISION = tb.Prior(
    "Gamma",
    mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0),
    shape=tb.Prior("LogNormal", mu=0.0, sigma=0.5),
)

RECEIVERS = tb.TrustEmbedded(
    role="receiver",
    formulas={"trust": "1 + treatment + crt + (1 | group)"},
    priors={
        "response_precision": PRECISION,
        # mu: logit of the median trust of average people; sigma: spread around the formula.
        "trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
        # Log odds for one standard deviation of crt, and between two treatments. Lists as
        # arguments hold one number for each column of the design matrix.
        "trust_slope": tb.Prior("Normal", mu=0.0, sigma=1.0),
        # Spread of the effects of matching groups, in log odds.
        "trust_group_sigma": tb.Prior("HalfNormal", sigma=0.5),
    },
)

SENDERS = tb.LevelK(
    role="sender",
    formulas={"level": "1 + crt"},  # a multinomial logit
    priors={
        "response_precision": PRECISION,
        "level": tb.Prior("Dirichlet", a=1.0),  # shares among average people
        # Log odds of each level against level 0.
        "level_slope": tb.Prior("Normal", mu=0.0, sigma=1.0),
    },
)

MODELS = (SENDERS, RECEIVERS)


def planted(pairs: int = 32, rounds: int = 30, seed: int = 20110601) -> tb.Trials:
    """An experiment whose answers are known: every prior is a population, every slope a number."""
    rng = np.random.default_rng(seed)
    people = pd.DataFrame(
        {
            "sender_crt": rng.integers(0, 4, pairs),
            "receiver_crt": rng.integers(0, 4, pairs),
            "group": [f"g{1 + number // 8}" for number in range(pairs)],
        }
    )
    precision = tb.Prior("Gamma", mean=6.0, shape=3.0)
    receivers = tb.TrustEmbedded(
        "receiver",
        formulas={"trust": "1 + crt"},
        priors={
            "response_precision": precision,
            "trust": tb.Prior("LogitNormal", mu=0.5, sigma=0.5),
            "trust_slope": tb.Prior("Normal", mu=-1.0, sigma=0.001),
        },
    )
    senders = tb.LevelK(
        "sender",
        formulas={"level": "1 + crt"},
        priors={
            "response_precision": precision,
            "level": tb.Prior("Dirichlet", a=20.0),
            "level_slope": tb.Prior("Normal", mu=1.0, sigma=0.001),
        },
    )
    game = tb.read_game(tb.bundled("simulated-finite").game)
    played = tb.simulate(
        game,
        sender=senders,
        receiver=receivers,
        subjects=pairs,
        rounds=rounds,
        seed=seed,
        people=people,
    )
    return tb.trials_from_frame(played.trials, game, "planted traits")


if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, planted)
