"""Each bias of the real experiment left out in turn, and predicted from the others.

    python benchmarks/real_unseen.py [TRIALS --game GAME.toml] [--roles ROLE ...] [--static]
        [--jobs N] [--folder FITS] [--out DIR]

A policy that changes the bias is trusted as far as the models foresee a bias that they have not
seen. Trust-embedded, level-k and their mixture, with people who stay as they are, and the first two
with people who learn (there is no mixture of theories that learn), are fitted to the trials of all
biases but one, with parameters that are the same under all of them. Mean inflation of messages and
mean discount of actions under the other are predicted for the same people, and held against what
they did. Results are written after each model, so that a run that is stopped leaves what it found.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from common import command_line, markdown, read_experiment, write_results
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.inference.executors import process_pool
from trustbayes.report.page.style import GREY, grid, legend_below, look, style
from trustbayes.simulation.policies.unseen import foreseen

STATIC = tb.Sampling()
LEARNING = tb.Sampling(draws=300, tune=300, chains=2)
RULES = {"trust-embedded": "shift", "level-k": "depth"}
THEORIES = (*RULES, "mixture")
CI_PROB, SEED = 0.9, 1


def main() -> None:
    parser = command_line(__doc__, experiment=True)
    parser.add_argument("--roles", nargs="+", default=["receiver", "sender"])
    parser.add_argument("--static", action="store_true", help="without people who learn")
    options = parser.parse_args()
    trials = read_experiment(options)
    jobs = [(role, name, "none") for role in options.roles for name in THEORIES]
    if not options.static:
        jobs += [(role, name, rule) for role in options.roles for name, rule in RULES.items()]
    jobs.sort(key=lambda job: job[:2] == ("sender", "mixture"))  # which takes longest
    found: list[pd.DataFrame] = []
    with process_pool(options.jobs) as pool:
        for role, name, rule in jobs:
            model = tb.model(name, role, trials.game)
            if rule != "none":
                model = model.replace(learning=rule)
            rows = foreseen(
                model, trials, STATIC if rule == "none" else LEARNING,
                seed=SEED, ci_prob=CI_PROB, folder=options.folder, executor=pool,
            )  # fmt: skip
            people = "stay" if rule == "none" else "learn"
            found.append(rows.assign(learning=people))
            table = pd.concat(found, ignore_index=True)
            with style():
                figure = draw(table, trials)
            tables = {"real_unseen.csv": table.round(4)}
            write_results("real_unseen", options.out, tables, figure, says(table))


def label(row: pd.Series) -> str:
    """What a model is called."""
    return f"{row['model']}, who learn" if row["learning"] == "learn" else str(row["model"])


def draw(table: pd.DataFrame, trials: tb.Trials) -> Figure:
    """Predicted and observed means, by role and bias."""
    roles = list(dict.fromkeys(table["role"]))
    models = list(dict.fromkeys(zip(table["model"], table["learning"], strict=True)))
    figure, panels = grid(len(roles), 2, width=4.0, height=3.2)
    for panel, role in zip(panels, roles, strict=True):
        rows = table[table["role"] == role]
        biases = [name for name in trials.treatments if (rows["treatment"] == name).any()]
        for at, name in enumerate(biases):
            here = rows[rows["treatment"] == name]
            observed, others = here[["observed", "others"]].iloc[0]
            panel.hlines(observed, at - 0.45, at + 0.45, color="black", lw=1.6, zorder=1)
            panel.hlines(others, at - 0.45, at + 0.45, color=GREY, lw=1.2, ls=":", zorder=0)
            for row in here.to_dict("records"):
                place = models.index((row["model"], row["learning"]))
                x = at + 0.15 * (place - (len(models) - 1) / 2)
                learns, kind = row["learning"] == "learn", look(str(row["model"]))
                panel.errorbar(
                    x,
                    row["predicted"],
                    yerr=[[row["predicted"] - row["lower"]], [row["upper"] - row["predicted"]]],
                    fmt=kind.marker,
                    color=kind.colour,
                    mfc="white" if learns else kind.colour,
                    ms=5,
                    lw=1.2,
                    capsize=2,
                )
        panel.set_xticks(range(len(biases)), biases)
        panel.set_xlabel("bias left out")
        what = "inflation of messages" if role == "sender" else "discount of actions"
        panel.set_ylabel(f"mean {what}\n(units of the state)")
        panel.set_title(f"{role.capitalize()}s")
    handles = [panels[0].plot([], [], color="black", lw=1.6, label="observed")[0]]
    handles += panels[0].plot([], [], color=GREY, lw=1.2, ls=":", label="mean of the other biases")
    for name, learning in models:
        kind, learns = look(str(name)), learning == "learn"
        handles += panels[0].plot(
            [],
            [],
            kind.marker,
            color=kind.colour,
            mfc="white" if learns else kind.colour,
            label=f"{name}, who learn" if learns else str(name),
        )
    legend_below(figure, handles)
    return figure


def how(table: pd.DataFrame) -> str:
    """How the fits were made, and which are still to be."""
    text = f"People who stay as they are: {STATIC.chains} chains of {STATIC.draws} draws."
    if (table["learning"] == "learn").any():
        text += (
            f" Open marks: people who learn, predicted one step ahead, {LEARNING.chains} chains of "
            f"{LEARNING.draws}."
        )
    done = set(zip(table["role"], table["model"], table["learning"], strict=True))
    planned = [(name, "stay") for name in THEORIES] + [(name, "learn") for name in RULES]
    missing = [
        f"{name} {role}s" + (" who learn" if learning == "learn" else "")
        for role in ("receiver", "sender")
        for name, learning in planned
        if (role, name, learning) not in done
    ]
    return f"{text} Not run yet: {', '.join(missing)}." if missing else text


def says(table: pd.DataFrame) -> str:
    """What was found, in Markdown."""
    table = table.assign(called=[label(row) for _, row in table.iterrows()])
    table["error"] = (table["predicted"] - table["observed"]).abs()
    table["naive"] = (table["others"] - table["observed"]).abs()
    parts = []
    for (role, called), rows in table.groupby(["role", "called"], sort=False):
        parts.append(
            {
                "role": role,
                "model": called,
                "mean error": f"{rows['error'].mean():.2f}",
                "of the mean of the others": f"{rows['naive'].mean():.2f}",
                "inside": f"{int(rows['covered'].sum())} of {len(rows)}",
                "gates passed": f"{int(rows['converged'].sum())} of {len(rows)}",
            }
        )
    shown = table.assign(
        predicted=[
            f"{mean:.2f} ({lower:.2f} to {upper:.2f})"
            for mean, lower, upper in table[["predicted", "lower", "upper"]].to_numpy()
        ],
        observed=table["observed"].map("{:.2f}".format),
        others=table["others"].map("{:.2f}".format),
        inside=np.where(table["covered"], "yes", "NO"),
    )[["role", "called", "treatment", "observed", "predicted", "inside", "others"]]
    shown = shown.rename(
        columns={"called": "model", "treatment": "bias left out", "others": "in the others"}
    )
    best = [
        f"of {role}s {rows.groupby('called')['error'].mean().idxmin()} "
        f"(mean error {rows.groupby('called')['error'].mean().min():.2f}, by the mean of the other "
        f"biases {rows['naive'].mean():.2f})"
        for role, rows in table.groupby("role", sort=False)
    ]
    inside = int(table["covered"].sum())
    return f"""
The bias that was left out is foreseen best {" and ".join(best)}. {inside} of {len(table)} observed
means lie in their {CI_PROB:.0%} intervals.

{{plot}}

{markdown(pd.DataFrame(parts))}

Mean inflation of messages (senders) and mean discount of actions (receivers), units of the state;
{CI_PROB:.0%} intervals of replications of the same trials by the same people:

{markdown(shown)}

{how(table)}
"""


if __name__ == "__main__":
    main()
