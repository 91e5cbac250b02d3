r"""The trust-embedded model (TE) of the forecast-sharing game.

Senders dislike lying, receivers trust by a factor. All functions are plain array functions: they
take NumPy arrays or PyTensor variables. The last axis of every array counts the trials, and
parameters may have any leading axes.

Source: Özer, Zheng and Chen (2011), Management Science 57(6); as specified in the project's
theory, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from trustbayes.errors import check_word
from trustbayes.games.forecast import Terms
from trustbayes.games.forecast_demand import uniform_sum_quantile
from trustbayes.numerics.arrays import TINY, Array, held, namespace
from trustbayes.theories.trust_embedded.wavering import wavers, worth_lying

__all__ = ["Belief", "LyingCost", "capacity", "capacity_slope", "report"]

Belief = Literal["truncated", "prior"]
LyingCost = Literal["absolute", "quadratic"]


def capacity(report: Array, trust: Array, terms: Terms, belief: Belief = "truncated") -> Array:
    r"""What a receiver with trust factor α builds after a report, K(x; α).

    He believes the forecast to be :math:`\alpha x + (1 - \alpha)\,\theta^T`, where
    :math:`\theta^T \sim U[-a, x]`, the forecasts from which a sender would exaggerate up to x, or
    with belief "prior" :math:`\theta^T \sim U[-a, a]`. His capacity is the f-quantile of the
    demand he believes in,

    .. math:: K = \mu + \alpha x - (1 - \alpha)\,a + Q_f(U[0, L] + U[-e, e]),

    with :math:`L = (1 - \alpha)(x + a)`, and with belief "prior" :math:`L = 2 (1 - \alpha)\,a`.

    Parameters
    ----------
    report : array, shape (..., trials)
        x, in [-a, a], units of demand.
    trust : array, shape (..., trials)
        Trust factor α, in [0, 1].
    terms : Terms
        With arrays of shape (trials,).
    belief : {"truncated", "prior"}
        How the distrusting part reads the report.

    Returns
    -------
    array, shape (..., trials)
        Units of demand; rises with the report, once continuously differentiable.

    Raises
    ------
    ValueError
        If the belief is not one of the two.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> terms = ForecastGame().terms(["CLUL", "CHUH"])
    >>> capacity(np.array([0.0, 0.0]), np.array([1.0, 0.5]), terms)
    array([265.        , 167.08203932])
    """
    check_word("belief", belief, Belief)
    a = terms.forecast_range
    distrust = 1 - trust
    width = distrust * ((report if belief == "truncated" else a) + a)
    lowest = terms.mean_demand + trust * report - distrust * a
    return lowest + uniform_sum_quantile(width, terms)


def capacity_slope(
    report: Array, trust: Array, terms: Terms, belief: Belief = "truncated"
) -> Array:
    r"""How much capacity rises per unit of the report, K′(x; α).

    :math:`K' = \alpha + (1 - \alpha)\,Q'`, where Q′, the slope of the quantile in the width of
    the belief, goes from 1/2 after the lowest reports to f after the highest. With belief
    "prior", :math:`K' = \alpha`. Arguments as for :func:`capacity`.

    Returns
    -------
    array, shape (..., trials)
        In [0, 1], without a unit.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> terms = ForecastGame().terms(["CLUL", "CHUH"])
    >>> capacity_slope(np.array([0.0, 0.0]), np.array([1.0, 0.5]), terms)
    array([1.       , 0.7236068])
    """
    check_word("belief", belief, Belief)
    xp = namespace(report, trust)
    if belief == "prior":
        return trust + 0 * report
    e, f = terms.uncertainty, terms.critical_ratio
    q = np.minimum(f, 1 - f)
    width = (1 - trust) * (report + terms.forecast_range)
    rise = xp.maximum(xp.sqrt(e * q / xp.maximum(width, 4 * e * q)), q)
    return trust + (1 - trust) * xp.where(f < 0.5, rise, 1 - rise)


def report(
    forecast: Array,
    lying_aversion: Array,
    expected_trust: Array,
    terms: Terms,
    belief: Belief = "truncated",
    lying_cost: LyingCost = "absolute",
    wavering: bool = False,
) -> Array:
    r"""What a sender with lying aversion β and expected trust α^e reports, x*(ξ; β, α^e).

    She maximises :math:`(r - w)\,E \min(\mu + \xi + \varepsilon, K(x; \alpha^e))` less the cost
    of lying, :math:`\beta |x - \xi|`, or if quadratic :math:`\beta (x - \xi)^2 / a`. Of equally
    good reports she takes the smallest lie.

    She never under-reports: that lowers K and is a lie. From the truth upwards the marginal gain
    of a report, :math:`K'(x) H(x)` with :math:`H = P(D > K(x))`, never rises: where K is linear
    or concave both factors fall; where it is convex, which needs :math:`f > 1/2`,
    :math:`K'' H \le K'^2 / 2e` for all :math:`x \ge \xi`. So she reports the first
    :math:`x \ge \xi` whose marginal gain is no more than the marginal cost of the lie.

    The report jumps where gain and absolute cost are equal over a whole range of reports: at
    :math:`\beta = (r - w) K'` if K is linear and all of it is sold for sure. With the truncated
    belief that takes :math:`(1 - \alpha^e)(x + a) > e / \min(f, 1 - f)`: low uncertainty and a
    high forecast. With a quadratic cost nothing jumps, but at the belief "prior" and
    :math:`\alpha^e = \beta = 0`.

    If her aversion wavers a little from trial to trial (log β logistic around hers with scale
    1/8, a standard deviation of 0.23), a report that is sure to be sold in full is worth its lie
    with probability :math:`1 / (1 + (\beta / (r - w) K')^8)`, and the mean report passes gradually
    over what it jumps across, or nearly. Where sales are not sure the report follows β gradually
    anyway, and wavering is left out.

    Parameters
    ----------
    forecast : array, shape (..., trials)
        ξ, in [-a, a], units of demand.
    lying_aversion : array, shape (..., trials)
        β >= 0, payoff units per unit of demand. From r - w on, every sender is truthful if the
        cost is absolute. If it is quadratic, β is the marginal cost of a lie of a/2.
    expected_trust : array, shape (..., trials)
        Expected trust α^e, in [0, 1].
    terms : Terms
        With arrays of shape (trials,).
    belief : {"truncated", "prior"}
        How the distrusting part of the receiver reads reports, see :func:`capacity`.
    lying_cost : {"absolute", "quadratic"}
    wavering : bool
        Whether her aversion wavers; else the exact optimum. It matters for the absolute cost only.

    Returns
    -------
    array, shape (..., trials)
        In [ξ, a], units of demand. In PyTensor, differentiable in β and α^e where it does not
        jump; with wavering it jumps nowhere.

    Raises
    ------
    ValueError
        If the belief or the lying cost is not one of the two.

    Examples
    --------
    >>> from trustbayes.games.forecast import ForecastGame
    >>> terms = ForecastGame().terms(["CLUL", "CHUH"])
    >>> report(np.array([0.0, 0.0]), np.array([0.0, 15.0]), np.array([1.0, 0.5]), terms)
    array([10.        , 40.86497242])
    """
    check_word("belief", belief, Belief)
    check_word("lying_cost", lying_cost, LyingCost)
    xp = namespace(forecast, lying_aversion, expected_trust)
    a, e, f = terms.forecast_range, terms.uncertainty, terms.critical_ratio
    alpha, distrust = expected_trust, 1 - expected_trust
    sender = _Sender(forecast, lying_aversion, terms, lying_cost)
    if belief == "prior":
        constant = uniform_sum_quantile(2 * a * distrust, terms) - distrust * a
        best = xp.clip(sender.along_line(alpha, constant), forecast, a)
        if not wavering or lying_cost == "quadratic":
            return best
        return best + sender.wavers_on_line(alpha, constant, -a)

    # The first and the last case of K, where it is linear, and the one between: her report is
    # that of the case in which it lies.
    q = np.minimum(f, 1 - f)
    narrow = sender.along_line((1 + alpha) / 2, terms.safety - distrust * a / 2)
    wide_line = (alpha + distrust * f, -distrust * (1 - f) * a)
    wide = sender.along_line(*wide_line)
    between = sender.along_curve(alpha)
    is_narrow = distrust * (xp.clip(narrow, forecast, a) + a) <= 4 * e * q
    is_wide = distrust * (wide + a) > e / q
    best = xp.where(is_narrow, narrow, xp.where(is_wide, wide, between))
    best = xp.clip(best, forecast, a)
    if not wavering or lying_cost == "quadratic":
        return best
    wide_from = e / (q * xp.maximum(distrust, TINY)) - a
    return best + sender.wavers_on_line(*wide_line, wide_from) + sender.wavers_on_curve(alpha)


_NEWTON_STEPS = 6
"""With the one after them, the error is below 0.001 of 150 units for f from 0.03 to 0.97."""


@dataclass(frozen=True, eq=False)
class _Sender:
    """A sender who weighs what a report earns against what the lie costs her.

    All over r - w, per unit of the report. A report earns K′(x) H. While all of K is sold for
    sure, H = 1; then H = (e - K(x) + μ + ξ) / 2e. The second formula exceeds 1 where the first
    holds, so gain and cost first meet at the lower of the crossings with "sure" and "unsure"
    sales. A lie costs β₀ + β₁ (x - ξ).
    """

    forecast: Array
    lying_aversion: Array
    terms: Terms
    lying_cost: LyingCost

    @property
    def marginal_cost(self) -> tuple[Array, Array]:
        """Of the first unit of a lie, and its rise per unit: β₀, β₁."""
        aversion = self.lying_aversion / self.terms.sender_margin
        fine = self.terms.fine / self.terms.sender_margin
        if self.lying_cost == "absolute":
            # From 1 on all are truthful.
            return namespace(aversion).minimum(aversion + fine, 1.0), 0.0
        return min(fine, 1.0), 2 * aversion / self.terms.forecast_range

    def along_line(self, slope: Array, intercept: Array) -> Array:
        """Where gain and cost cross if K = μ + intercept + slope · x; may be out of range."""
        xp = namespace(self.forecast, self.lying_aversion, slope)
        xi, e = self.forecast, self.terms.uncertainty
        cost, rise = self.marginal_cost
        unsure = slope * (e + xi - intercept) - 2 * e * (cost - rise * xi)
        unsure = unsure / xp.maximum(slope**2 + 2 * e * rise, TINY)
        sure = xi + (slope - cost) / xp.maximum(rise, TINY)
        return xp.minimum(unsure, sure)

    def along_curve(self, expected_trust: Array) -> Array:
        r"""Where gain and cost cross in the case of K between the two linear ones.

        With :math:`t = \sqrt{x + a}`, :math:`K = const + c\,t^2 + 2 R t` and
        :math:`K' = c + R / t`, where c = α, :math:`R = \sqrt{(1 - \alpha)\,e f}` for
        :math:`f < 1/2`, else c = 1, :math:`R = -\sqrt{(1 - \alpha)\,e\,(1 - f)}`. So 2et times
        cost less gain is a cubic in t, one for sure and one for unsure sales. The greater of them
        is convex from the truth upwards. So Newton steps from above fall to its root: from the
        end of the case, or from where K covers all demand, if that is lower. They stay at the end
        if gain exceeds cost in the whole case.
        """
        xp = namespace(self.forecast, self.lying_aversion, expected_trust)
        a, e, f = self.terms.forecast_range, self.terms.uncertainty, self.terms.critical_ratio
        cost, rise = self.marginal_cost
        q = np.minimum(f, 1 - f)
        # With less distrust than this the case begins beyond a, and its roots need not be right.
        distrust = xp.maximum(1 - expected_trust, 4 * e * q / (2 * a))
        c = xp.where(f < 0.5, expected_trust, 1.0)
        r = np.where(f < 0.5, 1, -1) * xp.sqrt(distrust * e * q)
        above = self.forecast + a
        slack = above + np.where(f < 0.5, 2 * e, 0)  # e - K + μ + ξ = slack - c t² - 2 R t
        unsure = (
            c**2 + 2 * e * rise,
            3 * c * r,
            2 * r**2 - c * slack + 2 * e * (cost - rise * above),
            -r * slack,
        )
        sure = (2 * e * rise, 0.0, 2 * e * (cost - rise * above - c), -2 * e * r)

        def excess(t: Array) -> tuple[Array, Array]:
            """2et times cost less gain, and its slope, kept above zero where no root is."""
            (value, slope), (sure_value, sure_slope) = _cubic(t, unsure), _cubic(t, sure)
            slope = xp.where(value > sure_value, slope, sure_slope)
            return xp.maximum(value, sure_value), xp.maximum(slope, 1e-6 * e)

        truth, end = xp.sqrt(above), xp.sqrt(xp.minimum(e / (q * distrust), 2 * a))
        root = xp.sqrt(r**2 + c * slack)
        covers = xp.where(f < 0.5, slack / (root + abs(r)), root - r)
        t = xp.minimum(covers, end)
        for _ in range(_NEWTON_STEPS):
            value, slope = excess(t)
            t = xp.maximum(t - xp.maximum(value, 0.0) / slope, truth)
        # The gradient is that of one more step with its slope held constant.
        t = held(t)
        value, slope = excess(t)
        return xp.clip(t - value / held(slope), 0.0, end) ** 2 - a

    def wavers_on_line(self, slope: Array, intercept: Array, start: Array) -> Array:
        """What wavering adds to the report if K = μ + intercept + slope · x from the start on."""
        xp = namespace(self.forecast, self.lying_aversion, slope)
        cost, _ = self.marginal_cost
        low = xp.maximum(self.forecast, start)
        sure_until = (self.forecast - self.terms.uncertainty - intercept) / xp.maximum(slope, TINY)
        length = xp.maximum(xp.minimum(sure_until, self.terms.forecast_range) - low, 0.0)
        return length * wavers(slope, cost)

    def wavers_on_curve(self, expected_trust: Array) -> Array:
        """What wavering adds in the case of K between, where K′ = α + R / t falls with t.

        For f > 1/2 no report of this case is sure to be sold in full.
        """
        xp = namespace(self.forecast, self.lying_aversion, expected_trust)
        a, e, f = self.terms.forecast_range, self.terms.uncertainty, self.terms.critical_ratio
        cost, _ = self.marginal_cost
        above, distrust = self.forecast + a, xp.maximum(1 - expected_trust, TINY)
        r = np.where(f < 0.5, 1.0, TINY) * xp.sqrt(distrust * e * f)
        begin = xp.sqrt(xp.maximum(above, xp.where(f < 0.5, 4 * e * f / distrust, 2 * a)))
        sure_until = above / (r + xp.sqrt(r**2 + expected_trust * above) + TINY)
        end = xp.minimum(xp.minimum(sure_until, xp.sqrt(e / (f * distrust))), np.sqrt(2 * a))
        span = xp.maximum(end - begin, 0.0)
        crossing = r / xp.maximum(cost - expected_trust, TINY)
        reported = xp.clip(crossing, begin, begin + span) ** 2 - begin**2  # by the optimum
        wavered = 0.0
        for node, weight in zip(_NODES, _WEIGHTS, strict=True):
            t = begin + node * span
            slope = expected_trust + r / t
            wavered = wavered + weight * 2 * t * span * worth_lying(slope, cost)
        return wavered - reported


_GAUSS = np.polynomial.legendre.leggauss(3)
_NODES, _WEIGHTS = (_GAUSS[0] + 1) / 2, _GAUSS[1] / 2
"""Of Gauss and Legendre, on [0, 1]."""


def _cubic(t: Array, coefficients: tuple[Array, ...]) -> tuple[Array, Array]:
    """Value and slope of a cubic, its highest coefficient first."""
    k3, k2, k1, k0 = coefficients
    return ((k3 * t + k2) * t + k1) * t + k0, (3 * k3 * t + 2 * k2) * t + k1
