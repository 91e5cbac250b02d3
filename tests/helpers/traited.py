"""Small trials of people with traits, random or planted, for tests of formulas."""

import numpy as np
import pandas as pd

from trustbayes.games import FiniteGame
from trustbayes.models import LevelK, TrustEmbedded
from trustbayes.priors.prior import Prior
from trustbayes.simulation.simulate import simulate
from trustbayes.trials.table import Trials, trials_from_frame

GAME = FiniteGame([1, 2, 3, 4], treatments={"Low": 0.5, "High": 1.5})
PRECISION = Prior("Gamma", mean=6.0, shape=4.0)


def people_of(pairs: int, seed: int = 3) -> pd.DataFrame:
    """Traits of both roles, by pair."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "sender_crt": rng.integers(0, 4, pairs),
            "receiver_crt": rng.integers(0, 4, pairs),
            "receiver_age": rng.uniform(20, 60, pairs).round(1),
            "receiver_country": rng.choice(["NL", "DE", "FR"], pairs),
            "group": [f"g{pair * 4 // pairs}" for pair in range(pairs)],
        }
    )


def planted_trials(
    pairs: int = 12, rounds: int = 8, seed: int = 1, trust_slope: float = 0.0, level: float = 0.0
) -> Trials:
    """Receivers whose trust, and senders whose depth, depend on crt (one standard deviation)."""

    def slope(value):
        return Prior("Normal", mu=value, sigma=1e-6)

    receiver = TrustEmbedded(
        "receiver",
        formulas={"trust": "1 + crt"},
        priors={
            "trust": Prior("LogitNormal", mu=0.0, sigma=0.4),
            "trust_slope": slope(trust_slope),
            "response_precision": PRECISION,
        },
    )
    sender = LevelK(
        "sender",
        max_level=2,
        formulas={"level": "1 + crt"},
        priors={
            "level": Prior("Dirichlet", a=50.0),
            "level_slope": slope(level),
            "response_precision": PRECISION,
        },
    )
    played = simulate(
        GAME,
        sender=sender,
        receiver=receiver,
        subjects=pairs,
        rounds=rounds,
        seed=seed,
        people=people_of(pairs),
    )
    return trials_from_frame(played.trials, GAME, "planted")
