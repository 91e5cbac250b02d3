"""Whether a policy's intervals hold what happens: fit one treatment, predict the other.

    python benchmarks/policy_coverage.py [--experiments N] [--wrong N] [--truths NAMES]
        [--first SEED] [--jobs N] [--folder FITS] [--out DIR]

Experiments with two treatments of a finite game are simulated from each theory, with parameters
that are the same in both. Each theory is fitted to the first treatment alone, the policy changes
its bias to that of the second, and the 90 % intervals of what the people of the experiment earn
are held against what they expect to earn there by their planted parameters. By the theory that
generated the data they should hold it in 90 % of the experiments; by the other one, they show what
the wrong theory costs. Beside it stands how often the check that every result carries (mean message
and mean action of the treatment that was not fitted, predicted) says that the models do not foresee
it. Results are written after every ten experiments of a theory, so that a run that is stopped
leaves what it found.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from common import command_line, markdown, write_results
from matplotlib.figure import Figure
from planted_crowds import earned_by, everywhere_alike
from scipy.stats import binomtest

import trustbayes as tb
from trustbayes.inference.executors import process_pool
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.page.style import GREY, grid, look, style
from trustbayes.simulation.policies.unseen import Unseen, predicted_treatment
from trustbayes.trials.table import trials_from_frame

GAME = tb.FiniteGame([1, 2, 3, 4, 5], treatments={"Low": 0.7, "High": 1.6})
LEARNT, PREDICTED, BIAS = "Low", "High", 1.6
THEORIES = ("trust-embedded", "level-k")
SUBJECTS, ROUNDS = 20, 40
SAMPLING = tb.Sampling(method="population")
ROLES = ("sender", "receiver")
BATCH, CI_PROB = 10, 0.9


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    parser.add_argument("--experiments", type=int, default=60, help="of each theory")
    parser.add_argument("--wrong", type=int, default=60, help="of them fitted by the other, too")
    parser.add_argument("--truths", default=",".join(THEORIES), help="theories that generate data")
    parser.add_argument(
        "--first", type=int, default=0, help="seed; what others gave is taken from the table in DIR"
    )
    options = parser.parse_args()
    truths = options.truths.split(",")
    models = {
        theory: {role: everywhere_alike(tb.model(theory, role, GAME)) for role in ROLES}
        for theory in THEORIES
    }
    played = {
        (truth, seed): tb.simulate(
            GAME, **models[truth], subjects=SUBJECTS, rounds=ROUNDS, seed=seed
        )
        for truth in truths
        for seed in range(options.first, options.experiments)
    }
    right = [(truth, seed, truth) for truth, seed in played]
    wrong = [
        (truth, seed, theory)
        for seed in range(options.first, min(options.wrong, options.experiments))
        for truth in truths
        for theory in THEORIES
        if theory != truth
    ]
    keys, tasks = [*right, *wrong], []
    for truth, seed, theory in keys:
        table = played[truth, seed].trials
        learnt = trials_from_frame(table[table["treatment"] == LEARNT], GAME, f"{truth} {seed}")
        tasks += [FitTask(models[theory][role], learnt, SAMPLING) for role in ROLES]
    rows: list[tuple] = []
    if options.first:
        rows += pd.read_csv(options.out / "policy_coverage.csv").itertuples(index=False, name=None)
    with process_pool(options.jobs) as pool:
        for start in range(0, len(keys), BATCH):
            part = keys[start : start + BATCH]
            fits = run_fits(tasks[2 * start : 2 * (start + BATCH)], options.folder, pool)
            pairs = list(zip(fits[::2], fits[1::2], strict=True))
            rows += evaluated(part, pairs, played, models)
            write(rows, options.out)


def evaluated(keys, pairs, played, models) -> list[tuple]:
    """Rows of experiments: what was planted in the other treatment, and what was predicted."""
    rows = []
    change = tb.Policy("the other treatment", game={"bias": BIAS})
    for (truth, seed, theory), pair in zip(keys, pairs, strict=True):
        whole = trials_from_frame(played[truth, seed].trials, GAME)
        rng = np.random.default_rng(seed)
        check = [predicted_treatment(fit, whole, PREDICTED, CI_PROB, rng) for fit in pair]
        warned = not Unseen(pd.DataFrame(check), CI_PROB).foreseen
        effects = tb.counterfactual(*pair, [change], seed=seed, draws=600, ci_prob=CI_PROB).effects
        effects = effects[(effects["policy"] == change.name) & (effects["outcome"] == "payoff")]
        real = earned_by(played[truth, seed], models[truth], PREDICTED, seed)
        passed = all(fit.gate.passed for fit in pair)
        for row in effects.to_dict("records"):
            paid = float(real["payoff", row["party"]].mean())
            inside = row["lower"] <= paid <= row["upper"]
            rows.append(
                (truth, theory, seed, row["party"], passed, warned, paid, row["mean"], row["lower"],
                 row["upper"], inside)
            )  # fmt: skip
    return rows


def write(rows: list[tuple], out: Path) -> None:
    """Write what was found so far."""
    columns = [
        "truth",
        "theory",
        "seed",
        "party",
        "converged",
        "warned",
        "real",
        "predicted",
        "lower",
        "upper",
    ]
    table = pd.DataFrame(rows, columns=[*columns, "covered"])
    shares = (
        table.groupby(["truth", "theory", "party"], sort=False)
        .agg(
            experiments=("covered", "size"),
            held=("covered", "sum"),
            covered=("covered", "mean"),
            warned=("warned", "mean"),
        )
        .reset_index()
    )
    with style():
        figure = draw(shares)
    write_results(
        "policy_coverage",
        out,
        {"policy_coverage.csv": table.round(4)},
        figure,
        says(table, shares),
    )


def draw(shares: pd.DataFrame) -> Figure:
    """Coverage by truth, theory and party."""
    truths = list(dict.fromkeys(shares["truth"]))
    figure, panels = grid(len(truths), 2, width=3.4, height=2.8, sharey=True)
    parties = list(dict.fromkeys(shares["party"]))
    for panel, truth in zip(panels, truths, strict=True):
        for number, theory in enumerate(THEORIES):
            part = shares[(shares["truth"] == truth) & (shares["theory"] == theory)]
            if part.empty:
                continue
            x = [parties.index(p) + 0.12 * (2 * number - 1) for p in part["party"]]
            spans = np.array([wilson(*row) for row in part[["held", "experiments"]].to_numpy()]).T
            panel.errorbar(
                x,
                part["covered"],
                yerr=np.abs(spans - part["covered"].to_numpy()),
                fmt=look(theory).marker,
                color=look(theory).colour,
                label=f"{theory}, {part['experiments'].iloc[0]} experiments",
                lw=1.2,
                capsize=2,
            )
        panel.axhspan(0.85, 0.95, color=GREY, alpha=0.3, lw=0)
        panel.set_xticks(range(len(parties)), parties)
        panel.set_xlim(-0.5, len(parties) - 0.5)
        panel.set_ylim(-0.03, 1.03)
        panel.set_title(f"data of {truth} people")
        panel.legend(loc="center", bbox_to_anchor=(0.5, 0.69))
    panels[0].set_ylabel("share of 90 % intervals\nthat hold what was planted")
    return figure


def wilson(held: float, experiments: float) -> tuple[float, float]:
    """Wilson's 90 % interval of a share of experiments."""
    found = binomtest(int(held), int(experiments)).proportion_ci(CI_PROB, method="wilson")
    return float(found.low), float(found.high)


