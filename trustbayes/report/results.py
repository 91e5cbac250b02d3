"""Every number of the report as JSON-safe data."""

from __future__ import annotations

from typing import Any

from trustbayes.analysis.analyse import Analysis
from trustbayes.comparison import (
    Comparison,
    HeldOut,
    Verdict,
    agreement,
    single_theories,
    verdict_rules,
)
from trustbayes.files import plain, records
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.gate import Gate
from trustbayes.report.both_roles import both_results
from trustbayes.report.figures.planted_types import type_coverage
from trustbayes.report.figures.truth import coverage
from trustbayes.report.games.patterns import mean_shifts
from trustbayes.report.games.registry import kind_of
from trustbayes.report.learning import learning_results
from trustbayes.simulation import PredictiveCheck
from trustbayes.trials.table import Trials

__all__ = ["results"]


def results(analysis: Analysis, command: str = "") -> dict[str, Any]:
    """Everything that the report says in numbers.

    Parameters
    ----------
    analysis : Analysis
    command : str
        The command that made the analysis, for the record.

    Returns
    -------
    dict
        JSON-safe; what is not a finite number is None. Keys: experiment, exclusions, gate,
        comparison, reliability, kfold, rules, verdict, people, shares, variants, population,
        sensitivity, subjects, types, traits, recovery, type_recovery, worth, policies, gap,
        both_roles, learning, checks, how, ci_prob.
    """
    recovered, kinds = analysis.recovery, analysis.type_recovery
    return {
        "experiment": _experiment(analysis),
        "exclusions": [plain(vars(exclusion)) for exclusion in analysis.trials.exclusions],
        "ci_prob": analysis.ci_prob,
        "gate": _gates(analysis),
        "coinciding": [_intervals(row) for row in records(analysis.coinciding)],
        "comparison": [
            row for comparison in analysis.comparisons.values() for row in records(comparison.table)
        ],
        "reliability": [
            row for comparison in analysis.comparisons.values() for row in _reliability(comparison)
        ],
        "kfold": {
            role: _kfold(analysis.comparisons[role], held) for role, held in analysis.kfolds.items()
        },
        "rules": verdict_rules(),
        "verdict": {
            role: _verdict(verdict, analysis.comparisons[role])
            for role, verdict in analysis.verdicts.items()
        },
        "people": {role: _people(analysis, role) for role in analysis.people},
        "shares": {role: records(table) for role, table in analysis.shares.items()},
        "variants": records(analysis.variants),
        "population": [_intervals(row) for row in records(analysis.population)],
        "sensitivity": records(analysis.sensitivity),
        "subjects": [_intervals(row) for row in records(analysis.subjects)],
        "types": records(analysis.types),
        "traits": [_intervals(row) for row in records(analysis.traits)],
        "recovery": None
        if recovered is None
        else {
            "coverage": records(coverage(recovered)),
            "rows": [_intervals(row) for row in records(recovered)],
        },
        "type_recovery": None
        if kinds is None
        else {"by_role": records(type_coverage(kinds)), "rows": records(kinds)},
        "worth": None
        if analysis.worth is None
        else [_intervals(row) for row in records(analysis.worth)],
        "policies": None if analysis.policies is None else analysis.policies.to_dict(),
        "gap": None
        if analysis.gap is None
        else {
            "joint": analysis.joint is not None,
            "rows": [_intervals(row) for row in records(analysis.gap)],
        },
        "both_roles": both_results(analysis),
        "learning": learning_results(analysis),
        "checks": [
            {"model": model, "role": role, **_check(check)}
            for checks in (analysis.posterior_checks, analysis.prior_checks)
            for (model, role), check in checks.items()
        ],
        "how": _how(analysis, command),
    }


def _intervals(row: dict[str, Any]) -> dict[str, Any]:
    """Bounds as pairs."""
    whose = ("", "prior", "share", "expected", "given", "gap")
    pairs = {
        f"{name}_interval".lstrip("_"): (f"{name}_lower".lstrip("_"), f"{name}_upper".lstrip("_"))
        for name in whose
    }
    bounds = {name: pair for name, pair in pairs.items() if pair[0] in row}
    taken = {bound for pair in bounds.values() for bound in pair}
    kept = {key: value for key, value in row.items() if key not in taken}
    return kept | {name: [row[bound] for bound in pair] for name, pair in bounds.items()}


def _gates(analysis: Analysis) -> list[dict[str, Any]]:
    """Of every fit, the joint one last."""
    gates = [_gate(fit.model.role, fit.model.name, fit.gate) for fit in analysis.fits.values()]
    if analysis.joint is not None:
        gates.append(_gate("both", analysis.joint.joint.name, analysis.joint.gate))
    return gates


def _gate(role: str, model: str, gate: Gate) -> dict[str, Any]:
    return {"role": role, "model": model, **gate.to_dict()}


def _reliability(comparison: Comparison) -> list[dict[str, Any]]:
    """How far importance sampling, and integration, can be relied on: new people first."""
    role = comparison.role
    reliability = [
        {
            "role": role,
            "unit": unit,
            "criterion": "loso",
            "model": name,
            "predicted": len(loso.labels),
            "draws": loso.draws,
            "pareto_k_max": loso.pareto_k.max(),
            "pareto_k_threshold": loso.good_k,
            "pareto_k_above": len(loso.unreliable),
            "unreliable": loso.unreliable,
            "refitted": loso.refitted,
            "integration_error": loso.error.sum(),
            "integration_error_max": loso.error.max(),
        }
        for unit, scores in comparison.scores.items()
        for name, loso in scores.items()
    ]
    reliability += [
        {
            "role": role,
            "unit": "trial",
            "criterion": "loo",
            "model": name,
            "predicted": point.loo.size,
            "draws": point.draws,
            "pareto_k_max": point.pareto_k.max(),
            "pareto_k_threshold": point.good_k,
            "pareto_k_above": point.unreliable,
            "unreliable": None,
            "refitted": None,
            "integration_error": None,
            "integration_error_max": None,
        }
        for name, point in comparison.pointwise.items()
    ]
    rows: list[dict[str, Any]] = plain(reliability)
    return rows


