"""Likelihoods of subjects at nodes, stored row by row: what stays when the population changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from trustbayes.inference.engines.population.axes import Axes
from trustbayes.inference.engines.population.splines import Knots, Shifts

__all__ = ["Direct", "Parts", "Rows", "Source", "Tables", "joined"]


class Direct(Protocol):
    """Log likelihoods that are worked out anew for every population, of some rows' nodes."""

    def logs(self, exposures: Mapping[str, np.ndarray]) -> np.ndarray:
        """Log likelihood at the nodes, shape (nodes,)."""
        ...

    def pullback(self, weight: np.ndarray) -> Mapping[str, np.ndarray]:
        """Slopes in the exposures last given, of the sum of logs with these weights."""
        ...


@dataclass(frozen=True, eq=False)
class Source:
    """Where tables are read by what one parameter exposes trials to.

    Parameters
    ----------
    name : str
    knots : Knots or Shifts
    first : int
        Position of the source's first exposure among those of all sources.
    """

    name: str
    knots: Knots | Shifts
    first: int


@dataclass(frozen=True, eq=False)
class Parts:
    """Trials with an exposure, by row.

    Parameters
    ----------
    row, exposure : array of int, shape (parts,)
        Rows increase; exposures count over all sources.
    tables : sequence of array
        Spline coefficients of each part; the six that a node reads follow each other.
    spot : array of int, shape (nodes,)
        Which coefficient of a part's table a node reads first, were that the first of all knots.
    """

    row: np.ndarray
    exposure: np.ndarray
    tables: Sequence[np.ndarray]
    spot: np.ndarray

    @classmethod
    def none(cls, size: np.ndarray) -> Parts:
        """No trials with an exposure, in rows of so many nodes."""
        nothing = np.zeros(0, dtype=int)
        return cls(nothing, nothing, (), np.zeros(size.sum(), int))

    @classmethod
    def at_knots(
        cls, row: np.ndarray, exposure: np.ndarray, tables: Sequence[np.ndarray], size: np.ndarray
    ) -> Parts:
        """Tables of shape (nodes of the row, knots)."""
        start = np.concatenate([[0], np.cumsum(size)])
        local = np.arange(start[-1]) - np.repeat(start[:-1], size)
        return cls(row, exposure, tables, local * (tables[0].shape[1] if tables else 0))


@dataclass(frozen=True, eq=False)
class Rows:
    """Subjects under one type.

    Parameters
    ----------
    size : array of int, shape (subjects,)
        Number of nodes of each.
    logs : array, shape (nodes,)
        Log likelihood of trials without exposure, and the log weight that nodes have besides that
        of their axes.
    place : mapping of int to array of int, shape (nodes,)
        By position of the effect, the entry of its axis.
    axis : mapping of int to array of int, shape (subjects,)
        By position of the effect, which of its axes each subject has.
    parts : Parts
        Its rows are the subjects.
    direct : Direct or None
    """

    size: np.ndarray
    logs: np.ndarray
    place: Mapping[int, np.ndarray]
    axis: Mapping[int, np.ndarray]
    parts: Parts
    direct: Direct | None = None


@dataclass(frozen=True, eq=False)
class Tables:
    """All types' rows, joined for the kernels; see `trustbayes...kernels.log_marginals`.

    Parameters
    ----------
    subjects, types : int
        There are subjects times types rows, those of a type follow each other.
    axes : tuple of Axes
        By effect.
    sources : tuple of Source
    effect_of : array of int, shape (types, coordinates)
        The effect of each coordinate of a type's rows; -1 where there is none.
    start, logs, place, offset, spot, part_start, part_exposure, part_base, table : array
    direct : sequence of (slice of nodes, Direct)
    """

    subjects: int
    types: int
    axes: tuple[Axes, ...]
    sources: tuple[Source, ...]
    effect_of: np.ndarray
    start: np.ndarray
    logs: np.ndarray
    place: np.ndarray
    offset: np.ndarray
    spot: np.ndarray
    part_start: np.ndarray
    part_exposure: np.ndarray
    part_base: np.ndarray
    table: np.ndarray
    direct: Sequence[tuple[slice, Direct]] = field(default=())

    @property
    def nodes_per_row(self) -> float:
        """Mean number of nodes."""
        return self.logs.size / max(1, len(self.start) - 1)

    @property
    def bytes(self) -> int:
        """Of the arrays that grow with the number of subjects."""
        parts: list[Any] = [self.logs, self.place, self.table, self.offset, self.spot]
        return int(sum(part.nbytes for part in parts))

    @property
    def axis_start(self) -> np.ndarray:
        """Where each effect's entries begin among all log densities, and their number."""
        return np.concatenate([[0], np.cumsum([a.origin.size * a.size for a in self.axes])])


def joined(
    rows: Sequence[Rows], axes: Sequence[Axes], sources: Sequence[Source], dtype: Any = float
) -> Tables:
    """Join the rows of all types.

    Parameters
    ----------
    rows : sequence of Rows
        One for each type.
    axes : sequence of Axes
        One for each effect.
    sources : sequence of Source
    dtype : dtype
        Of the tables: float32 halves the memory.

    Returns
    -------
    Tables
    """
    subjects = rows[0].size.size
    start = np.concatenate([[0], np.cumsum(np.concatenate([r.size for r in rows]))])
    begins = np.concatenate([[0], np.cumsum([a.origin.size * a.size for a in axes])])
    width = max(max((len(r.place) for r in rows), default=0), 1)
    place = np.zeros((width, start[-1]), dtype=np.int32)
    offset = np.full((len(rows) * subjects, width), -1, dtype=np.int64)
    effect_of = np.full((len(rows), width), -1)
    exposure, base, counts, tables, direct = [], [], [], [], []
    used = 0
    for k, part in enumerate(rows):
        first, last = start[k * subjects], start[(k + 1) * subjects]
        mine = slice(k * subjects, (k + 1) * subjects)
        for c, (effect, places) in enumerate(part.place.items()):
            place[c, first:last] = places
            effect_of[k, c] = effect
            offset[mine, c] = begins[effect] + part.axis[effect] * axes[effect].size
        exposure.append(part.parts.exposure)
        sizes = np.array([table.size for table in part.parts.tables], dtype=np.int64)
        base.append(used + np.cumsum(sizes) - sizes)
        used += int(sizes.sum())
        tables += [np.asarray(table, dtype=dtype).reshape(-1) for table in part.parts.tables]
        counts.append(np.bincount(part.parts.row, minlength=subjects))
        if part.direct is not None:
            direct.append((slice(int(first), int(last)), part.direct))
    return Tables(
        subjects=subjects,
        types=len(rows),
        axes=tuple(axes),
        sources=tuple(sources),
        effect_of=effect_of,
        start=start.astype(np.int64),
        logs=np.concatenate([r.logs for r in rows]).astype(dtype),
        place=place,
        offset=offset,
        spot=np.concatenate([r.parts.spot for r in rows]).astype(np.int32),
        part_start=np.concatenate([[0], np.cumsum(np.concatenate(counts))]).astype(np.int64),
        part_exposure=np.concatenate(exposure).astype(np.int64),
        part_base=np.concatenate(base).astype(np.int64),
        table=np.concatenate(tables) if tables else np.zeros(1, dtype=dtype),
        direct=tuple(direct),
    )
