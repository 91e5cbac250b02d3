"""How much the data say about each subject's parameters, from a fit without subjects.

The sampler's parametrisation follows the data: subjects whose trials say more about a parameter
than the population does are sampled in the centred form, others in the non-centred form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

from trustbayes.cells import Units
from trustbayes.games import Game
from trustbayes.models.coupled import Pair, find_pair
from trustbayes.models.hierarchy import LINKS
from trustbayes.models.placed import Sites, can_be_placed
from trustbayes.models.response import Response, log_sum_exp
from trustbayes.models.values import Values
from trustbayes.priors import Prior

if TYPE_CHECKING:
    from trustbayes.models.model import Model

__all__ = ["Information", "pilot", "prior_centre", "typical"]

_STEP = 1e-4
_TYPICAL_SPREAD = 1.0
_EFFECTS = np.linspace(-5, 5, 61)
"""Of subjects, on the scale of the link."""


@dataclass(frozen=True)
class Information:
    """What the pilot found, by parameter.

    Parameters
    ----------
    weights : mapping of str to array, shape (subjects, treatments)
        Share of each treatment in what is known of a subject's value; rows add up to one.
    form : mapping of str to "centred" or "non-centred"
    stand_ins : mapping of str to pair of arrays, shape (subjects,) and the options if any
        Mean and standard deviation of the density that stands in for the population's where a
        subject is of a type that ignores the parameter; on the scale of the link, at the mean of
        her treatments by weight. The parameter then bears on nothing, so its density is free, and
        the posterior of all else is the same with any (Carlin and Chib 1995, Journal of the Royal
        Statistical Society B 57(3)). With one near what the trials say if she is of another type,
        the sampler need not jump between the two.
    couplings : mapping of str to array, shape (subjects,)
        The power of its partner by which a parameter is multiplied where the sampler works with
        both, see `trustbayes.models.spec.ModelSpec.coupling`; one half where it is not found.
    locations : mapping of str to array, shape () or (treatments,)
        Values that all subjects were given, on the scale of the link.
    starts : mapping of str to array, shape () or (treatments,)
        Where chains had best start, by name of the population's variable; on the scale of the
        link. Those not named may start anywhere.
    sites : Sites, optional
        See `trustbayes.models.placed`: then neither forms nor stand-ins are used.
    """

    weights: Mapping[str, np.ndarray]
    form: Mapping[str, str]
    stand_ins: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    couplings: Mapping[str, np.ndarray] = field(default_factory=dict)
    locations: Mapping[str, np.ndarray] = field(default_factory=dict)
    starts: Mapping[str, np.ndarray] = field(default_factory=dict)
    sites: Sites | None = None

    @classmethod
    def without_pilot(cls, model: Model, units: Units) -> Information:
        """Treatments weighted by their trials, all centred: enough to draw from the prior."""
        shape = (len(units.subjects), len(units.treatments))
        return cls(
            {p.name: _trial_weights(units, shape) for p in model.parameters},
            {p.name: "centred" for p in model.parameters},
        )


def pilot(model: Model, units: Units, game: Game) -> Information:
    """Weigh what each subject's trials say about each parameter.

    All subjects are given the same values, found by maximum a posteriori; there the expected
    (Fisher) information of each unit's trials is worked out by differences on the scale of the
    link. A parameter is centred if, for the median subject, the information times a typical
    population variance (1 on the link scale) exceeds one.

    Parameters
    ----------
    model : Model
    units : Units
    game : Game

    Returns
    -------
    Information
    """
    names = [p.name for p in model.parameters if p.support != "simplex" and p.option is None]
    evenly = [p for p in model.parameters if p.option]  # no option preferred
    linked = [n for n in names if model.priors[n].hierarchical]
    fixed = {n: typical(_known_prior(model, n)) for n in names if n not in linked}
    counts = len(units.treatments)
    size = {n: counts if "treatment" in model.varies[n] else 1 for n in linked}
    start = np.array([prior_centre(model.priors[n]) for n in linked for _ in range(size[n])])

    def values(point: np.ndarray, effects: Mapping[str, np.ndarray]) -> Values:
        arrays: dict[str, Any] = {n: np.asarray(v) for n, v in fixed.items()}
        dims: dict[str, tuple[str, ...]] = dict.fromkeys(fixed, ())
        arrays |= {p.name: np.zeros(model.width(p, game)) for p in evenly}
        dims |= {p.name: (str(p.option),) for p in evenly}
        for n, part in zip(linked, _split(point, list(size.values())), strict=True):
            own = effects.get(n)
            part = part if own is None else part + own[:, None]
            natural = LINKS[model.priors[n].distribution].inverse(part)
            shared = "treatment" in model.varies[n]
            arrays[n] = natural if shared else natural[..., 0]
            dims[n] = ("subject",) * (own is not None) + ("treatment",) * shared
        return Values(arrays, dims, units)

    typed, response = bool(model.types), model.response(game)

    def at(point: np.ndarray, **effects: np.ndarray) -> tuple[Any, Values]:
        found = values(point, effects)
        return model.answer(game, found), found

    def loss(point: np.ndarray) -> float:
        logs, subject = response.log_likelihood(units, *at(point), typed)
        if typed:
            by_subject = np.zeros((len(units.subjects), logs.shape[-1]))
            np.add.at(by_subject, subject, logs)
            logs = log_sum_exp(by_subject)
        return float(-logs.sum() + 0.5 * ((point - start) ** 2).sum() / 4)

    plain = Information.without_pilot(model, units)
    shape = (len(units.subjects), counts)
    weights, form = dict(plain.weights), dict(plain.form)
    if not linked:
        return plain
    stand_ins = {
        p.name: _of_prior(model, p.name, (len(units.subjects), model.width(p, game)))
        for p in evenly
        if _can_be_ignored(model, p.name) and not can_be_placed(model)
    }
    found = minimize(loss, start, method="L-BFGS-B", bounds=[(-8, 8)] * start.size).x
    couplings: dict[str, np.ndarray] = {}
    starts: dict[str, np.ndarray] = {}
    places = dict(zip(linked, _split(np.arange(start.size), list(size.values())), strict=True))
    for n, partner in model.spec.coupling.items():
        if typed or not all(
            "subject" in model.varies[one] and one in linked for one in (n, partner)
        ):
            continue
        shared = next((one for one in linked if "subject" not in model.varies[one]), None)
        pair = _pair(units, response, at, (start, found), places, (n, partner), shared)
        couplings[n] = pair.coupling
        new: dict[str, Any] = {n: pair.first, partner: pair.second}
        if shared is not None:
            new[shared] = pair.shared
        for one, value in new.items():
            found[places[one]] = value
            location = str(model.priors[one].family.location)
            if isinstance(model.priors[one].arguments[location], Prior):
                starts[f"{one}_{location}"] = found[places[one]]
    begin = 0
    locations = {}
    for n in linked:
        step = np.zeros_like(found)
        step[begin : begin + size[n]] = _STEP
        begin += size[n]
        location = found[step != 0]
        locations[n] = location if "treatment" in model.varies[n] else location[0]
        fisher = response.information(units, at(found + step), at(found - step), _STEP, typed)
        table = np.zeros(shape)
        np.add.at(table, (units.unit_subject, units.unit_treatment), fisher)
        total = table.sum(axis=1)
        known = total > 1e-12
        weights[n] = np.where(
            known[:, None], table / np.where(known, total, 1)[:, None], weights[n]
        )
        informed = np.median(total) * _TYPICAL_SPREAD**2 > 1
        form[n] = "centred" if informed else "non-centred"
        if _can_be_ignored(model, n) and not can_be_placed(model):
            middle, spread = _alone(model, units, response, at, found, np.sign(step), n)
            stand_ins[n] = weights[n] @ np.broadcast_to(location, counts) + middle, spread
    return Information(weights, form, stand_ins, couplings, locations, starts)


def _known_prior(model: Model, name: str) -> Prior:
    """A parameter's prior; its default in place of one that is code, which has no known middle."""
    if name not in model.coded:
        return model.priors[name]
    [default] = [p.prior for p in model.parameters if p.name == name]
    return default


