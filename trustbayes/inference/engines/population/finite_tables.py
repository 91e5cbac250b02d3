"""Tables of a finite game: choice probabilities at common nodes once, people by their counts.

Nodes lie on one even grid over all values that matter, and what the theory says there is worked
out once for all people. In a treatment that lies a gap away from where a subject's values are
taken, she is read on the same grid, moved by the gap.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.layout import Layout
from trustbayes.inference.engines.population.rule import Neighbourhood, Rule
from trustbayes.inference.engines.population.selection import selected
from trustbayes.inference.engines.population.sources import knots_of, sources_of
from trustbayes.inference.engines.population.tables import Source, Tables, joined
from trustbayes.inference.engines.population.type_table import TypeTable

__all__ = ["finite_tables"]

_RANGE = {"positive": (-16.0, 9.0), "unit": (-10.0, 10.0), "real": (-12.0, 12.0)}
"""Of axes, on the scale of the link: beyond it choices are as at its ends."""


def finite_tables(
    layout: Layout, rule: Rule, near: Neighbourhood | None = None, dtype: Any = float
) -> Tables:
    """Tabulate the likelihoods of a finite game's trials.

    Parameters
    ----------
    layout : Layout
    rule : Rule
    near : Neighbourhood, optional
        Nodes are kept that matter in these populations; default: wherever a subject is likely.
    dtype : dtype
        Of the tables.

    Returns
    -------
    Tables
    """
    axes = tuple(_axes(layout, e, rule) for e in range(len(layout.effects)))
    relevant = {kind: sources_of(layout, kind) for kind in layout.kinds}
    sources: dict[str, Source] = {}
    for name in dict.fromkeys(n for names in relevant.values() for n in _splined(layout, names)):
        first = sum(s.knots.exposures for s in sources.values())
        sources[name] = Source(name, knots_of(layout, name, rule, near), first)
    types = []
    for kind in layout.kinds:
        splined = _splined(layout, relevant[kind])
        source = sources[splined[0]] if splined else None
        anew = relevant[kind] if not splined else ()
        types.append(TypeTable(layout, kind, axes, source, anew))
    kept = selected(types, near, rule.cut)
    rows = [
        table.rows(subject, node) if not table.anew else table.rows_anew()
        for table, (subject, node) in zip(types, kept, strict=True)
    ]
    return joined(rows, axes, list(sources.values()), dtype)


def _splined(layout: Layout, names: tuple[str, ...]) -> tuple[str, ...]:
    """The source that can be interpolated in, if it is the only one."""
    simple = len(names) == 1 and getattr(layout.sources()[names[0]], "simple", True)
    return names if simple else ()


def _axes(layout: Layout, position: int, rule: Rule) -> Axes:
    effect = layout.effects[position]
    if effect.parameter.option:  # integrated otherwise
        none = np.zeros(1)
        return Axes(none, none + 1, 1, np.zeros(1, int), none > 0, none > 0, np.zeros(1, int))
    low, high = _RANGE[effect.parameter.support]
    step = rule.steps[position]
    if effect.by_subject:
        count = layout.subjects
    else:
        count = len(layout.units.treatments) if effect.by_treatment else 1
    full, cells = np.ones(count, dtype=bool), 2 * int(np.ceil((high - low) / step / 2))
    return Axes(
        origin=np.full(count, low + rule.shift * step),
        step=np.full(count, step),
        size=cells + 1,
        location_of=effect.location_of if effect.by_subject else np.arange(count),
        open_low=full,
        open_high=full,
        last=np.full(count, cells),
    )
