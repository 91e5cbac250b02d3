"""The models of the finite game on the real experiment, by every criterion of the package.

    python benchmarks/real_comparison.py [TRIALS --game GAME.toml] [--jobs N] [--folder FITS]
        [--out DIR]

All models of the finite game, both roles: leave-one-subject-out (LOSO: all trials of a new
subject), 8-fold by matching group (all trials of a new group, by real refits), LOO and WAIC (a new
trial of a known subject, with standard errors by trial and by subject), the convergence gate, and
the seconds that the fit and its LOSO took.
"""

from __future__ import annotations

import time

import pandas as pd
from common import command_line, largest_rhat, markdown, read_experiment, write_results
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import trustbayes as tb
from trustbayes.comparison import Comparison, HeldOut
from trustbayes.inference.executors import process_pool
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.page.style import GREY, grid, legend_below, look, style

MODELS = ("trust-embedded", "level-k", "mixture", "hybrid", "babbling", "full-trust")
FULL = tb.Sampling()
COMBINATIONS = ("mixture", "hybrid")
LOSO_DRAWS = 1000  # of combinations, whose integrals take long; all of the others
REFIT = tb.Sampling(draws=500, tune=400, chains=2)
FOLDS, SEED = 8, 1
LOSO, KFOLD = "LOSO", f"{FOLDS}-fold by group"
CRITERIA = {
    LOSO: ("subject", "loso"),
    "LOO": ("trial", "loo"),
    "LOO, summed by subject": ("subject-sum", "loo"),
    "WAIC": ("trial", "waic"),
    "WAIC, summed by subject": ("subject-sum", "waic"),
}
"""Unit and criterion of a `tb.Comparison`, by what they are called here."""
DRAWN = {LOSO: "o", KFOLD: "s", "LOO, summed by subject": "^", "WAIC, summed by subject": "v"}
"""Marker of each criterion in the figure."""
LINEAR, TICKS = 300, (0, -100, -200, -300, -1000, -3000, -10000)


def main() -> None:
    options = command_line(__doc__, experiment=True).parse_args()
    trials = read_experiment(options)
    known = tb.model_names(trials.game.kind)
    for name in MODELS:
        if name not in known:
            print(f"{name}: left out, the package has no such model of this kind of game yet")
    names = [name for name in MODELS if name in known]
    scores, made = [], []
    with process_pool(options.jobs) as pool:
        for role in trials.roles:
            models = [tb.model(name, role, trials.game) for name in names]
            fits = run_fits([FitTask(m, trials, FULL) for m in models], options.folder, pool)
            seconds, by_subject = {}, {}
            for fit in fits:
                started = time.perf_counter()
                most = LOSO_DRAWS if fit.model.name in COMBINATIONS else 0
                by_subject[fit.model.name] = tb.leave_one_subject_out(fit, draws=most)
                seconds[fit.model.name] = time.perf_counter() - started
            comparison = tb.compare(fits, "trial").with_scores(by_subject)
            started = time.perf_counter()
            folds = tb.kfold(
                models, trials, "group", FOLDS, REFIT,
                seed=SEED, folder=options.folder, executor=pool,
            )  # fmt: skip
            print(f"{role}s: {time.perf_counter() - started:.0f} s of {FOLDS}-fold in this run")
            scores.append(criteria(comparison, folds))
            made += [fitted(fit, by_subject[fit.model.name], seconds, folds) for fit in fits]
    table, fits_table = pd.concat(scores), pd.DataFrame(made)
    write_results(
        "real_comparison",
        options.out,
        {
            "real_comparison.csv": table.round(4),
            "real_comparison_fits.csv": fits_table.round(4),
        },
        figure(table),
        says(table, fits_table),
    )


def criteria(comparison: Comparison, folds: HeldOut) -> pd.DataFrame:
    """A row for each criterion and model, best first."""
    parts = {what: comparison.rows(*which) for what, which in CRITERIA.items()}
    parts[KFOLD] = folds.totals()
    columns = ["elpd", "se", "elpd_diff", "dse", "p", "weight", "warning"]
    tables = [
        rows.reindex(columns=columns).rename_axis("model").reset_index().assign(criterion=what)
        for what, rows in parts.items()
    ]
    return pd.concat(tables).assign(role=comparison.role)[["role", "criterion", "model", *columns]]


def fitted(
    fit: tb.Fit, scores: tb.SubjectScores, seconds: dict[str, float], folds: HeldOut
) -> dict[str, object]:
    """What there is to say of a fit."""
    name = fit.model.name
    refits = [gate for (model, _), gate in folds.gates.items() if model == name]
    return {
        "role": fit.model.role,
        "model": name,
        "gate": "passed" if fit.gate.passed else "failed",
        "failed": "; ".join(f"{c.name} {c.value:.4g} ({c.worst})" for c in fit.gate.failed),
        "fit_seconds": sum(fit.manifest["seconds"].values()),
        "loso_seconds": seconds[name],
        "pareto_k_max": scores.pareto_k.max(),
        "pareto_k_large": len(scores.unreliable),
        "integration_error": scores.error.sum(),
        "refits_rhat": largest_rhat(refits),
    }


