"""Whether leave-one-subject-out finds the theory that generated the data.

    python benchmarks/model_recovery.py [--jobs N] [--folder FITS] [--out DIR]

Ten experiments are simulated from each of trust-embedded, level-k and babbling, both roles played
by the same theory: 60 pairs, 40 rounds, the bundled finite game with three biases. The populations
are drawn anew for every experiment, from what `PLAYERS` says. Every role of every experiment is
fitted by all three theories at their default priors, and the theory with the highest
leave-one-subject-out score is the winner.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from common import command_line, largest_rhat, markdown, write_results
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.comparison.rows import score_rows
from trustbayes.inference.executors import process_pool
from trustbayes.inference.gate import Gate
from trustbayes.inference.tasks import FitTask, iter_fits
from trustbayes.report.page.style import grid, style

FAMILIES = ("trust-embedded", "level-k", "babbling")
ROLES = ("sender", "receiver")
EXPERIMENTS, SUBJECTS, ROUNDS, SEED = 10, 60, 40, 20220101
SAMPLING = tb.Sampling(draws=500, tune=400, chains=2)
DRAWS = 250  # of the 1,000, for leave-one-subject-out

# Choices that mostly follow utility, with a median population mean of 6 as in the bundled data.
_PRECISION = tb.Prior("Gamma", mean=tb.Prior("LogNormal", mu=1.8, sigma=0.3), shape=2.0)
_TRUST = tb.Prior("LogitNormal", mu=tb.Prior("Normal", mu=0.5, sigma=1.0), sigma=1.0)
_AVERSION = tb.Prior("LogNormal", mu=tb.Prior("Normal", mu=-0.9, sigma=0.5), sigma=0.8)
_HABIT = tb.Prior("Normal", mu=tb.Prior("ZeroSumNormal", sigma=1.0), sigma=0.7)
_LEVELS = tb.Prior("Dirichlet", a=1.0)
_IGNORING = tb.Prior("Gamma", mean=tb.Prior("LogNormal", mu=1.8, sigma=0.3), shape=1.0)

PLAYERS = {
    ("trust-embedded", "sender"): {
        "response_precision": _PRECISION,
        "lying_aversion": _AVERSION,
        "expected_trust": _TRUST,
    },
    ("trust-embedded", "receiver"): {"response_precision": _PRECISION, "trust": _TRUST},
    ("level-k", "sender"): {"response_precision": _PRECISION, "level": _LEVELS},
    ("level-k", "receiver"): {"response_precision": _PRECISION, "level": _LEVELS},
    ("babbling", "sender"): {"habit": _HABIT},
    ("babbling", "receiver"): {"response_precision": _IGNORING},
}
"""Priors that the populations are drawn from, by theory and role."""


def main() -> None:
    options = command_line(__doc__, experiment=False).parse_args()
    started = time.perf_counter()
    played = list(experiments())
    places = [(each, role, name) for each in played for role in ROLES for name in FAMILIES]
    tasks = [
        FitTask(tb.model(name, role), trials, SAMPLING) for (_, _, trials), role, name in places
    ]
    scored: dict[tuple[str, int, str], dict[str, tuple[tb.SubjectScores, Gate]]] = {}
    spent = 0.0
    with process_pool(options.jobs) as pool:
        for position, fit in iter_fits(tasks, options.folder, pool):
            (family, number, _), role, name = places[position]
            scores = tb.leave_one_subject_out(fit, draws=DRAWS)
            scored.setdefault((family, number, role), {})[name] = scores, fit.gate
            spent += sum(fit.manifest["seconds"].values())
    table = pd.DataFrame([row(*key, scored[key]) for key in sorted(scored, key=_order)])
    wall = time.perf_counter() - started
    print(f"{wall:.0f} s in this run; {spent:.0f} s of compiling and sampling in all fits")
    write_results(
        "model_recovery",
        options.out,
        {"model_recovery.csv": table.round(3)},
        figure(table),
        says(table),
    )


def experiments() -> Iterator[tuple[str, int, tb.Trials]]:
    """Theory, number and trials of every simulated experiment."""
    game = tb.read_game(tb.bundled("simulated-finite").game)
    for at, family in enumerate(FAMILIES):
        sender, receiver = (tb.model(family, r, priors=PLAYERS[family, r]) for r in ROLES)
        for number in range(1, EXPERIMENTS + 1):
            simulated = tb.simulate(
                game,
                sender=sender,
                receiver=receiver,
                subjects=SUBJECTS,
                rounds=ROUNDS,
                seed=SEED + 100 * at + number,
            )
            trials = tb.trials_from_frame(simulated.trials, game, f"{family} {number}")
            yield family, number, trials


def row(
    family: str, number: int, role: str, fits: dict[str, tuple[tb.SubjectScores, Gate]]
) -> dict[str, object]:
    """Who won an experiment, and by how much the truth led or fell behind the best other."""
    rows = score_rows({name: scores.elpd for name, (scores, _) in fits.items()})
    best_other = next(name for name in rows.index if name != family)
    lead = fits[family][0].elpd - fits[best_other][0].elpd
    return {
        "role": role,
        "truth": family,
        "experiment": number,
        "winner": rows.index[0],
        "best_other": best_other,
        "lead": lead.sum(),
        "lead_se": np.sqrt(lead.size) * lead.std(),
        **{f"elpd_{name}": rows.loc[name, "elpd"] for name in FAMILIES},
        "unreliable": sum(len(scores.unreliable) for scores, _ in fits.values()),
        "integration_error": max(float(scores.error.sum()) for scores, _ in fits.values()),
        "gates_passed": sum(gate.passed for _, gate in fits.values()),
        "rhat": largest_rhat(gate for _, gate in fits.values()),
    }


def figure(table: pd.DataFrame) -> Figure:
    """The confusion matrix of each role."""
    with style():
        drawing, axes = grid(len(ROLES), 2, width=3.6, height=3.0)
        for panel, role in zip(axes, ROLES, strict=True):
            counts = confusion(table, role)
            panel.imshow(counts, cmap="Blues", vmin=0, vmax=1.4 * EXPERIMENTS)
            for (y, x), count in np.ndenumerate(counts.to_numpy()):
                panel.text(x, y, str(count), ha="center", va="center", fontsize=12)
            panel.set_xticks(range(len(FAMILIES)), FAMILIES)
            panel.set_yticks(range(len(FAMILIES)), FAMILIES)
            panel.tick_params(length=0)
            panel.spines[:].set_visible(False)
            panel.set_xlabel("wins by leave-one-subject-out")
            panel.set_ylabel("generated the data")
            panel.set_title(f"{role.capitalize()}s (experiments)")
        return drawing


def confusion(table: pd.DataFrame, role: str) -> pd.DataFrame:
    """How often each theory (columns) won when each (rows) had generated the data."""
    of_role = table[table["role"] == role]
    counts = pd.crosstab(of_role["truth"], of_role["winner"])
    return counts.reindex(index=FAMILIES, columns=FAMILIES, fill_value=0)


def says(table: pd.DataFrame) -> str:
    """The section of the README."""
    right = table["truth"] == table["winner"]
    sure = (table["lead"] > 2 * table["lead_se"]) & (table["lead"] > 4)
    rows = []
    for (role, truth), part in table.groupby(["role", "truth"], sort=False):
        lead = part["lead"]
        closest = part.loc[lead.idxmin()]
        rows.append(
            {
                "role": role,
                "truth": truth,
                "wins": f"{int((part['winner'] == truth).sum())} of {len(part)}",
                "by two standard errors and 4 nats": int(sure[part.index].sum()),
                "lead over the best other, median": f"{lead.median():.0f}",
                "smallest lead ± se": f"{closest['lead']:.1f} ± {closest['lead_se']:.1f} "
                f"({closest['best_other']}, experiment {closest['experiment']})",
                "fits past the gate": f"{part['gates_passed'].sum()} of {3 * len(part)}",
                "largest R-hat": f"{part['rhat'].max():.3f}",
                "subjects with a large Pareto k": int(part["unreliable"].sum()),
            }
        )
    return f"""
The theory that generated the data wins by leave-one-subject-out in {right.sum()} of {len(table)}
simulated data sets, and by more than two standard errors and 4 nats in {int((right & sure).sum())}.

{{plot}}

{markdown(pd.DataFrame(rows))}

Leads in nats. {EXPERIMENTS} experiments of each theory, {SUBJECTS} subjects in each role,
{ROUNDS} rounds; fits: {SAMPLING.chains} chains of {SAMPLING.draws} draws after {SAMPLING.tune}
steps of warm-up, scored by {DRAWS} of these draws. With so few steps not all pass the gate, which
asks for 400 effective draws of every parameter of every subject. Every experiment:
[model_recovery.csv](results/model_recovery.csv).
"""


def _order(key: tuple[str, int, str]) -> tuple[int, int, int]:
    family, number, role = key
    return ROLES.index(role), FAMILIES.index(family), number


if __name__ == "__main__":
    main()
