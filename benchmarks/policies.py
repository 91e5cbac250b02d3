"""Expected payoffs against simulated people who meet one by one, and how fast policies are played.

    python benchmarks/policies.py [TRIALS --game GAME.toml] [--meetings N] [--folder FITS]
        [--out DIR]

Two million meetings of each kind of game, by people whose parameters are drawn from the priors of
the trust-embedded and the level-k models: what they earned, against what the formulas by which
policies are played say that they expect to earn. Then the time of twenty policies on the real
experiment with 1,000 draws.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from common import command_line, markdown, read_experiment, write_results
from matplotlib.figure import Figure
from planted_crowds import earned_by, payoffs_of

import trustbayes as tb
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.page.style import GREY, grid, style
from trustbayes.simulation.policies.world import averaged

PEOPLE, SIMULATIONS = 40, 10
SAMPLING = tb.Sampling(draws=500, tune=500, chains=2, method="population")
GAMES = {
    "finite": tb.FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 0.5, "High": 2.0}),
    "forecast-sharing": tb.ForecastGame(
        treatments={"CLUL": tb.Market(15, 25), "CHUH": tb.Market(60, 75)}
    ),
}
THEORIES = ("trust-embedded", "level-k")


def main() -> None:
    parser = command_line(__doc__, experiment=True)
    parser.add_argument("--meetings", type=int, default=2_000_000, help="of each kind of game")
    options = parser.parse_args()
    rows = pd.concat([met(kind, options.meetings) for kind in GAMES], ignore_index=True)
    timed = speed(options)
    with style():
        figure = draw(rows)
    tables = {"policies.csv": rows.round(4), "policies_speed.csv": timed.round(2)}
    write_results("policies", options.out, tables, figure, says(rows, timed, options.meetings))


def met(kind: str, meetings: int) -> pd.DataFrame:
    """What people earned and what they should: a row for each experiment, treatment and party."""
    game, rows = GAMES[kind], []
    rounds = meetings // (len(THEORIES) * SIMULATIONS * PEOPLE)
    for theory in THEORIES:
        models = {role: tb.model(theory, role, game) for role in ("sender", "receiver")}
        for seed in range(SIMULATIONS):
            played = tb.simulate(game, **models, subjects=PEOPLE, rounds=rounds, seed=seed)
            table = payoffs_of(played, seed)
            for treatment in game.treatments:
                part = table[table["treatment"] == treatment]
                expected = earned_by(played, models, treatment, seed)
                for party in ("sender", "receiver"):
                    paid, formula = part[f"{party}_paid"], expected["payoff", party]
                    simulated = (
                        formula.std(ddof=1) / np.sqrt(len(formula)) if len(formula) > 1 else 0.0
                    )
                    error = np.hypot(paid.std() / np.sqrt(len(paid)), simulated)
                    mean = float(averaged(formula)[0])
                    row = (
                        kind,
                        theory,
                        seed,
                        treatment,
                        party,
                        len(paid),
                        paid.mean(),
                        mean,
                        error,
                    )
                    rows.append(row)
    columns = [
        "kind",
        "theory",
        "seed",
        "treatment",
        "party",
        "meetings",
        "earned",
        "expected",
        "error",
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(z=(table["earned"] - table["expected"]) / table["error"])


def speed(options) -> pd.DataFrame:
    """Seconds of twenty policies on the real experiment, 1,000 draws, by theory."""
    trials = read_experiment(options)
    policies = [tb.Policy(f"bias {b}", game={"bias": b}) for b in (0.1, 0.3, 0.5, 0.8, 1.2, 1.5)]
    policies += [
        tb.Policy(f"fine {f}", audit=tb.Audit(0.5, float(f))) for f in (5, 10, 20, 40, 80, 160, 320)
    ]
    policies += [
        tb.Policy(f"precision {s}", shift={"receiver.response_precision": s})
        for s in (-1.0, -0.5, 0.2, 0.5, 1.0, 1.5, 2.0)
    ]
    rows = []
    for theory in THEORIES:
        models = [tb.model(theory, role, trials.game) for role in ("sender", "receiver")]
        fits = run_fits([FitTask(m, trials, SAMPLING) for m in models], options.folder)
        for people in ("these", "new"):
            start = time.perf_counter(), time.process_time()
            effect = tb.counterfactual(*fits, policies, seed=1, people=people, draws=1000)
            took = time.perf_counter() - start[0], time.process_time() - start[1]
            rows.append((theory, people, len(policies), effect.draws, *took))
    columns = ["theory", "people", "policies", "draws", "seconds", "CPU seconds"]
    return pd.DataFrame(rows, columns=columns)


def draw(rows: pd.DataFrame) -> Figure:
    """Deviations in standard errors against the normal distribution."""
    figure, panels = grid(2, 2, width=3.6, height=3.0)
    for panel, (kind, part) in zip(panels, rows.groupby("kind"), strict=True):
        z = np.sort(part["z"])
        panel.axline((0, 0), slope=1, color=GREY, lw=1)
        steps = (np.arange(z.size) + 0.5) / z.size
        panel.plot(
            np.sort(np.random.default_rng(0).normal(size=100_000))[(steps * 1e5).astype(int)],
            z,
            ".",
        )
        panel.set_title(kind)
        panel.set_xlabel("expected of normal errors")
        panel.set_ylabel("earned less expected, standard errors")
    return figure


def says(rows: pd.DataFrame, timed: pd.DataFrame, meetings: int) -> str:
    """What was found, in Markdown."""
    parts = [
        f"{kind}: largest deviation {part['z'].abs().max():.2f} standard errors of {len(part)}, "
        f"root mean square {np.sqrt((part['z'] ** 2).mean()):.2f}"
        for kind, part in rows.groupby("kind")
    ]
    shown = timed.assign(
        **{name: timed[name].map("{:.1f}".format) for name in ("seconds", "CPU seconds")}
    )
    return (
        f"{meetings:,} meetings of each kind of game. {'; '.join(parts)}.\n\n{{plot}}\n\n"
        f"Seconds of all policies together on the real experiment:\n\n{markdown(shown)}"
    )


if __name__ == "__main__":
    main()
