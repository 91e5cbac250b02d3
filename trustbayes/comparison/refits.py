"""Real refits: learn from some of the trials, predict the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import pandas as pd

from trustbayes.comparison.heldout import HeldOut, Part, Unit, held_out
from trustbayes.comparison.names import by_name
from trustbayes.errors import Fault, InputError, listing, suggestion
from trustbayes.files import natural_order
from trustbayes.games import Role
from trustbayes.inference.sampling import Sampling
from trustbayes.models import Model
from trustbayes.trials.table import Trials

__all__ = ["check_folds", "hold_out", "kfold", "refit_without"]


def kfold(
    models: Sequence[Model] | Mapping[str, Model],
    trials: Trials,
    unit: Unit = "subject",
    folds: int = 8,
    sampling: Sampling | None = None,
    *,
    seed: int,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> HeldOut:
    r"""Predict each fold of subjects, or of groups, by fits to all others.

    The score of a unit is :math:`\log \frac1S \sum_s \prod_i p(y_i \mid \vartheta_s)` over its
    subjects i and the draws s of the population, each subject's own parameters integrated out
    and types summed out. All models have the same folds: dealt at random, as equal in size as
    can be, also among the subjects of each treatment where these differ.

    Parameters
    ----------
    models : sequence of Model, or mapping of str to Model
        Of one role; in a mapping with the names that results call them by.
    trials : Trials
    unit : "subject" or "group"
    folds : int
        At least 2, at most the number of units.
    sampling : Sampling, optional
    seed : int
        Of the folds; fits have that of ``sampling``.
    folder, executor, progress
        See `trustbayes.inference.tasks.run_fits`.

    Returns
    -------
    HeldOut

    Raises
    ------
    InputError
        If there are fewer units than folds, no groups, or the models do not go together.
    FitsFailed
        If a fit could not be made; with a folder, the others are kept.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Statistics and Computing 27, section 2.3, for K-fold cross-
    validation; Merkle, Furr and Rabe-Hesketh (2019), Psychometrika 84(3), for new subjects.

    Examples
    --------
    >>> import trustbayes as tb
    >>> models = [tb.TrustEmbedded("sender"), tb.LevelK("sender")]
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> kfold(models, trials, seed=1).totals()  # doctest: +SKIP
    """
    named = by_name(models)
    role = _role(named)
    trials = trials.of_role(role)
    check_folds(trials, role, folds, unit)
    labels = _labels(trials, role, unit)
    names = natural_order(list(labels.unique()))
    what = f"fold {{}} of {folds} by {unit} and seed {seed}"
    by_unit = trials.table["treatment"].groupby(labels)
    dealt = _deal(names, {str(name): set(rows) for name, rows in by_unit}, folds, seed)
    parts = [
        _without(trials, labels, held, what.format(number)) for number, held in enumerate(dealt, 1)
    ]
    split = f"{folds}-fold by {unit}: new {unit}s, predicted from all others"
    return held_out(named, trials, parts, split, unit, sampling, folder, executor, progress)


def check_folds(trials: Trials, role: Role, folds: int, unit: Unit = "subject") -> None:
    """Refuse a number of folds that cannot be dealt, before anything is fitted.

    Parameters
    ----------
    trials : Trials
    role : "sender" or "receiver"
    folds : int
    unit : "subject" or "group"

    Raises
    ------
    InputError
        If there are fewer units than folds, less than two folds, no groups, or no such role.
    """
    most = _labels(trials, role, unit).nunique()
    if not 2 <= folds <= most:
        expected = f"a whole number from 2 to {most}, the number of {unit}s"
        raise InputError(Fault(f"{trials.source}, folds", str(folds), expected))


def refit_without(
    model: Model,
    trials: Trials,
    units: Sequence[str],
    unit: Unit = "subject",
    sampling: Sampling | None = None,
    *,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> HeldOut:
    """Predict each of some subjects, or groups, by a fit to all others.

    This is leave-one-out by subject or group without importance sampling, for those whose
    Pareto k is too large.

    Parameters
    ----------
    model : Model
    trials : Trials
    units : sequence of str
        Labels of subjects or groups.
    unit : "subject" or "group"
    sampling, folder, executor, progress
        As for `kfold`.

    Returns
    -------
    HeldOut
        With a fold for each unit, in their order; scores as for `kfold`.

    Raises
    ------
    InputError
        If a unit is unknown or named twice, or none is named, or there are no groups.
    FitsFailed
        If a fit could not be made; with a folder, the others are kept.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> refit_without(tb.LevelK("sender"), trials, ["s1", "s7"]).table  # doctest: +SKIP
    """
    labels = _labels(trials, model.role, unit)
    known = natural_order(list(labels.unique()))
    place = f"{trials.source}, {unit}s to leave out"
    faults = [
        Fault(place, label, suggestion(label, known)) for label in units if label not in known
    ]
    faults += [
        Fault(place, label, f"every {unit} once") for label in dict.fromkeys(units)
        if list(units).count(label) > 1
    ]  # fmt: skip
    if not units:
        faults.append(Fault(place, "", f"at least one {unit}"))
    if faults:
        raise InputError(faults)
    parts = [_without(trials, labels, [label], f"{unit} {label}") for label in units]
    split = f"one {unit} at a time: a new {unit}, predicted from all others"
    return held_out(
        {model.name: model}, trials, parts, split, unit, sampling, folder, executor, progress
    )


def hold_out(
    models: Sequence[Model] | Mapping[str, Model],
    trials: Trials,
    *,
    after_round: int | None = None,
    treatment: str | None = None,
    sampling: Sampling | None = None,
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> HeldOut:
    r"""Predict later rounds by a fit to earlier ones, or one treatment by a fit to the others.

    A subject with trials on both sides is known: her score is :math:`\log \frac1S \sum_s
    p(y^\mathrm{held}_i \mid y^\mathrm{learnt}_i, \vartheta_s, \theta_{is})`, all of her held-out
    trials together, with the draws of her own parameters, and types weighted by what her learnt
    trials say of them in each draw. Other subjects are new, and scored as by `kfold`. The
    location of a treatment that nothing was learnt about is drawn from its prior.

    Parameters
    ----------
    models : sequence of Model, or mapping of str to Model
        Of one role; in a mapping with the names that results call them by.
    trials : Trials
    after_round : int, optional
        Learn from rounds up to this one.
    treatment : str, optional
        Learn from all others. Give either this or a round.
    sampling, folder, executor, progress
        As for `kfold`.

    Returns
    -------
    HeldOut
        With one fold. Its ``split`` says whether subjects were known or new, as does its table.

    Raises
    ------
    InputError
        If neither or both are given, nothing would be learnt or predicted, the treatment is
        unknown, or the models do not go together.
    FitsFailed
        If a fit could not be made; with a folder, the others are kept.

    Examples
    --------
    >>> import trustbayes as tb
    >>> models = [tb.TrustEmbedded("sender"), tb.LevelK("sender")]
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> hold_out(models, trials, after_round=10).totals()  # doctest: +SKIP
    """
    named = by_name(models)
    role = _role(named)
    trials = trials.of_role(role)
    subjects = _labels(trials, role, "subject")
    if treatment is None and after_round is not None:
        held, what, rest = _after(trials, after_round)
    elif treatment is not None and after_round is None:
        held, what, rest = _of_treatment(trials, treatment)
    else:
        given = "" if treatment is None else f"round {after_round} and treatment {treatment}"
        raise InputError(Fault("hold-out", given, "either a round or a treatment"))
    part = Part(trials.subset(~held, rest), trials.subset(held, what))
    predicted, known = set(subjects[held]), set(subjects[~held])
    whose = "known subjects" if predicted & known else "new subjects"
    if predicted & known and predicted - known:
        whose += f", but new ones: {listing(natural_order(list(predicted - known)))}"
    split = f"{what}, predicted from {rest}: {whose}"
    return held_out(named, trials, [part], split, "subject", sampling, folder, executor, progress)


def _after(trials: Trials, last: int) -> tuple[np.ndarray, str, str]:
    """The trials after a round, what they are, and what the others are."""
    rounds = trials.table["round"].to_numpy()
    low, high = rounds.min(), rounds.max()
    if not low <= last < high:
        expected = f"a round from {low} to {high - 1}, the last being {high}"
        raise InputError(Fault(f"{trials.source}, round", str(last), expected))
    return rounds > last, f"rounds after {last}", f"rounds up to {last}"


def _of_treatment(trials: Trials, name: str) -> tuple[np.ndarray, str, str]:
    """The trials of a treatment, what they are, and what the others are."""
    treatments = trials.table["treatment"]
    place, present = f"{trials.source}, treatment", natural_order(list(treatments.unique()))
    if name not in present:
        raise InputError(Fault(place, name, suggestion(name, present)))
    if len(present) == 1:
        raise InputError(Fault(place, name, "trials of another treatment, to learn from"))
    held = (treatments == name).to_numpy(bool)
    return held, f"treatment {name}", f"all but treatment {name}"


def _role(models: Mapping[str, Model]) -> Role:
    """The one role of models that go together."""
    if not models:
        raise InputError(Fault("models", "", "at least one model"))
    first, *others = models
    faults = [
        Fault(f"models, {name}", models[name].role, f"the role {models[first].role}, as {first}")
        for name in others
        if models[name].role != models[first].role
    ]
    if faults:
        raise InputError(faults)
    return models[first].role


def _labels(trials: Trials, role: Role, unit: Unit) -> pd.Series:
    """Whose each trial is."""
    if role not in trials.roles:
        raise InputError(Fault(trials.source, "", f"trials of the {role}"))
    if unit not in ("subject", "group"):
        raise InputError(Fault("unit", str(unit), "subject or group"))
    if unit == "group" and "group" not in trials.table:
        raise InputError(Fault(trials.source, "", "a column group, to leave groups out"))
    return trials.table[role if unit == "subject" else "group"]


def _deal(
    names: Sequence[str], treatments: Mapping[str, set[str]], folds: int, seed: int
) -> list[list[str]]:
    """Deal units into folds like cards, those of the same treatments one after the other."""
    shuffled = np.random.default_rng(seed).permutation(np.array(names, dtype=object))
    order = sorted(shuffled, key=lambda name: sorted(treatments[name]))
    return [natural_order(order[start::folds]) for start in range(folds)]


def _without(trials: Trials, labels: pd.Series, held: Sequence[str], what: str) -> Part:
    mask = labels.isin(held).to_numpy(bool)
    return Part(trials.subset(~mask, f"without {what}"), trials.subset(mask, what))
