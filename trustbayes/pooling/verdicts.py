"""Which theory predicts better over all experiments, whether everywhere, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from trustbayes.comparison.rows import SMALL
from trustbayes.errors import listing
from trustbayes.games import Role

__all__ = [
    "Heterogeneity",
    "PooledVerdict",
    "comparable",
    "differences",
    "heterogeneity",
    "pooled_rules",
    "pooled_verdict",
    "predicted_best",
    "totals",
]

_SURE = 2.0
_FEW = 5  # experiments, below which their spread is hardly known
_COLUMNS = ("elpd", "elpd_diff", "se_people", "se_experiments", "experiments", "people")

Scores = Mapping[str, Mapping[str, np.ndarray]]
"""By theory and experiment: the score of each person, in nats."""


@dataclass(frozen=True)
class Heterogeneity:
    """How much a theory's lead differs between experiments.

    Parameters
    ----------
    mean, error : float
        Lead a person in an experiment like these, and its standard error, in nats.
    spread : float
        Standard deviation of the lead a person between experiments, by the method of moments.
    q, p_value : float
        Cochran's Q, and the probability of one as large were the lead everywhere the same.
    share : float
        I²: the share of the variance between experiments that is not chance.
    lower, upper : float
        90 % interval of the lead a person in a new experiment; NaN with fewer than three.
    wins, losses : tuple of str
        Experiments in which the lead, or the other's, exceeds two standard errors.
    ahead : int
        Experiments in which the theory is ahead at all.
    """

    mean: float
    error: float
    spread: float
    q: float
    p_value: float
    share: float
    lower: float
    upper: float
    wins: tuple[str, ...]
    losses: tuple[str, ...]
    ahead: int


@dataclass(frozen=True)
class PooledVerdict:
    """What the scores of all experiments allow to say of one role.

    Parameters
    ----------
    role : "sender" or "receiver"
    winner : str or None
        The theory that predicts best on the whole, if that can be said.
    everywhere : bool
        Whether it is ahead in every experiment.
    text : str
    best, rival : str
        The two that predict best; empty where there are none to rank.
    lead, error : float
        By how much the one leads the other, in nats, and its standard error: the larger of those
        by person and by experiment.
    """

    role: Role
    winner: str | None
    everywhere: bool
    text: str
    best: str = ""
    rival: str = ""
    lead: float = math.nan
    error: float = math.nan


def comparable(scores: Scores) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The theories that are ranked, and the experiments over which: those that have them all.

    Theories of most experiments come first; another joins them while two experiments, or the only
    one, have them all.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array

    Returns
    -------
    models, experiments : tuple of str

    Examples
    --------
    >>> elpd = np.zeros(3)
    >>> rare = {"z": elpd}
    >>> both = {"a": {"x": elpd, "y": elpd, "z": elpd}, "b": {"x": elpd, "y": elpd}}
    >>> comparable({**both, "c": rare})
    (('a', 'b'), ('x', 'y'))
    """
    names = list(dict.fromkeys(name for held in scores.values() for name in held))
    least, common = min(2, len(names)), list(names)
    chosen = []
    for model in sorted(scores, key=lambda m: -len(scores[m])):
        both = [name for name in common if name in scores[model]]
        if len(both) >= least:
            chosen.append(model)
            common = both
    order = [model for model in scores if model in chosen]
    return tuple(order), tuple(common)


def totals(scores: Scores) -> pd.DataFrame:
    """Sums over all people of all experiments that have every theory, best first.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array

    Returns
    -------
    DataFrame
        Indexed by model, with columns elpd, elpd_diff (to the best, at most 0), se_people (its
        standard error for these experiments, people being drawn; NaN where an experiment has one
        person), se_experiments (for experiments like these: each is one draw; NaN with one), in
        nats; experiments and people (numbers). Empty where no experiment has what is ranked.
    """
    models, experiments = comparable(scores)
    sums = {m: sum(float(scores[m][e].sum()) for e in experiments) for m in models}
    order = sorted(models, key=lambda m: -sums[m])
    rows = []
    for model in order:
        gaps = differences(scores, model, order[0], experiments)
        rows.append(
            {
                "model": model,
                "elpd": sums[model],
                "elpd_diff": float(gaps["difference"].sum()),
                "se_people": float(np.sqrt((gaps["se"] ** 2).sum(skipna=False))),
                "se_experiments": _of_experiments(gaps["difference"]),
                "experiments": len(experiments),
                "people": int(gaps["people"].sum()),
            }
        )
    return pd.DataFrame(rows, columns=["model", *_COLUMNS]).set_index("model")


