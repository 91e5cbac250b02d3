"""Hand-written log densities and gradients of the four base models: how fast it could be.

Each is one fused loop over the folded cells, compiled by numba: no tables of all probabilities, no
temporary arrays, no work for what nobody saw. Densities, coordinates and their order are those that
trustbayes gives to the sampler where all subjects' parameters are centred; a test holds both equal.
Used by the benchmark of speed only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from rows import MAX_LEVEL

from trustbayes.games import FiniteGame
from trustbayes.models.parametrisation.information import Information
from trustbayes.theories.level_k.finite import level_tables
from trustbayes.theories.trust_embedded.finite import distrusted_prior
from trustbayes.trials.finite import Cells

_HALF_LOG_2_PI = 0.5 * math.log(2 * math.pi)
_jit = numba.njit(cache=True, error_model="numpy")


@dataclass(frozen=True, eq=False)
class Limit:
    """A log density with its gradient.

    Parameters
    ----------
    kernel : callable
        ``kernel(point, gradient, *data)`` fills in the gradient and gives the log density.
    data : tuple
    """

    kernel: Callable[..., float]
    data: tuple[Any, ...]

    def __call__(self, point: np.ndarray, gradient: np.ndarray) -> float:
        """Fill in the gradient at a point and give the log density."""
        return self.kernel(point, gradient, *self.data)


def limit(name: str, units: Cells, game: FiniteGame, information: Information) -> Limit:
    """The hand-written kernel of a base model.

    Parameters
    ----------
    name : "trust-embedded" or "level-k"
    units : Cells
        With its units sorted by subject.
    game : FiniteGame
        With power-loss payoffs.
    information : Information
        For the weights of treatments and the couplings, see
        `trustbayes.models.parametrisation.pilot`.

    Returns
    -------
    Limit
    """
    seen = units.counts.sum(axis=2).astype(float)
    subjects = len(units.subjects)
    if name == "level-k":
        tables = [level_tables(game, float(bias), MAX_LEVEL) for bias in units.biases]
        utility = np.stack([getattr(t, f"{units.role}_utility") for t in tables]) / game.scale
        utility -= utility.max(axis=-1, keepdims=True)
        earned = np.zeros((subjects, MAX_LEVEL + 1))
        by_unit = np.einsum("uso,ukso->uk", units.counts, utility[units.unit_bias])
        np.add.at(earned, units.unit_subject, by_unit)
        return Limit(
            _level_k, (subjects, units.unit_subject, units.unit_bias, seen, earned, utility)
        )
    payoffs, counts = game.payoffs, units.counts.astype(float)
    power = (payoffs.scale / game.scale, payoffs.exponent)
    distrusted = np.stack([distrusted_prior(game, float(bias)) for bias in units.biases])
    if units.role == "sender":
        of_condition = (
            units.condition_treatment,
            units.biases[units.condition_bias],
            (distrusted @ game.states)[units.condition_bias],
        )
        lie = np.abs(game.messages - game.states[:, None]) / game.step
        who = (units.unit_subject, units.unit_condition)
        return Limit(
            _sender,
            (
                information.couplings["lying_aversion"],
                *(subjects, len(units.treatments), *who, seen, counts, *of_condition),
                *(game.states, game.messages, lie, *power),
            ),
        )
    weights = information.weights["trust"]
    of_units = (units.unit_subject, units.unit_treatment, units.unit_bias)
    return Limit(
        _receiver,
        (subjects, weights, *of_units, seen, counts, *_terms(game, distrusted), *power),
    )


def _terms(game: FiniteGame, distrusted: np.ndarray) -> tuple[np.ndarray, ...]:
    """Distinct distances that a receiver's utility is made of: base + trust x gap.

    Returns
    -------
    base, gap : array, shape (terms,)
    term : array of int, shape (messages, states, actions)
    distrusted : array, shape (biases, messages, states)
    """
    gap = game.messages[:, None, None] - game.states[:, None] + 0 * game.actions
    base = game.states[:, None] - game.actions + 0 * gap
    pairs = np.column_stack([base.ravel(), gap.ravel()])
    distinct, term = np.unique(pairs.round(9), axis=0, return_inverse=True)
    return (*distinct.T.copy(), term.reshape(gap.shape), distrusted)


@_jit
def _digamma(x: float) -> float:
    shifted = 0.0
    while x < 10.0:
        shifted -= 1.0 / x
        x += 1.0
    square = 1.0 / (x * x)
    series = square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
    return shifted + math.log(x) - 0.5 / x - series


@_jit
def _precision(q: np.ndarray, grad: np.ndarray, subjects: int) -> float:
    """Response precision: its population, and each subject's, log-transformed."""
    shape = math.exp(q[1])
    rate = shape * math.exp(-q[0])
    total = rest = 0.0
    for i in range(subjects):
        scaled = rate * math.exp(q[2 + i])
        total += shape * q[2 + i] - scaled
        rest += shape - scaled
        grad[2 + i] = shape - scaled
    log_rate = q[1] - q[0]
    of_shape = total / shape + subjects * (log_rate + 1.0 - _digamma(shape))
    grad[0] = -rest - (q[0] - 1.0)
    grad[1] = shape * of_shape - 4.0 * q[1]
    total += subjects * (shape * log_rate - math.lgamma(shape))
    total += -0.5 * (q[0] - 1.0) ** 2 - 2.0 * q[1] ** 2 + math.log(2.0) - 2.0 * _HALF_LOG_2_PI
    return total


