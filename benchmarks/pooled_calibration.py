"""Whether intervals over several experiments mean what they say: calibration of both stages.

    python benchmarks/pooled_calibration.py [--theory level-k] [--role sender] [--simulations 200]
        [--folder FITS] [--out DIR] [--jobs N]

A population of experiments is drawn from its prior, six experiments' populations of people from
that, and their people; each experiment is fitted alone, and all are pooled. The ranks of pooled
means, of spreads between experiments and of the first experiment's numbers must be uniform. What
was made is kept beside the results: studies that stand there are not repeated by the same engine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common import command_line, markdown, write_results
from kept import put_down, take_up
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.files import write_whole
from trustbayes.inference.executors import process_pool
from trustbayes.inference.sampling import ENGINE
from trustbayes.inference.tasks import iter_fits
from trustbayes.pooling.common_scales import CommonScale, common_scales
from trustbayes.pooling.exact import Experiment, Known, Points, pool_exactly
from trustbayes.pooling.likelihoods import Evidence
from trustbayes.pooling.population import PooledPopulation
from trustbayes.pooling.second_stage import between_scales, evidence_from, pool_evidence
from trustbayes.report.page.style import grid
from trustbayes.simulation.enough import short_of, usable
from trustbayes.simulation.uniformity import band, uniformity_p_values

SEED = 20261127
EXPERIMENTS, SUBJECTS, ROUNDS = 6, 8, 12
BETWEEN = 0.5
GAME = tb.FiniteGame([1, 2, 3], treatments={"Only": 1.0})
FITS = tb.Sampling(draws=250, tune=150, chains=4, method="population")
POOL = tb.Sampling(draws=250, tune=150, chains=4)
RANKS = 100  # of so many draws, evenly spaced


@dataclass(frozen=True)
class PooledSimulation:
    """One study that is simulated, fitted and pooled: a `trustbayes.inference.tasks.Task`."""

    theory: str
    role: str
    seed: int

    @cached_property
    def key(self) -> str:
        """Content hash."""
        size = [EXPERIMENTS, SUBJECTS, ROUNDS, BETWEEN]
        settings = [*size, vars(FITS), vars(POOL), GAME.checksum, ENGINE]
        content = json.dumps([asdict(self), settings, 6], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"pooled-{self.theory}-{self.role}-{self.key[:16]}.json"

    @property
    def label(self) -> str:
        """What is done."""
        return f"{self.theory}, {self.role}, seed {self.seed}"

    @property
    def source(self) -> str:
        """Where trials come from."""
        return "simulated"

    @property
    def size(self) -> float:
        """All such tasks take as long as each other."""
        return 1.0

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker."""
        return _to_file, (self,)

    def make(self, path: Path | None, progress: bool) -> dict[str, Any]:
        """Simulate, fit, pool, and rank."""
        record = simulate_and_pool(self)
        if path is not None:
            write_whole({path: json.dumps(record)})
        return record

    def read(self, path: Path) -> dict[str, Any]:
        """The ranks from their file."""
        record: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return record

    def check_travel(self) -> None:
        """All of it travels."""


def _to_file(task: PooledSimulation, path: Path, cores: int) -> None:
    task.make(path, False)


def simulate_and_pool(task: PooledSimulation) -> dict[str, Any]:
    """Ranks of what was planted: of so many draws, how many are below; and which gates failed.

    The gates are those of simulations, see `trustbayes.simulation.enough.usable`: whatever failed
    is kept, as to leave out a study for one of six fits would leave out what is hard to fit.
    """
    rng = np.random.default_rng([SEED, task.seed])
    fitted = tb.model(task.theory, task.role, GAME)
    scales = common_scales(fitted)
    scales = tuple(scale for scale in scales if scale.exists(1))
    labels = {scale.label: scale for scale in scales}
    mean, spread = np.array([scale.moments(1) for scale in scales]).T
    means = mean + spread * rng.normal(size=len(scales))
    spreads = np.abs(between_scales(spread, BETWEEN) * rng.normal(size=len(scales)))
    each = means + spreads * rng.normal(size=(EXPERIMENTS, len(scales)))
    evidence, people, failed = {}, {}, 0
    for at, numbers in enumerate(each):
        trials = played(task, scales, numbers, int(rng.integers(2**31)))
        fit = tb.fit(fitted, trials, FITS, progress=False)
        failed += not usable(fit.gate)
        evidence[f"e{at}"] = evidence_from(fit, labels)
        people[f"e{at}"] = Experiment(fitted, trials.game, fit.units)

    def pool(parts: Mapping[str, Evidence]) -> PooledPopulation:
        return pool_evidence(task.theory, task.role, parts, labels, between=BETWEEN, sampling=POOL)

    def judge(points: Points) -> Known:
        return {
            name: people[name]
            .likelihoods(dict(zip(labels, values.T, strict=True)), len(values), 0)
            .log_likelihood.sum(axis=1)
            for name, values in points.items()
        }

    pooled, _ = pool_exactly(pool, evidence, judge)
    draws = pooled.posterior
    ranks = {}
    for place, scale in enumerate(scales):
        for what, values, planted in (
            ("pooled mean", draws["mean"][..., place], means[place]),
            ("spread", draws["spread"][..., place], spreads[place]),
            ("experiment", draws["population"][..., 0, place], each[0, place]),
        ):
            flat = values.to_numpy().ravel()
            some = flat[np.linspace(0, flat.size - 1, RANKS).astype(int)]
            ranks[f"{scale.parameter}, {scale.statistic}: {what}"] = int((some < planted).sum())
    return {
        "ranks": ranks,
        "fits": failed,
        "pooled": short_of(pooled.gate, strict=False),
        "error": pooled.error,
    }


