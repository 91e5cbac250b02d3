"""The tables that games on a line have in common, made from the results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.games import Role
from trustbayes.report.games.kind import Words
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import fixed, number, probability

__all__ = ["counts_of", "slope_table"]


def counts_of(experiment: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows on how many trials, rounds and people there are."""
    rows = [
        ("trials", f"{experiment['trials']:,}"),
        ("rounds", f"{experiment['rounds']:,}"),
        *((f"{role}s", f"{count:,}") for role, count in experiment["subjects"].items()),
    ]
    if experiment["pairs"] is not None:
        rows.append(("pairs that met", f"{experiment['pairs']:,}"))
    if experiment["groups"] is not None:
        rows.append(("matching groups", f"{experiment['groups']:,}"))
    return rows


def slope_table(results: Mapping[str, Any], words: Mapping[Role, Words]) -> Table:
    """Slopes of all roles, the published ones among them.

    Parameters
    ----------
    results : mapping
    words : mapping of role to Words

    Returns
    -------
    Table
    """
    unit = words["sender"].unit
    rows = [
        (
            f"{words[role].choice} on {words[role].seen}",
            row["sample"],
            row["treatment"] or "not stated",
            _decimals(row["coefficient"]),
            _decimals(row["standard_error"]),
            " to ".join(map(_decimals, row["interval"])),
            f"{row['subjects']:,}",
        )
        for role, by_role in results["experiment"]["slopes"].items()
        for row in by_role
    ]
    prob = probability(results["ci_prob"])
    published = (
        " The published slopes are of this game: original, Özer, Zheng and Chen (2011), Management "
        "Science 57(6); replication, Management Science Replication Project (2023)."
        if any(row[1] != "these trials" for row in rows)
        else ""
    )
    caption = (
        f"Regression slopes (ordinary least squares with a constant; {unit} per "
        f"{unit.replace('units', 'unit', 1)}), standard errors clustered by subject and normal "
        f"{prob} intervals.{published}"
    )
    header = "regression|sample|treatment|slope|standard error|interval|subjects"
    return table(caption, header, rows, (0, 1, 2))


def _decimals(value: float | None) -> str:
    return number(None) if value is None else fixed(value, 3)
