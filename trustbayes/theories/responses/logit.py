"""From utilities to choices: the logit response rule of the finite game.

Choices follow P(option) = softmax(λ U), with an optional lapse rate, once for all theories. The
functions take NumPy arrays or PyTensor variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from pytensor.graph.basic import Variable

from trustbayes.games.finite import FiniteGame
from trustbayes.numerics.arrays import held, highest, namespace, summed
from trustbayes.numerics.vectorised import exp
from trustbayes.priors.prior import Prior
from trustbayes.theories.response import Response
from trustbayes.theories.responses import logit_tables as tables
from trustbayes.theories.spec import Convention, Parameter
from trustbayes.theories.values import Values
from trustbayes.trials.finite import Cells

__all__ = [
    "LAPSE",
    "LOGIT",
    "RESPONSE_PRECISION",
    "WITH_LAPSE",
    "Logit",
    "below_best",
    "choice_log_probabilities",
    "logit",
    "unit_log_likelihood",
]


def below_best(utility: Any) -> Any:
    """Utility less that of the best option: choices depend on differences only.

    It is at most zero and zero somewhere, so that exp of it, times any precision, can neither
    overflow nor vanish for all options. The shift cancels, hence its gradient is left out.

    Parameters
    ----------
    utility : array, shape (..., options)

    Returns
    -------
    array, the same shape

    Examples
    --------
    >>> below_best(np.array([1.0, 3.0]))
    array([-2.,  0.])
    """
    return utility - held(highest(utility))


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
    utility = below_best(utility)
    scaled = utility if precision is None else precision[(..., *tail)] * utility
    logs = scaled - xp.log(summed(exp(scaled)))[..., None]
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
    utility = below_best(utility)
    scaled = utility if precision is None else precision[(..., *tail)] * utility
    earned = (chosen * utility).sum(axis=(-1, -2))
    if precision is not None:
        earned = (precision[..., None] if typed else precision) * earned
    return earned - (chosen.sum(axis=-1) * xp.log(exp(scaled).sum(axis=-1))).sum(axis=-1)


class Logit:
    """The logit response rule, as `trustbayes.theories.response.Response` asks for it."""

    type_axis = -3

    def log_likelihood(
        self, units: Cells, answer: Any, values: Values, typed: bool
    ) -> tuple[Any, np.ndarray]:
        """By unit, see `unit_log_likelihood`, or by subject, see `tables.log_likelihood`."""
        precision, lapse = _noise(values)
        if isinstance(answer, np.ndarray) and isinstance(precision, Variable) and lapse is None:
            return tables.log_likelihood(units, below_best(answer), values, typed)
        logs = unit_log_likelihood(units.counts, answer, precision, lapse, typed)
        return logs, units.unit_subject

    def logs(self, answer: Any, values: Values, typed: bool) -> Any:
        """Of every option after everything seen; see `choice_log_probabilities`."""
        return choice_log_probabilities(answer, *_noise(values), typed=typed)

    def cell_logs(self, units: Cells, answer: Any, values: Values, typed: bool) -> np.ndarray:
        """Of the option chosen in each cell."""
        unit, seen, option = units.observed
        logs = self.logs(answer, values, typed)
        if not typed:
            return np.asarray(logs[..., unit, seen, option])
        return np.asarray(np.moveaxis(logs, -3, -1)[..., unit, seen, option, :])

    def information(
        self,
        units: Cells,
        up: tuple[Any, Values],
        down: tuple[Any, Values],
        step: float,
        typed: bool,
    ) -> np.ndarray:
        """Expected squared slope of the log probability of the choices."""
        high, low = (
            choice_log_probabilities(answer, *_noise(values), typed)
            for answer, values in (up, down)
        )
        slope = (high - low) / (2 * step)
        trials = units.counts.sum(axis=-1)
        trials = trials[:, None] if typed else trials
        information = (trials * (np.exp(high) * slope**2).sum(axis=-1)).sum(axis=-1)
        return np.asarray(information.mean(axis=-1) if typed else information)

    def pick(self, units: Cells, answer: Any, type_index: np.ndarray) -> np.ndarray:
        """Utilities of shape (draws, units, seen, options)."""
        position = type_index[:, units.unit_subject, None, None, None]
        answer = np.broadcast_to(answer, (len(position), *answer.shape[-4:]))
        return np.take_along_axis(answer, position, axis=2)[:, :, 0]

    def divergence(self, units: Cells, answer: Any, other: Any, values: Values) -> np.ndarray:
        """Over all options, after what each unit saw."""
        logs, others = (self.logs(utilities, values, typed=False) for utilities in (answer, other))
        gap = (np.exp(logs) * (logs - others)).sum(axis=-1)
        return np.asarray((units.counts.sum(axis=-1) * gap).sum(axis=-1))

    def draw(
        self,
        units: Cells,
        answer: Any,
        values: Values,
        type_index: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Counts of shape (draws, units, seen, options)."""
        answer = answer if type_index is None else self.pick(units, answer, type_index)
        chances = np.exp(self.logs(answer, values, typed=False))
        chances /= chances.sum(axis=-1, keepdims=True)
        return rng.multinomial(units.counts.sum(axis=-1), chances).astype(np.int32)

    def choose(
        self,
        units: Cells,
        answer: Any,
        values: Values,
        kinds: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Positions of options, shape (draws, trials)."""
        logs = self.logs(answer, values, typed=kinds is not None)
        logs = logs if kinds is None else self.pick(units, logs, kinds)
        reached = np.exp(logs)[:, units.trial_unit, units.trial_seen].cumsum(axis=-1)
        aim = rng.random(reached.shape[:-1]) * reached[..., -1]
        return np.asarray((reached <= aim[..., None]).sum(axis=-1))

    def width(self, units: Cells) -> int:
        """Every option after everything seen, in each unit."""
        return units.counts.size


def _noise(values: Values) -> tuple[Any, Any]:
    """Response precision and lapse rate of every unit, None where there is none."""
    return values.of_units("response_precision"), values.of_units("lapse")


LOGIT = Logit()


def logit(game: FiniteGame, conventions: Mapping[str, Any]) -> Response:
    """The response rule of every model of the finite game, as `ModelSpec.response` asks for it."""
    return LOGIT


RESPONSE_PRECISION = Parameter(
    name="response_precision",
    symbol="λ",
    meaning="how sharply choices follow utility (0: at random)",
    unit="per standard deviation of the payoff table",
    support="positive",
    varies=("subject",),
    # A gamma population: its light upper tail keeps a few perfectly regular subjects from
    # pinning down the parameters that all subjects share.
    prior=Prior(
        "Gamma",
        mean=Prior("LogNormal", mu=1.0, sigma=1.0),
        shape=Prior("LogNormal", mu=0.0, sigma=0.5),
    ),
)


LAPSE = Parameter(
    name="lapse",
    symbol="ε",
    meaning="probability of a choice at random, whatever the utility",
    unit="probability",
    support="unit",
    varies=("subject",),
    prior=Prior(
        "LogitNormal",
        mu=Prior("Normal", mu=-3.5, sigma=1.0),
        sigma=Prior("HalfNormal", sigma=1.0),
    ),
    only_with="lapse",
)


WITH_LAPSE = Convention(
    name="lapse",
    choices=(False, True),
    default=False,
    meaning="Whether subjects may also choose at random with a small probability.",
)
