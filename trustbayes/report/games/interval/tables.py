"""The tables on the design of a game on an interval, made from the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.games.continuous.tables import counts_of
from trustbayes.report.page.table import Table, table

__all__ = ["design_table", "treatment_table"]


def design_table(results: Mapping[str, Any]) -> Table:
    """The game in a few rows."""
    experiment = results["experiment"]
    game = experiment["game"]
    constant, scale, exponent = (
        f"{game['payoffs'][key]:g}" for key in ("constant", "scale", "exponent")
    )
    span = f"{game['lowest']:g} to {game['highest']:g}"
    rows = [
        ("experiment", experiment["name"]),
        ("state", f"{span}, all equally likely"),
        ("message and action", f"{span}, in steps of {game['step']:g}"),
        *([("round numbers", f"multiples of {game['round_to']:g}")] if "round_to" in game else []),
        ("a sender earns", f"{constant} − {scale} |action − (state + bias)|^{exponent}"),
        ("a receiver earns", f"{constant} − {scale} |action − state|^{exponent}"),
        *counts_of(experiment),
    ]
    return table("The experiment.", "what|value", rows, (0, 1))


def treatment_table(results: Mapping[str, Any]) -> Table:
    """Biases, what they leave to be told in equilibrium, and counts, by treatment."""
    experiment = results["experiment"]
    roles = [f"{role}s" for role in experiment["subjects"]]
    rows = [
        (
            row["treatment"],
            f"{row['bias']:g}",
            "every state"
            if row["equilibrium_intervals"] is None
            else f"{row['equilibrium_intervals']:,}",
            f"{row['trials']:,}",
            *(f"{row[name]:,}" for name in roles),
        )
        for row in experiment["treatments"]
    ]
    caption = (
        "Treatments: the bias is how much higher than the state the sender wants the action. In "
        "the most informative equilibrium of selfish people messages say in which of so many "
        "intervals the state lies (Crawford and Sobel, 1982)."
    )
    return table(caption, "|".join(["treatment|bias|intervals|trials", *roles]), rows)