def _verdict(verdict: Verdict, comparison: Comparison) -> dict[str, Any]:
    """What is said, of what unit, and by how much."""
    rows = comparison.rows()
    sign = float(rows["other_sign"].loc[verdict.rival]) if verdict.rival else None
    kept = ("winner", "text", "reason", "best", "rival", "lead", "error", "more")
    record: dict[str, Any] = plain(
        {name: getattr(verdict, name) for name in kept}
        | {"unit": comparison.unit, "other_sign": sign}
    )
    return record


def _people(analysis: Analysis, role: Role) -> dict[str, Any]:
    """The two best theories, subject by subject."""
    best, second = single_theories(analysis.comparisons[role])[:2]
    return {"best": best, "second": second, "rows": records(analysis.people[role])}


def _kfold(comparison: Comparison, held: HeldOut) -> dict[str, Any]:
    """What real refits say, and whether they agree."""
    several = len(comparison.models) > 1
    record: dict[str, Any] = plain(
        {
            "split": held.split,
            "unit": held.unit,
            "agreement": vars(agreement(comparison, held)) if several else None,
            "totals": records(held.totals().rename_axis("model").reset_index()),
            "scores": records(held.table),
            "failed": held.failed,
            "unreliable": held.unreliable,
        }
    )
    return record


def _check(check: PredictiveCheck) -> dict[str, Any]:
    tables = {
        name: [_intervals(row) for row in records(getattr(check, name))]
        for name in ("choices", "shift", "spread", "subjects")
    }
    return {"kind": check.source, "ci_prob": check.ci_prob, **tables}


def _people_of(trials: Trials, role: Role, treatment: str) -> int:
    table = trials.of_role(role).table
    return int(table.loc[table["treatment"] == treatment, role].nunique())


def _experiment(analysis: Analysis) -> dict[str, Any]:
    trials = analysis.trials
    table, kind = trials.table, kind_of(trials.game)
    experiment: dict[str, Any] = plain(
        {
            "name": trials.game.name,
            "game": trials.game.to_dict(),
            "source": trials.source,
            "trials": len(table),
            "rounds": int(table["round"].nunique()),
            "pairs": None
            if len(trials.roles) < 2
            else len(
                table.loc[
                    (table[["sender", "receiver"]] != "").all(axis=1), ["sender", "receiver"]
                ].drop_duplicates()
            ),
            "groups": int(table["group"].nunique()) if "group" in table else None,
            "subjects": {role: len(trials.subjects(role)) for role in trials.roles},
            "treatments": [
                {
                    "treatment": name,
                    **kind.treatment_facts(trials, name),
                    "trials": int((table["treatment"] == name).sum()),
                    **{f"{role}s": _people_of(trials, role, name) for role in trials.roles},
                }
                for name in trials.treatments
            ],
            "warnings": list(trials.warnings),
            "notes": list(trials.notes),
        }
    )
    shifts = {r: mean_shifts(trials, kind, r, analysis.ci_prob) for r in trials.roles}
    patterns = kind.facts(trials, analysis.ci_prob) | {"shifts": shifts}
    for name, by_role in patterns.items():
        experiment[name] = {
            role: [_intervals(r) for r in records(t)] for role, t in by_role.items()
        }
    return experiment


def _how(analysis: Analysis, command: str) -> dict[str, Any]:
    record: dict[str, Any] = plain(
        {
            "command": command,
            "sampling": vars(analysis.sampling),
            "data_checksum": analysis.trials.checksum,
            "game_checksum": analysis.trials.game.checksum,
            "models": [_made(fit) for fit in analysis.fits.values()],
        }
    )
    return record


def _made(fit: Fit) -> dict[str, Any]:
    kept = ("parametrisation", "sampler", "versions", "created", "seconds")
    return {
        "role": fit.model.role,
        "model": fit.model.name,
        "title": fit.model.spec.title,
        "manner": fit.model.spec.manner or f"as {fit.model.spec.title} has it",
        "combines": list(fit.model.spec.combines),
        "benchmark": fit.model.spec.benchmark,
        "mixture": fit.model.spec.theory_of_type is not None,
        "typical": {p.name: p.typical for p in fit.model.parameters if p.typical},
        "units": {p.name: p.report_unit or "" for p in fit.model.parameters},
        "description": fit.model.spec.description,
        "citation": fit.model.spec.citation,
        "priors": {name: repr(prior) for name, prior in fit.model.priors.items()},
        "code": list(dict.fromkeys(prior.source for prior in fit.model.code_priors.values())),
        "varies": {name: list(over) for name, over in fit.model.varies.items()},
        "formulas": {name: formula.text for name, formula in fit.model.formulas.items()},
        "conventions": fit.model.effective_conventions(fit.game),
        **{name: fit.manifest[name] for name in kept},
        "engine": fit.manifest.get("engine"),
        "why_nuts": fit.manifest.get("why_nuts"),
        "prolonged": fit.manifest.get("prolonged"),
    }
