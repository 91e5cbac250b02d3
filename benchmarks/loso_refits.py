"""Leave-one-subject-out by importance sampling against real refits.

    python benchmarks/loso_refits.py [TRIALS --game GAME.toml] [--jobs N] [--folder FITS]
        [--out DIR]

For trust-embedded and level-k, senders and receivers: a full fit, its leave-one-subject-out scores
(LOSO: subject parameters integrated out, Pareto-smoothed importance sampling over the draws), and
for 12 subjects the score by a fit to all others. The rule by which the 12 are chosen: the six with
the largest Pareto k, where importance sampling is hardest (and in whose place the engine draws
anew without them, which is held against the refits, too), and six of the others spread evenly
over their order by LOSO, its two ends included. A second full fit, with another seed, does the
choosing: a subject whose draws happen to hold a large weight has a large k and, of the same draws,
too low a score, so those chosen and scored by one set of draws would be too low on average.
Both sides are estimates, so each has an error:

- LOSO: of integration, as the package states it, and of the finite number of draws (the draws'
  influence on the estimate, by their effective number);
- refit: of integration and of the finite number of draws, as the package states it.

They agree if they differ by at most 0.3 nats or two standard errors. The total over the 12 agrees
if it differs by at most its standard error; there, the errors of LOSO by the finite number of
draws are summed draw by draw, because all subjects share the draws.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from arviz import ess
from arviz_stats.base import array_stats
from common import command_line, largest_rhat, markdown, read_experiment, write_results
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import trustbayes as tb
from trustbayes.inference.executors import process_pool
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.tasks import FitTask, run_fits
from trustbayes.report.page.style import GREY, grid, legend_below, look, style

MODELS = ("trust-embedded", "level-k")
FULL = tb.Sampling()
CHOOSING = tb.Sampling(seed=FULL.seed + 1)
REFIT = FULL
EACH = 6  # hard subjects, and others
BAND = 0.3  # nats
HARD, SPREAD = "largest Pareto k", "spread over LOSO"


def main() -> None:
    options = command_line(__doc__, experiment=True).parse_args()
    trials = read_experiment(options)
    subjects, totals = [], []
    with process_pool(options.jobs) as pool:
        models = [tb.model(name, role, trials.game) for role in trials.roles for name in MODELS]
        tasks = [FitTask(model, trials, size) for model in models for size in (FULL, CHOOSING)]
        fits = run_fits(tasks, options.folder, pool)
        for fit, choosing in zip(fits[::2], fits[1::2], strict=True):
            scores = tb.leave_one_subject_out(fit)
            why = choose(tb.leave_one_subject_out(choosing))
            refits = tb.refit_without(
                fit.model, trials, list(why), sampling=REFIT, folder=options.folder, executor=pool
            )
            table, total = agreement(fit, scores, why, refits)
            subjects.append(table)
            totals.append(total)
            print(markdown(pd.DataFrame([total])), flush=True)
    table, sums = pd.concat(subjects), pd.DataFrame(totals)
    files = {"loso_refits.csv": table.round(4), "loso_refits_totals.csv": sums.round(4)}
    write_results("loso_refits", options.out, files, figure(table), says(table, sums))


def choose(scores: tb.SubjectScores) -> dict[str, str]:
    """The subjects to be refitted without, and by which half of the rule."""
    hardness = np.where(np.isin(scores.labels, scores.refitted), np.inf, scores.pareto_k)
    order = np.argsort(-hardness, kind="stable")
    hard, rest = order[:EACH], order[EACH:]
    rest = rest[np.argsort(scores.elpd[rest], kind="stable")]
    even = rest[np.linspace(0, rest.size - 1, EACH).round().astype(int)]
    return {scores.labels[i]: HARD for i in hard} | {scores.labels[i]: SPREAD for i in even}


def influence(logs: np.ndarray) -> np.ndarray:
    """What each draw adds to the importance sampling estimates of subjects, shape (draws, n).

    To first order; `logs` are the draws' log likelihoods of the same shape.
    """
    weights = np.exp(array_stats.psislw(np.ascontiguousarray(logs.T))[0].T)
    likelihood = np.exp(logs - logs.max(axis=0))
    weights /= weights.mean(axis=0)
    mean = (weights * likelihood).mean(axis=0)
    return weights * (likelihood / mean - 1)


def monte_carlo_error(values: np.ndarray, chains: int) -> np.ndarray:
    """Standard error of the mean over draws of an array of shape (draws, n), by column."""
    chained = values.reshape(chains, -1, values.shape[1])
    size = ess(xr.Dataset({"x": (("chain", "draw", "n"), chained)}), method="mean")["x"]
    return values.std(axis=0) / np.sqrt(size.to_numpy())


def agreement(
    fit: tb.Fit, scores: tb.SubjectScores, why: dict[str, str], refits: tb.HeldOut
) -> tuple[pd.DataFrame, dict[str, object]]:
    """A row for each chosen subject, and one for their total."""
    at = [scores.labels.index(name) for name in why]
    logs = new_subject_log_likelihood(fit.draws()).log_likelihood[:, at]
    chains = fit.sampling.chains
    by_draw = influence(logs)
    exact = refits.table.set_index("unit").loc[list(why)]
    what = {"role": fit.model.role, "model": fit.model.name}
    table = pd.DataFrame(
        {
            **what,
            "subject": list(why),
            "chosen_for": list(why.values()),
            "pareto_k": scores.pareto_k[at],
            "loso": scores.elpd[at],
            "loso_integration_error": scores.error[at],
            "loso_monte_carlo_se": monte_carlo_error(by_draw, chains),
            "refit": exact["elpd"].to_numpy(),
            "refit_se": exact["error"].to_numpy(),
        }
    )
    errors = ["loso_integration_error", "loso_monte_carlo_se", "refit_se"]
    table["difference"] = table["loso"] - table["refit"]
    table["se"] = np.sqrt((table[errors] ** 2).sum(axis=1))
    table["agrees"] = table["difference"].abs() <= np.maximum(BAND, 2 * table["se"])
    [shared] = monte_carlo_error(by_draw.sum(axis=1, keepdims=True), chains)
    independent = (table[["loso_integration_error", "refit_se"]] ** 2).to_numpy().sum()
    total = {
        **what,
        "subjects": len(table),
        "loso": table["loso"].sum(),
        "refit": table["refit"].sum(),
        "difference": table["difference"].sum(),
        "se": float(np.sqrt(shared**2 + independent)),
        "largest": table["difference"].abs().max(),
        "agree": int(table["agrees"].sum()),
        "gate": "passed" if fit.gate.passed else "failed",
        "refits_rhat": largest_rhat(refits.gates.values()),
    }
    total["total_agrees"] = abs(total["difference"]) <= total["se"]
    return table, total


def figure(table: pd.DataFrame) -> Figure:
    """Every difference with its error."""
    with style():
        panels = list(table.groupby(["role", "model"], sort=False))
        drawing, axes = grid(len(panels), 2, width=4.0, height=2.7)
        reach = max(1.15 * BAND, 1.1 * float((table["difference"].abs() + 2 * table["se"]).max()))
        for panel, ((role, model), rows) in zip(axes, panels, strict=True):
            shape = look(str(model))
            panel.axhspan(-BAND, BAND, color=GREY, alpha=0.18, lw=0)
            panel.axhline(0, color=GREY, lw=1)
            rows = rows.sort_values("loso")
            for x, row in enumerate(rows.itertuples()):
                panel.errorbar(
                    x,
                    row.difference,
                    yerr=2 * row.se,
                    fmt="o",
                    color=shape.colour,
                    mfc=shape.colour if row.chosen_for == HARD else "white",
                    ms=5,
                    capsize=2,
                    lw=1.3,
                )
            panel.set_title(f"{tb.model(str(model), role).spec.title}, {role}s")
            panel.set_ylim(-reach, reach)
            panel.set_xticks(range(len(rows)), rows["subject"], rotation=45)
            panel.set_xlabel("subject left out, the worst predicted first")
            panel.set_ylabel("LOSO less refit (nats)")
        marks = [
            Line2D([], [], marker="o", ls="", color="black", label="one of the largest Pareto k"),
            Line2D([], [], marker="o", ls="", color="black", mfc="white", label="another subject"),
            Line2D([], [], color="black", lw=1.3, label="± 2 standard errors"),
            Line2D([], [], color=GREY, alpha=0.4, lw=7, label=f"± {BAND:g} nats"),
        ]
        legend_below(drawing, marks)
        return drawing


def says(table: pd.DataFrame, totals: pd.DataFrame) -> str:
    """The section of the README."""
    agree, large = int(table["agrees"].sum()), table["difference"].abs().max()
    shown = totals.assign(
        **{
            "LOSO, total": totals["loso"].map("{:.2f}".format),
            "refits, total": totals["refit"].map("{:.2f}".format),
            "difference ± se": [
                f"{d:+.3f} ± {s:.3f}"
                for d, s in zip(totals["difference"], totals["se"], strict=True)
            ],
            "largest of one subject": totals["largest"].map("{:.3f}".format),
            "agree": totals["agree"].map(str) + " of " + totals["subjects"].map(str),
            "total within se": totals["total_agrees"].map({True: "yes", False: "no"}),
            "refits' largest R-hat": totals["refits_rhat"].map("{:.3f}".format),
        }
    )  # fmt: skip
    columns = [
        "role", "model", "LOSO, total", "refits, total", "difference ± se",
        "largest of one subject", "agree", "total within se", "refits' largest R-hat",
    ]  # fmt: skip
    return f"""
Leave-one-subject-out by importance sampling and real refits agree within {BAND:g} nats or two
standard errors for {agree} of {len(table)} subjects; the largest difference is {large:.3f} nats.

{{plot}}

{markdown(shown[columns])}

In nats, over the {2 * EACH} subjects of each panel. Full fits: {FULL.chains} chains of {FULL.draws}
draws; refits: {REFIT.chains} of {REFIT.draws} after {REFIT.tune} steps of warm-up, whose own Monte
Carlo error is part of each standard error. A right method has a total within one standard error in
about two of three cases. Subject by subject: [loso_refits.csv](results/loso_refits.csv).
"""


if __name__ == "__main__":
    main()
