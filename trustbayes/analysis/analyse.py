"""The main job: fit every model to every role, check, compare, and hold the results together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import pandas as pd

from trustbayes.analysis.best_models import check_policies, gap_of, policies_of, worth_of
from trustbayes.analysis.conventions import Key, fit_theories, settled_models
from trustbayes.analysis.joint import fit_both, joint_of
from trustbayes.analysis.learning import Learning, learning_of
from trustbayes.analysis.same_people import both_of, by_whole_person
from trustbayes.comparison import (
    NEW_PEOPLE,
    BothRoles,
    Comparison,
    HeldOut,
    Verdict,
    by_person,
    check_folds,
    check_new_subjects,
    kfold as refit,
    shares,
    single_theories,
    verdict,
)
from trustbayes.comparison.compare import compare
from trustbayes.estimates.coinciding import coinciding_shares
from trustbayes.estimates.population import population_estimates
from trustbayes.estimates.prior_sensitivity import prior_sensitivity
from trustbayes.estimates.subjects import subject_estimates, type_estimates
from trustbayes.estimates.traits import trait_effects
from trustbayes.games import Role
from trustbayes.inference.fit import Fit
from trustbayes.inference.joint import JointFit
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.models.draws import prior_draws
from trustbayes.simulation import (
    PredictiveCheck,
    identified,
    planted_against_estimated,
    predictive_check,
    type_recovery,
)
from trustbayes.simulation.policies import Counterfactual, Policy
from trustbayes.trials.table import Trials

__all__ = [
    "Analysis",
    "analyse",
    "benchmarks",
    "models_of",
    "roles",
    "theories",
    "title",
]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything a report says, as data.

    Parameters
    ----------
    trials : Trials
    sampling : Sampling
    fits : mapping of (model name, role) to Fit
        In the order of the report: by role, then model.
    comparisons : mapping of role to Comparison
        By new subjects, by which theories are judged; by new matching groups where the trials
        have two or more; and by new trials of known subjects. By the last alone where the prior
        of a model's subjects is Python code.
    kfolds : mapping of role to HeldOut
        Predictions of new subjects by real refits; empty unless they were asked for.
    verdicts : mapping of role to Verdict
    people : mapping of role to DataFrame
        The two best theories subject by subject, see `trustbayes.comparison.by_person`: the two
        first of `trustbayes.comparison.single_theories`, among which are the favourites. No
        entry for a role with one model, or whose new subjects cannot be predicted.
    shares : mapping of role to DataFrame
        How many subjects each of these theories predicts best, see
        `trustbayes.comparison.shares`.
    population : DataFrame
        A row per population quantity: model, role, parameter, symbol, statistic ("population
        mean", "population median", "share" ...), treatment ("" if common), option ("" or a level
        or message), unit, mean, lower, upper (posterior, equal-tailed), prior_mean, prior_lower,
        prior_upper.
    sensitivity : DataFrame
        How far each population quantity hangs on its priors, see
        `trustbayes.estimates.prior_sensitivity.prior_sensitivity`.
    subjects : DataFrame
        A row per subject parameter: model, role, subject, treatment ("" if common), parameter,
        symbol, unit, mean, median, lower, upper, alone (estimate from the subject's own trials
        without the population; NaN where there is none), trials.
    types : DataFrame
        A row per model with types, subject and type: model, role, subject, type, probability.
    coinciding : DataFrame
        Types that no choice tells apart and their shares together, see
        `trustbayes.estimates.coinciding.coinciding_shares`.
    traits : DataFrame
        What people's traits and treatments predict by the models' formulas, see
        `trustbayes.estimates.traits.trait_effects`; empty without formulas.
    posterior_checks, prior_checks : mapping of (model name, role) to PredictiveCheck
    variants : DataFrame
        How the conventions of a theory compare: role, model, conventions (text), elpd (LOO by
        trial), se, elpd_diff, dse (to the best of the same model and role), learning (its rule),
        lead, lead_error (over the model as given), used (bool), converged (bool: R-hat at most
        1.05, the alternatives' fits being short). Empty if no model has rival conventions.
    recovery : DataFrame or None
        Where the truth is known: the columns of ``subjects`` and planted, covered (bool),
        identified (bool, see `trustbayes.simulation.identified`).
    type_recovery : DataFrame or None
        Where the types of subjects are known, see `trustbayes.simulation.type_recovery`.
    worth : DataFrame or None
        What trust is worth, see `trustbayes.trust_worth`:
        from the model of each role that predicts best.
    policies : Counterfactual or None
        What policies would do, if any are given, see `trustbayes.counterfactual`: to the people as
        the models have them that predict best among those to whom all the policies can be put.
    gap : DataFrame or None
        The trust that senders expect against the trust that receivers give, see
        `trustbayes.estimates.trust_gap.trust_gap`, with columns sender_model and receiver_model:
        from the joint fit if there is one, else from the model of each role that predicts best
        among those with such trust.
    joint : JointFit or None
        Both roles' trust-embedded models, fitted together.
    both : BothRoles or None
        Where people play both roles: their lying aversion and trust as one population, see
        `trustbayes.comparison.both_roles`.
    persons : DataFrame
        How theories predict all trials of such people, in both roles, see
        `trustbayes.analysis.same_people.by_whole_person`; empty if there are none.
    learning : mapping of role to Learning
        How trust moves, where the trials say what people were shown.
    ci_prob : float
        Probability of all intervals.
    """

    trials: Trials
    sampling: Sampling
    fits: Mapping[Key, Fit]
    comparisons: Mapping[Role, Comparison]
    kfolds: Mapping[Role, HeldOut]
    verdicts: Mapping[Role, Verdict]
    people: Mapping[Role, pd.DataFrame]
    shares: Mapping[Role, pd.DataFrame]
    population: pd.DataFrame
    sensitivity: pd.DataFrame
    subjects: pd.DataFrame
    types: pd.DataFrame
    coinciding: pd.DataFrame
    traits: pd.DataFrame
    posterior_checks: Mapping[Key, PredictiveCheck]
    prior_checks: Mapping[Key, PredictiveCheck]
    variants: pd.DataFrame
    recovery: pd.DataFrame | None
    type_recovery: pd.DataFrame | None
    worth: pd.DataFrame | None
    policies: Counterfactual | None
    gap: pd.DataFrame | None
    joint: JointFit | None
    both: BothRoles | None
    persons: pd.DataFrame
    learning: Mapping[Role, Learning]
    ci_prob: float
    shown_by: ClassVar[Callable[[Analysis], str] | None] = None
    """Makes HTML of an analysis: the report, which lies above this room, puts itself here."""

    @property
    def converged(self) -> bool:
        """Whether every fit passed the gate, those of a k-fold included."""
        together = self.joint is None or self.joint.gate.passed
        together = together and (self.both is None or self.both.passed)
        folds = not any(held.failed for held in self.kfolds.values())
        return together and folds and all(fit.gate.passed for fit in self.fits.values())

    def _repr_html_(self) -> str | None:
        """The first page of the report, for notebooks; None where no report is loaded."""
        return None if Analysis.shown_by is None else Analysis.shown_by(self)