def predicted_best(scores: Scores) -> dict[str, int]:
    """How many people each theory predicts best, of the experiments that have them all.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array

    Returns
    -------
    dict of str to int
        By theory; of theories that say the same of a person, the first counts.

    Examples
    --------
    >>> of_x, of_y = {"x": np.array([-1.0, -3.0])}, {"x": np.array([-2.0, -2.0])}
    >>> predicted_best({"a": of_x, "b": of_y})
    {'a': 1, 'b': 1}
    """
    models, experiments = comparable(scores)
    counts = dict.fromkeys(models, 0)
    for experiment in experiments:
        of_all = np.stack([scores[model][experiment] for model in models])
        for place in of_all.argmax(axis=0):
            counts[models[place]] += 1
    return counts


def _of_experiments(gaps: pd.Series) -> float:
    """Standard error of the sum, experiments being drawn."""
    return float(np.sqrt(len(gaps)) * gaps.std(ddof=1)) if len(gaps) > 1 else math.nan


def differences(
    scores: Scores, model: str, other: str, experiments: Sequence[str] | None = None
) -> pd.DataFrame:
    """How one theory's scores differ from another's, experiment by experiment.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array
    model, other : str
    experiments : sequence of str, optional
        Default: all that have both.

    Returns
    -------
    DataFrame
        Columns experiment, people, difference (nats, above 0 if the model predicts better), se,
        mean and mean_se (a person); of a single person no standard error is known: NaN.
    """
    names = [n for n in scores[model] if n in scores[other]]
    rows = []
    for name in names if experiments is None else experiments:
        gap = scores[model][name] - scores[other][name]
        size = gap.size
        se = float(np.sqrt(size * gap.var(ddof=1))) if size > 1 else math.nan
        rows.append((name, size, float(gap.sum()), se, float(gap.mean()), se / size))
    columns = ["experiment", "people", "difference", "se", "mean", "mean_se"]
    return pd.DataFrame(rows, columns=columns)


def heterogeneity(gaps: pd.DataFrame) -> Heterogeneity:
    """Whether a theory's lead over another is the same in all experiments.

    Parameters
    ----------
    gaps : DataFrame
        See `differences`.

    Returns
    -------
    Heterogeneity
        Experiments without a standard error count in ``ahead`` alone; NaN if all are.

    References
    ----------
    DerSimonian and Laird (1986), Controlled Clinical Trials 7(3); Higgins, Thompson and
    Spiegelhalter (2009), JRSS A 172(1), for the interval of a new study.

    Examples
    --------
    >>> gaps = pd.DataFrame({"experiment": ["a", "b", "c"], "difference": [8.0, 12.0, 10.0],
    ...                      "se": [2.0, 2.0, 2.0], "mean": [0.8, 1.2, 1.0], "mean_se": 0.2})
    >>> summary = heterogeneity(gaps)
    >>> round(summary.mean, 6), round(summary.q, 6), summary.spread, summary.wins
    (1.0, 2.0, 0.0, ('a', 'b', 'c'))
    """
    ahead, gaps = int((gaps["difference"] > 0).sum()), gaps[gaps["mean_se"].notna()]
    if gaps.empty:
        none = math.nan
        return Heterogeneity(none, none, none, none, none, none, none, none, (), (), ahead)
    mean, variance = gaps["mean"].to_numpy(), np.maximum(gaps["mean_se"].to_numpy() ** 2, 1e-12)
    count, weight = len(gaps), 1 / variance
    fixed = float(weight @ mean / weight.sum())
    q = float(weight @ (mean - fixed) ** 2)
    freedom = count - 1
    excess = max(0.0, q - freedom)
    between = excess / float(weight.sum() - (weight**2).sum() / weight.sum()) if freedom else 0.0
    both = 1 / (variance + between)
    middle = float(both @ mean / both.sum())
    error = float(np.sqrt(1 / both.sum()))
    reach = math.nan
    if count > 2:
        reach = float(stats.t.ppf(0.95, count - 2) * np.sqrt(between + error**2))
    lead, se = gaps["difference"], gaps["se"]
    names = gaps["experiment"]
    return Heterogeneity(
        mean=middle,
        error=error,
        spread=float(np.sqrt(between)),
        q=q,
        p_value=float(stats.chi2.sf(q, freedom)) if freedom else math.nan,
        share=excess / q if q > 0 else 0.0,
        lower=middle - reach,
        upper=middle + reach,
        wins=tuple(names[lead > _SURE * se]),
        losses=tuple(names[lead < -_SURE * se]),
        ahead=ahead,
    )


