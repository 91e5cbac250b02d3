"""The two theories to be moved about: choices on a grid, which a script draws.

The choices are those of the functions that the models use. The page carries its numbers and its
script; it asks for nothing from elsewhere.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import trustbayes as tb
from trustbayes.theories.level_k import forecast as level_k
from trustbayes.theories.trust_embedded import forecast as trust_embedded

HERE = Path(__file__).resolve().parent
SEEN = 61
AVERSIONS = (0.01, 0.03, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0, 5.0)
TRUSTS = tuple(np.round(np.linspace(0, 1, 11), 1).tolist())
DEEPEST = 3


def grid() -> dict[str, object]:
    """What people of either theory choose, for each market, in units of demand.

    Returns
    -------
    dict
        ``seen``: forecasts, and reports. By market: ``reports`` by lying aversion, expected trust
        and forecast; ``capacities`` by trust and report; ``level_reports`` and
        ``level_capacities`` by level and what was seen.
    """
    game = tb.ForecastGame()
    seen = np.linspace(*game.seen_range("sender"), SEEN)
    markets = {}
    for name, market in game.treatments.items():
        terms = game.terms([name])
        reports = [
            [
                trust_embedded.report(
                    seen, b * game.lying_unit, a, terms, "truncated", "quadratic", wavering=True
                )
                for a in TRUSTS
            ]
            for b in AVERSIONS
        ]
        markets[name] = {
            "capacity_cost": market.capacity_cost,
            "uncertainty": market.uncertainty,
            "reports": _numbers(reports),
            "capacities": _numbers([trust_embedded.capacity(seen, a, terms) for a in TRUSTS]),
            "level_reports": _numbers(level_k.reports(seen, DEEPEST, terms)),
            "level_capacities": _numbers(level_k.capacities(seen, DEEPEST, terms, "monotone")),
        }
    return {
        "seen": _numbers(seen),
        "mean": game.mean_demand,
        "margin": game.lying_unit,
        "lie": game.forecast_range / 2,
        "aversions": AVERSIONS,
        "trusts": TRUSTS,
        "markets": markets,
    }


def _numbers(values: object) -> list[object]:
    return np.round(np.asarray(values, float), 1).tolist()


def explorer() -> str:
    """The controls, the two pictures, their numbers and the script, as HTML."""
    page = (HERE / "explorer.html").read_text("utf-8")
    numbers = json.dumps(grid(), separators=(",", ":"))
    return page.replace("{{grid}}", numbers).replace(
        "{{script}}", (HERE / "explorer.js").read_text("utf-8")
    )