def lacking(table: pd.DataFrame) -> str:
    """Which experiments are not there, though later ones are: fits that failed, or are to come."""
    parts = []
    for (truth, theory), rows in table.groupby(["truth", "theory"], sort=False):
        gone = sorted(set(range(int(rows["seed"].max()) + 1)) - set(rows["seed"]))
        if gone:
            parts.append(f"{theory} on data of {truth} people {', '.join(map(str, gone))}")
    return f" Experiments without fits, left out: {'; '.join(parts)}." if parts else ""


def says(table: pd.DataFrame, shares: pd.DataFrame) -> str:
    """What was found, in Markdown."""
    spans = [wilson(*row) for row in shares[["held", "experiments"]].to_numpy()]
    shown = shares.assign(
        covered=[
            f"{share:.2f} ({low:.2f} to {high:.2f})"
            for share, (low, high) in zip(shares["covered"], spans, strict=True)
        ],
        warned=shares["warned"].map("{:.2f}".format),
    ).drop(columns="held")
    converged = table.drop_duplicates(["truth", "theory", "seed"])["converged"].mean()
    return (
        f"Payoffs of a treatment that was not fitted, {SUBJECTS} senders and {SUBJECTS} receivers, "
        f"{ROUNDS // 2} rounds of the other treatment each.\n\n{{plot}}\n\n{markdown(shown)}\n\n"
        f"{converged:.0%} of the pairs of fits passed the gate; all are counted. Covered: with "
        "Wilson's 90 % interval for so many experiments. Warned: the "
        "share of experiments in which the check says that the models do not foresee the "
        "treatment; it does so unless both means lie in their intervals, which of two right ones "
        "happens in 81 %."
        f"{lacking(table)}"
    )


if __name__ == "__main__":
    main()
