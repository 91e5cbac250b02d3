"""The tables on recommendations, made from the report's results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import fixed, number, percent

__all__ = ["design_table", "keeper_table", "outcome_table", "weight_table"]


def design_table(results: Mapping[str, Any]) -> Table:
    """The game in a few rows."""
    experiment = results["experiment"]
    game = experiment["game"]
    low, high = game["lowest"], game["highest"]
    line = " ".join(
        part
        for part in (
            "" if low is None else f"from {low:g}",
            "" if high is None else f"up to {high:g}",
        )
        if part
    )
    rows = [
        ("experiment", experiment["name"]),
        ("decisions", line or "any number"),
        ("recorded in steps of", f"{game['step']:g}"),
        ("unit of noise", f"{game['unit']:g}"),
        ("recommendations at once", f"{game['advisers']:g}"),
        ("trials", f"{experiment['trials']:,}"),
        ("rounds", f"{experiment['rounds']:,}"),
        ("people", f"{experiment['subjects']['receiver']:,}"),
    ]
    if experiment["groups"] is not None:
        rows.append(("groups", f"{experiment['groups']:,}"))
    return table("The experiment.", "what|value", rows, (0, 1))


def weight_table(results: Mapping[str, Any]) -> Table:
    """The weight of advice as it was observed, by adviser or treatment."""
    people = {row["treatment"]: row["receivers"] for row in results["experiment"]["treatments"]}
    rows = [
        (
            row["treatment"],
            f"{people[row['treatment']]:,}",
            f"{row['trials']:,}",
            f"{row['too_near']:,}",
            number(row["slope"]),
            number(row["median"]),
            fixed(row["kept"]),
            fixed(row["followed"]),
            number(row["precise"]),
        )
        for row in results["experiment"]["weights"]["receiver"]
    ]
    caption = (
        "The weight of advice (decision − estimate) / (recommendation − estimate) as observed, by "
        "adviser or treatment. Trials in which recommendation and estimate are less than two steps "
        "apart tell nothing and are counted as too near. Slope: least squares of movement on "
        "distance. Kept, followed: decisions within half a step of the estimate, or of the "
        "recommendation. Precision: the mean weight that the stated widths ask for (– where none "
        "are stated)."
    )
    header = "adviser or treatment|people|trials that tell|too near|slope|median|kept|followed"
    return table(caption, f"{header}|precision", rows)


def outcome_table(results: Mapping[str, Any]) -> Table | None:
    """What following would have earned; None where no outcome is known."""
    given = results["experiment"]["outcomes"]["receiver"]
    if not given:
        return None
    rows = [
        (
            row["treatment"],
            f"{row['trials']:,}",
            *(
                number(row[name])
                for name in ("own", "decided", "followed", "averaged", "weighted", "best_weight")
            ),
        )
        for row in given
    ]
    caption = (
        "Mean absolute distance to the outcome, in units of decisions, where outcomes are known: "
        "of the estimates, of what was decided, and of what would have been decided by always "
        "following, by averaging, and by the one weight of the recommendation that would have been "
        "best (least squares, within 0 and 1), which stands in the last column."
    )
    header = "adviser or treatment|trials|estimate|decision|following|averaging|best weight"
    return table(caption, f"{header}|its value", rows)


def keeper_table(results: Mapping[str, Any]) -> Table:
    """How many people keep their estimates, and how often."""
    people = results["experiment"]["keepers"]["receiver"]
    rows = []
    for label, least in (
        ("in every trial", 1.0),
        ("in half of the trials or more", 0.5),
        ("in a quarter or more", 0.25),
    ):
        kept, followed = (sum(person[name] >= least for person in people) for name in _SPIKES)
        rows.append((label, *(f"{n:,} ({percent(n / len(people))})" for n in (kept, followed))))
    never = [sum(person[name] == 0 for person in people) for name in _SPIKES]
    rows.append(("never", *(f"{n:,} ({percent(n / len(people))})" for n in never)))
    caption = (
        f"How many of the {len(people):,} people with trials that tell keep their estimate to the "
        "letter, and how many follow to the letter, how often."
    )
    return table(caption, "how often|keep|follow", rows)


_SPIKES = ("kept", "followed")
