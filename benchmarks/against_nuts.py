"""The population engine against long NUTS runs, on the experiments that come with the package.

    python benchmarks/against_nuts.py [--experiments NAME ...] [--models NAME ...]
        [--roles NAME ...] [--seeds N] [--folder FITS] [--out DIR]

Every statistic of the posterior by which the two could differ: the mean and the 5, 50 and 95 %
quantiles of every parameter of the population, and every subject's mean (in every treatment, where
it differs), each divided by the Monte Carlo error of both (ArviZ's `mcse`). Were the posteriors the
same, these z were standard normal: the largest of a few hundred is about 3, their root mean square
about 1, less where statistics go together. The engine runs with several seeds against one long run.

Seconds are what a user waits for 4 chains of 1,000 draws, compilation included; for NUTS of the
long run, with the part that draws it scaled to the default's number of steps.
"""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import replace

import arviz as az
import numpy as np
import pandas as pd
from common import command_line, markdown, write_results
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import trustbayes as tb
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.page.style import GREY, grid, legend_below, style

FORMULAS = {"trust": "1 + treatment", "response_precision": "1 + treatment"}
BOTH = ("sender", "receiver")
MODELS = {
    ("simulated-finite", "trust-embedded"): BOTH,
    ("simulated-finite", "trust-embedded, formulas"): ("receiver",),
    ("simulated-finite", "level-k"): BOTH,
    ("simulated-finite", "hybrid"): BOTH,
    ("simulated-finite", "mixture"): BOTH,
    ("simulated-finite", "full-trust"): BOTH,
    ("simulated-finite", "babbling"): BOTH,
    ("simulated-forecast", "trust-embedded"): BOTH,
    ("simulated-forecast", "level-k"): BOTH,
    ("simulated-forecast", "mixture"): BOTH,
    ("simulated-forecast", "full-trust"): BOTH,
    ("simulated-forecast", "babbling"): BOTH,
}
"""Roles, by experiment and model."""
DEFAULT = tb.Sampling(method="population")
LONG = tb.Sampling(method="nuts", draws=1500, tune=700, seed=7)
QUANTILES = (0.05, 0.5, 0.95)
WIDEST, RMS = 4.0, 1.3
"""Of z: what agrees."""


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    names = list(dict.fromkeys(name for _, name in MODELS))
    parser.add_argument(
        "--experiments", nargs="+", default=["simulated-finite", "simulated-forecast"]
    )
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    parser.add_argument("--roles", nargs="+", choices=BOTH, default=BOTH)
    parser.add_argument("--seeds", type=int, default=3, help="of the engine")
    options = parser.parse_args()
    parts = []
    for (experiment, name), both in MODELS.items():
        if experiment not in options.experiments or name not in options.models:
            continue
        for role in both:
            if role in options.roles:
                parts.append(compared(experiment, name, role, options))
                print(markdown(summary(parts[-1]).round(2)), flush=True)
    table = pd.concat(parts)
    rows = summary(table)
    files = {"against_nuts.csv": rows.round(3)}
    write_results("against_nuts", options.out, files, figure(table), says(rows))


def trials_of(experiment: str) -> tb.Trials:
    """Trials of an experiment that comes with the package."""
    data = tb.bundled(experiment)
    return tb.read_trials(data.trials, data.game)


def made(name: str, role: str, trials: tb.Trials) -> tb.Model:
    """A model by the name that it has here."""
    plain, _, formulas = name.partition(", ")
    settings = {"formulas": FORMULAS} if formulas else {}
    return tb.model(plain, role, trials.game, **settings)


def compared(experiment: str, name: str, role: str, options: Namespace) -> pd.DataFrame:
    """Every statistic of one model by both, a row for each and seed of the engine."""
    trials = trials_of(experiment)
    model = made(name, role, trials)
    seeds = [replace(DEFAULT, seed=seed) for seed in range(1, options.seeds + 1)]
    tasks = [FitTask(model, trials, sampling) for sampling in (LONG, *seeds)]
    nuts, *fits = run_fits(tasks, options.folder, progress=False)
    before, parts = statistics(nuts), []
    for sampling, fit in zip(seeds, fits, strict=True):
        both = statistics(fit).join(before.add_suffix("_nuts"))
        error = np.hypot(both["mcse"], both["mcse_nuts"])
        both = both[error > 0].assign(z=(both["value"] - both["value_nuts"]) / error)
        parts.append(
            both.reset_index().assign(
                experiment=experiment,
                model=name,
                role=role,
                seed=sampling.seed,
                seconds=sum(fit.manifest["seconds"].values()),
                seconds_nuts=waited(nuts),
                gate=fit.gate.passed,
                gate_nuts=nuts.gate.passed,
                error=fit.manifest["engine"]["integration"]["error"],
            )
        )
    return pd.concat(parts)


