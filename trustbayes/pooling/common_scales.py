"""On which scales populations of people in different games are held against each other.

What a population of people is like is a handful of numbers: where a parameter lies and how far
people spread about it, each on the scale of its link, and how people share out among levels. Where
a location differs by treatment, that is the mean of the treatments' locations, and how far they lie
apart. A number that two experiments have in the same unit can have a population of experiments; one
whose unit is another, such as the noise of reports and that of choices, cannot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from scipy import stats
from scipy.special import digamma, polygamma

from trustbayes.models.settings import ModelSettings
from trustbayes.priors.families import FAMILIES
from trustbayes.priors.links import LOG, Link
from trustbayes.priors.prior import Prior
from trustbayes.theories.spec import Parameter

__all__ = [
    "APART",
    "EFFECT_OF",
    "OF_ALL",
    "CommonScale",
    "are_all",
    "common_scales",
    "with_values",
]

APART = "between treatments"
"""The number that says how far the locations of treatments lie apart."""
OF_ALL = ("pooled mean", "new experiment", "spread between")
"""What tables say a number is of, where it is of no experiment in particular."""
EFFECT_OF = "effect of "
"""Before the name of a covariate, in the same place."""
_LEAST = 1e-12
_FARTHEST = 30.0
"""On the scale of a link, of what all people of an experiment share: a trust of exactly 0 or 1, as
treatments far apart would have it, has no logit, and its likelihood was not a number."""


@dataclass(frozen=True, eq=False)
class CommonScale:
    """One number of a population of people, without bounds, and its prior in one experiment.

    Parameters
    ----------
    parameter : str
        Of the model.
    symbol : str
    statistic : str
        "location", "spread", "between treatments" (the standard deviation of their locations) or,
        of shares, "beyond LABEL": the chance of those that are not before
        a type to be none of it, on the logit scale.
    unit : str
        Of the parameter: numbers of different units are different numbers.
    variable : str
        In draws of the model.
    prior : Prior
        Of the variable, without hyperpriors; its link is the scale.
    place : int or None
        Of shares: the position of the type.
    labels : tuple of str
        Of shares: all types.
    by_treatment : bool
        Whether the variable has a value for each treatment, of which this is the mean or the
        standard deviation.
    people : Link or None
        Of locations: the link of the people's own values.
    """

    parameter: str
    symbol: str
    statistic: str
    unit: str
    variable: str
    prior: Prior
    place: int | None = None
    labels: tuple[str, ...] = ()
    by_treatment: bool = False
    people: Link | None = None

    @property
    def label(self) -> str:
        """What is the same in two experiments that share it."""
        shared = f" of {', '.join(self.labels)}" if self.labels else ""
        return f"{self.parameter}, {self.statistic}{shared} ({self.unit})"

    @property
    def scale(self) -> str:
        """The scale without bounds, in a word: log, logit, or nothing."""
        return (self.people or self.link).name

    def natural(self, values: np.ndarray) -> np.ndarray:
        """Numbers without bounds in the parameter's own unit.

        A location is then that of a middling person; a spread is that of people about it, on the
        scale of the parameter's link, or their population's shape; of shares it is a chance.
        """
        return np.asarray((self.people or self.link).inverse(values))

    @property
    def link(self) -> Link:
        """From the variable's own values to the scale without bounds."""
        return self.prior.family.link

    @property
    def apart(self) -> bool:
        """Whether it says how far treatments lie apart."""
        return self.statistic == APART

    def exists(self, treatments: int) -> bool:
        """Whether an experiment of so many treatments has it."""
        return treatments > 1 or not self.apart

    def values(self, draws: xr.Dataset) -> np.ndarray:
        """The number in draws of the model.

        Parameters
        ----------
        draws : xarray.Dataset
            With dimensions chain and draw, or sample.

        Returns
        -------
        array, shape (draws,)
        """
        array = draws[self.variable]
        if "chain" in array.dims:
            array = array.stack(sample=("chain", "draw"))
        if self.place is not None:
            array = array.transpose("sample", ...)
            shares = array.to_numpy()
            rest = shares[:, self.place :].sum(axis=1)
            beyond = np.clip(shares[:, self.place + 1 :].sum(axis=1) / rest, 1e-12, 1 - 1e-12)
            return np.asarray(self.link.forward(beyond))
        linked = self.link.forward(array.transpose("sample", ...).to_numpy())
        if self.apart:
            return np.log(np.maximum(linked.std(axis=1, ddof=1), _LEAST))
        return np.asarray(linked.mean(axis=1) if self.by_treatment else linked)

    def moments(self, treatments: int) -> tuple[float, float]:
        """Mean and standard deviation of its prior.

        Parameters
        ----------
        treatments : int
            How many values it is the mean of, if it is one of treatments.
        """
        location, shape = self._arguments
        mean, variance = self.prior.family.moments(location, shape)
        if self.apart:  # half the log of a chi-square over its degrees of freedom
            freedom = max(treatments, 2) - 1
            middle = 0.5 * (digamma(freedom / 2) + np.log(2 / freedom) + np.log(variance))
            return float(middle), float(np.sqrt(polygamma(1, freedom / 2)) / 2)
        return float(mean), float(np.sqrt(variance / (treatments if self.by_treatment else 1)))

    def log_prior(self, values: np.ndarray, treatments: int) -> np.ndarray:
        """Log density of its prior, on the scale without bounds; arguments as in `moments`."""
        if self.apart:
            freedom = treatments - 1
            variance = self.prior.family.moments(*self._arguments)[1]
            square = freedom * np.exp(2 * values) / variance
            return np.asarray(stats.chi2.logpdf(square, freedom) + np.log(2 * square))
        if self.by_treatment:
            mean, spread = self.moments(treatments)
            z = (values - mean) / spread
            return np.asarray(-0.5 * z**2 - np.log(spread) - 0.5 * np.log(2 * np.pi))
        location, shape = self._arguments
        return np.asarray(self.prior.family.log_density(values - location, shape))

    @property
    def _arguments(self) -> tuple[float, dict[str, float]]:
        family, arguments = self.prior.family, dict(self.prior.arguments)
        location = 0.0
        if family.location is not None:
            location = float(family.linked_location(arguments.pop(family.location)))
        return location, {name: np.float64(value) for name, value in arguments.items()}


