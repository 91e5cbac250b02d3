"""Random forecast-sharing markets, and numerical answers to hold closed forms against."""

from collections.abc import Callable, Iterator

import numpy as np
import pytensor
from pytensor.compile.mode import Mode

from trustbayes.games import ForecastGame
from trustbayes.games.forecast import Terms

# Plain Python: neither numba nor C, which take seconds to compile each function.
PYTHON = Mode(linker="py", optimizer="fast_compile")


def ozc_terms() -> Terms:
    """The four treatments of Özer, Zheng and Chen."""
    return ForecastGame().terms(["CLUL", "CLUH", "CHUL", "CHUH"])


def random_markets(seed: int, markets: int = 40) -> Iterator[tuple[np.random.Generator, Terms]]:
    """Generators and terms of 60 trials each; every trial is a setting of its own."""
    rng = np.random.default_rng(seed)
    for _ in range(markets):
        forecast_range = 10 ** rng.uniform(0, 3)
        margin = rng.uniform(1, 100)
        yield (
            rng,
            Terms(
                mean_demand=rng.uniform(0, 5) * forecast_range,
                forecast_range=forecast_range,
                sender_margin=rng.uniform(1, 100),
                receiver_margin=margin,
                capacity_cost=margin * rng.uniform(0.02, 0.98, 60),
                uncertainty=forecast_range * 10 ** rng.uniform(-2, 0.5, 60),
            ),
        )


def uniform_sum_cdf(value: np.ndarray, width: np.ndarray, e: np.ndarray) -> np.ndarray:
    """P(U[0, width] + U[-e, e] <= value), from its second differences; width 0 is a point."""
    wide = np.maximum(width, 1e-4 * e)

    def square(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0) ** 2

    total = square(value + e) - square(value - e)
    total = total - square(value - wide + e) + square(value - wide - e)
    point = np.clip((value + e) / (2 * e), 0, 1)
    return np.where(width > 0, total / (4 * e * wide), point)


def solve(
    increasing: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Where an increasing function, element by element, passes 0: bisection to the last digit."""
    low, high = np.broadcast_arrays(np.asarray(low, float), np.asarray(high, float))
    for _ in range(100):
        middle = (low + high) / 2
        below = increasing(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return high


def numerical_quantile(width: np.ndarray, terms: Terms) -> np.ndarray:
    """The f-quantile of U[0, width] + U[-e, e], by bisection of its distribution function."""
    e, f = terms.uncertainty, terms.critical_ratio
    return solve(lambda value: uniform_sum_cdf(value, width, e) - f, -e, width + e)


def value_and_slope(function: Callable, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A PyTensor function of one vector, and the derivative of the sum of all it gives."""
    symbol = pytensor.tensor.vector("at")
    value = function(symbol)
    outputs = [value, pytensor.grad(value.sum(), symbol)]
    return pytensor.function([symbol], outputs, mode=PYTHON)(at)
