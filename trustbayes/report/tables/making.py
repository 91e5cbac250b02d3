"""Tables of how results came about: rows left out, convergence, settings and versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trustbayes.inference.gate import DIVERGENCES
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import (
    counted,
    fixed,
    interval,
    listed,
    number,
)

__all__ = ["exclusion_table", "gate_table", "model_tables", "record_table"]


def exclusion_table(results: Mapping[str, Any]) -> Table:
    """Rows left out."""
    rows = [(row["column"], str(row["value"]), f"{row['rows']:,}") for row in results["exclusions"]]
    return table("Rows left out, as declared in the game file.", "column|value|rows", rows, (0, 1))


def gate_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Every check of every fit of one role, or of "both" together."""
    whom = "both roles together" if role == "both" else f"{role}s"
    rows = [
        (
            titles.get(fit["model"], fit["model"]),
            check["name"],
            number(check["value"], 4),
            f"{'at most' if check['at_most'] else 'at least'} {check['threshold']:g}",
            check["worst"],
            "passed" if check["passed"] else "FAILED",
        )
        for fit in results["gate"]
        if fit["role"] == role
        for check in fit["checks"]
    ]
    caption = (
        f"Convergence of the fits to {whom}: the worst value over all population and subject "
        "parameters (of the population engine: over the population's, subjects being drawn "
        "independently given them), and where it stands."
    )
    return table(caption, "model|check|worst value|threshold|where|result", rows, (0, 1, 3, 4, 5))


def record_table(results: Mapping[str, Any]) -> Table:
    """Command, seed, versions, checksums."""
    how = results["how"]
    versions = how["models"][0]["versions"]
    sampling = how["sampling"]
    settings = f"{counted(sampling['chains'], 'chain')} of {sampling['draws']:,} draws"
    samplers = dict.fromkeys(fit["sampler"]["name"] for fit in how["models"])
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
        ("data", results["experiment"]["source"]),
        ("SHA-256 of the data", how["data_checksum"]),
        ("SHA-256 of the game", how["game_checksum"]),
    ]
    return table("How the results were made.", "what|value", rows, (0, 1))


def _engine_rows(fit: Mapping[str, Any]) -> list[tuple[str, str]]:
    """By what a fit was sampled, and how good its rule of integration is."""
    rows = [("sampler", fit["sampler"]["name"])]
    if fit["why_nuts"]:
        rows.append(("why not the population engine", fit["why_nuts"]))
    if fit["prolonged"]:
        longer = fit["prolonged"]
        failed = ", ".join(f"{name} {number(value, 4)}" for name, value in longer["failed"].items())
        words = f"{longer['draws']:,} draws a chain, as {longer['asked']:,} had {failed}"
        if DIVERGENCES in longer["failed"]:
            words += f"; steps so small that {longer['target_accept']:.0%} are accepted"
        rows.append(("sampled again", words))
    if fit["engine"] is None:
        return rows
    rule, engine = fit["engine"]["integration"], fit["engine"]
    rows.append(("integration", f"{rule['rule']}; {rule['nodes']:.0f} nodes a subject and type"))
    words = f"a finer rule moves the population's means by at most {number(rule['error'], 2)} sd"
    rows.append(("integration error", words))
    if engine["pareto_k"] is not None:
        words = f"Pareto k {fixed(engine['pareto_k'])}, {engine['acceptance']:.0%} accepted"
        rows.append(("proposals", words))
    return rows


def coinciding_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Shares of types that make the same choices, together."""
    rows = [
        (titles[row["model"]], row["types"], fixed(row["mean"]), interval(*row["interval"]))
        for row in results["coinciding"]
        if row["role"] == role
    ]
    caption = (
        f"Types of {role}s that make the same choices in all that these people saw: their share "
        "together, posterior mean and interval. How it splits between them is the prior's alone."
    )
    return table(caption, "model|types|share together|interval", rows, (0, 1))


def model_tables(results: Mapping[str, Any]) -> list[Table]:
    """What each fit assumed and took."""
    tables = []
    for fit in results["how"]["models"]:
        conventions = [f"{name}: {value}" for name, value in fit["conventions"].items()]
        rows = [
            ("description", fit["description"]),
            ("source", fit["citation"]),
            *((f"prior of {n.replace('_', ' ')}", prior) for n, prior in fit["priors"].items()),
            *(
                (f"{n.replace('_', ' ')} varies by", listed(over) or "nothing")
                for n, over in fit["varies"].items()
            ),
            *((f"{n.replace('_', ' ')} by formula", text) for n, text in fit["formulas"].items()),
            *(
                (f"parametrisation of {n.replace('_', ' ')}", form)
                for n, form in fit["parametrisation"].items()
            ),
            ("conventions", "; ".join(conventions) or "none"),
            *_engine_rows(fit),
            ("fitted", fit["created"]),
            ("seconds", ", ".join(f"{n} {number(v)}" for n, v in fit["seconds"].items())),
        ]
        caption = f"{fit['title']}, {fit['role']}s."
        tables.append(table(caption, "what|value", rows, (0, 1)))
    return tables
