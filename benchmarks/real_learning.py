"""Static people and people who learn, on the real experiment.

    python benchmarks/real_learning.py [TRIALS --game GAME.toml] [--roles ROLE ...] [--jobs N]
        [--folder FITS] [--out DIR]

Trust-embedded and level-k play, each with people who stay as they are and with people who learn
(trust that shifts after news and forgets; depth of thought that moves up after bad news and down
after good): leave-one-subject-out, memory, gains and asymmetry with intervals, the gate, and
whether what choices owe to news lies in the interval of each model's replications. The feedback of
the experiment is not documented; it is taken to be the state to receivers, to senders the action.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from common import command_line, markdown, read_experiment, write_results
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.analysis.learning import Learning
from trustbayes.inference.executors import process_pool
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.figures.learning import effect_of_news
from trustbayes.report.games.registry import kind_of
from trustbayes.report.page.style import style

SAMPLING = tb.Sampling(draws=500, tune=400, chains=4)
STATIC = replace(SAMPLING, method="population")
LOSO_DRAWS = 400
RULES = {"trust-embedded": "shift", "level-k": "depth"}


def main() -> None:
    parser = command_line(__doc__, experiment=True)
    parser.add_argument("--roles", nargs="+", default=["receiver", "sender"])
    options = parser.parse_args()
    trials = read_experiment(options)
    tables: dict[str, list[pd.DataFrame]] = {"": [], "_effects": [], "_checks": []}
    drawn: dict[str, Learning] = {}
    for role in options.roles:
        static = {name: tb.model(name, role, trials.game) for name in RULES}
        moves = {name: model.replace(learning=RULES[name]) for name, model in static.items()}
        tasks = [FitTask(model, trials, STATIC) for model in static.values()]
        tasks += [FitTask(model, trials, SAMPLING) for model in moves.values()]
        if options.jobs > 1:
            with process_pool(options.jobs) as pool:
                made = run_fits(tasks, options.folder, pool)
        else:
            made = run_fits(tasks, options.folder, progress=False)
        names = [*static, *(f"{name} learning" for name in moves)]
        fits = dict(zip(names, made, strict=True))
        checks = {name: tb.experience_check(fit, trials) for name, fit in fits.items()}
        tables[""].append(scores(fits))
        tables["_checks"] += [c.after.assign(role=role, model=name) for name, c in checks.items()]
        tables["_effects"] += [
            tb.learning_effects(fit).assign(role=role, model=name)
            for name, fit in fits.items()
            if fit.model.learns
        ]
        drawn[role] = Learning(
            role=role,
            checks={name: checks[f"{name} learning"] for name in RULES},
            static={name: checks[name] for name in RULES},
            free=None, players={}, effects={}, rounds={}, after={}, gain=pd.DataFrame(),
        )  # fmt: skip
    written = {f"real_learning{name}.csv": pd.concat(t).round(4) for name, t in tables.items()}
    write_results(
        "real_learning",
        options.out,
        written,
        figure(drawn[options.roles[0]], trials),
        says(*written.values()),
    )


def scores(fits: dict[str, tb.Fit]) -> pd.DataFrame:
    """A row for each model, the best first."""
    comparison = tb.compare(fits, "subject", LOSO_DRAWS)
    rows = comparison.rows()[["elpd", "se", "elpd_diff", "dse"]]
    loso = comparison.scores["subject"]
    more = pd.DataFrame(
        {
            "role": [fit.model.role for fit in fits.values()],
            "gate": ["passed" if fit.gate.passed else "failed" for fit in fits.values()],
            "failed": [
                "; ".join(f"{c.name} {c.value:.4g} ({c.worst})" for c in fit.gate.failed)
                for fit in fits.values()
            ],
            "pareto_k_large": [len(loso[name].unreliable) for name in fits],
            "fit_seconds": [sum(fit.manifest["seconds"].values()) for fit in fits.values()],
        },
        index=list(fits),
    )
    return rows.join(more).rename_axis("model").reset_index()


def figure(learning: Learning, trials: tb.Trials) -> Figure:
    """What choices owe to news, observed and replicated."""
    titles = {name: tb.model(name, learning.role, trials.game).spec.title for name in RULES}
    with style():
        return effect_of_news(learning, kind_of(trials.game), list(RULES), titles)


def says(table: pd.DataFrame, effects: pd.DataFrame, checks: pd.DataFrame) -> str:
    """The section of the README."""
    sentences = []
    for role, rows in table.groupby("role", sort=False):
        best, second = rows.iloc[0], rows.iloc[1]
        sentences.append(
            f"{role.capitalize()}s are predicted best by {best['model']}, "
            f"{-second['elpd_diff']:.0f} ± {2 * second['dse']:.0f} nats (two standard errors) "
            f"before {second['model']}."
        )
    spans = effects.assign(
        interval=[
            f"{mean:.2f} ({lower:.2f} to {upper:.2f})"
            for mean, lower, upper in effects[["mean", "lower", "upper"]].to_numpy()
        ]
    )[["role", "model", "quantity", "interval"]]
    inside = checks.assign(
        replicated=[
            f"{mean:.2f} ({lower:.2f} to {upper:.2f})"
            for mean, lower, upper in checks[["mean", "lower", "upper"]].to_numpy()
        ],
        observed=checks["observed"].map("{:.2f}".format),
        inside=np.where(checks["inside"], "yes", "NO"),
    )[["role", "model", "treatment", "observed", "replicated", "inside"]]
    shown = table.assign(
        LOSO=[
            f"{elpd:.0f}" if diff == 0 else f"{diff:.0f} ± {dse:.0f}"
            for elpd, diff, dse in table[["elpd", "elpd_diff", "dse"]].to_numpy()
        ],
        **{"fit, s": table["fit_seconds"].map("{:.0f}".format)},
    )[["role", "model", "LOSO", "gate", "fit, s"]]
    return f"""
{" ".join(sentences)}

{markdown(shown)}

In nats: the best model's expected log predictive density, and of the others the difference to it ±
one standard error; {SAMPLING.chains} chains of {SAMPLING.draws} draws, LOSO by {LOSO_DRAWS} draws.
What moves people, with 90 % intervals:

{markdown(spans)}

{{plot}}

Choice less face value, after bad news less after good, within person, treatment and what was seen;
replications one step ahead, 90 % intervals:

{markdown(inside)}

Gates and Pareto k: [real_learning.csv](results/real_learning.csv).
"""


if __name__ == "__main__":
    main()