def waited(fit: tb.Fit) -> float:
    """Seconds that NUTS takes with the default's draws, from those of a long run."""
    seconds, steps = dict(fit.manifest["seconds"]), fit.sampling.draws + fit.sampling.tune
    sample = seconds.pop("sample") * (DEFAULT.draws + DEFAULT.tune) / steps
    return sample + sum(seconds.values())


def statistics(fit: tb.Fit) -> pd.DataFrame:
    """Values and Monte Carlo errors, by name of the statistic."""
    rows = {}
    for name, draws in fit.posterior.data_vars.items():
        parts = {"mean": draws.mean(("chain", "draw"))}, {"mean": az.mcse(draws)}
        if "subject" not in draws.dims:
            for p in QUANTILES:
                parts[0][f"{p:g}"] = draws.quantile(p, ("chain", "draw"))
                parts[1][f"{p:g}"] = az.mcse(draws, method="quantile", prob=p)
        for what, values in parts[0].items():
            errors = np.ravel(parts[1][what])
            for place, value in enumerate(np.ravel(values)):
                rows[f"{name}[{place}], {what}"] = (float(value), float(errors[place]))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["value", "mcse"])


AGREEMENT = {
    "statistics": "size",
    "largest": lambda z: z.abs().max(),
    "rms": lambda z: float(np.sqrt((z**2).mean())),
}


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each model and role: the worst of the engine's seeds."""
    keys = ["experiment", "model", "role"]
    by_seed = table.groupby([*keys, "seed"], sort=False)["z"].agg(**AGREEMENT)
    worst = by_seed.groupby(keys, sort=False).max()
    rest = table.groupby(keys, sort=False)[["seconds", "seconds_nuts", "error"]].median()
    gates = table.groupby(keys, sort=False)[["gate", "gate_nuts"]].all()
    rows = worst.join(rest).join(gates)
    rows["agrees"] = (rows["largest"] < WIDEST) & (rows["rms"] < RMS)
    rows["seeds"] = table.groupby(keys, sort=False)["seed"].nunique()
    return rows.reset_index()


def figure(table: pd.DataFrame) -> Figure:
    """Every z of the first seed, by model, over what a standard normal would have."""
    with style():
        drawing, [panel] = grid(1, 1, width=7.0, height=4.2)
        models = list(table.groupby(["experiment", "model", "role"], sort=False))
        for y, (_, rows) in enumerate(models):
            z = np.sort(rows.loc[rows["seed"] == rows["seed"].min(), "z"])
            jitter = 0.25 * np.sin(np.arange(z.size) * 2.4)
            panel.plot(z, y + jitter, ".", color="#0072B2", ms=3, alpha=0.6)
        panel.axvspan(-WIDEST, WIDEST, color=GREY, alpha=0.15, lw=0)
        panel.set_yticks(
            range(len(models)), [f"{m}, {r}s ({e.split('-')[1]})" for (e, m, r), _ in models]
        )
        panel.set_ylim(len(models) - 0.5, -0.5)
        panel.set_xlabel("engine less NUTS, in Monte Carlo errors of both")
        marks = [
            Line2D([], [], marker=".", ls="", color="#0072B2", label="one statistic"),
            Line2D([], [], color=GREY, alpha=0.4, lw=7, label=f"± {WIDEST:g}"),
        ]
        legend_below(drawing, marks)
        return drawing


def says(rows: pd.DataFrame) -> str:
    """The section of the README."""
    yes = {True: "yes", False: "no"}
    shown = pd.DataFrame(
        {
            "experiment": rows["experiment"],
            "model": rows["model"],
            "role": rows["role"],
            "statistics": rows["statistics"],
            "largest z": rows["largest"].map("{:.1f}".format),
            "rms z": rows["rms"].map("{:.2f}".format),
            "agrees": rows["agrees"].map(yes),
            "engine, s": rows["seconds"].map("{:.0f}".format),
            "NUTS, s": rows["seconds_nuts"].map("{:.0f}".format),
            "gate, engine": rows["gate"].map(yes),
            "gate, NUTS": rows["gate_nuts"].map(yes),
            "integration error, sd": rows["error"].map("{:.3f}".format),
        }
    )
    return f"""
The engine and NUTS agree for {int(rows["agrees"].sum())} of {len(rows)} models and roles: no
statistic differs by more than {WIDEST:g} Monte Carlo errors of both, and their root mean square is
at most {RMS:g}.

{{plot}}

{markdown(shown)}

The experiments that come with the package. The engine with {int(rows["seeds"].max())} seeds, of
which the worst counts; NUTS with {LONG.chains} chains of {LONG.draws:,} draws after
{LONG.tune:,}. Statistics: means and 5, 50, 95 % quantiles of the population, and subjects' means.
Seconds: compilation included, {DEFAULT.chains} chains of {DEFAULT.draws:,} draws, as the machine
was at the time: load average {os.getloadavg()[2]:.0f} on {os.cpu_count()} cores, where a quiet one
has at most {os.cpu_count()}.
"""


if __name__ == "__main__":
    main()
