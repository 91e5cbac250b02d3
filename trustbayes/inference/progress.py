"""What a running fit shows: a bar over its chains, divergences and the effective sample size."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["TimeLeft", "Watch", "bar", "smallest_ess"]

_SECONDS = 0.2
_SHARE = 0.02
"""Of the time that looking at the draws so far may take."""
_LONGEST = 5.0
"""Seconds between two such looks; the first takes longest, because it compiles."""
_LEAST = 20
"""Draws of each chain before there is anything to say of them."""
_FEW = 50
"""Entries of a parameter of the population; there are more subjects."""
_MANY = 5000
"""Coordinates of a model whose draws are not copied just to be looked at."""
_COLUMNS = (
    TextColumn("draws"),
    TextColumn("divergences: {task.fields[divergent]}"),
    TextColumn("ESS: {task.fields[ess]}"),
)


def bar(*columns: TextColumn, show: bool) -> Progress:
    """A bar on standard error, with the time spent and left, and further columns."""
    first, *more = columns
    return Progress(
        first,
        BarColumn(),
        MofNCompleteColumn(),
        *more,
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True, force_jupyter=False),
        disable=not show,
    )


class TimeLeft:
    """How long the rest of many pieces of work will take, by how long those before it took.

    Parameters
    ----------
    sizes : sequence of float
        Of the pieces: how long each takes next to the others.

    Examples
    --------
    >>> left = TimeLeft([4.0, 1.0])
    >>> left.after(4.0).endswith("1 of 2, less than a minute left"), left.after(1.0)
    (True, '2 of 2')
    """

    def __init__(self, sizes: Sequence[float]) -> None:
        self._pieces, self._done = len(sizes), 0
        self._size, self._size_done = sum(sizes), 0.0
        self._start = time.perf_counter()

    def after(self, size: float) -> str:
        """What to say when a piece of that size is done."""
        self._done += 1
        self._size_done += size
        said = f"{self._done} of {self._pieces}"
        if self._done == self._pieces:
            return said
        each = (time.perf_counter() - self._start) / self._size_done
        minutes = round((self._size - self._size_done) * each / 60)
        return f"{said}, {f'about {minutes} min' if minutes else 'less than a minute'} left"


class Watch:
    """Waits for a sampler that runs in the background, and shows how far it is.

    Parameters
    ----------
    steps : int
        Of all chains, warm-up included.
    tune : int
        Warm-up steps of each chain.
    show : bool
    """

    def __init__(self, steps: int, tune: int, show: bool) -> None:
        self._steps, self._tune, self._show = steps, tune, show
        self._chains: Sequence[Any] = ()

    def notice(self, chains: Sequence[Any]) -> None:
        """Take note of each chain's progress: what the sampler calls, from a thread of its own."""
        self._chains = chains

    def wait(self, sampler: Any, dimension: int) -> Any:
        """The sampler's draws when it is done.

        Parameters
        ----------
        sampler : nutpie's background sampler
        dimension : int
            Number of the model's coordinates.

        Raises
        ------
        KeyboardInterrupt
            If interrupted; the sampler is stopped, and what it has drawn so far is not given as if
            it were all.
        """
        try:
            if self._show:
                self._watch(sampler, dimension <= _MANY)
            return sampler.wait()
        except BaseException:
            sampler.cancel()
            raise

    def _watch(self, sampler: Any, look: bool) -> None:
        size = "…" if look else "not shown for so many subjects"
        due = time.perf_counter() + 1
        with bar(*_COLUMNS, show=True) as shown:
            row = shown.add_task("draws", total=self._steps, divergent=0, ess=size)
            finished = False
            while not finished:
                time.sleep(_SECONDS)
                finished, started = _finished(sampler), time.perf_counter()
                kept = max((chain.finished_draws for chain in self._chains), default=0) - self._tune
                if look and kept >= _LEAST and (finished or started >= due):
                    smallest = smallest_ess(sampler.inspect()["posterior"].to_dataset())
                    size = f"{smallest:.0f}" if np.isfinite(smallest) else size
                    now = time.perf_counter()
                    due = now + min(max(1.0, (now - started) / _SHARE), _LONGEST)
                done = sum(chain.finished_draws for chain in self._chains)
                divergent = sum(chain.divergences for chain in self._chains)
                shown.update(row, completed=done, divergent=divergent, ess=size)


def _finished(sampler: Any) -> bool:
    """Whether it is; nutpie raises while it is not, in place of saying so."""
    try:
        return bool(sampler.is_finished)
    except TimeoutError:
        return False


def smallest_ess(posterior: xr.Dataset) -> float:
    """The smallest bulk effective sample size of the population's parameters so far.

    Parameters
    ----------
    posterior : xarray.Dataset
        With dimensions chain and draw; draws to come are NaN. Chains that have less than half as
        many as the longest are left out.

    Returns
    -------
    float
        NaN if no parameter varies, or there are too few draws to say.
    """
    few = [
        name
        for name, draws in posterior.data_vars.items()
        if draws.dtype.kind == "f" and np.prod(draws.shape[2:]) <= _FEW
    ]
    if not few:
        return float("nan")
    made = posterior[few[0]].notnull().all(set(posterior[few[0]].dims) - {"chain", "draw"})
    counts = made.sum("draw").to_numpy()
    chains = np.flatnonzero(2 * counts >= counts.max())
    draws = int(counts[chains].min())
    if draws < _LEAST:
        return float("nan")
    sizes = az.ess(posterior[few].isel(chain=chains, draw=slice(draws)), method="bulk")
    values = np.concatenate([array.to_numpy().reshape(-1) for array in sizes.data_vars.values()])
    return float(np.nanmin(values)) if np.isfinite(values).any() else float("nan")
