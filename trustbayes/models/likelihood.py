"""From utilities to choices: the response rule and the likelihood of the finite game.

Choices follow P(option) = softmax(λ U), with an optional lapse rate, once for all theories. The
functions take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pytensor.gradient import disconnected_grad

from trustbayes.theories._arrays import namespace

__all__ = ["choice_log_probabilities", "log_sum_exp", "unit_log_likelihood"]


def log_sum_exp(values: Any, axis: int = -1, keepdims: bool = False) -> Any:
    """Log of the sum of exp over an axis, without overflow."""
    xp = namespace(values)
    top = values.max(axis=axis, keepdims=True)
    if xp is not np:
        top = disconnected_grad(top)  # it cancels, so its gradient is zero
    total = xp.log(xp.exp(values - top).sum(axis=axis, keepdims=True)) + top
    return total if keepdims else total.sum(axis=axis)


def _below_best(utility: Any) -> Any:
    """Utility less that of the best option: choices depend on differences only.

    It is at most zero and zero somewhere, so that exp of it, times any precision, can neither
    overflow nor vanish for all options. The shift cancels, hence its gradient is left out.
    """
    best = utility.max(axis=-1, keepdims=True)
    return utility - (best if namespace(utility) is np else disconnected_grad(best))


def choice_log_probabilities(
    utility: Any, precision: Any = None, lapse: Any = None, typed: bool = False
) -> Any:
    """Log probability of every option after everything seen.

    Parameters
    ----------
    utility : array, shape (..., units, seen, options) or (..., units, types, seen, options)
        Standardised.
    precision, lapse : array, shape (..., units), optional
        Response precision λ (1 if not given) and probability of a random choice.
    typed : bool
        Whether the utility has an axis of types.

    Returns
    -------
    array, shape of the broadcast utility
    """
    xp = namespace(utility, precision, lapse)
    tail = (None,) * (3 if typed else 2)
    utility = _below_best(utility)
    scaled = utility if precision is None else precision[(..., *tail)] * utility
    logs = scaled - xp.log(xp.exp(scaled).sum(axis=-1, keepdims=True))
    if lapse is None:
        return logs
    share = lapse[(..., *tail)]
    return xp.log((1 - share) * xp.exp(logs) + share / utility.shape[-1])


def unit_log_likelihood(
    counts: np.ndarray, utility: Any, precision: Any = None, lapse: Any = None, typed: bool = False
) -> Any:
    """Log likelihood of every unit's choices.

    Parameters
    ----------
    counts : array of int, shape (units, seen, options)
    utility, precision, lapse, typed
        As for `choice_log_probabilities`.

    Returns
    -------
    array, shape (..., units) or (..., units, types)
        Without the multinomial coefficient: the probability of the trials in their order.
    """
    chosen = counts[:, None] if typed else counts
    if lapse is not None:
        logs = choice_log_probabilities(utility, precision, lapse, typed)
        return (chosen * logs).sum(axis=(-1, -2))
    # Σ counts·λU - Σ n·log Σ exp(λU): the first term needs no logarithms.
    tail = (None,) * (3 if typed else 2)
    xp = namespace(utility, precision)
    utility = _below_best(utility)
    scaled = utility if precision is None else precision[(..., *tail)] * utility
    earned = (chosen * utility).sum(axis=(-1, -2))
    if precision is not None:
        earned = (precision[..., None] if typed else precision) * earned
    return earned - (chosen.sum(axis=-1) * xp.log(xp.exp(scaled).sum(axis=-1))).sum(axis=-1)
