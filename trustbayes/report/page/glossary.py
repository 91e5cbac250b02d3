"""Terms of the field, each with a line that says what it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

__all__ = ["TERMS", "first_uses"]

TERMS: Mapping[str, tuple[str, str]] = {
    "converge": (
        r"\bconverged?\b|convergence gate",
        "a fit has converged when independent runs of it agree; the gate is the list of checks "
        "that it must pass before anything is concluded from it.",
    ),
    "standard error": (
        r"standard errors?",
        "how far a number would typically be off if other people of the same kind had taken part.",
    ),
    "nats": (
        r"\bnats?\b",
        "the unit of how well choices were predicted; a lead of 1 nat means that the choices made "
        "were 2.7 times as probable.",
    ),
    "interval": (
        r"\d\s%\)|\bintervals?\b",
        "the range that holds the value with the probability stated (90 % unless said otherwise), "
        "given the data and the model.",
    ),
    "Trust-embedded": (
        r"Trust-embedded",
        "the theory that lying costs senders something, and that receivers believe in part what "
        "they are told.",
    ),
    "Level-k": (
        r"Level-k|\blevel [0-9]\b",
        "the theory that people think a limited number of steps ahead: level 0 is truthful or "
        "believing, level 1 replies to that, and so on.",
    ),
    "Babbling": (
        r"Babbling|\bbabbling\b",
        "the benchmark in which messages say nothing and nobody listens.",
    ),
    "Full trust": (
        r"Full trust|\bfull trust\b",
        "the benchmark in which messages are true and believed.",
    ),
    "Mixture": (
        r"\bMixture\b",
        "the model in which each person follows one of the theories, in shares to be estimated.",
    ),
    "Hybrid": (
        r"\bHybrid\b",
        "the model in which people both think ahead and care for truth.",
    ),
    "lying aversion β": (
        r"lying aversion|\bβ\b",
        "how much a lie costs a sender, in payoff units.",
    ),
    "trust factor α": (
        r"trust factor|\bα\b",
        "how much weight a receiver gives to the message: 0 none, 1 all.",
    ),
    "LOSO": (
        r"\bLOSO\b|leave-one-subject-out",
        "leave-one-subject-out: all choices of a person are predicted from all other people.",
    ),
    "LOO": (
        r"\bLOO\b|\bWAIC\b",
        "leave-one-out, like WAIC: a choice is predicted from all others, the same person's too.",
    ),
    "elpd": (
        r"\belpd\b|expected log predictive density",
        "expected log predictive density, in nats: the score of predictions; higher is better.",
    ),
    "prior": (
        r"\bpriors?\b",
        "what a model holds possible, and how probable, before it has seen the data.",
    ),
    "posterior": (r"\bposteriors?\b", "what it holds possible, and how probable, given the data."),
    "R-hat": (r"\bR-hat\b", "how far independent runs of a fit disagree; 1 if not at all."),
    "ESS": (r"\bESS\b", "effective sample size: how many independent draws a fit is worth."),
    "Pareto k": (
        r"Pareto k",
        "how far a prediction hangs on single draws; above its limit it cannot be relied on.",
    ),
    "matching group": (r"matching groups?", "people who only met each other in the experiment."),
}
"""What each term looks like in a text, and what it means."""


def first_uses(texts: Iterable[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """The terms that each text is the first to use.

    Parameters
    ----------
    texts : iterable of (str, str)
        Name and words of each, in the order of reading.

    Returns
    -------
    dict of str to list of (str, str)
        By name: terms with their meanings.

    Examples
    --------
    >>> terms = first_uses([("a", "in nats"), ("b", "nats and R-hat")])
    >>> [term for term, _ in terms["b"]]
    ['R-hat']
    """
    left = dict(TERMS)
    terms: dict[str, list[tuple[str, str]]] = {}
    for name, words in texts:
        new = [term for term, (looks, _) in left.items() if re.search(looks, words)]
        terms[name] = [(term, left.pop(term)[1]) for term in new]
    return terms
