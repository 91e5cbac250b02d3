"""The tables on the design of a finite game, made from the report's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.page.table import Table, table, values

__all__ = ["DIRECTIONS", "design_table", "treatment_table"]

DIRECTIONS = {1.0: "higher", -1.0: "lower", 0.0: "none"}
"""Which messages pay senders."""


def design_table(results: Mapping[str, Any]) -> Table:
    """The game in a few rows."""
    experiment = results["experiment"]
    game, counts = experiment["game"], experiment["subjects"]
    prior = game["prior"]
    shown = "uniform" if len(set(prior)) == 1 else values(prior)
    priors = {tuple(terms["prior"]) for terms in game.get("terms", {}).values()} - {tuple(prior)}
    by_treatment = "differs between treatments" if priors else ""
    payoffs = [
        f"{key} {value:g}" if isinstance(value, int | float) else f"{key} {' '.join(value.split())}"
        for key, value in game["payoffs"].items()
        if isinstance(value, int | float | str)
    ]
    rows = [
        ("experiment", experiment["name"]),
        ("states", values(game["states"])),
        ("messages", values(game["messages"])),
        ("actions", ", ".join(game.get("action_labels", [])) or values(game["actions"])),
        ("prior of the states", by_treatment or shown),
        ("payoffs", "; ".join(payoffs)),
        ("trials", f"{experiment['trials']:,}"),
        *((f"{role}s", f"{count:,}") for role, count in counts.items()),
    ]
    if experiment["groups"] is not None:
        rows.append(("matching groups", f"{experiment['groups']:,}"))
    return table("The experiment.", "what|value", rows, (0, 1))


def treatment_table(results: Mapping[str, Any]) -> Table:
    """Counts by treatment."""
    experiment = results["experiment"]
    roles = [f"{role}s" for role in experiment["subjects"]]
    general = all("messages_that_pay" in row for row in experiment["treatments"])
    biased = not general or any(any(row["biases"]) for row in experiment["treatments"])
    named = _constants(experiment["game"])
    rows = [
        (
            row["treatment"],
            *([values(row["biases"])] if biased else []),
            *(constants.get(row["treatment"], "") for constants in named.values()),
            *((", ".join(row["messages_that_pay"]), f"{row['mean_state']:.2f}") if general else ()),
            f"{row['trials']:,}",
            *(f"{row[name]:,}" for name in roles),
        )
        for row in experiment["treatments"]
    ]
    caption, more = "Treatments", list(named)
    if biased:
        caption += ": the bias is how much higher than the state the sender wants the action"
        more = ["bias", *more]
    caption += "."
    if general:
        caption += " Senders gain by higher or lower messages; the mean state is that of the prior."
        more += ["messages that pay", "mean state"]
    return table(caption, "|".join(["treatment", *more, "trials", *roles]), rows)


def _constants(game: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Constants of payoff formulas that differ between treatments, as text, by treatment."""
    known = {
        treatment: (terms.get("payoffs") or game["payoffs"]).get("constants", {})
        for treatment, terms in game.get("terms", {}).items()
    }
    names = sorted({name for constants in known.values() for name in constants})
    return {
        name: {t: f"{constants[name]:g}" for t, constants in known.items() if name in constants}
        for name in names
        if len({constants.get(name) for constants in known.values()}) > 1
    }
