"""Make trials.csv and parameters.csv, byte for byte: python make.py [FOLDER].

The population is stated here, in numbers; the subjects are drawn from it. FOLDER is where the
files go, by default beside this script.
"""

import sys
from pathlib import Path

import trustbayes as tb

HERE = Path(__file__).parent
SEED = 20261126
PRIORS = {
    "response_noise": tb.Prior("LogNormal", mu=-1.2, sigma=0.5),
    # By treatment: accurate, misled, mended.
    "trust": tb.Prior("LogitNormal", mu=[0.8, -0.4, 0.3], sigma=0.9),
    "keeping": tb.Prior("LogitNormal", mu=-1.5, sigma=1.0),
    "following": tb.Prior("LogitNormal", mu=-2.0, sigma=0.5),
}


def make(folder: Path) -> None:
    """Simulate the experiment and write it to the folder."""
    game = tb.read_game(HERE / "game.toml")
    seller = tb.model("trust-embedded", "receiver", game, priors=PRIORS, noise="normal")
    simulation = tb.simulate(game, sender=None, receiver=seller, subjects=300, rounds=40, seed=SEED)
    simulation.trials.to_csv(
        folder / "trials.csv", index=False, float_format="%.6g", lineterminator="\n"
    )
    # Six digits are the same on every machine; the last ones of a float are not.
    simulation.parameters.to_csv(
        folder / "parameters.csv", index=False, float_format="%.6g", lineterminator="\n"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
