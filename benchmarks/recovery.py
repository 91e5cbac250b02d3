"""Planted against estimated parameters of all models, and how many fits an hour takes.

    python benchmarks/recovery.py [--only RESULTS] [--jobs N] [--folder FITS] [--out DIR]
        [--replications 10]

Populations are drawn from the default priors, 30 subjects play 20 or 40 rounds, and the model that
played is fitted. 90 % intervals should hold 90 % of what was planted. Results are those of finite
games and forecast sharing, with throughput, and of recommendations and games on an interval.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
from common import command_line, markdown, write_results
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.games import Game
from trustbayes.inference.engines.compiled import PROGRAMS
from trustbayes.inference.executors import process_pool
from trustbayes.inference.fitting import fit
from trustbayes.report.page.style import GREY, grid, look, style
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.recovery import RecoveryStudy, recovery_study

SEED, SUBJECTS, ROUNDS = 20220101, 30, (20, 40)
GAMES = ("simulated-finite", "simulated-forecast")
THEORIES = ("level-k", "trust-embedded", "full-trust", "babbling", "mixture", "hybrid")
ROLES = ("receiver", "sender")
TIMED = 12


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    parser.add_argument("--replications", type=int, default=10)
    parser.add_argument("--only", choices=RESULTS, help="default: all results, in turn")
    options = parser.parse_args()
    for name in [options.only] if options.only else RESULTS:
        recover_all(name, options)


def recover_all(name: str, options: argparse.Namespace) -> None:
    """All experiments of a result; it is written after each."""
    speed = throughput() if name == "recovery" else None
    studies = []
    for label, experiment in RESULTS[name]():
        started = time.perf_counter()
        with process_pool(options.jobs) as pool:
            study = recovery_study(
                experiment,
                rounds=ROUNDS,
                replications=options.replications,
                seed=SEED,
                folder=options.folder / "recovery",
                executor=pool,
            )
        print(f"{label}: {time.perf_counter() - started:.0f} s", flush=True)
        studies.append((label, study))
        table = pd.concat([each.table.assign(model=title) for title, each in studies])
        tables = {f"{name}.csv": table.round(4)}
        if speed is not None:
            tables["throughput.csv"] = speed.round(2)
        write_results(name, options.out, tables, figure(studies), says(name, studies, speed))


def experiments() -> Iterator[tuple[str, Experiment]]:
    """All models in both roles of finite games and forecast sharing."""
    for name in GAMES:
        game = tb.read_game(tb.bundled(name).game)
        for theory in THEORIES:
            for role in ROLES:
                yield played(game, theory, role)


def on_a_line() -> Iterator[tuple[str, Experiment]]:
    """Trust in advice and its closest rival, and both theories on a slider of 101 positions."""
    advised = tb.read_game(tb.bundled("simulated-recommendation").game)
    for theory in ("trust-embedded", "choose"):
        yield played(advised, theory, "receiver")
    slider = tb.IntervalGame(0.0, 100.0, {"Small": 5.0, "Medium": 20.0}, step=1.0)
    for theory in ("level-k", "trust-embedded"):
        for role in ROLES:
            yield played(slider, theory, role)


RESULTS = {"recovery": experiments, "recovery_line": on_a_line}
"""What there are results of, by name."""


def played(game: Game, theory: str, role: str) -> tuple[str, Experiment]:
    """An experiment of a theory at its default priors, and what it is called."""
    receiver = tb.model(theory, "receiver", game) if role == "receiver" else None
    sender = tb.model(theory, "sender", game) if "sender" in game.roles else None
    label = f"{theory}, {role}, {game.kind}"
    return label, Experiment(game, sender, receiver, SUBJECTS, ROUNDS[0])


def throughput() -> pd.DataFrame:
    """Fits per hour of the 30-subject level-k receiver by NUTS, compiled once or anew."""
    rows = []
    for name in GAMES:
        game = tb.read_game(tb.bundled(name).game)
        model = tb.LevelK("receiver", game)
        experiment = Experiment(game, tb.LevelK("sender", game), model, SUBJECTS, ROUNDS[0])
        data = [experiment.play(seed).trials for seed in range(1, TIMED + 1)]
        for reused in (True, False):
            spent = []
            for number, trials in enumerate(data if reused else data[:4]):
                if not reused:
                    PROGRAMS.clear()
                started = time.perf_counter()
                how = tb.Sampling(draws=500, tune=300, chains=2, seed=number, method="nuts")
                fit(model, trials, how, progress=False, alike=True)
                spent.append(time.perf_counter() - started)
            usual = float(np.median(spent[1:]))
            rows.append(
                {
                    "game": game.kind,
                    "compiled model": "reused" if reused else "not reused",
                    "fits timed": len(spent) - 1,
                    "seconds a fit (median)": usual,
                    "fits per hour": 3600 / usual,
                }
            )
    return pd.DataFrame(rows)


def figure(studies: list[tuple[str, RecoveryStudy]]) -> Figure:
    """Coverage of 90 % intervals over all parameters of each model."""
    with style():
        drawing, [panel] = grid(1, 1, width=7.0, height=1.0 + 0.35 * len(studies))
        for place, (label, study) in enumerate(studies):
            shape = look(label.split(",")[0])
            for about, face, up in (
                ("population", shape.colour, -0.13),
                ("subject", "white", 0.13),
            ):
                if not (study.values["about"] == about).any():
                    continue
                share, error = study.coverage(about)
                words = f"{about} parameters" if place == 0 else None
                panel.errorbar(
                    share, place + up, xerr=2 * error, fmt=shape.marker, color=shape.colour,
                    mfc=face, ms=6, label=words,
                )  # fmt: skip
        panel.axvline(0.9, color=GREY, lw=1)
        panel.axvspan(0.87, 0.93, color=GREY, alpha=0.2, lw=0)
        panel.set_yticks(range(len(studies)), [label for label, _ in studies])
        panel.invert_yaxis()
        panel.set_xlim(0.6, 1.02)
        panel.set_xlabel("coverage of 90 % intervals (± 2 standard errors)")
        panel.legend(loc="lower left")
        return drawing


def coverage(studies: list[tuple[str, RecoveryStudy]]) -> pd.DataFrame:
    """Coverage and correlation of each model, a row for each, in text."""
    rows = []
    for label, study in studies:
        table = study.table
        row = {"model": label}
        for about in ("population", "subject"):
            here = table[(table["about"] == about) & (table["rounds"] == table["rounds"].max())]
            if here.empty:
                continue
            share, error = study.coverage(about)
            row[f"{about}: 90 % covered"] = f"{100 * share:.0f} ± {100 * error:.1f} %"
            row[f"{about}: correlation, median"] = f"{here['correlation'].median():.2f}"
        row["left out"] = str(len(study.lost) + len(study.failures))
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def says(name: str, studies: list[tuple[str, RecoveryStudy]], speed: pd.DataFrame | None) -> str:
    """The section of the README."""
    values = pd.concat([study.values.assign(model=label) for label, study in studies])
    population = values[values["about"] == "population"]
    held = population["planted"].between(population["q05"], population["q95"])
    return f"""
90 % intervals hold {100 * held.mean():.1f} % of the {len(held):,} planted population parameters.

{{plot}}

{markdown(coverage(studies))}

{values["seed"].nunique()} experiments of each number of rounds ({ROUNDS[0]} and {ROUNDS[1]});
coverage over both, with its standard error over experiments; correlation of the ranks of planted
and estimated values at {ROUNDS[1]} rounds, the median parameter. Parameters of subjects that their
type may ignore are not counted. Bias, error and coverage of every parameter:
[{name}.csv](results/{name}.csv).
{"" if speed is None else fits_per_hour(speed)}"""


def fits_per_hour(speed: pd.DataFrame) -> str:
    """What is said of throughput."""
    timed = speed.assign(
        **{
            "seconds a fit (median)": speed["seconds a fit (median)"].map("{:.1f}".format),
            "fits per hour": speed["fits per hour"].map("{:.0f}".format),
        }
    )
    return f"""
**Throughput**: fits of the {SUBJECTS}-subject level-k receiver by NUTS ({ROUNDS[0]} rounds, 2
chains of 500 draws), one after the other in one process with two cores:

{markdown(timed)}
"""


if __name__ == "__main__":
    main()