def common_scales(model: ModelSettings) -> tuple[CommonScale, ...]:
    """The numbers of a model's population that could be shared with other experiments.

    Parameters
    ----------
    model : ModelSettings

    Returns
    -------
    tuple of CommonScale
        None of parameters with formulas, of priors in code, of options that are the game's own,
        of shares other than by Dirichlet, or whose prior has priors of its own.

    Examples
    --------
    >>> from trustbayes.models import LevelK
    >>> [f"{scale.parameter} {scale.statistic}" for scale in common_scales(LevelK("sender"))][:3]
    ['response_precision location', 'response_precision spread', 'level beyond 0']
    """
    scales: list[CommonScale] = []
    for parameter in model.parameters:
        prior = model.priors[parameter.name]
        if parameter.option or parameter.name in model.formulas or not isinstance(prior, Prior):
            continue
        if parameter.support == "simplex":
            scales += _of_shares(parameter, prior, model.shares[parameter.name])
        else:
            scales += _of_population(parameter, prior, model)
    return tuple(scales)


def are_all(scales: Sequence[CommonScale], model: ModelSettings, treatments: int) -> bool:
    """Whether some numbers are all that the likelihood of a population of people depends on.

    Parameters
    ----------
    scales : sequence of CommonScale
    model : ModelSettings
    treatments : int
        Of the experiment. Where a location differs by treatment its mean and how far treatments
        lie apart do not say which is where.

    Returns
    -------
    bool

    Examples
    --------
    >>> from trustbayes.models import LevelK
    >>> model = LevelK("sender")
    >>> scales = common_scales(model)
    >>> are_all(scales, model, 1), are_all(scales[1:], model, 1)
    (True, False)
    """
    needed: set[tuple[str, int | None]] = set()
    for parameter in model.parameters:
        name, over = parameter.name, model.varies[parameter.name]
        prior = model.priors[name]
        if name in model.formulas or not isinstance(prior, Prior) or parameter.option:
            return False
        if "treatment" in over and treatments > 1:
            return False
        if parameter.support == "simplex":
            needed |= {(f"{name}_share", place) for place in range(len(model.shares[name]) - 1)}
            continue
        for argument, hyper in prior.arguments.items():
            spread = argument != prior.family.location
            if isinstance(hyper, Prior) and not (spread and "subject" not in over):
                needed.add((f"{name}_{argument}", None))
    return needed == {(scale.variable, scale.place) for scale in scales}


