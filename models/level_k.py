"""The level-k model, every prior in plain sight.

    python models/level_k.py [TRIALS --game GAME.toml]

Without TRIALS it runs on the bundled simulated experiment. It fits both roles, says whether the
draws can be trusted, and prints the population beside its prior.

To make it yours: copy this file, change a prior, and run the copy. A prior whose argument is
itself a prior is a hierarchy; with numbers only, subjects share nothing. ``max_level`` is the
deepest level considered; a list of weights for the levels needs one for each from 0.
"""

import trustbayes as tb

# Response precision: per standard deviation of the payoff table. Gamma is given by mean and shape.
PRECISION = tb.Prior(
    "Gamma",
    mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0),
    shape=tb.Prior("LogNormal", mu=0.0, sigma=0.5),
)

# Shares of the levels 0 to 3: every mixture is as likely as any other. A list such as
# [2, 4, 2, 1] would expect most subjects at level 1. The cognitive hierarchy's Poisson is
# tb.Prior("TruncatedPoisson", tau=tb.Prior("Gamma", mean=1.5, shape=2)); shares that are known
# are tb.Prior("Fixed", shares=[0, 0.5, 0.3, 0.2]).
LEVELS = tb.Prior("Dirichlet", a=1.0)

SENDERS = tb.LevelK(
    role="sender",
    priors={"response_precision": PRECISION, "level": LEVELS},
    max_level=3,
    ties="smallest-lie",  # or "uniform"
    unsent="monotone",  # or "prior" or "tremble"
)

RECEIVERS = tb.LevelK(
    role="receiver",
    priors={"response_precision": PRECISION, "level": LEVELS},
    max_level=3,
    ties="smallest-lie",
    unsent="monotone",
)

MODELS = (SENDERS, RECEIVERS)

if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, "simulated-finite")
