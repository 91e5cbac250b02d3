r"""The trust-embedded model (TE) of the game on an interval.

Senders dislike lying, receivers trust by a factor. All functions are plain array functions: they
take NumPy arrays or PyTensor variables. The last axis of every array counts the trials, and
parameters may have any leading axes.

Source: Özer, Zheng and Chen (2011), Management Science 57(6), for the model; Crawford and Sobel
(1982), Econometrica 50(6), for the game; as specified in the project's theory, section 2.
"""

from __future__ import annotations

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.interval import IntervalTerms
from trustbayes.numerics.arrays import TINY, Array, held, namespace
from trustbayes.theories.trust_embedded.forecast import Belief, LyingCost
from trustbayes.theories.trust_embedded.wavering import worth_lying

__all__ = ["action", "convex_root", "message", "shortfall"]

_FLAT = 1e-9  # a rise of actions with messages below which there is none


def action(
    message: Array, trust: Array, terms: IntervalTerms, belief: Belief = "truncated"
) -> Array:
    r"""What a receiver with trust factor α does after a message, K(m; α).

    He believes the state to be :math:`\alpha m + (1 - \alpha)\,\theta^T`, where :math:`\theta^T`
    is uniform on the states from which a sender would exaggerate up to m: [lowest, m] where she
    gains by higher actions, [m, highest] where by lower ones, and the whole interval where by
    neither, or with belief "prior". Losses are symmetric: whatever the exponent, his best action
    is the middle of what he believes possible,

    .. math:: K = \alpha m + (1 - \alpha)\,\mathrm{E}\,\theta^T .

    Parameters
    ----------
    message : array, shape (..., trials)
        m, on the interval, units of the state.
    trust : array, shape (..., trials)
        Trust factor α, in [0, 1].
    terms : IntervalTerms
        With arrays of shape (trials,).
    belief : {"truncated", "prior"}
        How the distrusting part reads the message.

    Returns
    -------
    array, shape (..., trials)
        On the interval, units of the state; linear in the message.

    Raises
    ------
    ValueError
        If the belief is not one of the two.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"Up": 20, "Down": -20}).terms(["Up", "Down"])
    >>> action(np.array([60.0, 60.0]), np.array([0.5, 0.5]), terms)
    array([45., 70.])
    """
    slope, intercept = _line(trust, terms, belief)
    return intercept + slope * message


def message(
    state: Array,
    lying_aversion: Array,
    expected_trust: Array,
    terms: IntervalTerms,
    belief: Belief = "truncated",
    lying_cost: LyingCost = "absolute",
    wavering: bool = False,
) -> Array:
    r"""What a sender with lying aversion β and expected trust α^e says, m*(θ; β, α^e).

    She maximises :math:`-d\,|K(m; \alpha^e) - \theta - b|^p` less the cost of lying,
    :math:`\beta |m - \theta|`, or if quadratic :math:`\beta (m - \theta)^2 / a`, with a half the
    interval's width. Of equally good messages she takes the smallest lie.

    K is linear, :math:`K' = s`. By the truth the action would fall short of her wish by
    :math:`g = \theta + b - K(\theta)`, and she lies in its direction. After a lie of l it falls
    short by :math:`u = |g| - s l`, which she brings down to where the next unit of the lie is not
    worth its cost, or to an end of the interval:

    - absolute: :math:`p\,d\,s\,u^{p-1} = \beta`, in closed form; if p = 1, down to 0 where
      :math:`d s > \beta`, and not at all else;
    - quadratic: :math:`p\,d\,s\,u^{p-1} = 2 \beta l / a`: in closed form if p is 1 or 2; else by
      Newton steps that fall to the root from above, see `convex_root`.

    If her aversion wavers a little from trial to trial, see
    `trustbayes.theories.trust_embedded.wavering`, her mean message passes gradually over the one
    jump that there is: at p = 1, where costs are absolute.

    Parameters
    ----------
    state : array, shape (..., trials)
        θ, on the interval, units of the state.
    lying_aversion : array, shape (..., trials)
        β >= 0, payoff units per unit of the state. If the cost is quadratic, it is the marginal
        cost of a lie of a/2.
    expected_trust : array, shape (..., trials)
        Expected trust α^e, in [0, 1].
    terms : IntervalTerms
        With arrays of shape (trials,).
    belief : {"truncated", "prior"}
        How the distrusting part of the receiver reads messages, see :func:`action`.
    lying_cost : {"absolute", "quadratic"}
    wavering : bool
        Whether her aversion wavers; else the exact optimum.

    Returns
    -------
    array, shape (..., trials)
        On the interval, units of the state. In PyTensor, differentiable in β and α^e where it does
        not jump.

    Raises
    ------
    ValueError
        If the belief or the lying cost is not one of the two.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"Up": 20, "Down": -20}).terms(["Up", "Down"])
    >>> message(np.array([50.0, 50.0]), np.array([0.2, 0.2]), np.array([1.0, 1.0]), terms)
    array([60., 40.])
    """
    check_word("lying_cost", lying_cost, LyingCost)
    xp = namespace(state, lying_aversion, expected_trust)
    slope, intercept = _line(expected_trust, terms, belief)
    gap = state + terms.bias - intercept - slope * state
    up, short = gap > 0, abs(gap)
    if lying_cost == "absolute":
        cost = lying_aversion + terms.fine
        if terms.exponent == 1 and wavering:
            left = short * (1 - worth_lying(terms.scale * slope, cost))
        else:
            left = xp.minimum(shortfall(cost, slope, terms), short)
        lie = (short - left) / xp.maximum(slope, _FLAT)
    else:
        lie = _quadratic_lie(short, slope, lying_aversion, terms)
    lie = xp.where(slope > _FLAT, xp.maximum(lie, 0.0), 0.0)
    return xp.clip(state + xp.where(up, lie, -lie), terms.lowest, terms.highest)


