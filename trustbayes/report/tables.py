"""The tables of the report, made from its results and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trustbayes.comparison.compare import UNITS
from trustbayes.estimates.prior_sensitivity import SENSITIVE
from trustbayes.files import natural_order
from trustbayes.report.figures.worth import PARTIES
from trustbayes.report.page.table import Table, table
from trustbayes.report.page.wording import (
    KINDS,
    counted,
    fixed,
    interval,
    listed,
    number,
    percent,
    probability,
    type_label,
)

__all__ = [
    "alike_table",
    "comparison_tables",
    "corner_table",
    "coverage_table",
    "exclusion_table",
    "gap_table",
    "gate_table",
    "kfold_table",
    "model_tables",
    "population_table",
    "record_table",
    "reliability_table",
    "sensitivity_table",
    "share_table",
    "type_table",
    "variant_table",
    "worth_table",
]


def exclusion_table(found: Mapping[str, Any]) -> Table:
    """Rows left out."""
    rows = [(one["column"], str(one["value"]), f"{one['rows']:,}") for one in found["exclusions"]]
    return table("Rows left out, as declared in the game file.", "column|value|rows", rows, (0, 1))


def comparison_tables(
    found: Mapping[str, Any], role: str, titles: Mapping[str, str]
) -> list[Table]:
    """Predictive scores of one role: of new people, and of new trials of known ones."""
    shown = [row for row in found["comparison"] if row["role"] == role]
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
        for row in (one for one in shown if (one["unit"], one["criterion"]) == kind):
            own = [notes.setdefault(one, len(notes) + 1) for one in _parts(row["warning"])]
            rows.append(
                (
                    words.removeprefix("new trial, "),
                    titles[row["model"]],
                    *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
                    number(None) if row["elpd_diff"] == 0 else _chance(row["other_sign"]),
                    number(row["p"]),
                    fixed(row["weight"]),
                    fixed(row["weight_bma"]),
                    ", ".join(map(str, sorted(own))),
                )
            )
    header = "unit, criterion|model|elpd|SE|difference|its SE|other sign|p|stacking"
    return table(caption, f"{header}|BMA+|warnings", rows, (0, 1, 10), notes)


def _parts(warning: str) -> list[str]:
    return warning.split("; ") if warning else []


def _chance(probability: float) -> str:
    return "<0.001" if probability < 0.001 else fixed(probability, 3)


def reliability_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
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
        for row in found["reliability"]
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


def kfold_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """Sums of scores by real refits."""
    held = found["kfold"][role]
    failed = [one.split(",")[0] for one in held["failed"]]
    rows = [
        (
            titles[row["model"]],
            *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
            str(failed.count(row["model"])),
        )
        for row in held["totals"]
    ]
    caption = (
        f"Real refits, {held['split']}: expected log predictive density (elpd, nats; higher is "
        "better), difference to the highest, standard errors, and refits that did not pass the "
        "convergence gate."
    )
    return table(caption, "model|elpd|SE|difference|SE of difference|failed refits", rows)


def share_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """How many subjects each model predicts best."""
    pair = " and ".join(titles[found["people"][role][name]] for name in ("best", "second"))
    rows = [
        (
            "at a corner" if row["model"] == "corner" else titles[row["model"]],
            str(row["subjects"]),
            percent(row["share"]),
        )
        for row in found["shares"][role]
    ]
    caption = (
        f"Number and share of {role}s whom each of these predicts best when they are new (LOSO). "
        f"Apart from them, those at a corner, whose choices do not tell {pair} apart."
    )
    return table(caption, f"model|{role}s|share", rows)


def alike_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
    """The subjects at a corner, by name."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in found["people"][role]["rows"]:
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


def variant_table(found: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
    """How the conventions of each theory score."""
    rows = [
        (
            f"{titles[row['model']]}, {row['role']}s",
            row["conventions"],
            *(number(row[name]) for name in ("elpd", "se", "elpd_diff", "dse")),
            "yes" if row["used"] else "no",
            "yes" if row["converged"] else "no",
        )
        for row in found["variants"]
    ]
    caption = (
        "Conventions that the theories leave open, scored by short fits (LOO, nats; difference to "
        "the best of the same theory and role). Each theory entered the comparison with the "
        "conventions marked as used."
    )
    header = "model|conventions|elpd|SE|difference|SE of difference|used|converged"
    return table(caption, header, rows, (0, 1, 6, 7))


def population_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
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
        for row in found["population"]
        if row["role"] == role
    ]
    prob = probability(found["ci_prob"])
    caption = (
        f"Population estimates of {role}s: posterior means, equal-tailed {prob} intervals of "
        "posterior and prior."
    )
    header = "model|parameter|statistic|treatment or option|mean|interval|prior interval|unit"
    return table(caption, header, rows, (0, 1, 2, 3, 7))