_REPLICATIONS = 300
_PRIOR_DRAWS = 500


def analyse(
    trials: Trials,
    *,
    models: Sequence[str | Model] | None = None,
    sampling: Sampling | None = None,
    fits: Path | None = None,
    planted: pd.DataFrame | None = None,
    joint: bool = False,
    kfold: int | None = None,
    policies: Sequence[Policy] = (),
    executor: Executor | None = None,
    progress: bool = True,
    ci_prob: float = 0.9,
) -> Analysis:
    """Fit every model to every role of the trials, check and compare.

    A theory leaves conventions open. Short fits try each alternative to its defaults, one at a time
    (trust and depth of thought that move with what people were shown among them), and the theory
    enters the comparison with the best, if that leads the default by more than two standard errors
    and its full fit passes the gate, see `trustbayes.analysis.conventions.fit_theories`; all scores
    are kept in ``variants``.

    Parameters
    ----------
    trials : Trials
    models : sequence of str or Model, optional
        A name stands for that model of every role, with its defaults; a `Model` for itself, with
        its priors and conventions, such as ``TrustEmbedded("receiver", priors={...})``. Default:
        the names that `trustbayes.models.ModelSpec` marks so.
    sampling : Sampling, optional
    fits : Path, optional
        Folder in which fits are kept; those already there are not repeated.
    planted : DataFrame, optional
        True parameters of simulated subjects, see `trustbayes.simulation.simulate.simulate`.
    joint : bool
        Whether to fit the trust-embedded models of both roles together, too: what senders expect
        then draws on what receivers do.
    kfold : int, optional
        Refit every model without each of so many parts of the subjects, too, and predict those:
        the verdict then asks whether real refits agree. Default: no refits, which take long.
    policies : sequence of Policy
        What would be changed: the analysis then says what it would do.
    executor : concurrent.futures.Executor, optional
        Where the fits are made, such as `trustbayes.inference.executors.process_pool`; default:
        here, one after the other. The numbers are the same.
    progress : bool
        Whether to show progress.
    ci_prob : float
        Probability of all intervals, which are equal-tailed.

    Returns
    -------
    Analysis

    Raises
    ------
    InputError
        If a model is unknown, occurs twice or is of another role or kind of game than the trials,
        a joint fit or policies are asked for and a role is missing, or there are fewer subjects
        than folds; if policies make no sense with any of the models, with all faults.

    Notes
    -----
    New subjects cannot be predicted by a model that has priors of subjects that are Python code
    (`trustbayes.models.Model.inseparable_priors`). All models of its role are then compared by
    new trials of known subjects, and the verdict says so.
    """
    sampling = sampling or Sampling()
    chosen = settled_models(trials, models)
    both = joint_of(chosen, trials) if joint else None
    of_role: dict[Role, list[Model]] = {}
    for model in chosen:
        of_role.setdefault(model.role, []).append(model)
    check_policies(policies, of_role, trials)
    if kfold is not None:
        for role, group in of_role.items():
            check_folds(trials, role, kfold)
            check_new_subjects(group)
    all_fits, variants, as_given = fit_theories(
        trials, chosen, sampling, folder=fits, executor=executor, progress=progress
    )
    fitted = {role: [all_fits[m.name, role] for m in group] for role, group in of_role.items()}
    comparisons = {
        role: compare(group, _units(trials, of_role[role]), NEW_PEOPLE)
        for role, group in fitted.items()
    }
    kfolds = {}
    if kfold is not None:
        for role, whole in fitted.items():
            _log.info("refitting %ss in %d folds", role, kfold)
            kfolds[role] = refit(
                [fit.model for fit in whole],
                trials,
                folds=kfold,
                sampling=sampling,
                seed=sampling.seed,
                folder=fits,
                executor=executor,
                progress=progress,
            )
    theories = {role: single_theories(comparison) for role, comparison in comparisons.items()}
    people = {
        role: by_person(comparisons[role], fitted[role], ranked[0], ranked[1], ranked)
        for role, ranked in theories.items()
        if len(ranked) > 1 and "subject" in comparisons[role].scores
    }
    population, posterior_checks, prior_checks = [], {}, {}
    for key, fit in all_fits.items():
        before = prior_draws(fit.model, fit.game, fit.units, _PRIOR_DRAWS, sampling.seed)
        population.append(population_estimates(fit, before, ci_prob))
        posterior_checks[key] = predictive_check(
            fit.draws(_REPLICATIONS), "posterior", sampling.seed, ci_prob
        )
        fewer = replace(before, data=before.data.isel(sample=slice(_REPLICATIONS)))
        prior_checks[key] = predictive_check(fewer, "prior", sampling.seed, ci_prob)
    subjects = pd.concat(
        [subject_estimates(fit, ci_prob) for fit in all_fits.values()], ignore_index=True
    )
    together = None if both is None else fit_both(both, trials, sampling, fits, progress)
    return Analysis(
        trials=trials,
        sampling=sampling,
        fits=all_fits,
        comparisons=comparisons,
        kfolds=kfolds,
        verdicts={
            role: verdict(comparisons[role], group, kfolds.get(role))
            for role, group in fitted.items()
        },
        people=people,
        shares={role: shares(table, theories[role]) for role, table in people.items()},
        population=pd.concat(population, ignore_index=True),
        sensitivity=pd.concat(
            [prior_sensitivity(fit, NEW_PEOPLE) for fit in all_fits.values()], ignore_index=True
        ),
        subjects=subjects,
        types=pd.concat([type_estimates(fit) for fit in all_fits.values()], ignore_index=True),
        coinciding=_rows([coinciding_shares(fit, ci_prob) for fit in all_fits.values()]),
        traits=_traits(all_fits, ci_prob),
        posterior_checks=posterior_checks,
        prior_checks=prior_checks,
        variants=variants,
        recovery=None if planted is None else _recovery(all_fits, subjects, planted, trials),
        type_recovery=None if planted is None else _type_recovery(all_fits, planted),
        policies=policies_of(policies, all_fits, comparisons, sampling.seed, ci_prob),
        worth=worth_of(all_fits, comparisons, sampling.seed, ci_prob),
        gap=gap_of(all_fits, comparisons, together, ci_prob),
        joint=together,
        both=both_of(trials, all_fits, comparisons, ci_prob),
        persons=by_whole_person(trials, comparisons),
        learning=learning_of(
            trials, all_fits, as_given, comparisons, variants, sampling.seed, ci_prob
        ),
        ci_prob=ci_prob,
    )