def played(
    task: PooledSimulation, scales: tuple[CommonScale, ...], numbers: np.ndarray, seed: int
) -> tb.Trials:
    """An experiment whose people come from a population with these numbers."""
    by_parameter: dict[str, dict[str, float]] = {}
    for scale, number in zip(scales, numbers, strict=True):
        by_parameter.setdefault(scale.parameter, {})[scale.statistic] = float(number)
    priors: dict[str, tb.Prior] = {}
    for name, given in by_parameter.items():
        if name == "response_precision":
            shape, middle = np.exp(given["spread"]), np.exp(given["location"])
            priors[name] = tb.Prior("Gamma", mean=float(middle), shape=float(shape))
        elif "location" in given:  # what all people share has no spread, and takes none
            spread = float(np.exp(given.get("spread", 0.0)))
            family = "LogNormal" if name == "lying_aversion" else "LogitNormal"
            priors[name] = tb.Prior(family, mu=given["location"], sigma=spread)
        else:
            priors[name] = tb.Prior("Fixed", shares=_shares(list(given.values())))
    people = tb.model(task.theory, task.role, GAME, priors=priors)
    sender = people if task.role == "sender" else tb.FullTrust("sender")
    receiver = people if task.role == "receiver" else None
    made = tb.simulate(
        GAME, sender=sender, receiver=receiver, subjects=SUBJECTS, rounds=ROUNDS, seed=seed
    )
    return tb.trials_from_frame(made.trials, GAME)


def _shares(beyond: list[float]) -> list[float]:
    left, shares = 1.0, []
    for number in beyond:
        chance = 1 / (1 + np.exp(-number))
        shares.append(left * (1 - chance))
        left *= chance
    total = sum([*shares, left])
    return [share / total for share in [*shares, left]]


def main() -> None:
    parser = command_line(__doc__, experiment=False)
    parser.add_argument("--theory", default="level-k")
    parser.add_argument("--role", default="sender")
    parser.add_argument("--simulations", type=int, default=200)
    options = parser.parse_args()
    tasks = [
        PooledSimulation(options.theory, options.role, number)
        for number in range(options.simulations)
    ]
    name = f"pooled_calibration_{options.theory}_{options.role}".replace("-", "_")
    folder, kept = options.folder / "pooled", options.out / f"{name}_kept.csv"
    take_up(kept, folder)
    with process_pool(options.jobs) as pool:
        made = dict(iter_fits(tasks, folder, pool if options.jobs > 1 else None))
    put_down(kept, folder, f"pooled-{options.theory}-{options.role}-*.json")
    studies = [made[at] for at in range(len(tasks))]
    table = tests(studies)
    write_results(
        name,
        options.out,
        {f"{name}.csv": table.round(5)},
        figure(studies),
        says(options, studies, table),
    )


def _z(studies: list[dict[str, Any]]) -> pd.DataFrame:
    """Ranks as numbers from 0 to 1, spread evenly within each rank."""
    rng = np.random.default_rng(1)
    ranks = pd.DataFrame([study["ranks"] for study in studies])
    return (ranks + rng.random(ranks.shape)) / (RANKS + 1)


def tests(studies: list[dict[str, Any]]) -> pd.DataFrame:
    """A row per number: how improbable its ranks are if intervals mean what they say."""
    z = _z(studies)
    p = uniformity_p_values(z.to_numpy().T)
    return pd.DataFrame({"number": z.columns, "p": p, "mean": z.mean().to_numpy()})


def figure(studies: list[dict[str, Any]]) -> Figure:
    """How far each number's ranks are from uniform, beside the band where all should stay."""
    z = _z(studies)
    limits = band(len(z), 0.95)
    panels, axes = grid(z.shape[1], 3, width=3.0, height=2.0, sharey=True)
    for panel, (name, values) in zip(axes, z.items(), strict=True):
        panel.fill_between(
            limits.points,
            limits.lower - limits.points,
            limits.upper - limits.points,
            color="#DDDDDD",
        )
        shares = np.searchsorted(np.sort(values), limits.points, side="right") / len(values)
        panel.plot(limits.points, shares - limits.points, color="#0072B2")
        panel.set_title(str(name).replace(": ", "\n").replace("_", " "), fontsize="medium")
    panels.supxlabel("rank of the planted value among the draws")
    panels.supylabel("share of studies below, less rank")
    panels.set_layout_engine("constrained")
    return panels


def says(options: Any, studies: list[dict[str, Any]], table: pd.DataFrame) -> str:
    """The paragraph."""
    fits = sum(study["fits"] for study in studies)
    pooled = sum(bool(study["pooled"]) for study in studies)
    errors = np.array([study["error"] for study in studies], dtype=float)
    errors = errors[np.isfinite(errors)]
    error = "too few draws bear weight to know the second stage's error"
    if errors.size:
        middle = f"{np.median(errors):.2g} posterior standard deviations"
        error = f"the second stage's error, known of {errors.size}, has median {middle}"
    worst = table.sort_values("p").head(3)
    adjusted = min(1.0, float(worst["p"].iloc[0]) * len(table))
    return (
        f"### Several experiments: {options.theory}, {options.role}s\n"
        f"{len(studies)} studies of {EXPERIMENTS} experiments with {SUBJECTS} people and {ROUNDS} "
        f"rounds each; {len(table)} numbers. The smallest p-value of uniformity is "
        f"{worst['p'].iloc[0]:.3g}, {adjusted:.3g} when allowed for that many. {fits} of "
        f"{EXPERIMENTS * len(studies)} fits, and {pooled} second stages, did not pass the loose "
        f"gate of simulations and are kept; {error}.\n\n{{plot}}\n\n" + markdown(worst.round(3))
    )


if __name__ == "__main__":
    main()