@_jit
def _spread(q: np.ndarray, grad: np.ndarray, at: int) -> float:
    """A HalfNormal(1) standard deviation, log-transformed."""
    square = math.exp(2.0 * q[at])
    grad[at] = 1.0 - square
    return math.log(2.0) - _HALF_LOG_2_PI - 0.5 * square + q[at]


@_jit
def _sender(
    q, grad, coupling, subjects, treatments, unit_subject, unit_condition, seen, counts,
    condition_treatment, condition_bias, distrusted, states, messages, lie, scale, exponent,
):  # fmt: skip
    total = _precision(q, grad, subjects)
    at_mu, at_aversion = 2 + subjects, 4 + subjects
    trust = at_aversion + subjects
    total += _spread(q, grad, at_mu + 1)
    mu, sigma = q[at_mu], math.exp(q[at_mu + 1])
    grad[at_mu] = -(mu + 0.7)
    total += -0.5 * (mu + 0.7) ** 2 - _HALF_LOG_2_PI
    for i in range(subjects):
        gap = (q[at_aversion + i] - mu - coupling[i] * q[2 + i]) / sigma
        total += -0.5 * gap * gap - q[at_mu + 1] - _HALF_LOG_2_PI
        grad[at_aversion + i] = -gap / sigma
        grad[at_mu] += gap / sigma
        grad[2 + i] += coupling[i] * gap / sigma
        grad[at_mu + 1] += gap * gap - 1.0
    conditions, n_states, n_messages = condition_treatment.size, states.size, messages.size
    payoff = np.empty((conditions, n_states, n_messages))
    slope = np.empty((conditions, n_states, n_messages))
    of_trust = np.zeros(conditions)
    for c in range(conditions):
        alpha = 1.0 / (1.0 + math.exp(-q[trust + condition_treatment[c]]))
        for m in range(n_messages):
            move = messages[m] - distrusted[c, m]
            action = distrusted[c, m] + alpha * move
            for s in range(n_states):
                gap = states[s] + condition_bias[c] - action
                root = abs(gap) ** (exponent - 1.0)
                payoff[c, s, m] = -scale * abs(gap) * root
                slope[c, s, m] = math.copysign(scale * exponent * root * move, gap * move)
                if gap == 0.0:
                    slope[c, s, m] = 0.0
    row = np.empty(n_messages)
    for u in range(unit_subject.size):
        i, c = unit_subject[u], unit_condition[u]
        rest = 1.0 - coupling[i]
        precision, aversion = math.exp(q[2 + i]), math.exp(q[at_aversion + i] + rest * q[2 + i])
        of_precision = of_aversion = moved = 0.0
        for s in range(n_states):
            if seen[u, s] == 0.0:
                continue
            best = -math.inf
            for m in range(n_messages):
                row[m] = precision * payoff[c, s, m] - aversion * lie[s, m]
                best = max(best, row[m])
            mass = 0.0
            for m in range(n_messages):
                total += counts[u, s, m] * row[m]
                row[m] = math.exp(row[m] - best)
                mass += row[m]
            total -= seen[u, s] * (best + math.log(mass))
            for m in range(n_messages):
                surprise = counts[u, s, m] - seen[u, s] * row[m] / mass
                of_precision += surprise * payoff[c, s, m]
                of_aversion -= surprise * lie[s, m]
                moved += surprise * slope[c, s, m]
        grad[2 + i] += precision * of_precision + rest * aversion * of_aversion
        grad[at_aversion + i] += aversion * of_aversion
        of_trust[c] += precision * moved
    for t in range(treatments):
        grad[trust + t] = -q[trust + t] / 2.25
        total += -0.5 * q[trust + t] ** 2 / 2.25 - math.log(1.5) - _HALF_LOG_2_PI
    for c in range(conditions):
        alpha = 1.0 / (1.0 + math.exp(-q[trust + condition_treatment[c]]))
        grad[trust + condition_treatment[c]] += alpha * (1.0 - alpha) * of_trust[c]
    return total


