"""The general game: calibration and recovery where payoffs know the message.

    python benchmarks/general_game.py [--folder FITS] [--out DIR] [--simulations 200]

A lying game with detection and three states: a message is accepted or challenged; two treatments
differ in payoffs, prior and direction. Trust-embedded and level-k of both roles, and people who
play both roles, whose populations are fitted and joined. 20 subjects, 16 rounds, default priors.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pandas as pd
from calibration import Case, figure, verdicts
from common import command_line, markdown, write_results
from recovery import coverage

import trustbayes as tb
from trustbayes.games import FiniteGame, FiniteTerms, PayoffFormulas
from trustbayes.inference.executors import process_pool
from trustbayes.simulation.calibration import CALIBRATION_SAMPLING, Calibration, calibrate
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.ranks import RANKS
from trustbayes.simulation.recovery import RecoveryStudy, recovery_study

SEED, SUBJECTS, ROUNDS = 20220427, 20, 16


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--replications", type=int, default=30)
    options = parser.parse_args()
    ranked: list[tuple[Case, Calibration]] = []
    recovered: list[tuple[str, RecoveryStudy]] = []
    for label, experiment in experiments():
        started = time.perf_counter()
        folder = options.folder / "general"
        how: dict[str, Any] = {"seed": SEED, "folder": folder, "progress": False}
        with process_pool(options.jobs) as pool:
            calibrated = calibrate(
                experiment, simulations=options.simulations, executor=pool, **how
            )
            again = recovery_study(
                experiment,
                replications=options.replications,
                sampling=CALIBRATION_SAMPLING,
                executor=pool,
                **how,
            )
        verdict = "passed" if calibrated.passed else "FAILED"
        spent = time.perf_counter() - started
        print(f"{label}: {verdict}; {len(calibrated.lost)} left out; {spent:.0f} s", flush=True)
        ranked.append((Case(label, experiment, experiment.player), calibrated))
        recovered.append((label, again))
        tables = {
            "general_game.csv": pd.concat([c.tests.assign(case=k.label) for k, c in ranked]),
            "general_game_recovery.csv": pd.concat(
                [study.table.assign(case=name) for name, study in recovered]
            ),
        }
        tables = {name: table.round(5) for name, table in tables.items()}
        words = says(ranked, recovered)
        write_results("general_game", options.out, tables, figure(ranked), words)


def experiments() -> Iterator[tuple[str, Experiment]]:
    """Who plays what."""
    game, size = lying_game(), (SUBJECTS, ROUNDS)
    for theory in ("level-k", "trust-embedded"):
        sender, receiver = (tb.model(theory, role, game) for role in ("sender", "receiver"))
        yield f"{theory}, receiver", Experiment(game, sender, receiver, *size)
        yield f"{theory}, sender", Experiment(game, sender, None, *size)
    both = Experiment(game, sender, receiver, *size, same_people=True)
    yield "trust-embedded, people in both roles", both


def lying_game() -> FiniteGame:
    """Accept or challenge, where senders gain by higher messages, or by lower ones."""
    pay = {
        name: PayoffFormulas(
            f"-2 if action == challenge and message != state else {gain}",
            "2 if action == challenge and message != state else "
            f"4 - ({gain}) - 2 * (action == challenge)",
            {"accept": 0.0, "challenge": 1.0},
        )
        for name, gain in (("up", "message"), ("down", "4 - message"))
    }
    terms = {
        "up": FiniteTerms([0.5, 0.3, 0.2], direction="up", payoffs=pay["up"]),
        "down": FiniteTerms([0.4, 0.2, 0.4], direction="down", payoffs=pay["down"]),
    }
    return FiniteGame(
        [1, 2, 3],
        actions=[0, 1],
        payoffs=pay["up"],
        action_labels=["accept", "challenge"],
        terms=terms,
        name="a lying game with detection",
    )


def says(ranked: list[tuple[Case, Calibration]], recovered: list[tuple[str, RecoveryStudy]]) -> str:
    """The section of the README."""
    passed = [calibrated.passed for _, calibrated in ranked]
    table = verdicts(ranked).drop(columns="broken")
    spent = sum(sum(study.seconds.values()) for _, study in (*ranked, *recovered))
    return f"""
{sum(passed)} of {len(passed)} pass their calibration.

{{plot}}

Each line is one quantity; black ones leave their band. Grey: the band of uniform ranks, for all
quantities of a panel together at 5 %.

{markdown(table)}

Of people in both roles the ranks are those of the joint posterior: both populations, and the
correlation of lying aversion and trust, whose planted values are drawn from its prior. "Left out":
fits that did not sample well, or whose weights cannot be relied on. Every quantity:
[general_game.csv](results/general_game.csv).

**Recovery**, of the first {recovered[0][1].values["seed"].nunique()} of these experiments:

{markdown(coverage(recovered))}

Coverage with its standard error over experiments; correlation of the ranks of planted and estimated
values, the median parameter. Bias, error and coverage of every parameter:
[general_game_recovery.csv](results/general_game_recovery.csv).

{SUBJECTS} subjects, {ROUNDS} rounds, default priors; 2 chains of {CALIBRATION_SAMPLING.draws} draws
after {CALIBRATION_SAMPLING.tune} steps of warm-up; {RANKS} possible ranks. Compiling and sampling:
{spent / 60:.0f} min in all.
"""


if __name__ == "__main__":
    main()
