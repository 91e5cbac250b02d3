"""Random games on intervals, and plain play of them to hold closed forms against."""

from collections.abc import Iterator

import numpy as np

from trustbayes.games import IntervalTerms

SETTINGS = 50
"""Trials of each random game; every trial is a setting of its own."""

EXPONENTS = (1.0, 1.2, 1.5, 2.0, 2.0, 3.0, 4.5)


def random_intervals(
    seed: int, games: int = 40
) -> Iterator[tuple[np.random.Generator, IntervalTerms]]:
    """Generators and terms; biases of either sign, some of them 0 and some beyond the interval."""
    rng = np.random.default_rng(seed)
    for number in range(games):
        width = 10 ** rng.uniform(-1, 3)
        lowest = rng.uniform(-2, 2) * width
        exponent = EXPONENTS[number % len(EXPONENTS)]
        bias = width * rng.choice([-1, 1], SETTINGS) * 10 ** rng.uniform(-2, 0.1, SETTINGS)
        bias[:4] = 0.0
        scale = 100 / width**exponent * 10 ** rng.uniform(-1, 1)
        yield rng, IntervalTerms(lowest, lowest + width, scale, exponent, bias)


def random_places(rng: np.random.Generator, terms: IntervalTerms) -> np.ndarray:
    """States or messages anywhere, some at the ends."""
    share = np.clip(rng.uniform(-0.05, 1.05, SETTINGS), 0, 1)
    return np.where(share == 1, terms.highest, terms.lowest + share * terms.width)


def random_shares(rng: np.random.Generator) -> np.ndarray:
    """Trust, some of it none and some full."""
    return np.clip(rng.uniform(-0.1, 1.1, SETTINGS), 0, 1)


def random_aversion(rng: np.random.Generator, terms: IntervalTerms) -> np.ndarray:
    """Lying aversion from none to very much; most where messages are between the corners."""
    size = np.maximum(abs(terms.bias), 0.05 * terms.width) ** (terms.exponent - 1)
    aversion = terms.exponent * terms.scale * size * rng.uniform(0, 1.3, SETTINGS)
    aversion[:3], aversion[3:5] = 0.0, 1e6 * aversion[3:5]
    return rng.permutation(aversion)


def marginal_loss(gap: np.ndarray, terms: IntervalTerms) -> np.ndarray:
    """How fast |gap|^p times the scale changes with the gap."""
    return terms.exponent * terms.scale * np.sign(gap) * abs(gap) ** (terms.exponent - 1)


def level_action(
    message: float, level: int, bias: float, terms: IntervalTerms, unsent: str
) -> float:
    """By the definition: the states that send this message, and the middle of them."""
    low, high = terms.lowest, terms.highest
    reach, end = level * bias, high if bias > 0 else low
    if level == 0 or bias == 0:
        return message
    if abs(reach) >= high - low:
        return (low + high) / 2
    if message == end:
        return (end - reach + end) / 2
    if low <= message - reach <= high:
        return message - reach
    return (low if bias > 0 else high) if unsent == "monotone" else (low + high) / 2


def replies(grid: np.ndarray, level: int, bias: float, terms: IntervalTerms) -> np.ndarray:
    """What a level's receiver does after each message."""
    return np.array([level_action(m, level, bias, terms, "monotone") for m in grid])
