"""Make the trials and planted.csv, byte for byte: python data/simulated-study/make.py [FOLDER].

The population of experiments is stated here, in numbers; each experiment's population of people is
drawn from it, and its people from that. FOLDER is where the files go, by default beside this
script.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import trustbayes as tb

HERE = Path(__file__).parent
SEED = 20261127
# Mean and standard deviation over experiments of where their people lie: trust and expected trust
# on the logit scale, the others on the log scale.
EXPERIMENTS = {
    "trust": (0.4, 0.6),
    "expected_trust": (0.6, 0.5),
    "lying_aversion": (-0.8, 0.5),  # in standard deviations of the payoff table
    "response_precision": (1.5, 0.3),
}
SPREADS = {"trust": 0.9, "lying_aversion": 0.8}  # of people, the same in all experiments
GAMES = {"wide": (16, 30), "narrow": (20, 20), "challenge": (24, 24), "forecast": (12, 20),
         "advice": (30, 16)}  # fmt: skip
"""Each experiment's people in a role, and its rounds."""


def planted() -> pd.DataFrame:
    """Where each experiment's people lie, on the scales of `EXPERIMENTS`."""
    rng = np.random.default_rng(SEED)
    rows = {
        parameter: mean + spread * rng.normal(size=len(GAMES))
        for parameter, (mean, spread) in EXPERIMENTS.items()
    }
    return pd.DataFrame(rows, index=pd.Index(list(GAMES), name="experiment")).round(4)


def models(game: tb.FiniteGame, row: pd.Series) -> dict[str, tb.Model | None]:
    """Who plays: trust-embedded people of the experiment's own population."""
    lying = tb.Prior("LogNormal", mu=row["lying_aversion"], sigma=SPREADS["lying_aversion"])
    trust = tb.Prior("LogitNormal", mu=row["trust"], sigma=SPREADS["trust"])
    expected = tb.Prior("LogitNormal", mu=row["expected_trust"], sigma=1.0)
    if game.kind == "finite":
        rest = {
            "response_precision": tb.Prior(
                "Gamma", mean=float(np.exp(row["response_precision"])), shape=2.0
            )
        }
    else:
        rest = {"response_noise": tb.Prior("LogNormal", mu=-2.0, sigma=0.4)}
    if game.kind == "recommendation":
        spikes = {
            "keeping": tb.Prior("LogitNormal", mu=-1.5, sigma=1.0),
            "following": tb.Prior("LogitNormal", mu=-2.0, sigma=0.5),
        }
        return {
            "sender": None,
            "receiver": tb.model(
                "trust-embedded", "receiver", game, priors={**rest, "trust": trust, **spikes}
            ),
        }
    of_senders = {**rest, "lying_aversion": lying, "expected_trust": expected}
    return {
        "sender": tb.model("trust-embedded", "sender", game, priors=of_senders),
        "receiver": tb.model("trust-embedded", "receiver", game, priors={**rest, "trust": trust}),
    }


def make(folder: Path) -> None:
    """Simulate the experiments and write them to the folder."""
    numbers = planted()
    for position, (name, (subjects, rounds)) in enumerate(GAMES.items()):
        game = tb.read_game(HERE / f"{name}.toml")
        played = tb.simulate(
            game,
            **models(game, numbers.loc[name]),
            subjects=subjects,
            rounds=rounds,
            seed=SEED + position,
        )
        played.trials.to_csv(
            folder / f"{name}.csv", index=False, float_format="%.6g", lineterminator="\n"
        )
    numbers.to_csv(folder / "planted.csv", lineterminator="\n")


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
