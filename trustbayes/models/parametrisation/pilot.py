"""How much the data say about each subject's parameters, from a fit without subjects.

The sampler's parametrisation follows the data: subjects whose trials say more about a parameter
than the population does are sampled in the centred form, others in the non-centred form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize

from trustbayes.games import Game
from trustbayes.models.parametrisation.information import Information
from trustbayes.models.parametrisation.pairs import find_pair
from trustbayes.models.parametrisation.type_coordinates import can_be_placed
from trustbayes.models.settings import ModelSettings
from trustbayes.numerics.arrays import log_sum_exp
from trustbayes.priors.prior import Prior, prior_centre, typical
from trustbayes.theories.values import Values
from trustbayes.trials.units import Units

__all__ = ["pilot"]

_STEP = 1e-4


_NOTHING = 1e-12  # of information


_TYPICAL_SPREAD = 1.0


_FAR, _NEWTON_STEPS = 0.1, 5


_LITTLE = 0.1
"""Information about a subject, as a share of what a population of typical spread says."""


_EFFECTS = np.linspace(-5, 5, 61)
"""Of subjects, on the scale of the link."""


def pilot(model: ModelSettings, units: Units, game: Game) -> Information:
    """Weigh what each subject's trials say about each parameter.

    All subjects are given the same values, found by maximum a posteriori; there the expected
    (Fisher) information of each unit's trials is worked out by differences on the scale of the
    link. A parameter is centred if, for the median subject, the information times the variance
    between subjects, as far as their trials show it, exceeds one.

    Parameters
    ----------
    model : ModelSettings
    units : Units
    game : Game

    Returns
    -------
    Information
    """
    plain = Information.without_pilot(model, units)
    alike = _Alike(model, units, game)
    if not alike.linked:
        return plain
    point = alike.most_probable()
    weights, form = dict(plain.weights), dict(plain.form)
    stand_ins = {
        p.name: _of_prior(model, p.name, (len(units.subjects), model.width(p, game)))
        for p in alike.evenly
        if _needs_stand_in(model, p.name)
    }
    couplings: dict[str, np.ndarray] = {}
    starts: dict[str, np.ndarray] = {}
    for n, partner in model.spec.coupling.items():
        if not alike.can_be_paired(n, partner):
            continue
        couplings[n], better = _pair(alike, point, n, partner)
        for name, value in better.items():
            point[alike.places[name]] = value
            argument = str(model.priors[name].family.location)
            if isinstance(model.priors[name].arguments[argument], Prior):
                starts[f"{name}_{argument}"] = point[alike.places[name]]
    locations = {}
    for n in alike.linked:
        location = point[alike.places[n]]
        locations[n] = location if "treatment" in model.varies[n] else location[0]
        table = alike.information(point, n)
        total = table.sum(axis=1)
        known = total > _NOTHING
        weights[n] = np.where(
            known[:, None], table / np.where(known, total, 1)[:, None], weights[n]
        )
        informed = np.median(total) * _spread(alike, point, n) ** 2 > 1
        form[n] = "centred" if informed else "non-centred"
        if _needs_stand_in(model, n):
            middle, spread = _alone(alike, point, n)
            located = np.broadcast_to(location, len(units.treatments))
            stand_ins[n] = weights[n] @ located + middle, spread
    return Information(weights, form, stand_ins, couplings, locations, starts)


class _Alike:
    """A model all of whose subjects have the same values, and its units.

    A point holds the values of all parameters that vary between subjects, on the scale of the link,
    one for each treatment where they vary by treatment; all else is at the middle of its prior.
    """

    def __init__(self, model: ModelSettings, units: Units, game: Game) -> None:
        self.model, self.units, self.game = model, units, game
        self.typed, self.response = bool(model.types), model.response(game)
        names = [p.name for p in model.parameters if p.support != "simplex" and p.option is None]
        self.evenly = [p for p in model.parameters if p.option]  # no option preferred
        self.linked = [n for n in names if model.priors[n].hierarchical]
        self.fixed = {n: typical(_known_prior(model, n)) for n in names if n not in self.linked}
        treatments = len(units.treatments)
        sizes = [treatments if "treatment" in model.varies[n] else 1 for n in self.linked]
        parts = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        self.places = dict(zip(self.linked, parts, strict=False))
        centres = [prior_centre(model.priors[n]) for n in self.linked]
        self.start = np.repeat(np.array(centres, dtype=float), sizes)

    def at(self, point: np.ndarray, **effects: np.ndarray) -> tuple[Any, Values]:
        """What everybody answers there; effects of subjects, by parameter, are added."""
        model = self.model
        arrays: dict[str, Any] = {n: np.asarray(v) for n, v in self.fixed.items()}
        dims: dict[str, tuple[str, ...]] = dict.fromkeys(self.fixed, ())
        arrays |= {p.name: np.zeros(model.width(p, self.game)) for p in self.evenly}
        dims |= {p.name: (str(p.option),) for p in self.evenly}
        for n in self.linked:
            effect, part = effects.get(n), point[self.places[n]]
            part = part if effect is None else part + effect[:, None]
            natural = model.priors[n].family.link.inverse(part)
            shared = "treatment" in model.varies[n]
            arrays[n] = natural if shared else natural[..., 0]
            dims[n] = ("subject",) * (effect is not None) + ("treatment",) * shared
        values = Values(arrays, dims, self.units)
        return model.answer(self.game, values), values

    def log_likelihood(self, point: np.ndarray, **effects: np.ndarray) -> tuple[Any, np.ndarray]:
        """By unit and type, and whose it is."""
        return self.response.log_likelihood(self.units, *self.at(point, **effects), self.typed)

    def by_subject(self, point: np.ndarray, **effects: np.ndarray) -> np.ndarray:
        """The log likelihood of every subject and type."""
        answer, values = self.at(point, **effects)
        steps = self.model.steps(self.game, values)
        if steps is not None:
            logs = self.response.trial_logs(self.units, answer, values, self.typed)  # type: ignore[attr-defined]
            return np.asarray(steps.by_subject(logs, len(self.units.subjects)))
        logs, subject = self.log_likelihood(point, **effects)
        total = np.zeros((len(self.units.subjects), max(1, len(self.model.types))))
        logs = logs if self.typed else logs[:, None]
        np.add.at(total, subject, np.broadcast_to(logs, (subject.size, total.shape[1])))
        return total

    def most_probable(self) -> np.ndarray:
        """The point that the trials and a wide prior about the start make most probable."""

        def loss(point: np.ndarray) -> float:
            logs = log_sum_exp(self.by_subject(point))
            return float(-logs.sum() + 0.5 * ((point - self.start) ** 2).sum() / 4)

        bounds = [(-8, 8)] * self.start.size
        return np.array(minimize(loss, self.start, method="L-BFGS-B", bounds=bounds).x)

    def information(self, point: np.ndarray, name: str) -> np.ndarray:
        """Fisher information about a parameter, shape (subjects, treatments)."""
        units, step = self.units, _STEP * self.direction(name)
        up, down = self.at(point + step), self.at(point - step)
        fisher = self.response.information(units, up, down, _STEP, self.typed)
        table = np.zeros((len(units.subjects), len(units.treatments)))
        np.add.at(table, (units.unit_subject, units.unit_treatment), fisher)
        return table

    def direction(self, name: str) -> np.ndarray:
        """In which a point moves with a parameter."""
        direction = np.zeros(self.start.size)
        direction[self.places[name]] = 1.0
        return direction

    def can_be_paired(self, *names: str) -> bool:
        """Whether a grid over two parameters of each subject says all there is to say."""
        varies = self.model.varies
        return not self.typed and all(n in self.linked and "subject" in varies[n] for n in names)


def _known_prior(model: ModelSettings, name: str) -> Prior:
    """A parameter's prior; its default in place of one that is code, which has no known middle."""
    if name not in model.code_priors:
        return model.priors[name]
    [default] = [p.prior for p in model.parameters if p.name == name]
    return default