def _units(trials: Trials, models: Sequence[Model]) -> tuple[str, ...]:
    """What is predicted to compare theories, that to judge by first."""
    if any(model.inseparable_priors for model in models):
        return ("trial",)
    groups = trials.table["group"].nunique() if "group" in trials.table else 0
    if any(sum(f.grouped for f in model.formulas.values()) > 1 for model in models):
        groups = 0  # their effects are integrated out one at a time only
    return ("subject", *(("group",) if groups > 1 else ()), "trial")


def _traits(fits: Mapping[Key, Fit], ci_prob: float) -> pd.DataFrame:
    return _rows([trait_effects(fit, ci_prob) for fit in fits.values()])


def _rows(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """All rows, or the columns if there are none."""
    return pd.concat([t for t in tables if not t.empty] or tables[:1], ignore_index=True)


def _recovery(
    fits: Mapping[Key, Fit], subjects: pd.DataFrame, planted: pd.DataFrame, trials: Trials
) -> pd.DataFrame:
    """Planted parameters against estimated ones, and which of them can be known."""
    rows = planted_against_estimated(subjects, planted, trials.game)
    known = pd.concat([identified(fit, planted) for fit in fits.values()], ignore_index=True)
    keys = ["role", "model", "subject", "parameter", "treatment"]
    return rows.merge(known, on=keys, how="left").astype({"identified": bool})


def _type_recovery(fits: Mapping[Key, Fit], planted: pd.DataFrame) -> pd.DataFrame | None:
    tables = [type_recovery(fit, planted) for fit in fits.values() if fit.model.types]
    tables = [rows for rows in tables if not rows.empty]
    return pd.concat(tables, ignore_index=True) if tables else None


def title(analysis: Analysis, model: str, role: Role) -> str:
    """The model's title."""
    return analysis.fits[model, role].model.spec.title


def roles(analysis: Analysis) -> list[Role]:
    """The roles compared."""
    return list(analysis.comparisons)


def models_of(analysis: Analysis, role: Role) -> list[str]:
    """The models fitted to a role."""
    return [model for model, fitted_role in analysis.fits if fitted_role == role]


def theories(analysis: Analysis, role: Role) -> list[str]:
    """Those that are more than benchmarks."""
    yardsticks = benchmarks(analysis, role)
    return [model for model in models_of(analysis, role) if model not in yardsticks]


def benchmarks(analysis: Analysis, role: Role) -> list[str]:
    """Those that theories are held against."""
    fitted = ((model, fit) for (model, of), fit in analysis.fits.items() if of == role)
    return [model for model, fit in fitted if fit.model.spec.benchmark]