def shortfall(cost: Array, slope: Array, terms: IntervalTerms) -> Array:
    """How far from a sender's wish the next unit of a lie is just worth its cost.

    Parameters
    ----------
    cost : array, shape (..., trials)
        Of a unit of a lie, payoff units per unit of the state.
    slope : array, shape (..., trials)
        How much the action moves with it.
    terms : IntervalTerms

    Returns
    -------
    array, shape (..., trials)
        Units of the state: from 0 up to twice the interval and the largest bias, which stands for
        more than there can be.

    Examples
    --------
    >>> from trustbayes.games import IntervalGame
    >>> terms = IntervalGame(0, 100, {"Up": 20}).terms(["Up"])
    >>> shortfall(np.array([0.2]), np.array([1.0]), terms)
    array([10.])
    """
    xp = namespace(cost, slope)
    p, farthest = terms.exponent, _farthest(terms)
    if p == 1:
        return xp.where(cost < terms.scale * slope, 0.0, farthest)
    gain = p * terms.scale * xp.maximum(slope, _FLAT) * farthest ** (p - 1)
    return farthest * xp.minimum(cost / gain, 1.0) ** (1 / (p - 1))


_NEWTON_STEPS = 5
"""With the one after them, messages are within 1e-9 of half the interval for p from 1 to 20."""


def _quadratic_lie(
    short: Array, slope: Array, lying_aversion: Array, terms: IntervalTerms
) -> Array:
    """The lie, should the interval not end it, where costs rise with its square."""
    xp = namespace(short, slope, lying_aversion)
    p, half, fine = terms.exponent, terms.half, terms.fine
    rise = 2 * lying_aversion / half  # of the marginal cost
    if p == 1:
        best = (terms.scale * slope - fine) / xp.maximum(rise, TINY)
        return xp.minimum(best, short / xp.maximum(slope, _FLAT))
    if p == 2:
        gain = 2 * terms.scale * slope
        return (gain * short - fine) / xp.maximum(rise + gain * slope, TINY)
    # In shares x of half the interval: P x^(p-1) + Q x = R, all times the slope.
    gain = p * terms.scale * slope**2 * half ** (p - 1)
    linear = 2 * lying_aversion
    known = fine * slope + rise * short
    if p > 2:
        power, first, second = p - 1, gain, linear  # in x: first x^power + second x
    else:
        power, first, second = 1 / (p - 1), linear, gain  # in x^(p-1), likewise
    x = convex_root(first, second, known, power)
    left = half * (x if p > 2 else x**power)
    return (short - left) / xp.maximum(slope, _FLAT)


def convex_root(first: Array, second: Array, known: Array, power: float) -> Array:
    """The root x of ``first x**power + second x = known``.

    The left side is convex and rises. From above, where one of its terms alone makes the right
    side and so at most twice the root, Newton steps fall to the root.

    Parameters
    ----------
    first, second, known : array
        At least 0, shapes that broadcast.
    power : float
        At least 1.

    Returns
    -------
    array
        At least 0. In PyTensor, differentiable in all three.

    Examples
    --------
    >>> convex_root(np.array([1.0]), np.array([1.0]), np.array([10.0]), 3).round(9)
    array([2.])
    """
    xp = namespace(first, second, known)
    by_first = (known / xp.maximum(first, TINY)) ** (1 / power)
    x = held(xp.minimum(by_first, known / xp.maximum(second, TINY)))

    def step(x: Array, fixed: bool = False) -> Array:
        value = first * x**power + second * x - known
        slope = power * first * x ** (power - 1) + second
        return value / xp.maximum(held(slope) if fixed else slope, TINY)

    for _ in range(_NEWTON_STEPS):
        x = xp.maximum(x - step(x), 0.0)
    # The gradient is that of one more step with its slope held constant.
    x = held(x)
    return xp.maximum(x - step(x, fixed=True), 0.0)


def _line(trust: Array, terms: IntervalTerms, belief: Belief) -> tuple[Array, Array]:
    """The action as a line over messages: slope, and intercept at a message of 0."""
    check_word("belief", belief, Belief)
    distrust = 1 - trust
    if belief == "prior":
        return trust, distrust * terms.middle
    end = np.where(terms.bias > 0, terms.lowest, terms.highest)
    truncated = terms.bias != 0
    slope = trust + np.where(truncated, 0.5, 0.0) * distrust
    return slope, distrust * np.where(truncated, end / 2, terms.middle)


def _farthest(terms: IntervalTerms) -> float:
    """More than an action can be from what a sender wishes."""
    return 2 * (terms.width + float(np.max(np.abs(terms.bias), initial=0.0)))
