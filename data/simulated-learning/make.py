"""Make trials.csv and parameters.csv, byte for byte: make.py [FOLDER].

The population is stated here, in numbers; the subjects are drawn from it. FOLDER is where the
files go, by default beside this script.
"""

import sys
from pathlib import Path

import trustbayes as tb

HERE = Path(__file__).parent
SEED = 20020901
PRECISION = tb.Prior("Gamma", mean=6.0, shape=2.0)
SPREAD = 1e-9  # of what is common to all of a role: it is as stated
EXPECTED_TRUST = tb.Prior("LogitNormal", mu=0.5, sigma=SPREAD)
LEARNING = {
    "memory": tb.Prior("LogitNormal", mu=2.0, sigma=SPREAD),
    "gain_good": tb.Prior("Normal", mu=0.2, sigma=SPREAD),
    "gain_bad": tb.Prior("Normal", mu=0.6, sigma=SPREAD),
}


def make(folder: Path) -> None:
    """Simulate the experiment and write it to the folder."""
    simulation = tb.simulate(
        tb.read_game(HERE / "game.toml"),
        sender=tb.TrustEmbedded(
            role="sender",
            learning="shift",
            priors={
                "response_precision": PRECISION,
                "lying_aversion": tb.Prior("LogNormal", mu=-0.9, sigma=0.8),
                "expected_trust": EXPECTED_TRUST,
                **LEARNING,
            },
        ),
        receiver=tb.TrustEmbedded(
            role="receiver",
            learning="shift",
            priors={
                "response_precision": PRECISION,
                "trust": tb.Prior("LogitNormal", mu=0.5, sigma=1.0),
                **LEARNING,
            },
        ),
        subjects=40,
        rounds=40,
        seed=SEED,
    )
    simulation.trials.to_csv(folder / "trials.csv", index=False, lineterminator="\n")
    # Six digits are the same on every machine; the last ones of a float are not.
    simulation.parameters.to_csv(
        folder / "parameters.csv", index=False, float_format="%.6g", lineterminator="\n"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