def sensitivity_table(found: Mapping[str, Any], role: str, titles: Mapping[str, str]) -> Table:
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
        for row in found["sensitivity"]
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


def coverage_table(found: Mapping[str, Any], titles: Mapping[str, str]) -> Table:
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
        for row in found["recovery"]["coverage"]
    ]
    prob = probability(found["ci_prob"])
    caption = (
        f"Planted values held by the {prob} intervals of single subjects. Not identified, and not "
        "counted, are those of which the subject's own trials say next to nothing."
    )
    return table(caption, "model|parameter|held|of|share|not identified", rows, (0, 1))


def _share(share: float | None) -> str:
    return number(None) if share is None else percent(share)


def type_table(found: Mapping[str, Any]) -> Table:
    """How many planted types are found."""
    rows = [
        (
            f"{row['role']}s",
            *(number(row[name]) for name in ("right", "subjects")),
            _share(row["share"]),
            *(number(row[name]) for name in ("free_right", "free")),
            _share(row["free_share"]),
        )
        for row in found["type_recovery"]["by_role"]
    ]
    caption = (
        "Subjects whose most probable type is the planted one: of all, and of those away from the "
        "corners at which theories coincide."
    )
    return table(caption, "role|right|of all|share|right|of those away|share", rows)


def corner_table(found: Mapping[str, Any]) -> Table:
    """The subjects whose type is not identified, by name."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for row in found["type_recovery"]["rows"]:
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


def worth_table(found: Mapping[str, Any]) -> Table:
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
        for row in found["worth"]
    ]
    prob = probability(found["ci_prob"])
    caption = (
        "Expected profit of a meeting (payoff units, posterior mean), in the babbling equilibrium "
        f"and under full trust, and the share of the way from the one to the other; {prob} "
        "intervals."
    )
    header = "treatment|party|profit|interval|babbling|full trust|share of the way|interval"
    return table(caption, header, rows, (0, 1))


def gap_table(found: Mapping[str, Any]) -> Table:
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
        for row in found["gap"]["rows"]
    ]
    caption = (
        "Trust that senders expect, mean trust that the population of receivers gives, and the "
        f"difference (shares, 0 to 1; posterior means, {probability(found['ci_prob'])} intervals), "
        "and the probability that more is expected than given."
    )
    header = "treatment|expected|interval|given|interval|difference|interval|probability"
    return table(caption, header, rows, (0,))


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
        "parameters, and where it stands."
    )
    return table(caption, "model|check|worst value|threshold|where|result", rows, (0, 1, 3, 4, 5))


def record_table(found: Mapping[str, Any]) -> Table:
    """Command, seed, versions, checksums."""
    how = found["how"]
    versions = how["models"][0]["versions"]
    sampling = how["sampling"]
    settings = f"{counted(sampling['chains'], 'chain')} of {sampling['draws']:,} draws"
    if sampling["method"] == "nuts":
        settings += (
            f" after {sampling['tune']:,} steps of warm-up, target acceptance "
            f"{sampling['target_accept']:g}"
        )
    rows = [
        ("command", how["command"] or "called from Python"),
        ("sampler", how["models"][0]["sampler"]["name"]),
        ("sampler settings", settings),
        ("seed", str(sampling["seed"])),
        ("versions", ", ".join(f"{name} {value}" for name, value in versions.items())),
        ("data", found["experiment"]["source"]),
        ("SHA-256 of the data", how["data_checksum"]),
        ("SHA-256 of the game", how["game_checksum"]),
    ]
    return table("How the results were made.", "what|value", rows, (0, 1))


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
            ("fitted", one["created"]),
            ("seconds", ", ".join(f"{n} {number(v)}" for n, v in one["seconds"].items())),
        ]
        caption = f"{one['title']}, {one['role']}s."
        tables.append(table(caption, "what|value", rows, (0, 1)))
    return tables