def figure(table: pd.DataFrame) -> Figure:
    """How far each model falls behind the best, by each criterion."""
    with style():
        roles = list(dict.fromkeys(table["role"]))
        models = len(set(table["model"]))
        drawing, axes = grid(len(roles), 2, width=4.6, height=0.8 + 0.5 * models)
        for panel, role in zip(axes, roles, strict=True):
            of_role = table[table["role"] == role]
            order = list(of_role.loc[of_role["criterion"] == LOSO, "model"])
            for line, (what, marker) in enumerate(DRAWN.items()):
                rows = of_role[of_role["criterion"] == what].set_index("model").loc[order]
                for y, (name, row) in enumerate(rows.iterrows()):
                    panel.errorbar(
                        row["elpd_diff"],
                        y + 0.18 * (line - 1.5),
                        xerr=2 * row["dse"],
                        fmt=marker,
                        color=look(str(name)).colour,
                        mfc=look(str(name)).colour if what == LOSO else "white",
                        ms=5,
                        capsize=2,
                        lw=1.2,
                    )
            panel.axvline(0, color=GREY, lw=1, zorder=0)
            panel.set_xscale("symlog", linthresh=LINEAR, linscale=2)
            panel.set_xticks(TICKS, [f"{tick:,}" for tick in TICKS])
            ends = (
                of_role["elpd_diff"] - 2 * of_role["dse"],
                of_role["elpd_diff"] + 2 * of_role["dse"],
            )
            panel.set_xlim(1.2 * float(ends[0].min()), max(0.1 * LINEAR, float(ends[1].max())))
            panel.set_yticks(range(len(order)), [tb.model(m, role).spec.title for m in order])
            panel.set_ylim(len(order) - 0.5, -0.5)
            panel.set_title(f"{role.capitalize()}s")
            panel.set_xlabel(
                "behind the best (nats; bars: ± 2 standard errors;\n"
                f"logarithmic beyond {LINEAR} nats)"
            )
        marks = [
            Line2D(
                [], [], marker=marker, ls="", color="black", label=what,
                mfc="black" if what == LOSO else "white",
            )
            for what, marker in DRAWN.items()
        ]  # fmt: skip
        legend_below(drawing, marks)
        return drawing


def says(table: pd.DataFrame, fits: pd.DataFrame) -> str:
    """The section of the README."""
    sentences = []
    for role, rows in table.groupby("role", sort=False):
        best = {what: part["model"].iloc[0] for what, part in rows.groupby("criterion", sort=False)}
        second = rows[rows["criterion"] == LOSO].iloc[1]
        agree = "every criterion" if len(set(best.values())) == 1 else "LOSO"
        others = ", ".join(f"{what}: {name}" for what, name in best.items() if name != best[LOSO])
        sentences.append(
            f"{role.capitalize()}s are predicted best by {best[LOSO]} by {agree}, "
            f"{-second['elpd_diff']:.0f} ± {2 * second['dse']:.0f} nats (two standard errors) "
            f"before {second['model']} by LOSO" + (f" ({others})" if others else "") + "."
        )
    cells = table.assign(
        cell=[
            f"{elpd:.0f}" if diff == 0 else f"{diff:.0f} ± {dse:.0f}"
            for elpd, diff, dse in zip(
                table["elpd"], table["elpd_diff"], table["dse"], strict=True
            )
        ]
    )  # fmt: skip
    key = ["role", "model"]
    order = [LOSO, KFOLD, *list(CRITERIA)[1:]]
    best_first = table.loc[table["criterion"] == LOSO, key]
    shown = best_first.merge(fits, on=key)
    for what in order:
        column = cells.loc[cells["criterion"] == what, [*key, "cell"]]
        shown = shown.merge(column.rename(columns={"cell": what}), on=key)
    for seconds, title in (("fit_seconds", "fit, s"), ("loso_seconds", "its LOSO, s")):
        shown[title] = shown[seconds].map("{:.0f}".format)
    shown = shown[[*key, *order, "gate", "fit, s", "its LOSO, s"]]
    return f"""
{" ".join(sentences)}

{{plot}}

{markdown(shown)}

In nats: the best model's expected log predictive density, and of the others the difference to it ±
one standard error. LOSO predicts all trials of a new subject, the {FOLDS}-fold all trials of a new
matching group, by real refits; LOO and WAIC predict a new trial of a known subject, so that they
say nothing of new people. Fits: {FULL.chains} chains of {FULL.draws} draws; refits of the
{FOLDS}-fold: {REFIT.chains} of {REFIT.draws} after {REFIT.tune} steps of warm-up. All numbers and
warnings: [real_comparison.csv](results/real_comparison.csv); gates, Pareto k, errors of integration
and the refits' largest R-hat: [real_comparison_fits.csv](results/real_comparison_fits.csv).
"""


if __name__ == "__main__":
    main()
