"""People who meet in the forecast-sharing game: fits of given values, and a loop over meetings."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from markets import numerical_quantile

from trustbayes.games import ForecastGame
from trustbayes.inference.fit import Fit
from trustbayes.models import Model, model
from trustbayes.trials.table import Trials, trials_from_frame

GAME = ForecastGame()


def trials_of(rows: list[tuple], game: ForecastGame = GAME) -> Trials:
    columns = ["sender", "receiver", "round", "treatment", "state", "message", "action"]
    return trials_from_frame(pd.DataFrame(rows, columns=columns), game)


def play(
    game: ForecastGame = GAME,
    senders: int = 4,
    receivers: int = 4,
    treatments: tuple[str, ...] | None = None,
    message: float = 0.0,
    action: float = 250.0,
) -> Trials:
    """Everyone plays every treatment, and the same every time."""
    names = tuple(game.treatments) if treatments is None else treatments
    pairs = max(senders, receivers)
    rows = [
        (f"s{i % senders}", f"r{i % receivers}", i + pairs * number, name, 0.0, message, action)
        for number, name in enumerate(names)
        for i in range(1, pairs + 1)
    ]
    return trials_of(rows, game)


def fit_of(model: Model, trials: Trials, values: Mapping[str, np.ndarray | float]) -> Fit:
    """A fit of one chain; values of shape (draws, ...), or the same in all of 2 draws."""
    units = trials.fold(model.role)
    sizes = {"subject": len(units.subjects), "treatment": len(units.treatments)}
    draws = max((len(v) for v in values.values() if np.ndim(v)), default=2)
    data = {}
    for parameter in model.parameters:
        name = parameter.name
        if parameter.support == "simplex":
            dims, shape, stored = (name,), (len(model.shares[name]),), f"{name}_share"
        else:
            dims = tuple(d for d in ("subject", "treatment") if d in model.varies[name])
            shape, stored = tuple(sizes[d] for d in dims), name
        filled = np.broadcast_to(values[name], (draws, *shape))
        data[stored] = (("chain", "draw", *dims), filled[None])
    return Fit(model, trials.game, units, xr.Dataset(data), xr.Dataset(), {})


def pair(trials: Trials, sender: tuple[str, dict], receiver: tuple[str, dict]) -> tuple[Fit, Fit]:
    """Fits of the two roles, each from a model's name and values."""
    first, second = (
        fit_of(model(name, role, trials.game), trials, values)
        for role, (name, values) in (("sender", sender), ("receiver", receiver))
    )
    return first, second


def random_pair(seed: int = 1) -> tuple[Fit, Fit]:
    """The trust-embedded model with random values."""
    rng = np.random.default_rng(seed)
    noise = {"response_noise": 0.1}
    aversion, expected = rng.uniform(0, 0.8, (5, 4)), rng.uniform(0, 1, (5, 4))
    return pair(
        play(),
        ("trust-embedded", noise | {"lying_aversion": aversion, "expected_trust": expected}),
        ("trust-embedded", noise | {"trust": rng.uniform(0, 1, (5, 4, 4))}),
    )


class Meetings:
    """One draw of people who meet in a treatment, without the package's formulas for profits."""

    def __init__(self, treatment: str, seed: int = 11, forecasts: int = 100) -> None:
        self.market, self.rng = GAME.treatments[treatment], np.random.default_rng(seed)
        self.forecast = np.linspace(-150, 150, 2 * forecasts + 1)[1::2]
        e = self.market.uncertainty
        self.shock = np.linspace(-e, e, 161)[1::2]
        self.f = 1 - self.market.capacity_cost / 75
        self.g = e * (2 * self.f - 1)

    def sales(self, capacity: np.ndarray, forecast: np.ndarray) -> np.ndarray:
        demand = 250 + forecast[..., None] + self.shock
        return np.minimum(demand, capacity[..., None]).mean(axis=-1)

    def profits(self, capacity: np.ndarray, forecast: np.ndarray) -> tuple[np.ndarray, ...]:
        sales = self.sales(capacity, forecast)
        return 25 * sales, 75 * sales - self.market.capacity_cost * capacity

    def capacity(self, report: np.ndarray, trust: float) -> np.ndarray:
        """Of a receiver with trust factor α: the quantile of what he believes, by bisection."""
        terms = GAME.terms(["CLUL"] * report.size)
        terms.capacity_cost[:], terms.uncertainty[:] = (
            self.market.capacity_cost,
            self.market.uncertainty,
        )
        quantile = numerical_quantile((1 - trust) * (report + 150), terms)
        return 250 + trust * report - (1 - trust) * 150 + quantile

    def report(self, aversion: float, expected: float) -> np.ndarray:
        """Of a sender with lying aversion β, at every forecast: the best of many reports."""
        options = np.linspace(-150, 150, 601)
        sales = self.sales(self.capacity(options, expected)[None], self.forecast[:, None])
        lie = (options - self.forecast[:, None]) ** 2 / 150  # its cost is quadratic
        return options[(25 * (sales - aversion * lie)).argmax(axis=1)]

    def noisy(self, best: np.ndarray, noise: float, low: float, high: float) -> np.ndarray:
        return np.clip(best + 150 * noise * self.rng.normal(size=best.shape), low, high)

    def mean(self, reports: list, capacities: list, noises: tuple, times: int = 20) -> np.ndarray:
        """Mean profits of all pairs of a sender and a receiver, and how sure they are."""
        profits = np.zeros((times, 2))
        for row in profits:
            for best in reports:
                for build in capacities:
                    report = self.noisy(best, noises[0], -150, 150)
                    capacity = self.noisy(build(report), noises[1], 0, np.inf)
                    row += np.mean(self.profits(capacity, self.forecast), axis=1)
        profits /= len(reports) * len(capacities)
        return np.array([profits.mean(axis=0), profits.std(axis=0) / np.sqrt(times)])