def _of_population(parameter: Parameter, prior: Prior, model: ModelSettings) -> list[CommonScale]:
    over = model.varies[parameter.name]
    location, by_treatment = prior.family.location, "treatment" in over
    scales = []
    for argument, hyper in prior.arguments.items():
        if not isinstance(hyper, Prior) or not _plain(hyper):
            continue
        if argument != location and "subject" not in over:
            continue  # nothing is spread
        if argument == location and by_treatment and not _is_normal(hyper):
            continue  # the mean over treatments has no density in closed form
        made = CommonScale(
            parameter=parameter.name,
            symbol=parameter.symbol,
            statistic="location" if argument == location else "spread",
            unit=parameter.unit,
            variable=f"{parameter.name}_{argument}",
            prior=hyper,
            by_treatment=by_treatment and argument == location,
            people=prior.family.link if argument == location else None,
        )
        scales.append(made)
        if made.by_treatment:
            scales.append(replace(made, statistic=APART, people=LOG))
    return scales


def _of_shares(parameter: Parameter, prior: Prior, labels: tuple[str, ...]) -> list[CommonScale]:
    """Each type against those after it: independent under a Dirichlet prior, by Beta priors."""
    if prior.distribution != "Dirichlet":
        return []
    given = np.asarray(prior.arguments["a"], dtype=float)
    weights = np.broadcast_to(given, (len(labels),))
    return [
        CommonScale(
            parameter=parameter.name,
            symbol=parameter.symbol,
            statistic=f"beyond {labels[place]}",
            unit="share",
            variable=f"{parameter.name}_share",
            prior=Prior(
                "Beta", alpha=float(weights[place + 1 :].sum()), beta=float(weights[place])
            ),
            place=place,
            labels=labels,
        )
        for place in range(len(labels) - 1)
    ]


def _plain(prior: Prior) -> bool:
    """Whether its density is known: numbers as arguments, of a family of single values."""
    numbers = all(isinstance(value, int | float) for value in prior.arguments.values())
    return numbers and not prior.family.zero_sum and prior.family.support != "simplex"


def _is_normal(prior: Prior) -> bool:
    return FAMILIES[prior.distribution].normal and not prior.family.natural_location


def with_values(
    draws: xr.Dataset,
    scales: Mapping[str, CommonScale],
    values: Mapping[str, np.ndarray],
    model: ModelSettings,
) -> xr.Dataset:
    """Draws of a model in which its population is another.

    Where a number is the mean of treatments, what sets them apart stays unless that is given, too.

    Parameters
    ----------
    draws : xarray.Dataset
        From the prior, with dimension sample.
    scales : mapping of str to CommonScale
        By label.
    values : mapping of str to array, shape (samples,)
        What the numbers shall be, by label.
    model : ModelSettings

    Returns
    -------
    xarray.Dataset
        Of what belongs to no subject.
    """
    personal = [str(n) for n, array in draws.data_vars.items() if "subject" in array.dims]
    data = draws.drop_vars(personal).copy()
    sticks: dict[str, dict[int, np.ndarray]] = {}
    # How far treatments lie apart comes before their mean, which it does not move.
    for label in sorted(values, key=lambda label: not scales[label].apart):
        scale, value = scales[label], np.asarray(values[label])
        if scale.place is not None:
            sticks.setdefault(scale.variable, {})[scale.place] = value
            continue
        before = data[scale.variable].transpose("sample", ...)
        linked = scale.link.forward(before.to_numpy())
        if scale.by_treatment:
            mean = linked.mean(axis=1, keepdims=True)
            apart = np.exp(value - scale.values(data))[:, None] if scale.apart else 1.0
            linked = (mean if scale.apart else value[:, None]) + apart * (linked - mean)
        else:
            linked = value
        data[scale.variable] = (before.dims, scale.link.inverse(linked))
    for variable, beyond in sticks.items():
        before = data[variable].transpose("sample", ...)
        data[variable] = (before.dims, _shares(before.to_numpy(), beyond))
    for parameter in model.parameters:  # values that nobody has for herself follow the location
        name, prior = parameter.name, model.priors[parameter.name]
        key = f"{name}_{prior.family.location}" if isinstance(prior, Prior) else ""
        if name in data and key in data and not parameter.option:
            family = prior.family
            location = family.linked_location(data[key]).clip(-_FARTHEST, _FARTHEST)
            data[name] = xr.apply_ufunc(family.link.inverse, location)
    return data


def _shares(before: np.ndarray, beyond: Mapping[int, np.ndarray]) -> np.ndarray:
    """Shares with other chances to lie beyond a type, those that are not given as before."""
    shares, left = np.empty_like(before), np.ones(len(before))
    for place in range(before.shape[1] - 1):
        rest = before[:, place:].sum(axis=1)
        chance = before[:, place + 1 :].sum(axis=1) / rest
        if place in beyond:
            chance = 0.5 * (1 + np.tanh(0.5 * beyond[place]))
        shares[:, place] = left * (1 - chance)
        left = left * chance
    shares[:, -1] = left
    return shares
