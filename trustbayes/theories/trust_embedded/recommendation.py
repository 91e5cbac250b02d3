r"""The trust-embedded theory of recommendations: a weight for the recommendation.

After a recommendation m a person with the estimate e believes in

.. math:: b = \alpha m + (1 - \alpha) e

and decides accordingly; :math:`\alpha` is her trust factor, the weight of advice of the literature
before any noise. Several recommendations at once share it, by weights that add up to one, so that
theirs and that of the estimate do, too.

Source: the project's theory, section 9; Yaniv and Kleinberger (2000), Organizational Behavior and
Human Decision Processes 83(2).
"""

from __future__ import annotations

from typing import Any

from trustbayes.numerics.arrays import Array, namespace, softmax

__all__ = ["belief", "joint_message", "shifted_trust"]


def belief(estimate: Array, message: Array, trust: Array) -> Array:
    """The belief of a person with a trust factor, and her best decision.

    Parameters
    ----------
    estimate, message : array, shape (trials,)
        e and m, in units of decisions, or their logarithms.
    trust : array, shape (..., trials)
        α, 0 to 1.

    Returns
    -------
    array, shape (..., trials)
        On the scale of the estimate.

    Examples
    --------
    >>> belief(10.0, 20.0, 0.25)
    12.5
    """
    return estimate + trust * (message - estimate)


def joint_message(messages: Array, pull: Array) -> Any:
    """Several recommendations as one: their mean by weights that add up to one.

    Parameters
    ----------
    messages : array, shape (trials, advisers)
    pull : array, shape (..., trials, advisers)
        Log weight of each adviser, but for a constant.

    Returns
    -------
    array, shape (..., trials)

    Examples
    --------
    >>> import numpy as np
    >>> float(joint_message(np.array([[10.0, 20.0]]), np.log([[1.0, 3.0]]))[0])
    17.5
    """
    return (softmax(pull) * messages).sum(axis=-1)


def shifted_trust(trust: Array, shift: Array) -> Any:
    """Trust moved on the logit scale: logit⁻¹(logit(trust) + shift).

    Parameters
    ----------
    trust : array, shape (..., trials)
        α, 0 to 1.
    shift : array, shape (..., trials)

    Returns
    -------
    array, shape (..., trials)

    Examples
    --------
    >>> import numpy as np
    >>> round(float(shifted_trust(0.5, np.log(3.0))), 12)
    0.75
    """
    odds = namespace(trust, shift).exp(shift)
    return trust * odds / (1 - trust + trust * odds)
