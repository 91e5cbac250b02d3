"""The logit likelihood of answers that are fixed tables, as those of levels and of full trust.

No parameter changes such utilities, only how sharply choices follow them. What a subject's trials
earn is then a number, and the same few lists of utilities, apart from their order, come back under
every bias, type and thing seen: the log of their sum of exp is worked out once for each subject.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from trustbayes.numerics.graphs import data
from trustbayes.numerics.log_sums import log_sums
from trustbayes.theories.values import Values
from trustbayes.trials.finite import Cells
from trustbayes.trials.sequences import FiniteSequences

__all__ = ["log_likelihood", "trial_logs"]

_DIGITS = 10


def log_likelihood(
    units: Cells, utility: np.ndarray, values: Values, typed: bool
) -> tuple[Any, np.ndarray]:
    r"""Log likelihood of everybody's choices, in the PyMC model in context.

    .. math:: \log p = \lambda \sum_c n_c U_c - \sum_r N_r \log \sum_j e^{\lambda U_{rj}}

    with :math:`n_c` the trials of a cell and :math:`N_r` those that had the list r of utilities to
    choose from.

    Parameters
    ----------
    units : Cells
        With counts that may be replaced, see `trustbayes.numerics.graphs.data`.
    utility : array, shape (units, seen, options) or (units, types, seen, options)
        Standardised, less that of the best option.
    values : Values
        With the response precision.
    typed : bool
        Whether the utility has an axis of types.

    Returns
    -------
    logs : PyTensor variable, shape (parts,) or (parts, types)
        By subject or, where the precision varies by more, by unit; without multinomial
        coefficients.
    subject : array of int, shape (parts,)
        Whose part it is.
    """
    if values.dims["response_precision"] == ("subject",):
        subject, part = np.arange(len(units.subjects)), units.unit_subject
        precision = values.arrays["response_precision"]
    else:
        subject, part = units.unit_subject, np.arange(units.unit_subject.size)
        precision = values.of_units("response_precision")
    utility = utility if typed else utility[:, None]
    replaceable: Any = units.counts
    counts = replaceable.get_value()
    lists, place = _distinct(utility)
    type_index = np.arange(utility.shape[1])[:, None]
    # Parts stand last: the processor then does several of them at once.
    had = np.zeros((utility.shape[1], len(lists), subject.size))
    np.add.at(had, (type_index, place, part[:, None, None]), counts.sum(axis=-1)[:, None])
    earned = np.zeros((subject.size, utility.shape[1]))
    np.add.at(earned, part, (counts[:, None] * utility).sum(axis=(-1, -2)))
    number = len(pm.modelcontext(None).data_vars)  # a model may have several such likelihoods
    numbers, which = np.unique(lists.round(_DIGITS), return_inverse=True)
    met = (which.reshape(lists.shape)[..., None] == np.arange(numbers.size)).sum(axis=1)
    logs = data(f"{replaceable.name}_earned_{number}", earned.T) * precision
    logs -= log_sums(numbers, met, data(f"{replaceable.name}_lists_{number}", had), precision)
    return (logs.T if typed else logs[0]), subject


def trial_logs(units: FiniteSequences, utility: np.ndarray, precision: Any) -> Any:
    """Log probability of what was chosen in each trial, if no parameter changes utilities.

    Parameters
    ----------
    units : FiniteSequences
        Whose trials are no data of the model.
    utility : array, shape (trials, options) or (trials, types, options)
        Standardised, less that of the best option.
    precision : PyTensor variable, shape (units,)

    Returns
    -------
    PyTensor variable, shape (trials,) or (trials, types)
    """
    lists, place = _distinct(utility)
    numbers, which = np.unique(lists.round(_DIGITS), return_inverse=True)
    met = (which.reshape(lists.shape)[..., None] == np.arange(numbers.size)).sum(axis=1)
    total = pt.log(pt.dot(met.astype(float), pt.exp(numbers[:, None] * precision)))
    chosen = np.expand_dims(units.trial_option, tuple(range(1, utility.ndim)))
    earned = np.take_along_axis(utility, chosen, axis=-1)[..., 0]
    unit = units.trial_unit if utility.ndim == 2 else units.trial_unit[:, None]
    return earned * precision[unit] - total[place, np.broadcast_to(unit, place.shape)]


def _distinct(utility: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lists of options' utilities that differ in more than order, and where each is met."""
    ordered = np.sort(utility, axis=-1).reshape(-1, utility.shape[-1])
    _, first, place = np.unique(
        ordered.round(_DIGITS), axis=0, return_index=True, return_inverse=True
    )
    return ordered[first], place.reshape(utility.shape[:-1])
