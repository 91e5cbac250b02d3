"""Tables of what was estimated, and of it against what was planted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.estimates.prior_sensitivity import SENSITIVE
from trustbayes.report.figures.worth import PARTIES
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import (
    fixed,
    interval,
    number,
    percent,
    probability,
    type_label,
)

__all__ = [
    "corner_table",
    "coverage_table",
    "gap_table",
    "population_table",
    "sensitivity_table",
    "type_table",
    "worth_table",
]


def population_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Population estimates of one role."""
    rows = [
        (
            titles[row["model"]],
            f"{row['parameter'].replace('_', ' ')} {row['symbol']}",
            row["statistic"],
            ", ".join(part for part in (row["treatment"], row["option"]) if part) or "all",
            number(row["mean"]),
            interval(*row["interval"]),
            interval(*row["prior_interval"]),
            row["unit"],
        )
        for row in results["population"]
        if row["role"] == role
    ]
    prob = probability(results["ci_prob"])
    caption = (
        f"Population estimates of {role}s: posterior means, equal-tailed {prob} intervals of "
        "posterior and prior."
    )
    header = "model|parameter|statistic|treatment or option|mean|interval|prior interval|unit"
    return table(caption, header, rows, (0, 1, 2, 3, 7))


def sensitivity_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """How far the population estimates of one role hang on their priors."""
    rows = [
        (
            titles[row["model"]],
            f"{row['parameter'].replace('_', ' ')} {row['symbol']}",
            row["statistic"],
            ", ".join(part for part in (row["treatment"], row["option"]) if part) or "all",
            fixed(row["prior"]),
            fixed(row["likelihood"]),
            row["strongest"].replace("_", " ") if row["diagnosis"] else "",
            row["diagnosis"],
        )
        for row in results["sensitivity"]
        if row["role"] == role
    ]
    caption = (
        f"Power-scaling sensitivity of the estimates of {role}s to the priors of the population "
        "and to the data: how far the posterior would move for each doubling of their weight "
        "(cumulative Jensen-Shannon distance, from 0); and, from a sensitivity to the prior of "
        f"{SENSITIVE:g}, the parameter whose priors alone move it most."
    )
    header = "model|parameter|statistic|treatment or option|prior|data|most by the prior of|what"
    return table(caption, header, rows, (0, 1, 2, 3, 6, 7))


def coverage_table(results: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    """How many intervals hold the planted value."""
    rows = [
        (
            f"{titles[row['model']]}, {row['role']}s",
            f"{row['parameter'].replace('_', ' ')} {row['symbol']}",
            number(row["covered"]),
            number(row["subjects"]),
            _share(row["share"]),
            number(row["unidentified"]),
        )
        for row in results["recovery"]["coverage"]
    ]
    prob = probability(results["ci_prob"])
    caption = (
        f"Planted values held by the {prob} intervals of single subjects. Not identified, and not "
        "counted, are those of which the subject's own trials say next to nothing."
    )
    return table(caption, "model|parameter|held|of|share|not identified", rows, (0, 1))


def type_table(results: Mapping[str, Any]) -> Table:
    """How many planted types are found."""
    rows = [
        (
            f"{row['role']}s",
            *(number(row[name]) for name in ("right", "subjects")),
            _share(row["share"]),
            *(number(row[name]) for name in ("free_right", "free")),
            _share(row["free_share"]),
        )
        for row in results["type_recovery"]["by_role"]
    ]
    caption = (
        "Subjects whose most probable type is the planted one: of all, and of those away from the "
        "corners at which theories coincide."
    )
    return table(caption, "role|right|of all|share|right|of those away|share", rows)


def corner_table(results: Mapping[str, Any]) -> Table:
    """The subjects whose type is not identified, by name."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in results["type_recovery"]["rows"]:
        if row["corner"]:
            key = (f"{row['role']}s", row["planted"], row["rival"])
            groups.setdefault(key, []).append(str(row["subject"]))
    rows = [
        (role, type_label(planted), type_label(rival), ", ".join(names))
        for (role, planted, rival), names in groups.items()
    ]
    caption = (
        "Not identified: subjects at corners, where another type makes nearly the same choices."
    )
    return table(caption, "role|planted type|coincides with|subjects", rows, (0, 1, 2, 3))


def worth_table(results: Mapping[str, Any]) -> Table:
    """Expected profits by treatment and party."""
    rows = [
        (
            row["treatment"],
            PARTIES[row["party"]],
            number(row["profit"], 4),
            " to ".join(number(bound, 4) for bound in row["interval"]),
            number(row["babbling"], 4),
            number(row["full_trust"], 4),
            fixed(row["share"]),
            f"{fixed(row['share_interval'][0])} to {fixed(row['share_interval'][1])}",
        )
        for row in results["worth"]
    ]
    prob = probability(results["ci_prob"])
    caption = (
        "Expected profit of a meeting (payoff units, posterior mean), in the babbling equilibrium "
        f"and under full trust, and the share of the way from the one to the other; {prob} "
        "intervals."
    )
    header = "treatment|party|profit|interval|babbling|full trust|share of the way|interval"
    return table(caption, header, rows, (0, 1))


def gap_table(results: Mapping[str, Any]) -> Table:
    """Trust expected and given, by treatment."""
    rows = [
        (
            row["treatment"],
            *(
                text
                for name in ("expected", "given", "gap")
                for text in (
                    fixed(row[name]),
                    " to ".join(fixed(bound) for bound in row[f"{name}_interval"]),
                )
            ),
            fixed(row["more"]),
        )
        for row in results["gap"]["rows"]
    ]
    prob = probability(results["ci_prob"])
    caption = (
        "Trust that senders expect, mean trust that the population of receivers gives, and the "
        f"difference (shares, 0 to 1; posterior means, {prob} intervals), "
        "and the probability that more is expected than given."
    )
    header = "treatment|expected|interval|given|interval|difference|interval|probability"
    return table(caption, header, rows, (0,))


def _share(share: float | None) -> str:
    return number(None) if share is None else percent(share)
