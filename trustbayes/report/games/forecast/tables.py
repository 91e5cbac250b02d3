"""The tables on the design of forecast sharing, made from the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.games.continuous.tables import counts_of
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import number

__all__ = ["design_table", "treatment_table"]


def design_table(results: Mapping[str, Any]) -> Table:
    """The game in a few rows."""
    experiment = results["experiment"]
    game = experiment["game"]
    limit = game["largest_capacity"]
    rows = [
        ("experiment", experiment["name"]),
        ("demand", "μ + ξ + ε, where ξ is the forecast; all values of ξ and ε equally likely"),
        ("mean demand μ", f"{game['mean_demand']:g} units of demand"),
        (
            "forecast ξ and report x",
            f"−{game['forecast_range']:g} to {game['forecast_range']:g} units of demand",
        ),
        ("capacity K", "0 or more" if limit is None else f"0 to {limit:g} units of demand"),
        ("retail price r", f"{game['retail_price']:g} per unit"),
        ("wholesale price w", f"{game['wholesale_price']:g} per unit"),
        ("production cost c", f"{game['production_cost']:g} per unit"),
        ("a sender earns", "(r − w) for each unit sold"),
        ("a receiver earns", "(w − c) for each unit sold, less the cost of capacity"),
        *counts_of(experiment),
    ]
    return table("The experiment.", "what|value", rows, (0, 1))


def treatment_table(results: Mapping[str, Any]) -> Table:
    """Costs, uncertainty and what follows from them, and counts, by treatment."""
    experiment = results["experiment"]
    roles = [f"{role}s" for role in experiment["subjects"]]
    given = ("capacity_cost", "uncertainty")
    facts = ("critical_ratio", "safety", "level_shift", "babbling_capacity")
    rows = [
        (
            row["treatment"],
            *(f"{row[name]:g}" for name in given),
            *(number(float(row[name])) for name in facts),
            f"{row['trials']:,}",
            *(f"{row[name]:,}" for name in roles),
        )
        for row in experiment["treatments"]
    ]
    caption = (
        "Treatments. Capacity costs c_K payoff units per unit; demand differs from its forecast by "
        "up to e units of demand. It follows the critical ratio f = (w − c − c_K)/(w − c), the "
        "share of cases in which a receiver's best capacity covers demand; the safety capacity "
        "g = e(2f − 1), so that one who takes a report x for the forecast builds μ + x + g, the "
        "credulous capacity; what each level of thinking adds to a report, h = 2e(1 − f); and the "
        "capacity of a receiver who learns nothing (all in units of demand)."
    )
    header = "treatment|cost c_K|uncertainty e|ratio f|safety g|step h|babbling|trials"
    return table(caption, "|".join([header, *roles]), rows)
