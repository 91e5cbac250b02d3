"""The tables on the design of a finite game, made from the report's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.page.table import Table, table, values

__all__ = ["design_table", "treatment_table"]


def design_table(found: Mapping[str, Any]) -> Table:
    """The game in a few rows."""
    experiment = found["experiment"]
    game, counts = experiment["game"], experiment["subjects"]
    prior = game["prior"]
    payoffs = [
        f"{key} {value:g}" if isinstance(value, int | float) else f"{key} {value}"
        for key, value in game["payoffs"].items()
        if isinstance(value, int | float | str)
    ]
    rows = [
        ("experiment", experiment["name"]),
        ("states", values(game["states"])),
        ("messages", values(game["messages"])),
        ("actions", values(game["actions"])),
        ("prior of the states", "uniform" if len(set(prior)) == 1 else values(prior)),
        ("payoffs", ", ".join(payoffs)),
        ("trials", f"{experiment['trials']:,}"),
        *((f"{role}s", f"{count:,}") for role, count in counts.items()),
    ]
    if experiment["groups"] is not None:
        rows.append(("matching groups", f"{experiment['groups']:,}"))
    return table("The experiment.", "what|value", rows, (0, 1))


def treatment_table(found: Mapping[str, Any]) -> Table:
    """Counts by treatment."""
    experiment = found["experiment"]
    roles = [f"{role}s" for role in experiment["subjects"]]
    rows = [
        (
            one["treatment"],
            values(one["biases"]),
            f"{one['trials']:,}",
            *(f"{one[name]:,}" for name in roles),
        )
        for one in experiment["treatments"]
    ]
    caption = "Treatments: the bias is how much higher than the state the sender wants the action."
    return table(caption, "|".join(["treatment", "bias", "trials", *roles]), rows)
