"""One role's side of people who play both: what its fit says of one of their parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.marginal.population import Population
from trustbayes.models import Model
from trustbayes.models.draws import Draws
from trustbayes.priors.family import Family

__all__ = ["Personal", "Side", "check_normal", "lying_parameter", "personal", "side_of"]


@dataclass(frozen=True, eq=False)
class Side:
    """What a fit of one role says of people, draw by draw of its population.

    Parameters
    ----------
    name, model : str
        The parameter, and the model.
    logs : array, shape (draws, people)
        Log likelihood of a person's trials, her parameters integrated out.
    moments : array, shape (moments, draws, people)
        See `trustbayes.inference.marginal.new_subjects.NewSubject`.
    standard : array, shape (draws, people)
        A draw of the person's value, in units of the population's spread from its location.
    natural : array, shape (draws, people)
        The same on the natural standardised scale, in the person's first treatment.
    """

    name: str
    model: str
    logs: np.ndarray
    moments: np.ndarray
    standard: np.ndarray
    natural: np.ndarray

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(self.logs)

    def of(self, rows: np.ndarray) -> Side:
        """Some of the draws, by their positions."""
        return replace(
            self,
            logs=self.logs[rows],
            moments=self.moments[:, rows],
            standard=self.standard[rows],
            natural=self.natural[rows],
        )


def side_of(fit: Fit, name: str, people: list[str], draws: int) -> Side:
    """Take a role's side from its fit.

    Parameters
    ----------
    fit : Fit
    name : str
        The parameter.
    people : list of str
        Subjects, in the order wanted.
    draws : int
        At most.

    Returns
    -------
    Side

    Raises
    ------
    InputError
        If the model has no such parameter, or its population is not normal on the link's scale.
    """
    check_normal(fit.model, name)
    return fit.once(_side, name, tuple(people), draws)


def lying_parameter(model: Model) -> str:
    """The name of a sender model's one aversion to lying.

    Parameters
    ----------
    model : Model

    Returns
    -------
    str
        "lying_aversion" or "lump_sum_aversion".

    Raises
    ------
    InputError
        If the model has none, or both.

    Examples
    --------
    >>> from trustbayes.models import TrustEmbedded
    >>> lying_parameter(TrustEmbedded("sender"))
    'lying_aversion'
    """
    names = [p.name for p in model.parameters]
    able = [name for name in ("lying_aversion", "lump_sum_aversion") if name in names]
    if len(able) != 1:
        given = " and ".join(able) or model.name
        expected = "a model of senders with one aversion to lying, or parameters=(..., ...)"
        raise InputError(Fault("both roles, sender", given, expected))
    return able[0]


def check_normal(model: Model, name: str) -> None:
    """Refuse what has no bivariate normal population.

    Parameters
    ----------
    model : Model
    name : str
        Of a parameter.

    Raises
    ------
    InputError
        If the model has no such parameter of each subject, or its population is not estimated and
        normal on the scale of the link.
    """
    place = f"both roles, {model.role}"
    varies = {p.name: model.varies[p.name] for p in model.parameters}
    if "subject" not in varies.get(name, ()):
        raise InputError(Fault(place, model.name, f"a model with a {name} of each subject"))
    prior = model.priors[name]
    normal = name not in model.code_priors and prior.hierarchical
    normal = normal and prior.family.normal and not prior.family.zero_sum
    if not normal or name in model.formulas:
        expected = "an estimated population that is normal on the link's scale, without a formula"
        raise InputError(Fault(f"{place}, prior of {name}", str(prior), expected))


@dataclass(frozen=True, eq=False)
class Personal:
    """Draws of one parameter of people, and the same in units of their population.

    Parameters
    ----------
    natural : array, shape (draws, people)
        On the natural standardised scale, in the person's first treatment.
    standard : array, shape (draws, people)
        In units of the population's spread from its location, on the scale of the link.
    spread : array, shape (draws,)
        The population's, on the scale of the link.
    family : Family
        Of the population.
    """

    natural: np.ndarray
    standard: np.ndarray
    spread: np.ndarray
    family: Family


def personal(draws: Draws, name: str) -> Personal:
    """Take people's values of a parameter from draws.

    Parameters
    ----------
    draws : Draws
    name : str
        Of a parameter that passes `check_normal`.

    Returns
    -------
    Personal
        Of all people of the draws' units, in their order.
    """
    population = Population.of(draws.model, draws.game, draws.units, draws.data)
    [effect] = [e for e in population.effects if e.parameter.name == name]
    drawn = draws.data[name]
    drawn = drawn.transpose("sample", "subject", ...).sel(subject=list(draws.units.subjects))
    natural = drawn.to_numpy()
    location = effect.location[:, 0, :, 0]
    if natural.ndim > 2:
        _, first = np.unique(draws.units.unit_subject, return_index=True)
        treatment = draws.units.unit_treatment[first]
        natural = natural[:, np.arange(len(treatment)), treatment]
        location = location[:, treatment]
    linked = effect.family.link.forward(natural)
    spread = effect.shape["sigma"][:, 0, 0, 0]
    return Personal(natural, (linked - location) / spread[:, None], spread, effect.family)


def _side(fit: Fit, name: str, people: tuple[str, ...], draws: int) -> Side:
    all_draws = fit.thinned(draws).draws()
    new = new_subject_log_likelihood(all_draws, moments_of=name)
    values = personal(all_draws, name)
    where = np.array([fit.units.subjects.index(subject) for subject in people])
    return Side(
        name=name,
        model=fit.model.name,
        logs=new.log_likelihood[:, where],
        moments=new.moments[..., where],
        standard=values.standard[:, where],
        natural=values.natural[:, where],
    )
