"""The hybrid of level-k and trust-embedded play, every prior in plain sight.

    python models/hybrid.py [TRIALS --game GAME.toml]

Without TRIALS it runs on the bundled simulated experiment. It fits both roles, says whether the
draws can be trusted, and prints the population beside its prior.

To make it yours: copy this file, change a prior, and run the copy. With ``max_level=1`` senders
differ from trust-embedded ones only in that all expect full trust, or are truthful.
"""

import trustbayes as tb

# Response precision: per standard deviation of the payoff table. Gamma is given by mean and shape.
PRECISION = tb.Prior(
    "Gamma",
    mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0),
    shape=tb.Prior("LogNormal", mu=0.0, sigma=0.5),
)

# Shares of the levels 0 to 3: every mixture is as likely as any other.
LEVELS = tb.Prior("Dirichlet", a=1.0)

SENDERS = tb.Hybrid(
    role="sender",
    priors={
        "response_precision": PRECISION,
        # Per step of a lie, in standard deviations of the payoff table; mu and sigma of its log.
        "lying_aversion": tb.Prior(
            "LogNormal",
            mu=tb.Prior("Normal", mu=-0.7, sigma=1.0),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
        "level": LEVELS,
    },
    max_level=3,
    ties="smallest-lie",  # or "uniform"
    unsent="monotone",  # or "prior" or "tremble"
)

RECEIVERS = tb.Hybrid(
    role="receiver",
    priors={
        "response_precision": PRECISION,
        # mu for each treatment; the spread among receivers is the same in all of them.
        "trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
        "level": LEVELS,
    },
    belief="weighted",  # or "mixture"
    max_level=3,
    ties="smallest-lie",
    unsent="monotone",
)

MODELS = (SENDERS, RECEIVERS)

if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, "simulated-finite")