def _needs_stand_in(model: ModelSettings, name: str) -> bool:
    """Whether some type does without the parameter, whose subjects are normal on its link."""
    ignored = any(name in names for names in model.ignored.values())
    family = model.priors[name].family
    normal = family.normal and not family.zero_sum
    return ignored and normal and "subject" in model.varies[name] and not can_be_placed(model)


def _of_prior(
    model: ModelSettings, name: str, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """A stand-in that is the prior itself: the first run finds a better one."""
    arguments = model.priors[name].arguments
    mean, sigma = (np.asarray(arguments[key], dtype=float) for key in ("mu", "sigma"))
    return np.broadcast_to(mean, shape), np.broadcast_to(sigma, shape)


def _spread(alike: _Alike, point: np.ndarray, name: str) -> float:
    """Standard deviation between subjects of a parameter, on the scale of the link.

    Each subject's most probable effect in a population of typical spread, by Newton's steps, gives
    the most likely one and its error; from these the variance between subjects follows by moments
    (DerSimonian and Laird 1986, Controlled Clinical Trials 7(3)). All else is as found.
    """
    if "subject" not in alike.model.varies[name]:
        return _TYPICAL_SPREAD  # it has none, and one form
    if any(name in names for names in alike.model.ignored.values()):
        return _TYPICAL_SPREAD  # where nobody heeds it at the point, trials seem to say nothing

    def logs(effect: np.ndarray) -> np.ndarray:
        return np.asarray(log_sum_exp(alike.by_subject(point, **{name: effect})))

    effect, prior = np.zeros(len(alike.units.subjects)), 1 / _TYPICAL_SPREAD**2
    for _ in range(_NEWTON_STEPS):
        below, at, above = (logs(effect + sign * _FAR) for sign in (-1, 0, 1))
        slope = (above - below) / (2 * _FAR)
        known = np.maximum((2 * at - above - below) / _FAR**2, 0.0)
        effect += np.clip((slope - prior * effect) / (known + prior), -1.0, 1.0)
    informed = known > _LITTLE * prior  # of others the most likely effect may be infinite
    known, effect = known[informed], effect[informed]
    if known.size < 2:
        return _TYPICAL_SPREAD
    total = known.sum()
    likely = effect * (known + prior) / known
    off = likely - (known @ likely) / total
    between = (known @ off**2 - (known.size - 1)) / (total - known @ known / total)
    return float(np.sqrt(max(between, 0.0)))


def _alone(alike: _Alike, point: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each subject's effect, if she is of a type that has it.

    From her trials and a population of typical spread, by a grid of the effect; all else as found.
    """
    heeds = [name not in alike.model.ignored[label] for label in alike.model.types]
    logs = []
    for effect in _EFFECTS:
        by_subject = alike.by_subject(point + effect * alike.direction(name))
        logs.append(log_sum_exp(by_subject[:, heeds]) - 0.5 * (effect / _TYPICAL_SPREAD) ** 2)
    weight = np.exp(np.array(logs) - np.max(logs, axis=0))
    weight /= weight.sum(axis=0)
    mean = _EFFECTS @ weight
    variance = (_EFFECTS**2) @ weight - mean**2
    return mean, np.sqrt(np.maximum(variance, _STEP)) + (_EFFECTS[1] - _EFFECTS[0]) / 2


def _pair(
    alike: _Alike, middle: np.ndarray, name: str, partner: str
) -> tuple[np.ndarray, dict[str, Any]]:
    """What a grid says of two parameters of subjects, and of one that they share.

    The coupling of the first, and better values of each, by name.
    """
    units, places = alike.units, alike.places
    varies = alike.model.varies
    shared = next((n for n in alike.linked if "subject" not in varies[n]), None)
    of_shared = places[shared] if shared is not None else np.empty(0, dtype=int)
    subject, treatment = units.unit_subject[units.cell_unit], units.unit_treatment[units.cell_unit]

    def logs(first: np.ndarray, second: np.ndarray, value: np.ndarray) -> np.ndarray:
        point = middle.copy()
        point[places[name]] = point[places[partner]] = 0.0
        point[of_shared] = value
        answer, values = alike.at(point, **{name: first, partner: second})
        cells = alike.response.cell_logs(units, answer, values, typed=False) * units.cell_trials
        total = np.zeros((first.size, len(units.treatments)))
        np.add.at(total, (subject, treatment), cells)
        return total

    first, second = (float(np.mean(alike.start[places[n]])) for n in (name, partner))
    pair = find_pair(logs, len(units.subjects), (first, second), alike.start[of_shared])
    better: dict[str, Any] = {name: pair.first, partner: pair.second}
    if shared is not None:
        better[shared] = pair.shared
    return pair.coupling, better
