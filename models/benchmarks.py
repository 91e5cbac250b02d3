"""The benchmarks, babbling and full trust, every prior in plain sight.

    python models/benchmarks.py [TRIALS --game GAME.toml]

Without TRIALS it runs on the bundled simulated experiment. It fits both roles, says whether the
draws can be trusted, and prints the population beside its prior.

To make it yours: copy this file, change a prior, and run the copy. A prior whose argument is
itself a prior is a hierarchy; with numbers only, subjects share nothing. Neither benchmark knows
of trust or of thinking: a theory must predict better than both.
"""

import trustbayes as tb

# Response precision: per standard deviation of the payoff table. Gamma is given by mean and shape.
PRECISION = tb.Prior(
    "Gamma",
    mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0),
    shape=tb.Prior("LogNormal", mu=0.0, sigma=0.5),
)

# Babbling senders have habits: a log propensity for each message, around the population's.
BABBLING_SENDERS = tb.Babbling(
    role="sender",
    priors={
        "habit": tb.Prior(
            "Normal",
            mu=tb.Prior("ZeroSumNormal", sigma=1.0),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        )
    },
)

# Receivers who follow messages leave this model with a precision near zero; shape one keeps the
# density of the population bounded there.
BABBLING_RECEIVERS = tb.Babbling(
    role="receiver",
    priors={
        "response_precision": tb.Prior(
            "Gamma", mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0), shape=1.0
        )
    },
)

TRUTHFUL_SENDERS = tb.FullTrust(role="sender", priors={"response_precision": PRECISION})
CREDULOUS_RECEIVERS = tb.FullTrust(role="receiver", priors={"response_precision": PRECISION})

MODELS = (BABBLING_SENDERS, BABBLING_RECEIVERS, TRUTHFUL_SENDERS, CREDULOUS_RECEIVERS)

if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, "simulated-finite")
