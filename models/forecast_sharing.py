"""The trust-embedded model of forecast sharing, every prior in plain sight.

    python models/forecast_sharing.py [TRIALS --game GAME.toml]

Without TRIALS it runs on the bundled simulated experiment, whose population is a mixture of
trust-embedded and level-k people. It fits both roles, says whether the draws can be trusted, and
prints the population beside its prior.

To make it yours: copy this file, change a prior, and run the copy. `tb.Mixture` in place of
`tb.TrustEmbedded` lets every subject follow the trust-embedded or the level-k theory, or babble; it
takes the same priors.
"""

import trustbayes as tb

# Standard deviation of choices around the best one, as a share of the forecast range a.
NOISE = tb.Prior(
    "LogNormal",
    mu=tb.Prior("Normal", mu=-2.0, sigma=1.0),
    sigma=tb.Prior("HalfNormal", sigma=0.7),
)

SENDERS = tb.TrustEmbedded(
    role="sender",
    game="forecast-sharing",
    priors={
        "response_noise": NOISE,
        # As a share of the sender's margin r - w; mu and sigma of its log.
        "lying_aversion": tb.Prior(
            "LogNormal",
            mu=tb.Prior("Normal", mu=-1.5, sigma=1.0),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
        # One value for each treatment, the same for all senders (so sigma has no part in it).
        "expected_trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
    },
    lying_cost="quadratic",  # or "absolute"
)

RECEIVERS = tb.TrustEmbedded(
    role="receiver",
    game="forecast-sharing",
    priors={
        "response_noise": NOISE,
        # mu for each treatment; the spread among receivers is the same in all of them.
        "trust": tb.Prior(
            "LogitNormal",
            mu=tb.Prior("Normal", mu=0.0, sigma=1.5),
            sigma=tb.Prior("HalfNormal", sigma=1.0),
        ),
    },
    belief="truncated",  # or "prior"
    noise="normal",  # or "student-t"
)

MODELS = (SENDERS, RECEIVERS)

if __name__ == "__main__":
    tb.run_script(MODELS, __doc__, "simulated-forecast")
