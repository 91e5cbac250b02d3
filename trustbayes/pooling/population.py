"""The population of experiments: pooled means, spreads between experiments, partial pooling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logsumexp

from trustbayes.games import Role
from trustbayes.inference.engines.population.proposals import effective
from trustbayes.inference.gate import Gate
from trustbayes.numerics.spacing import spaced
from trustbayes.pooling.common_scales import (
    EFFECT_OF,
    OF_ALL,
    CommonScale,
)
from trustbayes.pooling.density import PooledDensity
from trustbayes.pooling.likelihoods import Evidence

__all__ = ["PooledPopulation"]

_POPULATIONS = 100  # of experiments, by which draws of single fits are weighed
_ENDS = (0.005, 0.995)  # of a fit's own draws, beyond which they tell little
_BEYOND = 0.1
_LEAST = 400.0  # draws that must be effective: with a hundred, weights are off by .25 themselves
_LEAST_JUDGED = 100.0
"""The same of 500 draws of what was pooled: of these the weights alone move the mean."""


@dataclass(frozen=True, eq=False)
class PooledPopulation:
    """One theory's populations of people in several experiments, and what they come from.

    Parameters
    ----------
    model : str
        Name of the theory.
    role : "sender" or "receiver"
    experiments : tuple of str
        Those that the theory was fitted to, and which have one of the numbers.
    scales : mapping of str to CommonScale
        The numbers that have a population of experiments, by label.
    evidence : mapping of str to Evidence
        By experiment.
    columns : mapping of str to tuple of str
        By label of a number with covariates, what each effect is of.
    density : PooledDensity
    posterior : xarray.Dataset
        With dimensions chain and draw: ``mean`` and ``spread`` (of each number over experiments),
        ``population`` (each experiment's number), on the scales without bounds, and ``effect``.
    gate : Gate
        Of the second stage; the first stage's fits have their own.
    points : array, shape (draws, size)
        Of the density.
    judged : array of int, shape (n,)
        Draws at which experiments' likelihoods were worked out, see `trustbayes.pooling.exact`.
    missed : mapping of str to array, shape (n,)
        By experiment: these likelihoods, less what stands in for them here, less the mean of that;
        in nats. None of experiments whose likelihood depends on more than is pooled.
    """

    model: str
    role: Role
    experiments: tuple[str, ...]
    scales: Mapping[str, CommonScale]
    evidence: Mapping[str, Evidence]
    columns: Mapping[str, tuple[str, ...]]
    density: PooledDensity
    posterior: xr.Dataset
    gate: Gate
    points: np.ndarray
    judged: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    missed: Mapping[str, np.ndarray] = field(default_factory=dict)

    def of_experiment(self, name: str) -> np.ndarray:
        """Draws of what an experiment's evidence is of, shape (draws, scales)."""
        labels = [scale.label for scale in self.evidence[name].scales]
        return np.asarray(self._flat["population"].sel(experiment=name, number=labels))

    def of_new(self, draws: int, seed: int, like: str | None = None) -> dict[str, np.ndarray]:
        """The numbers of an experiment that was not seen.

        Parameters
        ----------
        draws : int
            At most; evenly spaced over the posterior.
        seed : int
        like : str, optional
            The experiment whose covariates it has; default: average ones.

        Returns
        -------
        dict of str to array, shape (draws,)
            By label.
        """
        keep = spaced(len(self.points), draws)
        at = None if like is None else self.experiments.index(like)
        values = self.density.draw_new(self.points[keep], np.random.default_rng(seed), at)
        return dict(zip(self.scales, values.T, strict=True))

    @cached_property
    def _flat(self) -> xr.Dataset:
        stacked = self.posterior.stack(sample=("chain", "draw"))  # noqa: PD013 - of xarray
        return stacked.transpose("sample", ...)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """How far mixtures of normals are off where they stand in for experiments' likelihoods.

        Where likelihoods were worked out, draws that are weighed by what the mixtures of all such
        experiments miss tell. Elsewhere an experiment's own draws do, weighed by what the
        population of experiments says in place of its own prior: they have means of their own,
        which need no mixture. These cannot tell of where there are none of them: where a fit was
        bounded by its own prior alone, and the population of experiments is wider.

        Returns
        -------
        DataFrame
            A row per experiment and number: experiment, label, error (in posterior standard
            deviations), effective (draws by their weights, by which the error is known), known
            (whether they are enough), beyond (the share of the posterior outside the central 99 %
            of the fit's own draws, of experiments whose likelihoods were not worked out).
        """
        keep = spaced(len(self.points), _POPULATIONS)
        points = self.points[keep]
        located, middles = self.density.locations(points), self.density.means_of_experiments(points)
        spreads = np.exp(self.density.split(points)[1])
        missed = self._missed
        weights_of_judged = np.exp(missed - logsumexp(missed)) if self.missed else missed
        rows = []
        for at, (name, evidence) in enumerate(self.evidence.items()):
            pooled = self.of_experiment(name)
            if name in self.missed:
                weights, least, drawn = weights_of_judged, _LEAST_JUDGED, pooled[self.judged]
                gaps, beyond = weights @ drawn - drawn.mean(axis=0), np.zeros(drawn.shape[1])
            else:
                place = [list(self.scales).index(scale.label) for scale in evidence.scales]
                population = zip(located[:, at, place], spreads[:, place], strict=True)
                weights, least = _weights_of_own(evidence, population) / len(points), _LEAST
                gaps = weights @ evidence.draws - middles[:, at, place].mean(axis=0)
                low, high = np.quantile(evidence.draws, _ENDS, axis=0)
                beyond = ((pooled < low) | (pooled > high)).mean(axis=0)
            errors, draws = gaps / pooled.std(axis=0), float(1 / (weights**2).sum())
            for scale, error, share in zip(evidence.scales, errors, beyond, strict=True):
                rows.append((name, scale.label, error, draws, draws >= least, float(share)))
        columns = ["experiment", "label", "error", "effective", "known", "beyond"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def error(self) -> float:
        """The largest of `errors` that is known, in posterior standard deviations; or NaN."""
        errors = self.errors[self.errors["known"]]["error"].abs()
        return float(errors.max()) if len(errors) else float("nan")

    @property
    def _missed(self) -> np.ndarray:
        """By all experiments together, in nats, shape (judged,)."""
        return np.sum([*self.missed.values(), np.zeros(self.judged.size)], axis=0)

    @property
    def astray(self) -> bool:
        """Whether likelihoods were worked out, and too few draws are where they say."""
        return bool(self.missed) and effective(self._missed) * self.judged.size < _LEAST_JUDGED

    @property
    def unreached(self) -> tuple[str, ...]:
        """Numbers of experiments of which a tenth and more lies where the fit has few draws.

        Their own prior bounded them rather than the data, as where all expect full trust: what
        is said of them there is an extrapolation, and `error` cannot tell how good it is.
        """
        far = self.errors[self.errors["beyond"] > _BEYOND]
        scales = [self.scales[label] for label in far["label"]]
        return tuple(
            f"{name}: {scale.parameter}, {scale.statistic}"
            for name, scale in zip(far["experiment"], scales, strict=True)
        )

    def table(self, ci_prob: float = 0.9) -> pd.DataFrame:
        """Everything about the population of experiments, number by number.

        Parameters
        ----------
        ci_prob : float
            Of the intervals, which are equal-tailed.

        Returns
        -------
        DataFrame
            Columns model, role, parameter, symbol, statistic, unit, scale (log, logit or nothing),
            of ("pooled mean", "spread between", "new experiment", "effect of COLUMN" or the name of
            an experiment), median, lower, upper (in the parameter's unit; spreads between
            experiments and effects on the scale without bounds), linked, linked_lower,
            linked_upper (there, too), alone, alone_lower, alone_upper (of an experiment's own fit,
            without the others).
        """
        tails = np.array([0.5, (1 - ci_prob) / 2, (1 + ci_prob) / 2])
        flat = self._flat
        rows = []
        new = self.of_new(len(self.points), 1)
        for label, scale in self.scales.items():
            start = {
                "model": self.model,
                "role": self.role,
                "parameter": scale.parameter,
                "symbol": scale.symbol,
                "statistic": scale.statistic,
                "unit": scale.unit,
                "scale": scale.scale,
                "label": label,
            }
            mean = flat["mean"].sel(number=label).to_numpy()
            rows.append(start | _row(OF_ALL[0], mean, tails, scale))
            rows.append(start | _row(OF_ALL[1], new[label], tails, scale))
            spread = flat["spread"].sel(number=label).to_numpy()
            rows.append(start | _row(OF_ALL[2], spread, tails, None))
            for column in self.columns.get(label, ()):
                values = flat["effect"].sel(column=f"{label}: {column}").to_numpy()
                rows.append(start | _row(f"{EFFECT_OF}{column}", values, tails, None))
            for name, evidence in self.evidence.items():
                place = [number.label for number in evidence.scales]
                if label not in place:
                    continue
                values = flat["population"].sel(experiment=name, number=label).to_numpy()
                alone = np.quantile(evidence.draws[:, place.index(label)], tails)
                alone_row = dict(
                    zip(("alone", "alone_lower", "alone_upper"), scale.natural(alone), strict=True)
                )
                rows.append(start | _row(name, values, tails, scale) | alone_row)
        return pd.DataFrame(rows)


def _weights_of_own(
    evidence: Evidence, populations: Iterable[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Of a fit's own draws in populations of experiments, the sum over these, shape (draws,)."""
    total = np.zeros(len(evidence.draws))
    for location, spread in populations:
        z = (evidence.draws - location) / spread
        logs = -0.5 * (z**2).sum(axis=1) - evidence.log_prior
        weights = np.exp(logs - logs.max())
        total += weights / weights.sum()
    return total


def _row(
    of: str, values: np.ndarray, tails: np.ndarray, scale: CommonScale | None
) -> dict[str, object]:
    linked = np.quantile(values, tails)
    natural = linked if scale is None else scale.natural(linked)
    return {
        "of": of,
        **dict(zip(("median", "lower", "upper"), map(float, natural), strict=True)),
        **dict(zip(("linked", "linked_lower", "linked_upper"), map(float, linked), strict=True)),
    }
