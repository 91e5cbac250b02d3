"""The trust-embedded model, every prior in plain sight.

    python models/trust_embedded.py [TRIALS --game GAME.toml]

Without TRIALS it runs on the bundled simulated experiment. It fits both roles, says whether the
draws can be trusted, and prints the population beside its prior.

To make it yours: copy this file, change a prior, and run the copy. A prior whose argument is
itself a prior is a hierarchy; with numbers only, subjects share nothing. With
``varies={"trust": ("subject",)}`` receivers would have one population mean for all treatments.
"""

import trustbayes as tb

# Response precision: per standard deviation of the payoff table. Gamma is given by mean and shape.
PRECISION = tb.Prior(
    "Gamma",
    mean=tb.Prior("LogNormal", mu=1.0, sigma=1.0),
    shape=tb.Prior("LogNormal", mu=0.0, sigma=0.5),
)

SENDERS = tb.TrustEmbedded(
    role="sender",
    priors={
        "response_precision": PRECISION,
        # In standard deviations of the payoff table per message step; mu and sigma of its log.
        "lying_aversion": tb.Prior(
            "LogNormal",
            mu=tb.Prior("Normal", mu=-0.7, sigma=1.0),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
        # One value for each treatment, the same for all senders (so sigma has no part in it).
        "expected_trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
    },
)

RECEIVERS = tb.TrustEmbedded(
    role="receiver",
    priors={
        "response_precision": PRECISION,
        # mu for each treatment; the spread among receivers is the same in all of them.
        "trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
    },
    belief="truncated",  # or "prior" or "mixture"
)

MODELS = (SENDERS, RECEIVERS)

if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, "simulated-finite")
