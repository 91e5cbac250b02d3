"""Log likelihoods that are worked out anew for every population, where no interpolation fits.

That is so where a type's choices depend on several numbers that the population brings, such as the
habits that all who babble share. Nodes are common to all subjects, so that the theory is evaluated
on one small table and people are counts times that table.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_array

from trustbayes.inference.engines.population.layout import EffectLayout, Layout
from trustbayes.inference.engines.population.theory import choice_logs

__all__ = ["ChoicesAnew", "DirectCounts"]

_STEP = 1e-5


class ChoicesAnew:
    """Log choice probabilities at common nodes, and their slopes in exposures by differences.

    A case is a condition with the exposures of its trials.

    Parameters
    ----------
    layout : Layout
    kind : int or None
    linked : mapping of str to array, shape (nodes,)
    names : tuple of str
        The parameters that bring exposures.
    """

    def __init__(
        self,
        layout: Layout,
        kind: int | None,
        linked: Mapping[str, np.ndarray],
        names: tuple[str, ...],
    ) -> None:
        units = layout.cells
        self.layout, self.kind, self.linked, self.names = layout, kind, linked, names
        sources = layout.sources()
        of_gap = [n for n in names if isinstance(sources[n], EffectLayout)]
        keys = [units.unit_condition, *[sources[n].exposure_of for n in of_gap]]
        cases, case_of = np.unique(np.column_stack(keys), axis=0, return_inverse=True)
        self.condition, self.case_of = cases[:, 0], case_of.reshape(-1)
        self.gap_of = {n: cases[:, 1 + place] for place, n in enumerate(of_gap)}

    def logs(self, exposures: Mapping[str, np.ndarray]) -> np.ndarray:
        """Log choice probabilities, shape (cells of all cases, nodes)."""
        gaps = {}
        for name, of in self.gap_of.items():
            values = np.append(exposures[name], 0.0)  # the last is that of anchors
            gaps[name] = values[of]
        shared = {n: exposures[n] for n in self.names if n not in self.gap_of}
        logs = choice_logs(self.layout, self.kind, self.linked, self.condition, gaps, shared)
        return logs.reshape(len(logs), -1).T

    def slopes(
        self, exposures: Mapping[str, np.ndarray], weight: np.ndarray
    ) -> Mapping[str, np.ndarray]:
        """Slopes in the exposures of the weighted sum of logs; weights as `logs`."""
        slopes = {}
        for name in self.names:
            values = exposures[name]
            slope = np.zeros(values.size)
            for e in range(values.size):
                moved = [values.copy(), values.copy()]
                moved[0][e] += _STEP
                moved[1][e] -= _STEP
                high, low = (self.logs({**exposures, name: m}) for m in moved)
                slope[e] = ((high - low) * weight).sum() / (2 * _STEP)
            slopes[name] = slope
        return slopes


class DirectCounts:
    """Subjects' log likelihoods at common nodes: their counts times log choice probabilities.

    Parameters
    ----------
    choices : ChoicesAnew
    layout : Layout
    """

    def __init__(self, choices: ChoicesAnew, layout: Layout) -> None:
        units = layout.cells
        cells = units.counts.shape[1] * units.counts.shape[2]
        unit, seen, option = units.observed
        column = choices.case_of[unit] * cells + seen * units.counts.shape[2] + option
        shape = (layout.subjects, choices.condition.size * cells)
        number = units.counts[units.observed].astype(float)
        self.counts = csr_array((number, (units.unit_subject[unit], column)), shape)
        self.transposed = csr_array(self.counts.T)
        self.choices = choices
        self.last: Mapping[str, np.ndarray] = {}

    def logs(self, exposures: Mapping[str, np.ndarray]) -> np.ndarray:
        """Shape (subjects times nodes,)."""
        self.last = exposures
        return np.asarray(self.counts @ self.choices.logs(exposures)).reshape(-1)

    def pullback(self, weight: np.ndarray) -> Mapping[str, np.ndarray]:
        """Slopes in the exposures last given."""
        whole = self.transposed @ weight.reshape(self.counts.shape[0], -1)
        return self.choices.slopes(self.last, whole)
