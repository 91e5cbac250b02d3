"""Whether intervals mean what they say: simulation-based calibration of every base model.

    python benchmarks/calibration.py [--only RESULTS] [--jobs N] [--folder FITS] [--out DIR]
        [--simulations 200] [--case LABEL]

Parameters are drawn from the default priors, 20 subjects play 20 rounds or as said, the model is
fitted, and the ranks of what was planted must be uniform. Three models that are broken on purpose
must fail. Results are those of finite games and forecast sharing, of recommendations, and of games
on an interval. These take hours, and are made in parts: what was fitted is kept beside the
results, and ``--case`` fits one model and writes nothing else.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from common import command_line, markdown, write_results
from kept import put_down, take_up
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.games import Game
from trustbayes.inference.executors import process_pool
from trustbayes.report.page.style import GREY, grid, look, style, wrapped
from trustbayes.simulation.calibration import CALIBRATION_SAMPLING, Calibration, calibrate
from trustbayes.simulation.experiments import Experiment
from trustbayes.simulation.ranks import RANKS
from trustbayes.simulation.uniformity import band
from trustbayes.theories.responses.censored import CensoredNoise
from trustbayes.theories.responses.logit import Logit, unit_log_likelihood
from trustbayes.theories.responses.noises import NormalNoise

SEED = 20180418
_IN_ORDER = 0.2
"""How far from uniform panels of models in order reach, if bands do not reach further."""
KINDS = {"finite": "simulated-finite", "forecast": "simulated-forecast"}


@dataclass(frozen=True)
class Case:
    """A model to calibrate, in order or broken."""

    label: str
    experiment: Experiment
    fitted: tb.Model
    broken: str = ""
    sampling: tb.Sampling = CALIBRATION_SAMPLING


class WithoutEnds(CensoredNoise):
    """Leaves out the factors of choices at the ends of the range, which are censored."""

    def log_likelihood(
        self, units: Any, answer: Any, values: Any, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """As the right one, less the last factors, which are those of the ends."""
        logs, subject = super().log_likelihood(units, answer, values, typed)
        choice = units.trial_choice
        inside = ((choice > self.low) & (choice < self.high)).sum()
        return (logs[..., :inside, :] if typed else logs[..., :inside]), subject[:inside]

    def cell_logs(self, units: Any, answer: Any, values: Any, typed: bool) -> np.ndarray:
        """The right ones."""
        whole = CensoredNoise(self.noise, self.low, self.high, self.scale)
        return whole.cell_logs(units, answer, values, typed)


class WithoutTwo(Logit):
    """Leaves out what was chosen after the two highest messages."""

    def log_likelihood(
        self, units: Any, answer: Any, values: Any, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """As the right one, of fewer messages."""
        precision = values.of_units("response_precision")
        parts = units.counts[:, :-2], answer[..., :-2, :], precision
        return unit_log_likelihood(*parts, typed=typed), units.unit_subject


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--only", choices=RESULTS, help="default: all results, in turn")
    parser.add_argument("--case", help="fit this model alone, for results that are made in parts")
    options = parser.parse_args()
    chosen = [options.only] if options.only else list(RESULTS)
    labels = [case.label for name in chosen for case in RESULTS[name]()]
    if options.case and options.case not in labels:
        parser.error(f"--case {options.case!r}: expected one of {', '.join(map(repr, labels))}")
    for name in chosen:
        calibrate_all(name, options)


def calibrate_all(name: str, options: argparse.Namespace) -> None:
    """All cases of a result; it is written after each."""
    studies = []
    folder, kept = options.folder / name, options.out / f"{name}_kept.csv"
    if name in IN_PARTS:
        take_up(kept, folder)
    for case in RESULTS[name]():
        if options.case and case.label != options.case:
            continue
        started = time.perf_counter()
        # A likelihood made here does not travel to other processes.
        unregistered = case.fitted.spec not in tb.models.SPECS
        with process_pool(1 if unregistered else options.jobs) as pool:
            study = calibrate(
                case.experiment,
                case.fitted,
                simulations=options.simulations,
                seed=SEED,
                sampling=case.sampling,
                folder=folder,
                executor=None if unregistered else pool,
            )
        verdict = "passed" if study.passed else "FAILED"
        spent = time.perf_counter() - started
        print(f"{case.label}: {verdict}; {len(study.lost)} left out; {spent:.0f} s", flush=True)
        if name in IN_PARTS:
            put_down(kept, folder)
        if options.case:
            continue
        studies.append((case, study))
        tests = pd.concat([c.tests.assign(case=case.label) for case, c in studies])
        tables = {f"{name}.csv": tests.round(5)}
        write_results(name, options.out, tables, figure(studies), says(name, studies))


def cases() -> Iterator[Case]:
    """All base models of finite games and forecast sharing, and three broken ones."""
    for kind, name in KINDS.items():
        game = tb.read_game(tb.bundled(name).game)
        for theory in ("level-k", "trust-embedded"):
            for role in ("receiver", "sender"):
                experiment = played(game, theory, role)
                yield Case(f"{theory}, {role}, {kind}", experiment, experiment.player)
    # Two subjects say little of how much people differ, so that the prior matters. In the centred
    # form the sampler hardly reaches spreads near zero, and no calibration of so few passes.
    form = {"response_noise": "non-centred"}
    right = tb.LevelK("receiver", game, parametrisation=form)
    small = Experiment(game, tb.LevelK("sender", game), right, subjects=2, rounds=8)
    doubled = tb.Prior(
        "LogNormal",
        mu=tb.Prior("Normal", mu=-2.0, sigma=1.0),
        sigma=tb.Prior("HalfNormal", sigma=1.4),
    )
    wrong = tb.LevelK("receiver", game, priors={"response_noise": doubled})
    what = "the simulator doubles the scale of the prior of the spread of noise"
    label = "level-k, receiver, forecast, 2 subjects, 8 rounds"
    yield Case(f"{label}, in order", small, small.player)
    yield Case(f"{label}, prior doubled", replace(small, receiver=wrong), small.player, what)
    yield broken(
        "level-k, sender, forecast, no ends",
        played(game, "level-k", "sender"),
        WithoutEnds(NormalNoise(), *game.choice_range("sender"), game.scale),
        "the likelihood lacks the factors of reports at the ends of the range",
    )
    finite = tb.read_game(tb.bundled(KINDS["finite"]).game)
    yield broken(
        "level-k, receiver, finite, two messages left out",
        played(finite, "level-k", "receiver"),
        WithoutTwo(),
        "the likelihood lacks the factors of actions after the two highest messages",
    )


def recommendations() -> Iterator[Case]:
    """Trust in advice, and its closest rival."""
    game = tb.read_game(tb.bundled("simulated-recommendation").game)
    for theory in ("trust-embedded", "choose"):
        experiment = played(game, theory, "receiver")
        yield Case(f"{theory}, receiver", experiment, experiment.player)


def intervals() -> Iterator[Case]:
    """Both theories, where states, messages and actions are positions of a slider."""
    game = tb.IntervalGame(0.0, 100.0, {"Small": 5.0, "Medium": 20.0}, step=1.0)
    for theory in ("level-k", "trust-embedded"):
        for role in ("receiver", "sender"):
            if (theory, role) == ("trust-embedded", "sender"):  # the dearest: half a minute each
                experiment = played(game, theory, role, subjects=12, rounds=12)
                yield Case(f"{theory}, {role}, 12 x 12", experiment, experiment.player)
            else:
                experiment = played(game, theory, role)
                yield Case(f"{theory}, {role}", experiment, experiment.player)


RESULTS = {
    "calibration": cases,
    "calibration_recommendation": recommendations,
    "calibration_interval": intervals,
}
"""What there are results of, by name."""
IN_PARTS = ("calibration_interval",)
"""Those whose fits are kept beside them: of all of them they would take megabytes."""


def played(game: Game, theory: str, role: str, subjects: int = 20, rounds: int = 20) -> Experiment:
    """An experiment of one theory at its default priors."""
    receiver = tb.model(theory, "receiver", game) if role == "receiver" else None
    sender = tb.model(theory, "sender", game) if "sender" in game.roles else None
    return Experiment(game, sender, receiver, subjects, rounds)


def broken(label: str, experiment: Experiment, response: Any, what: str) -> Case:
    """The experiment's model with another likelihood, under a name of its own.

    By NUTS, which asks for the likelihood: the population engine makes its tables of the answers
    themselves, so that it would fit the right one.
    """
    spec = replace(
        experiment.player.spec,
        name=f"{experiment.player.name} {type(response).__name__}",
        response=lambda game, conventions: response,
    )
    by_nuts = replace(CALIBRATION_SAMPLING, method="nuts")
    return Case(label, experiment, tb.Model(spec), what, by_nuts)


def figure(studies: list[tuple[Case, Calibration]]) -> Figure:
    """Ranks against uniform ones, a panel for each model."""
    with style():
        drawing, axes = grid(len(studies), 3, width=3.3, height=2.6, sharex=True)
        for panel, (case, study) in zip(axes, studies, strict=True):
            for test in study.tests.to_dict("records"):
                here = study.ranks["quantity"] == test["quantity"]
                values = np.sort(study.ranks.loc[here, "pit"].to_numpy(float))
                edge = band(values.size, 1 - test["threshold"])
                share = np.searchsorted(values, edge.points, side="right") / values.size
                colour = look(case.fitted.name.split(" ")[0]).colour if test["passed"] else "black"
                width = 0.8 if test["passed"] else 1.8
                panel.plot(edge.points, share - edge.points, color=colour, lw=width)
            reach = max(
                _IN_ORDER, *(abs(side - edge.points).max() for side in (edge.lower, edge.upper))
            )
            for side in (edge.lower, edge.upper):
                panel.plot(edge.points, side - edge.points, color=GREY, lw=1.2)
            words = "passed" if study.passed else "FAILED"
            panel.set_title(wrapped(f"{case.label}: {words}", 44), fontsize=8)
            panel.set_xlabel("rank, as a share")
            if not case.broken:
                panel.set_ylim(-1.02 * reach, 1.02 * reach)
        for panel in axes[::3]:
            panel.set_ylabel("ECDF − uniform")
        return drawing


def verdicts(studies: list[tuple[Case, Calibration]]) -> pd.DataFrame:
    """How each model did, a row for each, in text."""
    rows = []
    for case, study in studies:
        tests = study.tests
        worst = tests.loc[tests["p_value"].idxmin()]
        failed = list(tests.loc[~tests["passed"], "quantity"])
        rows.append(
            {
                "model": case.label,
                "broken": case.broken or "no",
                "verdict": "passes" if study.passed else "**fails**",
                "quantities that fail": f"{len(failed)} of {len(tests)}"
                + (
                    f": {', '.join(failed[:4])}" + (" …" if len(failed) > 4 else "")
                    if failed
                    else ""
                ),
                "smallest p (needed)": f"{worst['p_value']:.4f} ({worst['threshold']:.4f})",
                "simulations": study.simulations,
                "left out": len(study.lost) + len(study.failures),
                "seconds each": f"{sum(study.seconds.values()) / max(1, study.simulations):.1f}",
            }
        )
    return pd.DataFrame(rows)


def says(name: str, studies: list[tuple[Case, Calibration]]) -> str:
    """The section of the README."""
    spent = sum(sum(study.seconds.values()) for _, study in studies)
    right = [study.passed for case, study in studies if not case.broken]
    wrong = [not study.passed for case, study in studies if case.broken]
    sampling = studies[0][1].sampling
    broken = f", and {sum(wrong)} of\n{len(wrong)} broken ones fail it" if wrong else ""
    return f"""
{sum(right)} of {len(right)} models in order pass their calibration{broken}.

{{plot}}

Each line is one quantity (parameters of the population, of two subjects, and the log likelihood);
black ones leave their band. Grey: the band of uniform ranks, for all quantities of a model together
at 5 %. Broken models have an axis of their own.

{markdown(verdicts(studies))}

Fits: {sampling.chains} chains of {sampling.draws} draws after {sampling.tune} steps of warm-up,
{RANKS} possible ranks; fits that do not sample well are sampled longer, and left out if that does
not help. Compiling and sampling: {spent / 60:.0f} min in all. "Left out" counts fits
that were not usable. Every quantity: [{name}.csv](results/{name}.csv).
"""


if __name__ == "__main__":
    main()
