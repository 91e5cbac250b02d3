"""People in both roles: one population of what they are as senders and as receivers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from trustbayes.comparison.psis import good_k
from trustbayes.comparison.shared_people import Side, lying_parameter, side_of
from trustbayes.errors import Fault, InputError
from trustbayes.inference.fit import Fit
from trustbayes.numerics.arrays import log_total
from trustbayes.numerics.hermite import copula
from trustbayes.numerics.pareto import smoothed

__all__ = ["SHAPE", "BothRoles", "both_roles"]

SHAPE = 2.0
"""Of the default prior of the correlation."""

_GRID = np.linspace(-0.97, 0.97, 98)
_TURNS = 4
"""Draws of receivers that each draw of senders is paired with."""
_FLOOR = 1e-9
"""Of a ratio of densities, which the error of a series could make negative."""
_ENOUGH = 100.0  # draws, by which a mean is known to a tenth of a standard deviation
_ALIKE = 0.5
"""Range of log weights within which they are as good as equal: their tail is noise."""
_BUDGET = 32 * 2**20  # bytes of the largest array


@dataclass(frozen=True, eq=False)
class BothRoles:
    """What a person is in one role beside what she is in the other.

    Parameters
    ----------
    sender, receiver : str
        The parameters that are correlated, such as "lying_aversion" and "trust".
    models : tuple of str
        Names of the models of senders and of receivers.
    correlation : array, shape (grid,)
        Values of ρ, increasing.
    density : array, shape (grid,)
        Posterior probability of each.
    people : DataFrame
        A row per person: subject; sender and receiver (posterior means, on the natural
        standardised scale), each with _lower and _upper.
    scores : DataFrame
        A row per person: subject, joint and separate (log predictive density of all her trials
        in both roles from all other people's, with the correlation and without), pareto_k.
    bayes_factor : float
        How much more probable the trials are with a correlation than without one.
    pareto_k : float
        Reliability of the weights by which draws of separate fits become draws of the joint one.
    draws : float
        How many independent draws the weighted ones are worth, by the role that has fewer.
    good_k : float
        Pareto k above which weights are unreliable.
    ci_prob : float
        Probability of all intervals, which are equal-tailed.
    pairs : DataFrame
        Draws of the joint posterior: sender and receiver (positions among the draws of the fits,
        each thinned as asked) and weight; the weights add up to one.
    """

    sender: str
    receiver: str
    models: tuple[str, str]
    correlation: np.ndarray
    density: np.ndarray
    people: pd.DataFrame
    scores: pd.DataFrame
    bayes_factor: float
    pareto_k: float
    draws: float
    good_k: float
    ci_prob: float
    pairs: pd.DataFrame

    @property
    def mean(self) -> float:
        """Posterior mean of the correlation."""
        return float(self.correlation @ self.density)

    @property
    def positive(self) -> float:
        """Posterior probability that the correlation is above zero."""
        return 1 - self.below(0.0)

    @property
    def interval(self) -> tuple[float, float]:
        """Equal-tailed interval of the correlation."""
        tail = (1 - self.ci_prob) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def below(self, value: float) -> float:
        """Posterior probability that the correlation is below a value.

        Examples
        --------
        >>> both.below(0.5)  # doctest: +SKIP
        0.93
        """
        return float(np.interp(value, self._edges, self._cumulative))

    def quantile(self, share: float) -> float:
        """The value below which the correlation lies with this posterior probability."""
        return float(np.interp(share, self._cumulative, self._edges))

    @property
    def difference(self) -> tuple[float, float]:
        """Log predictive density with the correlation less that without, and its standard error."""
        gap = (self.scores["joint"] - self.scores["separate"]).to_numpy()
        return float(gap.sum()), float(np.sqrt(gap.size * gap.var()))

    @property
    def passed(self) -> bool:
        """Whether the weights can be relied on."""
        return self.pareto_k <= self.good_k and self.draws >= _ENOUGH

    @property
    def _edges(self) -> np.ndarray:
        half = (self.correlation[1] - self.correlation[0]) / 2
        return np.concatenate([self.correlation[:1] - half, self.correlation + half])

    @property
    def _cumulative(self) -> np.ndarray:
        return np.concatenate([[0.0], np.cumsum(self.density)])


def both_roles(
    sender: Fit,
    receiver: Fit,
    *,
    parameters: tuple[str, str] | None = None,
    shape: float = SHAPE,
    draws: int = 1000,
    ci_prob: float = 0.9,
) -> BothRoles:
    r"""Join the populations of senders and receivers, where the same people play both roles.

    On the scales of their links, a person's lying aversion and trust are bivariate normal in the
    population: means and spreads as in the two fits, and a correlation ρ with the prior
    (1 + ρ)/2 ~ Beta(shape, shape), which is that of LKJ in two dimensions. Given the populations'
    parameters φ, all else of a person is independent in the two roles, so that the likelihood of
    her trials in both is that of separate populations times

    .. math:: C_i(\rho; \varphi) = \operatorname{E}[c_\rho(x_i, y_i) \mid \text{trials of } i,
              \varphi] = \sum_n \rho^n \operatorname{E}[h_n(x_i)]\,\operatorname{E}[h_n(y_i)],

    where x and y are her values in units of the populations' spreads and c is the ratio of the
    bivariate normal density to the independent one. The expectations are integrals over the
    person's parameters in one role at a time. Draws of the two separate fits, weighted by
    :math:`\int p(\rho) \prod_i C_i\,d\rho`, are draws of the joint posterior; Pareto smoothing
    says whether the weights can be relied on. No model is fitted again.

    Parameters
    ----------
    sender, receiver : Fit
        Of models without formulas for the two parameters, whose populations are normal on the
        scale of the link; people in both have the same name.
    parameters : tuple of str, optional
        The sender's and the receiver's parameter. Default: lying aversion, or that of lies of any
        size, and trust.
    shape : float
        Of the prior of the correlation: 1 is even, more is nearer to zero.
    draws : int
        Of each fit at most, see `trustbayes.inference.fit.Fit.thinned`.
    ci_prob : float

    Returns
    -------
    BothRoles

    Raises
    ------
    InputError
        If a model lacks the parameter or its population is another, the fits are of other games,
        or fewer than two people are in both.

    References
    ----------
    Lewandowski, Kurowicka and Joe (2009), Journal of Multivariate Analysis 100(9), for the prior;
    Vehtari et al. (2024), Journal of Machine Learning Research 25(72), for the weights.

    Examples
    --------
    >>> both = both_roles(fit_of_senders, fit_of_receivers)  # doctest: +SKIP
    >>> both.mean, both.interval, both.positive  # doctest: +SKIP
    """
    if sender.game.checksum != receiver.game.checksum:
        raise InputError(Fault("both roles, receiver", "a fit of another game", "the sender's"))
    people = [name for name in sender.units.subjects if name in set(receiver.units.subjects)]
    if len(people) < 2:
        raise InputError(Fault("both roles, people", str(len(people)), "two or more in both roles"))
    first, second = parameters or (None, "trust")
    sides = (
        side_of(sender, first or lying_parameter(sender.model), people, draws),
        side_of(receiver, second or "trust", people, draws),
    )
    return _joined(*sides, people, shape, ci_prob)


def _joined(left: Side, right: Side, people: list[str], shape: float, ci_prob: float) -> BothRoles:
    powers = _GRID ** np.arange(len(left.moments))[:, None]
    prior = (shape - 1) * np.log1p(-(_GRID**2))
    prior -= log_total(prior, axis=0)
    size = min(left.size, right.size)
    sent = np.tile(np.arange(size), _TURNS)
    received = (sent + 1 + np.repeat(np.arange(_TURNS), size) * (size // _TURNS)) % size
    step = max(1, _BUDGET // (8 * _GRID.size * len(people)))
    parts = [
        _pairs(left.of(sent[i : i + step]), right.of(received[i : i + step]), powers, prior)
        for i in range(0, sent.size, step)
    ]
    both = _Pairs(
        *(
            np.concatenate(each)
            for each in zip(*(vars(part).values() for part in parts), strict=True)
        )
    )
    logs, pareto_k = _smoothed(both.total[None])
    weights = np.exp(logs[0])
    kept, tails = _smoothed((both.without - both.apart).T)
    joint = log_total(kept + (both.apart + both.total[:, None] - both.without).T, axis=1)
    alone, others = _smoothed(-both.apart.T)
    scores = pd.DataFrame(
        {
            "subject": people,
            "joint": joint,
            "separate": log_total(alone + both.apart.T, axis=1),
            "pareto_k": np.maximum(tails, others),
        }
    )
    return BothRoles(
        sender=left.name,
        receiver=right.name,
        models=(left.model, right.model),
        correlation=_GRID,
        density=weights @ both.given,
        people=_people(both, weights, people, ci_prob),
        scores=scores,
        bayes_factor=float(np.exp(log_total(both.total, axis=0) - math.log(weights.size))),
        pareto_k=float(pareto_k[0]),
        # Pairs share draws: they are worth no more than the draws of either role.
        draws=min(
            float(1 / (np.bincount(of, weights=weights) ** 2).sum()) for of in (sent, received)
        ),
        good_k=good_k(size),
        ci_prob=ci_prob,
        pairs=pd.DataFrame({"sender": sent, "receiver": received, "weight": weights}),
    )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Draws of senders, each with one of receivers.

    Parameters
    ----------
    total : array, shape (pairs,)
        Log of each pair's weight.
    given : array, shape (pairs, grid)
        Probability of each correlation given the pair.
    apart : array, shape (pairs, people)
        Log likelihood of a person's trials in both roles without a correlation.
    without : array, shape (pairs, people)
        As ``total``, from all other people.
    chances : array, shape (pairs, people)
        How much more probable the person's drawn values are by the correlation than without.
    sent, received : array, shape (pairs, people)
        These values, on the natural scale.
    """

    total: np.ndarray
    given: np.ndarray
    apart: np.ndarray
    without: np.ndarray
    chances: np.ndarray
    sent: np.ndarray
    received: np.ndarray


def _pairs(left: Side, right: Side, powers: np.ndarray, prior: np.ndarray) -> _Pairs:
    ratio = np.tensordot(left.moments * right.moments, powers, axes=(0, 0))
    ratio = np.log(np.maximum(ratio, _FLOOR))
    logs = ratio.sum(axis=1) + prior
    total = log_total(logs, axis=1)
    given = np.exp(logs - total[:, None])
    likelier = copula(left.standard[..., None], right.standard[..., None], _GRID)
    likelier /= np.exp(ratio)
    return _Pairs(
        total=total,
        given=given,
        apart=left.logs + right.logs,
        without=log_total(logs[:, None] - ratio, axis=2),
        chances=np.einsum("pig,pg->pi", likelier, given),
        sent=left.natural,
        received=right.natural,
    )


def _smoothed(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logs of weights that add up to one, and their Pareto k, row by row; 0 if they are alike."""
    weights, tails = smoothed(logs)
    return weights, np.where(np.ptp(logs, axis=1) < _ALIKE, 0.0, tails)


def _people(pairs: _Pairs, weights: np.ndarray, people: list[str], ci_prob: float) -> pd.DataFrame:
    """Posterior means and intervals of everybody's two values."""
    chances = weights[:, None] * pairs.chances
    chances /= chances.sum(axis=0)
    tail = (1 - ci_prob) / 2
    table: dict[str, np.ndarray] = {"subject": np.array(people)}
    for name, values in (("sender", pairs.sent), ("receiver", pairs.received)):
        order = values.argsort(axis=0)
        ordered = np.take_along_axis(values, order, axis=0)
        reached = np.take_along_axis(chances, order, axis=0).cumsum(axis=0)
        table[name] = (chances * values).sum(axis=0)
        for end, share in (("lower", tail), ("upper", 1 - tail)):
            at = np.minimum((reached < share).sum(axis=0), len(values) - 1)
            table[f"{name}_{end}"] = ordered[at, np.arange(len(people))]
    return pd.DataFrame(table)
