"""Whether real refits say the same as importance sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trustbayes.comparison.compare import UNITS, Comparison
from trustbayes.comparison.heldout import HeldOut
from trustbayes.errors import Fault, InputError, listing

__all__ = ["Agreement", "agreement"]


@dataclass(frozen=True)
class Agreement:
    """What a k-fold says of the two best models of a comparison.

    Parameters
    ----------
    best, second : str
        The models.
    name : str
        Of the k-fold, in words.
    lead : float
        Of the best over the second by the k-fold, in nats; below 0, it disagrees.
    error : float
        Standard error of the lead, in nats.
    failed : tuple of str
        Their fits that did not pass the gate, each with what failed.
    """

    best: str
    second: str
    name: str
    lead: float
    error: float
    failed: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the k-fold has the same model ahead."""
        return self.lead > 0


def agreement(comparison: Comparison, kfold: HeldOut) -> Agreement:
    """Hold the two best models of a comparison against a k-fold of the same people.

    Parameters
    ----------
    comparison : Comparison
        Of at least two models, of new subjects or new groups.
    kfold : HeldOut
        From `trustbayes.comparison.kfold`.

    Returns
    -------
    Agreement

    Raises
    ------
    InputError
        If they differ in role, trials, exclusions, game or unit, or the k-fold lacks a model,
        or some of the people, or predicts people whom it had learnt from; with what differs.

    Examples
    --------
    >>> import trustbayes as tb
    >>> found = tb.compare(fits, "subject")  # doctest: +SKIP
    >>> held = tb.kfold([fit.model for fit in fits], trials, seed=1)  # doctest: +SKIP
    >>> agreement(found, held).agrees  # doctest: +SKIP
    """
    faults = kfold.basis.faults("k-fold", comparison.basis, "the comparison")
    rows = comparison.rows()
    if len(rows) < 2:
        faults.append(Fault("comparison", listing(comparison.models), "at least two models"))
    predicted = UNITS[kfold.unit]
    if kfold.unit != comparison.unit:
        expected = f"that of the comparison: {UNITS[comparison.unit]}"
        faults.append(Fault("k-fold, unit", predicted, expected))
    if kfold.table["known"].any():
        faults.append(Fault("k-fold, unit", kfold.split, predicted))
    missing = [name for name in rows.index[:2] if name not in set(kfold.table["model"])]
    if missing:
        held = listing(dict.fromkeys(kfold.table["model"]))
        faults.append(Fault("k-fold, models", held, f"also {listing(missing)}"))
    if faults:
        raise InputError(faults)
    best, second = map(str, rows.index[:2])
    scores = kfold.table.pivot(index="unit", columns="model", values="elpd")
    labels = comparison.scores[kfold.unit][best].labels
    if set(scores.index) != set(labels):
        expected = f"all {len(labels)} of the comparison"
        raise InputError(Fault(f"k-fold, {kfold.unit}s", str(len(scores)), expected))
    gap = (scores[best] - scores[second]).to_numpy(float)
    return Agreement(
        best=best,
        second=second,
        name=kfold.split.partition(":")[0],
        lead=float(gap.sum()),
        error=float(np.sqrt(gap.size) * gap.std()),
        failed=tuple(label for label in kfold.failed if label.split(", ")[0] in (best, second)),
    )
