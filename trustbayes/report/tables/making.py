"""Tables of how results came about: rows left out, convergence, settings and versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import (
    counted,
    fixed,
    interval,
    listed,
    number,
)

__all__ = ["exclusion_table", "gate_table", "model_tables", "record_table"]


def exclusion_table(found: Mapping[str, Any]) -> Table:
    """Rows left out."""
    rows = [(one["column"], str(one["value"]), f"{one['rows']:,}") for one in found["exclusions"]]
    return table("Rows left out, as declared in the game file.", "column|value|rows", rows, (0, 1))


def gate_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Every check of every fit of one role, or of "both" together."""
    whom = "both roles together" if role == "both" else f"{role}s"
    rows = [
        (
            titles.get(one["model"], one["model"]),
            check["name"],
            number(check["value"], 4),
            f"{'at most' if check['at_most'] else 'at least'} {check['threshold']:g}",
            check["worst"],
            "passed" if check["passed"] else "FAILED",
        )
        for one in found["gate"]
        if one["role"] == role
        for check in one["checks"]
    ]
    caption = (
        f"Convergence of the fits to {whom}: the worst value over all population and subject "
        "parameters (of the population engine: over the population's, subjects being drawn "
        "independently given them), and where it stands."
    )
    return table(caption, "model|check|worst value|threshold|where|result", rows, (0, 1, 3, 4, 5))


def record_table(found: Mapping[str, Any]) -> Table:
    """Command, seed, versions, checksums."""
    how = found["how"]
    versions = how["models"][0]["versions"]
    sampling = how["sampling"]
    settings = f"{counted(sampling['chains'], 'chain')} of {sampling['draws']:,} draws"
    samplers = dict.fromkeys(one["sampler"]["name"] for one in how["models"])
    if any("NUTS" in name for name in samplers):
        settings += (
            f"; by NUTS after {sampling['tune']:,} steps of warm-up, target acceptance "
            f"{sampling['target_accept']:g}"
        )
    rows = [
        ("command", how["command"] or "called from Python"),
        ("sampler", "; ".join(samplers)),
        ("sampler settings", settings),
        ("seed", str(sampling["seed"])),
        ("versions", ", ".join(f"{name} {value}" for name, value in versions.items())),
        ("data", found["experiment"]["source"]),
        ("SHA-256 of the data", how["data_checksum"]),
        ("SHA-256 of the game", how["game_checksum"]),
    ]
    return table("How the results were made.", "what|value", rows, (0, 1))


def _engine_rows(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    """By what a fit was sampled, and how good its rule of integration is."""
    rows = [("sampler", one["sampler"]["name"])]
    if one["why_nuts"]:
        rows.append(("why not the population engine", one["why_nuts"]))
    if one["engine"] is None:
        return rows
    rule, engine = one["engine"]["integration"], one["engine"]
    rows.append(("integration", f"{rule['rule']}; {rule['nodes']:.0f} nodes a subject and type"))
    words = f"a finer rule moves the population's means by at most {number(rule['error'], 2)} sd"
    rows.append(("integration error", words))
    if engine["pareto_k"] is not None:
        words = f"Pareto k {fixed(engine['pareto_k'])}, {engine['acceptance']:.0%} accepted"
        rows.append(("proposals", words))
    return rows


def coinciding_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Shares of types that make the same choices, together."""
    rows = [
        (titles[row["model"]], row["types"], fixed(row["mean"]), interval(*row["interval"]))
        for row in found["coinciding"]
        if row["role"] == role
    ]
    caption = (
        f"Types of {role}s that make the same choices in all that these people saw: their share "
        "together, posterior mean and interval. How it splits between them is the prior's alone."
    )
    return table(caption, "model|types|share together|interval", rows, (0, 1))


def model_tables(found: Mapping[str, Any]) -> list[Table]:
    """What each fit assumed and took."""
    tables = []
    for one in found["how"]["models"]:
        conventions = [f"{name}: {value}" for name, value in one["conventions"].items()]
        rows = [
            ("description", one["description"]),
            ("source", one["citation"]),
            *((f"prior of {n.replace('_', ' ')}", prior) for n, prior in one["priors"].items()),
            *(
                (f"{n.replace('_', ' ')} varies by", listed(over) or "nothing")
                for n, over in one["varies"].items()
            ),
            *((f"{n.replace('_', ' ')} by formula", text) for n, text in one["formulas"].items()),
            *(
                (f"parametrisation of {n.replace('_', ' ')}", form)
                for n, form in one["parametrisation"].items()
            ),
            ("conventions", "; ".join(conventions) or "none"),
            *_engine_rows(one),
            ("fitted", one["created"]),
            ("seconds", ", ".join(f"{n} {number(v)}" for n, v in one["seconds"].items())),
        ]
        caption = f"{one['title']}, {one['role']}s."
        tables.append(table(caption, "what|value", rows, (0, 1)))
    return tables
