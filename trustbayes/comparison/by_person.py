"""Which theory for whom: the comparison of two models, person by person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trustbayes.comparison.compare import Comparison
from trustbayes.comparison.loso import log_score
from trustbayes.comparison.names import by_name
from trustbayes.errors import Fault, InputError, listing
from trustbayes.inference.fit import Fit
from trustbayes.models import SPECS, Model
from trustbayes.models.draws import cell_log_likelihood, type_probabilities

__all__ = ["by_person", "shares", "single_theories", "theory_of"]

_ALIKE = 1.0  # nats over all trials of a subject
_DRAWS = 1000


def single_theories(comparison: Comparison) -> tuple[str, ...]:
    """The models that do not combine others, in the order in which they predict.

    Set against a mixture of theories, or a hybrid, each of the theories coincides with it for
    everybody whom it describes, so that a comparison person by person says nothing.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    tuple of str
        All models of the comparison if fewer than two do not combine others.

    Examples
    --------
    >>> import trustbayes as tb
    >>> best, second = single_theories(tb.compare(fits, "subject"))[:2]  # doctest: +SKIP
    """
    ranked = tuple(map(str, comparison.rows().index))
    combined = SPECS.combining()
    single = tuple(name for name in ranked if name not in combined)
    return single if len(single) > 1 else ranked


def by_person(
    comparison: Comparison,
    fits: Sequence[Fit] | Mapping[str, Fit],
    best: str,
    second: str,
    among: Sequence[str] | None = None,
) -> pd.DataFrame:
    r"""Set two models against each other for each subject.

    A subject stands at a corner where the two theories coincide if, fitted to her, they say
    nearly the same of her trials. How far apart they are is measured by

    .. math:: \tfrac12 \sum_j (\log p_1(y_j) - \log p_2(y_j))^2

    over her trials j, with the two models' posterior predictive densities (types weighted by her
    other trials). To second order its mean is the expected log likelihood ratio of the two over
    these trials, the Kullback-Leibler divergence, whichever of them is true; unlike a difference
    of scores it cannot cancel between trials. Below 1 nat her choices hardly tell the two apart,
    whatever the difference of her scores: that then says how common people like her are in the
    population that each model has learnt of.

    Parameters
    ----------
    comparison : Comparison
        With new subjects as a unit.
    fits : sequence of Fit, or mapping of str to Fit
        The fits compared, as `compare` took them.
    best, second : str
        Names of two models of the comparison.
    among : sequence of str, optional
        Models of which one is each subject's favourite, the two among them; default: all
        compared.

    Returns
    -------
    DataFrame
        A row for each subject, the largest difference first, with columns subject; difference
        (LOSO score of the best less that of the second, in nats); favourite (the model that
        predicts her best); divergence (the measure above, in nats, at least
        0); corner (bool: the divergence is below 1 and her favourite is one of the two); rival
        (the other of the two where she stands at a corner, else empty); and, if the mixture is
        among the fits, probability_best and probability_second (that she is of the theory, the
        types of one theory added up; NaN where the mixture does not have it).

    Raises
    ------
    InputError
        If the comparison has no new subjects as a unit, the fits are not those compared, a
        model is unknown or named twice, or the two are not among those to choose from.

    References
    ----------
    Kullback (1959), Information Theory and Statistics, chapter 2, for the second order.

    Examples
    --------
    >>> import trustbayes as tb
    >>> found = tb.compare(fits, "subject")  # doctest: +SKIP
    >>> by_person(found, fits, "trust-embedded", "level-k")  # doctest: +SKIP
    """
    comparison.check(fits)
    pair, chosen = (best, second), list(comparison.models if among is None else among)
    faults = [
        Fault("model", name, f"one of: {listing(comparison.models)}")
        for name in dict.fromkeys([*pair, *chosen])
        if name not in comparison.models
    ]
    faults += [
        Fault("model", name, f"one of those to choose from: {listing(chosen)}")
        for name in pair
        if name in comparison.models and name not in chosen
    ]
    if best == second:
        faults.append(Fault("model", second, "another one than the first"))
    if faults:
        raise InputError(faults)
    scores = comparison.elpd_by_unit("subject")
    named = by_name(fits)
    favourite = np.array(chosen)[scores[chosen].to_numpy().argmax(axis=1)]
    divergence = _divergence(named[best], named[second])
    corner = (divergence < _ALIKE) & np.isin(favourite, pair)
    table = pd.DataFrame(
        {
            "subject": scores.index.to_numpy(str),
            "difference": (scores[best] - scores[second]).to_numpy(),
            "favourite": favourite,
            "divergence": divergence,
            "corner": corner,
            "rival": np.where(corner, np.where(favourite == best, second, best), ""),
        }
    )
    for chances in map(_theories, filter(_is_mixture, named.values())):
        for column, name in (("probability_best", best), ("probability_second", second)):
            table[column] = chances.get(named[name].model.name, np.nan)
    return table.sort_values("difference", ascending=False, kind="stable", ignore_index=True)


def shares(people: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Say how many subjects each model predicts best, those at a corner apart.

    Parameters
    ----------
    people : DataFrame
        From `by_person`.
    models : sequence of str
        All that were chosen from, such as `Comparison.models`.

    Returns
    -------
    DataFrame
        A row for each model in the order given and, last, one whose model is "corner", for
        subjects of whom it cannot be said; with columns model, subjects (number) and share (of
        all subjects).

    Examples
    --------
    >>> people = pd.DataFrame({"favourite": list("aaba"), "corner": [False, True, True, False]})
    >>> shares(people, ["a", "b"])["share"].tolist()
    [0.5, 0.0, 0.5]
    """
    clear = people.loc[~people["corner"], "favourite"]
    counts = [int((clear == name).sum()) for name in models] + [int(people["corner"].sum())]
    return pd.DataFrame(
        {
            "model": [*models, "corner"],
            "subjects": counts,
            "share": np.array(counts) / len(people),
        }
    )


def theory_of(mixture: Model) -> dict[str, str]:
    """To which theory each type of a mixture belongs.

    Parameters
    ----------
    mixture : Model

    Returns
    -------
    dict of str to str
        By type, in their order.

    Raises
    ------
    InputError
        If it is none.

    Examples
    --------
    >>> import trustbayes as tb
    >>> theory_of(tb.Mixture("sender"))["level 2"]
    'level-k'
    """
    whose = mixture.spec.theory_of_type
    if whose is None:
        expected = "a mixture of theories, of which every subject follows one"
        raise InputError(Fault("model", mixture.name, expected))
    return dict(zip(mixture.types, whose(mixture.conventions), strict=True))


def _divergence(reference: Fit, other: Fit) -> np.ndarray:
    """How far two models fitted to the same subjects differ on their trials, by subject."""
    first, second = (
        log_score(cell_log_likelihood(fit.draws(_DRAWS)))[fit.units.trial_cell]  # people who learn
        for fit in (
            reference,
            other,
        )  # have a cell for each trial, others one for trials that are alike
    )
    half = 0.5 * (first - second) ** 2
    units = reference.units
    return np.bincount(units.trial_subject, weights=half, minlength=len(units.subjects))


def _theories(mixture: Fit) -> dict[str, np.ndarray]:
    """Probability that each subject is of a theory, by theory, each of shape (subjects,)."""
    chances = type_probabilities(mixture.draws(_DRAWS)).mean(axis=0)
    whose = np.array(list(theory_of(mixture.model).values()))
    return {name: chances[:, whose == name].sum(axis=1) for name in mixture.model.spec.combines}


def _is_mixture(fit: Fit) -> bool:
    return fit.model.spec.theory_of_type is not None
