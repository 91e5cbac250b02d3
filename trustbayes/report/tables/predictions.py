"""Tables of how models predict: scores, refits, whom each predicts best, conventions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustbayes.comparison.compare import UNITS
from trustbayes.files import natural_order
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import (
    KINDS,
    fixed,
    listed,
    number,
    percent,
)

__all__ = [
    "alike_table",
    "comparison_tables",
    "kfold_table",
    "reliability_table",
    "share_table",
    "variant_table",
]


def comparison_tables(
    results: Mapping[str, Any], role: str, titles: Mapping[str, str]
) -> list[Table]:
    """Predictive scores of one role: of new people, and of new trials of known ones."""
    shown = [row for row in results["comparison"] if row["role"] == role]
    people = [row for row in shown if row["criterion"] == "loso"]
    trials = [row for row in shown if row["criterion"] != "loso"]
    groups = f"; LOGO: {UNITS['group']}" if any(row["unit"] == "group" for row in people) else ""
    first = (
        f"How well each model predicts {role}s whom it has not seen. LOSO: {UNITS['subject']}, "
        f"from all others{groups}. Expected log predictive density (elpd, nats; higher is better), "
        "difference to the highest, standard errors (SE), the probability that the difference has "
        "the other sign, effective number of parameters (p), stacking and pseudo-BMA+ weights."
    )
    second = (
        f"How well each model predicts {UNITS['trial']}, the columns as above: no prediction of a "
        "new person. Standard errors take either subjects or trials for independent."
    )
    shown_tables = [(people, first), (trials, second)]
    return [_score_table(rows, titles, words) for rows, words in shown_tables if rows]


def _score_table(
    shown: Sequence[Mapping[str, Any]], titles: Mapping[str, str], caption: str
) -> Table:
    """Scores in the order of `KINDS`, their warnings as notes under the table."""
    notes: dict[str, int] = {}
    rows: list[tuple[str, ...]] = []
    for kind, words in KINDS.items():
        for row in (score for score in shown if (score["unit"], score["criterion"]) == kind):
            places = [
                notes.setdefault(warning, len(notes) + 1) for warning in _parts(row["warning"])
            ]
            rows.append(
                (
                    words.removeprefix("new trial, "),
                    titles[row["model"]],
                    *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
                    number(None) if row["elpd_diff"] == 0 else _chance(row["other_sign"]),
                    number(row["p"]),
                    fixed(row["weight"]),
                    fixed(row["weight_bma"]),
                    ", ".join(map(str, sorted(places))),
                )
            )
    header = "unit, criterion|model|elpd|SE|difference|its SE|other sign|p|stacking"
    return table(caption, f"{header}|BMA+|warnings", rows, (0, 1, 10), notes)


def _parts(warning: str) -> list[str]:
    return warning.split("; ") if warning else []


def _chance(probability: float) -> str:
    return "<0.001" if probability < 0.001 else fixed(probability, 3)


def reliability_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Pareto k and errors of integration, and whose score they make doubtful."""
    rows = [
        (
            KINDS[row["unit"], row["criterion"]].removesuffix(", SE by trial"),
            titles[row["model"]],
            f"{row['predicted']:,}",
            f"{row['draws']:,}",
            "∞" if row["pareto_k_max"] is None else fixed(row["pareto_k_max"]),
            fixed(row["pareto_k_threshold"]),
            str(row["pareto_k_above"]),
            _error(row["integration_error"]),
            listed(row["unreliable"] or [], 12),
        )
        for row in results["reliability"]
        if row["role"] == role
    ]
    caption = (
        "How far the scores can be relied on: predictions, draws of the fit used (evenly spaced), "
        "largest Pareto k of the importance sampling, the k above which a score is unreliable, how "
        "many are above it and whose; and by how much errors of integration over a new person's "
        "parameters can change the sum of scores at most (nats)."
    )
    header = "unit, criterion|model|predicted|draws|largest k|limit|above|integration error|whose"
    return table(caption, header, rows, (0, 1, 8))


def _error(value: float | None) -> str:
    if value is None:
        return number(None)
    return "<0.01" if value < 0.01 else fixed(value)


def kfold_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Sums of scores by real refits."""
    held = results["kfold"][role]
    failed = [refit.split(",")[0] for refit in held["failed"]]
    doubtful = [score.split(",")[0] for score in held["unreliable"]]
    rows = [
        (
            titles[row["model"]],
            *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
            str(failed.count(row["model"])),
            str(doubtful.count(row["model"])),
        )
        for row in held["totals"]
    ]
    caption = (
        f"Real refits, {held['split']}: expected log predictive density (elpd, nats; higher is "
        "better), difference to the highest, standard errors, refits that did not pass the "
        f"convergence gate, and {held['unit']}s unlike all that was learnt from, whose scores are "
        "too low by more than can be told (large Pareto k)."
    )
    columns = "model|elpd|SE|difference|SE of difference|failed refits|scores too low"
    return table(caption, columns, rows)


def share_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """How many subjects each model predicts best."""
    pair = " and ".join(titles[results["people"][role][name]] for name in ("best", "second"))
    rows = [
        (
            "at a corner" if row["model"] == "corner" else titles[row["model"]],
            str(row["subjects"]),
            percent(row["share"]),
        )
        for row in results["shares"][role]
    ]
    caption = (
        f"Number and share of {role}s whom each of these predicts best when they are new (LOSO). "
        f"Apart from them, those at a corner, whose choices do not tell {pair} apart."
    )
    return table(caption, f"model|{role}s|share", rows)


def alike_table(results: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """The subjects at a corner, by name."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in results["people"][role]["rows"]:
        if row["corner"]:
            groups.setdefault((row["favourite"], row["rival"]), []).append(str(row["subject"]))
    rows = [
        (titles[favourite], titles[rival], str(len(names)), ", ".join(natural_order(names)))
        for (favourite, rival), names in groups.items()
    ]
    caption = (
        f"{role.capitalize()}s at a corner: fitted to them, the two theories that predict best say "
        "nearly the same of all their trials (within 1 nat), so that these do not tell which of "
        "the two describes them."
    )
    return table(caption, f"predicted best by|coincides with|{role}s|names", rows, (0, 1, 3))


def variant_table(results: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    """How the conventions of each theory score."""
    rows = [
        (
            f"{titles[row['model']]}, {row['role']}s",
            row["conventions"],
            *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
            "yes" if row["used"] else "no",
            "yes" if row["converged"] else "no",
        )
        for row in results["variants"]
    ]
    caption = (
        "Conventions that the theories leave open, scored by short fits (LOO, nats; difference to "
        "the best of the same theory and role). Each theory entered the comparison with the "
        "conventions marked as used."
    )
    header = "model|conventions|elpd|SE|difference|SE of difference|used|converged"
    return table(caption, header, rows, (0, 1, 6, 7))