def pooled_rules() -> str:
    """The rules by which `pooled_verdict` names a theory, in words.

    Examples
    --------
    >>> print(pooled_rules().split(":")[0])
    A theory is named over all experiments only if all of this holds
    """
    return (
        "A theory is named over all experiments only if all of this holds: every fit compared "
        "passed the convergence gate; in leave-one-subject-out, summed over all people of all "
        f"experiments, its lead over the second exceeds {SMALL:g} nats and {_SURE:g} standard "
        "errors, both with people as what is drawn (which an experiment with a single person does "
        "not allow) and, where there are two or more, with the "
        "experiment as cluster, so that one large experiment does not decide for all. Theories are "
        "ranked over the experiments that have all of them. It is said to win everywhere only if "
        "it is ahead in every experiment, and experiments in which the other leads by more than "
        f"{_SURE:g} standard errors are named."
    )


def pooled_verdict(
    scores: Scores,
    role: Role,
    titles: Mapping[str, str],
    failed: Sequence[tuple[str, str, str]] = (),
    what: str = "new people of these experiments",
) -> PooledVerdict:
    """Name the theory that predicts best over all experiments, if the scores allow it.

    Parameters
    ----------
    scores : mapping of str to mapping of str to array
        By theory and experiment, of each person.
    role : "sender" or "receiver"
    titles : mapping of str to str
        Of the theories.
    failed : sequence of (str, str, str)
        Experiment, theory and role of what did not pass the convergence gate.
    what : str
        What was predicted.

    Returns
    -------
    PooledVerdict
        By `pooled_rules`.
    """
    table = totals(scores)
    models, experiments = comparable(scores)
    lacking = [
        f"{titles[model]} in {experiment}"
        for experiment, model, of in dict.fromkeys(failed)
        if of == role and model in models and experiment in experiments
    ]
    if lacking:
        text = f"No verdict on {role}s: {listing(lacking)} did not pass the convergence gate."
        return PooledVerdict(role, None, False, text)
    if len(table) < 2:
        only = f"Only {titles[str(table.index[0])]}" if len(table) else "No theory"
        text = f"{only} was fitted to {role}s of several experiments: there is nothing to rank."
        return PooledVerdict(role, None, False, text)
    best, rival = (str(name) for name in table.index[:2])
    gaps = differences(scores, best, rival, experiments)
    summary = heterogeneity(gaps)
    lead, count = float(gaps["difference"].sum()), len(gaps)
    by_people, by_cluster = map(float, table.loc[rival, ["se_people", "se_experiments"]])
    error = float(np.max([by_people, by_cluster] if count > 1 else by_people))
    named = lead > _SURE * error and lead > SMALL
    people = int(table["people"].iloc[0])
    figures = (
        f"{lead:.1f} nats over {people} {'person' if people == 1 else 'people'} of "
        f"{count} experiment{'' if count == 1 else 's'} ({_errors(gaps, by_people, by_cluster)})"
    )
    pair = f"{titles[best]} and {titles[rival]}"
    if named:
        start = f"{titles[best]} predicts {role}s best: ahead of {titles[rival]} by {figures}."
    else:
        start = f"For {role}s, {pair} are not distinguishable over all: they differ by {figures}."
    parts = [start, f"Predicted: {what}."]
    everywhere = summary.ahead == count
    if count > 1:
        parts.append(_where(summary, titles[best], titles[rival], count))
    if 1 < count < _FEW:
        parts.append(f"How leads differ between as few as {count} experiments is hardly known.")
    winner = best if named else None
    return PooledVerdict(role, winner, everywhere, " ".join(parts), best, rival, lead, error)


def _errors(gaps: pd.DataFrame, by_people: float, by_cluster: float) -> str:
    """The standard errors of a lead; of people, why there is none."""
    parts = [f"standard error {by_people:.1f} by person"]
    alone = list(gaps.loc[gaps["people"] == 1, "experiment"])
    if alone:
        people = "one person" if len(alone) == 1 else "one person each"
        parts = [f"no standard error by person, as there is {people} in {listing(alone)}"]
    if len(gaps) > 1:
        parts.append(f"{by_cluster:.1f} by experiment")
    return ", ".join(parts)


def _where(summary: Heterogeneity, best: str, rival: str, count: int) -> str:
    """Whether the lead is the same everywhere."""
    if summary.ahead == count:
        start = f"{best} is ahead in every experiment"
    else:
        start = f"{best} is ahead in {summary.ahead} of {count} experiments"
    if summary.losses:
        start += f"; {rival} leads by more than two standard errors in {', '.join(summary.losses)}"
    if math.isnan(summary.spread):
        return f"{start}. Whether its lead differs, single people cannot say."
    spread = f"{summary.spread:.2g} nats a person between experiments"
    return f"{start}. Its lead, {summary.mean:.2g} nats a person, differs by {spread}."
