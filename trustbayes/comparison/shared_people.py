"""One role's side of people who play both: what its fit says of one of their parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.inference.marginal.new_subjects import new_subject_log_likelihood
from trustbayes.inference.marginal.population import Population

__all__ = ["Side", "side_of"]


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
    _check(fit, name)
    return fit.once(_side, name, tuple(people), draws)


def _check(fit: Fit, name: str) -> None:
    place = f"both roles, {fit.model.role}"
    varies = {p.name: fit.model.varies[p.name] for p in fit.model.parameters}
    if "subject" not in varies.get(name, ()):
        raise InputError(Fault(place, fit.model.name, f"a model with a {name} of each subject"))
    prior = fit.model.priors[name]
    normal = name not in fit.model.code_priors and prior.hierarchical
    normal = normal and prior.family.normal and not prior.family.zero_sum
    if not normal or name in fit.model.formulas:
        expected = "an estimated population that is normal on the link's scale, without a formula"
        raise InputError(Fault(f"{place}, prior of {name}", str(prior), expected))


def _side(fit: Fit, name: str, people: tuple[str, ...], draws: int) -> Side:
    thinned = fit.thinned(draws)
    all_draws = thinned.draws()
    new = new_subject_log_likelihood(all_draws, moments_of=name)
    population = Population.of(all_draws.model, all_draws.game, all_draws.units, all_draws.data)
    [effect] = [e for e in population.effects if e.parameter.name == name]
    where = np.array([fit.units.subjects.index(one) for one in people])
    drawn = all_draws.data[name]
    drawn = drawn.transpose("sample", "subject", ...).sel(subject=list(fit.units.subjects))
    natural = drawn.to_numpy()
    location = effect.location[:, 0, :, 0]
    if natural.ndim > 2:
        _, first = np.unique(fit.units.unit_subject, return_index=True)
        treatment = fit.units.unit_treatment[first]
        natural = natural[:, np.arange(len(treatment)), treatment]
        location = location[:, treatment]
    linked = effect.family.link.forward(natural)
    standard = (linked - location) / effect.shape["sigma"][:, 0, 0]
    return Side(
        name=name,
        model=fit.model.name,
        logs=new.log_likelihood[:, where],
        moments=new.moments[..., where],
        standard=standard[:, where],
        natural=natural[:, where],
    )