def _can_be_ignored(model: Model, name: str) -> bool:
    """Whether some type does without the parameter, whose subjects are normal on its link."""
    ignored = any(name in names for names in model.ignored.values())
    normal = model.priors[name].distribution in ("Normal", "LogNormal", "LogitNormal")
    return ignored and normal and "subject" in model.varies[name]


def _of_prior(model: Model, name: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A stand-in that is the prior itself: the first run finds a better one."""
    arguments = model.priors[name].arguments
    mean, sigma = (np.asarray(arguments[key], dtype=float) for key in ("mu", "sigma"))
    return np.broadcast_to(mean, shape), np.broadcast_to(sigma, shape)


def _alone(
    model: Model,
    units: Units,
    response: Response,
    at: Callable[[np.ndarray], tuple[Any, Values]],
    point: np.ndarray,
    direction: np.ndarray,
    name: str,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each subject's effect, if she is of a type that has it.

    From her trials and a population of typical spread, by a grid of the effect; all else as found.
    """
    heeds = [name not in model.ignored[label] for label in model.types]
    logs = []
    for effect in _EFFECTS:
        parts, subject = response.log_likelihood(units, *at(point + effect * direction), True)
        by_subject = np.zeros((len(units.subjects), len(model.types)))
        np.add.at(by_subject, subject, np.broadcast_to(parts, (subject.size, len(model.types))))
        logs.append(log_sum_exp(by_subject[:, heeds]) - 0.5 * (effect / _TYPICAL_SPREAD) ** 2)
    weight = np.exp(np.array(logs) - np.max(logs, axis=0))
    weight /= weight.sum(axis=0)
    mean = _EFFECTS @ weight
    variance = (_EFFECTS**2) @ weight - mean**2
    return mean, np.sqrt(np.maximum(variance, _STEP)) + (_EFFECTS[1] - _EFFECTS[0]) / 2


def _pair(
    units: Units,
    response: Response,
    at: Callable[..., tuple[Any, Values]],
    points: tuple[np.ndarray, np.ndarray],
    places: Mapping[str, np.ndarray],
    names: tuple[str, str],
    shared: str | None,
) -> Pair:
    """What a grid says of two parameters of subjects, and of one that they share."""
    start, found = points
    of_shared = places[shared] if shared is not None else np.empty(0, dtype=int)

    def logs(first: np.ndarray, second: np.ndarray, value: np.ndarray) -> np.ndarray:
        point = found.copy()
        for name in names:
            point[places[name]] = 0.0
        point[of_shared] = value
        given = {names[0]: first, names[1]: second}
        parts, subject = response.log_likelihood(units, *at(point, **given), False)
        total = np.zeros((first.size, len(units.treatments)))
        np.add.at(total, (subject, units.unit_treatment), parts)
        return total

    first, second = (float(np.mean(start[places[name]])) for name in names)
    return find_pair(logs, len(units.subjects), (first, second), start[of_shared])


def _split(point: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    return np.split(point, np.cumsum(sizes)[:-1])


def _trial_weights(units: Units, shape: tuple[int, int]) -> np.ndarray:
    trials = np.zeros(shape)
    np.add.at(trials, (units.unit_subject, units.unit_treatment), units.trials_per_unit)
    return trials / trials.sum(axis=1, keepdims=True)


def prior_centre(prior: Prior) -> float:
    """Where the hyperprior of a population's location stands, on the scale of the link."""
    hyper = prior.arguments[str(prior.family.location)]
    if isinstance(hyper, tuple):
        return float(
            np.mean(LINKS["Gamma"].forward(hyper) if prior.distribution == "Gamma" else hyper)
        )
    if prior.distribution == "Gamma":
        return float(np.log(typical(hyper)))
    return typical(hyper)


def typical(prior: Prior | float) -> float:
    """A middling value of a prior, its own arguments being at theirs; a number as it is."""
    if not isinstance(prior, Prior):
        return float(prior)
    arguments = {
        name: typical(value) if isinstance(value, Prior) else value
        for name, value in prior.arguments.items()
    }
    if prior.distribution in ("Normal", "StudentT"):
        return float(arguments["mu"])
    if prior.distribution == "LogNormal":
        return float(np.exp(arguments["mu"]))
    if prior.distribution == "LogitNormal":
        return float(LINKS["LogitNormal"].inverse(arguments["mu"]))
    if prior.distribution == "Gamma":
        return float(arguments["mean"])
    if prior.distribution == "Beta":
        return float(arguments["alpha"] / (arguments["alpha"] + arguments["beta"]))
    if prior.distribution == "HalfNormal":
        return float(0.67 * arguments["sigma"])
    return float(np.log(2) / arguments["lam"])
