"""The two theories to be moved about: choices on a grid, which a script of the page draws.

The choices are those of the functions that the models use. The page carries its numbers and its
scripts; it asks for nothing from elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import trustbayes as tb
from trustbayes.theories.level_k import finite as finite_levels, forecast as forecast_levels
from trustbayes.theories.responses.logit import choice_log_probabilities
from trustbayes.theories.trust_embedded import finite as finite_trust, forecast as forecast_trust

PARTS = Path(__file__).resolve().parent / "explorers"
TRUSTS = np.round(np.linspace(0, 1, 11), 1)
DEEPEST = 3


def forecast_grid() -> dict[str, object]:
    """What people choose in forecast sharing, for each market, in units of demand.

    Returns
    -------
    dict
        ``seen``: forecasts, and reports. By market: ``reports`` by lying aversion, expected trust
        and forecast; ``capacities`` by trust and report; ``level_reports`` and
        ``level_capacities`` by level and what was seen.
    """
    game = tb.ForecastGame()
    seen = np.linspace(*game.seen_range("sender"), 61)
    aversions = (0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)
    markets = {}
    for name, market in game.treatments.items():
        terms = game.terms([name])
        reports = [
            [
                forecast_trust.report(
                    seen, b * game.lying_unit, a, terms, "truncated", "quadratic", wavering=True
                )
                for a in TRUSTS
            ]
            for b in aversions
        ]
        markets[name] = {
            "capacity_cost": market.capacity_cost,
            "uncertainty": market.uncertainty,
            "reports": _numbers(reports),
            "capacities": _numbers([forecast_trust.capacity(seen, a, terms) for a in TRUSTS]),
            "level_reports": _numbers(forecast_levels.reports(seen, DEEPEST, terms)),
            "level_capacities": _numbers(
                forecast_levels.capacities(seen, DEEPEST, terms, "monotone")
            ),
        }
    return {
        "seen": _numbers(seen),
        "margin": game.lying_unit,
        "lie": game.forecast_range / 2,
        "aversions": aversions,
        "trusts": TRUSTS.tolist(),
        "markets": markets,
    }


def finite_grid() -> dict[str, object]:
    """How often people choose what in the bundled finite game, in percent, by treatment.

    Returns
    -------
    dict
        By treatment: ``te_sender`` by response precision, lying aversion, expected trust, state
        and message; ``te_receiver`` by response precision, trust, message and action;
        ``lk_sender`` and ``lk_receiver`` by response precision, level, seen and chosen.
    """
    game = tb.read_game(tb.bundled("simulated-finite").game)
    precisions, trusts = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 30.0]), TRUSTS[::2]
    aversions = np.array([0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 50.0, 100.0])
    treatments = {}
    for name, (bias,) in game.treatments.items():
        material = finite_trust.expected_payoff(game, bias, trusts)
        costly = finite_trust.sender_utility(
            game, material[None], np.broadcast_to(aversions[:, None], (aversions.size, trusts.size))
        )
        levels = finite_levels.level_tables(game, bias, DEEPEST)
        utilities = {
            "te_sender": costly,
            "te_receiver": finite_trust.receiver_utility(game, bias, trusts),
            "lk_sender": levels.sender_utility,
            "lk_receiver": levels.receiver_utility,
        }
        treatments[name] = {"bias": bias} | {
            who: [_percent(utility / game.scale, precision) for precision in precisions]
            for who, utility in utilities.items()
        }
    return {
        "seen": _numbers(game.states),
        "aversions": _numbers(aversions),
        "trusts": trusts.tolist(),
        "precisions": precisions.tolist(),
        "treatments": treatments,
    }


def _percent(utility: np.ndarray, precision: float) -> list[object]:
    every = np.full(utility.shape[:-2], precision)
    shares = np.exp(choice_log_probabilities(utility, every))
    return np.rint(100 * shares).astype(int).tolist()


def _numbers(values: object) -> list[object]:
    return np.round(np.asarray(values, float), 1).tolist()


def explorers() -> dict[str, str]:
    """The controls, pictures, numbers and scripts as HTML, by the kind of game."""
    grids = {"forecast": forecast_grid(), "finite": finite_grid()}
    return {
        f"explore-{name}.html": (PARTS / f"{name}.html")
        .read_text("utf-8")
        .replace("{{style}}", (PARTS / "style.css").read_text("utf-8"))
        .replace("{{grid}}", json.dumps(grid, separators=(",", ":")))
        .replace("{{script}}", (PARTS / f"{name}.js").read_text("utf-8"))
        for name, grid in grids.items()
    }
