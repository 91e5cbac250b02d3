"""Make trials.csv and parameters.csv, byte for byte: python make.py [FOLDER].

The population is stated here, in numbers; the subjects are drawn from it. FOLDER is where the
files go, by default beside this script.
"""

import sys
from pathlib import Path

import trustbayes as tb

HERE = Path(__file__).parent
SEED = 20110601
SHARED = {
    "response_noise": tb.Prior("LogNormal", mu=-2.3, sigma=0.4),
    # So narrow that the shares are as good as fixed: six in ten trust-embedded, four level-k,
    # nobody babbling; of the level-k ones .1, .5, .3 and .1 at levels 0 to 3.
    "theory": tb.Prior("Dirichlet", a=[6000, 4000, 0.01]),
    "level": tb.Prior("Dirichlet", a=[1000, 5000, 3000, 1000]),
}
# By treatment: CLUL, CLUH, CHUL, CHUH.
EXPECTED_TRUST = tb.Prior("LogitNormal", mu=[1.5, 1.3, 0.3, 0.0], sigma=1.0)
TRUST = tb.Prior("LogitNormal", mu=[1.5, 1.3, 0.0, -0.5], sigma=1.0)


def make(folder: Path) -> None:
    """Simulate the experiment and write it to the folder."""
    game = tb.read_game(HERE / "game.toml")
    simulation = tb.simulate(
        game,
        sender=tb.model(
            "mixture",
            "sender",
            game,
            priors=SHARED
            | {
                "lying_aversion": tb.Prior("LogNormal", mu=-0.7, sigma=0.8),
                # Common to all senders of a treatment, so that only the location counts.
                "expected_trust": EXPECTED_TRUST,
                "habit": tb.Prior("Normal", mu=0.0, sigma=0.5),  # of babblers: there are none
            },
        ),
        receiver=tb.model("mixture", "receiver", game, priors=SHARED | {"trust": TRUST}),
        subjects=48,
        rounds=60,
        seed=SEED,
        between=True,
    )
    simulation.trials.to_csv(
        folder / "trials.csv", index=False, float_format="%.2f", lineterminator="\n"
    )
    # Six digits are the same on every machine; the last ones of a float are not.
    simulation.parameters.to_csv(
        folder / "parameters.csv", index=False, float_format="%.6g", lineterminator="\n"
    )


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
