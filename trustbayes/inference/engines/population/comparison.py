"""How far a rule of integration is off, and which rule is made of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.marginal import Marginal
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.gate import INTEGRATION_ERROR

__all__ = ["AIM", "SINGLE", "Comparison", "some_subjects"]

AIM = 0.5 * INTEGRATION_ERROR  # draws reach further than what is known before
_REST = 0.3  # of that, by which those err whose grids stay as they are
_SHIFT = 0.31
"""Of a step, for the check: no simple fraction, at which errors of two grids could be alike."""
SINGLE = 20_000
"""Subjects from which on tables are in single precision: its errors of some 1e-5 nats, being
random, add up to a hundredth for a million, and memory is halved."""
_CHECKED = 64  # subjects at most, from whom the error is scaled to all


class Comparison:
    """Some subjects' likelihoods by a rule and by a finer one, all over the posterior.

    Parameters
    ----------
    prepared : trustbayes.inference.engines.population.engine.Prepared
    points : array, shape (n, size)
        From the posterior.
    wide : Neighbourhood
        What the finer rule's tables serve.
    without : array of bool, shape (n, subjects), optional
        Who does not count at each point, being left out of the posterior that it is from.
    """

    def __init__(
        self,
        prepared: Any,
        points: np.ndarray,
        wide: Neighbourhood,
        without: np.ndarray | None = None,
    ) -> None:
        self.prepared, self.wide = prepared, wide
        some = some_subjects(prepared.layout, _CHECKED)
        self.layout = prepared.layout.of_subjects(some)
        none = np.zeros((len(points), some.size), dtype=bool)
        self.without = none if without is None else without[:, some]
        self.populations = [prepared.population(point) for point in points]
        self.several = bool((points != points[0]).any())
        finer = replace(prepared.rule.finer(), shift=_SHIFT, anew=True)
        self.expected = self._logs(finer, wide)

    def _logs(self, rule: Rule, near: Neighbourhood | None) -> np.ndarray:
        marginal = self._tabulated(rule, near)
        within = [marginal.reaches(population) for population in self.populations]
        logs = np.array([marginal.by_subject(population) for population in self.populations])
        logs = np.where(np.array(within)[:, None], logs, np.nan)
        return np.where(self.without, 0.0, logs)

    def _tabulated(self, rule: Rule, near: Neighbourhood | None) -> Marginal:
        """Those tables that there are serve again, if they are of the same subjects."""
        prepared = self.prepared
        known = rule == prepared.rule and near is prepared.near
        if known and self.layout.subjects == prepared.layout.subjects < SINGLE:
            return prepared.marginal
        tables: Marginal = prepared.tabulate(self.layout, rule, near, float)
        return tables

    def gaps(self, rule: Rule, near: Neighbourhood | None) -> np.ndarray:
        """Log likelihoods by the finer rule less a rule's, (points, subjects); NaN out of reach."""
        return self.expected - self._logs(rule, near)

    def error(self, rule: Rule, near: Neighbourhood | None) -> tuple[float, float]:
        """See `Integration`: the error, and by how many nats a subject's likelihood is off."""
        gap = self.gaps(rule, near)
        if np.isnan(gap).any() or not self.several:  # of one point alone no error can be told
            return np.inf, np.inf
        scale = self.prepared.layout.subjects / self.layout.subjects
        return float(gap.sum(axis=1).std() * scale), float(np.abs(gap).max())

    def finer(self, rule: Rule) -> Rule:
        """The rule with those steps halved that matter, at points that the tables reach.

        Where all subjects are looked at, and have grids of their own, for those only who need it:
        a person unlike all others has a narrow likelihood far out, and hers would be everybody's.
        """
        layout, size = self.prepared.layout, len(rule.steps)
        fixed = replace(rule, anew=layout.units.continuous)
        before = self._logs(fixed, self.wide)
        changed = [self._logs(fixed.halved(e), self.wide) for e in range(size)]
        # Gaps between treatments of a finite game have no knots.
        if layout.shared or (fixed.anew and layout.sources()):
            between = rule if fixed.anew else replace(rule, knots=rule.knots / 2)
            changed.append(self._logs(between, self.wide))
        gaps = [(logs - before)[np.isfinite(logs - before).all(axis=1)] for logs in changed]
        errors = [gap.sum(axis=1).std() if gap.size else 0.0 for gap in gaps]
        single = layout.units.continuous and self.layout.subjects == layout.subjects
        made = replace(rule, cut=rule.cut + 2)
        for effect, error in enumerate(errors):
            if error >= 0.3 * max(errors):
                if effect < size:
                    made = made.halved(effect, _in_need(gaps[effect]) if single else None)
                else:
                    made = replace(made, knots=made.knots / 2)
        return made


def _in_need(gaps: np.ndarray) -> np.ndarray:
    """Whose changes, shape (points, subjects), are such that all others' together matter little."""
    order = gaps.std(axis=0).argsort()
    together = gaps[:, order].cumsum(axis=1).std(axis=0)
    few = np.maximum.accumulate(together) < _REST * AIM
    return np.isin(np.arange(order.size), order[~few])


def some_subjects(layout: Layout, most: int) -> np.ndarray:
    """Positions of some of the subjects, the same every time."""
    if layout.subjects <= most:
        return np.arange(layout.subjects)
    rng = np.random.default_rng(layout.subjects)
    return np.sort(rng.choice(layout.subjects, most, replace=False))