@_jit
def _receiver(
    q, grad, subjects, weights, unit_subject, unit_treatment, unit_bias, seen, counts,
    base, gap, term, distrusted, scale, exponent,
):  # fmt: skip
    total = _precision(q, grad, subjects)
    treatments = weights.shape[1]
    at_mu, at_sigma = 2 + subjects, 2 + subjects + treatments
    at_trust = at_sigma + 1
    total += _spread(q, grad, at_sigma)
    sigma = math.exp(q[at_sigma])
    for t in range(treatments):
        grad[at_mu + t] = -q[at_mu + t] / 2.25
        total += -0.5 * q[at_mu + t] ** 2 / 2.25 - math.log(1.5) - _HALF_LOG_2_PI
    effect = np.empty(subjects)
    for i in range(subjects):
        middle = 0.0
        for t in range(treatments):
            middle += weights[i, t] * q[at_mu + t]
        effect[i] = q[at_trust + i] - middle
        away = effect[i] / sigma
        total += -0.5 * away * away - q[at_sigma] - _HALF_LOG_2_PI
        grad[at_trust + i] = -away / sigma
        grad[at_sigma] += away * away - 1.0
        for t in range(treatments):
            grad[at_mu + t] += weights[i, t] * away / sigma
    n_messages, n_states, n_actions = term.shape
    loss, steep = np.empty(base.size), np.empty(base.size)
    row, earns, moves = np.empty(n_actions), np.empty(n_actions), np.empty(n_actions)
    for u in range(unit_subject.size):
        i, t, b = unit_subject[u], unit_treatment[u], unit_bias[u]
        precision = math.exp(q[2 + i])
        alpha = 1.0 / (1.0 + math.exp(-(q[at_mu + t] + effect[i])))
        loss[:] = -1.0
        of_precision = moved = 0.0
        for m in range(n_messages):
            if seen[u, m] == 0.0:
                continue
            best = -math.inf
            for a in range(n_actions):
                earns[a] = moves[a] = 0.0
                for s in range(n_states):
                    weight = distrusted[b, m, s]
                    if weight == 0.0:
                        continue
                    j = term[m, s, a]
                    if loss[j] < 0.0:  # a term that this unit has not needed yet
                        far = base[j] + alpha * gap[j]
                        root = scale * abs(far) ** (exponent - 1.0)
                        loss[j] = abs(far) * root
                        steep[j] = exponent * root * gap[j] * (1.0 if far > 0 else -1.0)
                    earns[a] -= weight * loss[j]
                    moves[a] -= weight * steep[j]
                row[a] = precision * earns[a]
                best = max(best, row[a])
            mass = 0.0
            for a in range(n_actions):
                total += counts[u, m, a] * row[a]
                row[a] = math.exp(row[a] - best)
                mass += row[a]
            total -= seen[u, m] * (best + math.log(mass))
            for a in range(n_actions):
                surprise = counts[u, m, a] - seen[u, m] * row[a] / mass
                of_precision += surprise * earns[a]
                moved += surprise * moves[a]
        grad[2 + i] += precision * of_precision
        push = precision * moved * alpha * (1.0 - alpha)
        grad[at_trust + i] += push
        grad[at_mu + t] += push
        for other in range(treatments):
            grad[at_mu + other] -= weights[i, other] * push
    return total


@_jit
def _level_k(q, grad, subjects, unit_subject, unit_bias, seen, earned, utility):
    total = _precision(q, grad, subjects)
    levels, n_seen, options = utility.shape[1:]
    at = 2 + subjects
    share, hit = np.empty(levels), np.zeros(levels)
    last = 0.0
    for k in range(levels - 1):
        last -= q[at + k]
    mass = math.exp(last)
    for k in range(levels - 1):
        mass += math.exp(q[at + k])
    for k in range(levels):
        share[k] = (q[at + k] if k < levels - 1 else last) - math.log(mass)
    logs, slopes = np.empty(levels), np.empty(levels)
    u = 0
    for i in range(subjects):
        precision = math.exp(q[2 + i])
        for k in range(levels):
            logs[k] = share[k] + precision * earned[i, k]
            slopes[k] = earned[i, k]
        while u < unit_subject.size and unit_subject[u] == i:
            b = unit_bias[u]
            for s in range(n_seen):
                if seen[u, s] == 0.0:
                    continue
                for k in range(levels):
                    summed = weighed = 0.0
                    for o in range(options):
                        chance = math.exp(precision * utility[b, k, s, o])
                        summed += chance
                        weighed += chance * utility[b, k, s, o]
                    logs[k] -= seen[u, s] * math.log(summed)
                    slopes[k] -= seen[u, s] * weighed / summed
            u += 1
        best = logs.max()
        all_levels = 0.0
        for k in range(levels):
            logs[k] = math.exp(logs[k] - best)
            all_levels += logs[k]
        total += best + math.log(all_levels)
        for k in range(levels):
            grad[2 + i] += precision * logs[k] / all_levels * slopes[k]
            hit[k] += logs[k] / all_levels
    # Dirichlet(1) shares and the volume of their map to the simplex.
    total += math.lgamma(levels) + math.log(levels) - levels * math.log(mass)
    end = hit[levels - 1] - (subjects + levels) * math.exp(share[levels - 1])
    for k in range(levels - 1):
        grad[at + k] = hit[k] - (subjects + levels) * math.exp(share[k]) - end
    return total
