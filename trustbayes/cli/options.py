"""What the commands share: options, exit codes, and how things are printed.

Results go to standard output, messages and progress to standard error. What is heavy to import is
imported by the commands that need it.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from trustbayes.cli.terminal import PlainFormatter, plain
from trustbayes.errors import Fault, InputError, suggestion

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd
    from rich.table import Table

    from trustbayes.games import Game
    from trustbayes.inference.fit import Fit
    from trustbayes.inference.sampling import Sampling
    from trustbayes.trials.table import Trials

__all__ = [
    "BAD_INPUT",
    "DEFAULT_SAMPLING",
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "NOT_CONVERGED",
    "Invocation",
    "Json",
    "KindName",
    "Quiet",
    "RoleName",
    "SamplingOptions",
    "add_row",
    "empty_table",
    "exit_code",
    "frame_table",
    "gate_json",
    "gate_table",
    "known_names",
    "messages",
    "pool",
    "print_json",
    "print_tables",
    "read_warned",
    "watched",
]

DONE, FAILED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130

RoleName = Literal["sender", "receiver"]
KindName = Literal["finite", "forecast-sharing"]
Json = Annotated[bool, Parameter(name="--json", negative="", show_default=False)]
Quiet = Annotated[bool, Parameter(negative="", show_default=False)]
Invocation = Annotated[str, Parameter(parse=False)]


@Parameter(name="*")
@dataclass(frozen=True)
class SamplingOptions:
    """How to sample.

    Parameters
    ----------
    draws : int
        Kept draws of each chain.
    tune : int
        Warm-up steps of each chain.
    chains : int
        Number of chains.
    seed : int
        The same seed gives the same draws.
    method : str
        The sampler, or an approximation, faster with thousands of subjects, on which no verdict
        rests.
    """

    draws: int = 1000
    tune: int = 500
    chains: int = 4
    seed: int = 20110601
    method: Literal["nuts", "laplace", "advi"] = "nuts"

    def sampling(self) -> Sampling:
        """The package's own form."""
        from trustbayes.inference.sampling import Sampling

        return Sampling(**asdict(self))


MOST_JOBS = min(4, os.cpu_count() or 1)
"""Processes of about one gigabyte each that fit models side by side unless told otherwise."""


DEFAULT_SAMPLING = SamplingOptions()


def known_names(listed: str | None, game: Game) -> list[str] | None:
    """The model names between commas, all of them known for the kind of game."""
    if listed is None:
        return None
    from trustbayes.models import model_names

    names = [name.strip() for name in listed.split(",")]
    known = model_names(game.kind)
    faults = [
        Fault("model", name or "an empty name", suggestion(name, known))
        for name in names
        if name not in known
    ]
    faults += [
        Fault("model", name, "every model once")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]
    if faults:
        raise InputError(faults)
    return names


@contextmanager
def messages(quiet: bool = False) -> Iterator[None]:
    """What the package logs, on standard error; quietly, from warnings on."""
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    logger = logging.getLogger("trustbayes")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


def watched(quiet: bool) -> bool:
    """Whether somebody is there to see progress."""
    return not quiet and sys.stderr.isatty()


def print_json(value: Any) -> None:
    """Print a result for machines."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def pool(jobs: int | None, *, fresh: bool = False) -> Executor:
    """Where models are fitted side by side, see `trustbayes.inference.executors.process_pool`."""
    from trustbayes.inference.executors import process_pool

    return process_pool(MOST_JOBS if jobs is None else jobs, fresh=fresh)


def frame_table(title: str, rows: pd.DataFrame) -> Table:
    """A table of a frame, for people."""
    table = empty_table(title)
    for name in rows:
        table.add_column(str(name))
    for row in rows.itertuples(index=False):
        add_row(table, *(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row))
    return table


def empty_table(title: str) -> Table:
    """A table without columns or rows yet."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    return Table(
        title=Text(plain(title)), box=box.SIMPLE, title_justify="left", caption_justify="left"
    )


def add_row(table: Table, *cells: str) -> None:
    """Cells as they stand: brackets in names are no markup."""
    from rich.text import Text

    table.add_row(*(Text(plain(cell), overflow="fold") for cell in cells))


def print_tables(tables: Sequence[Table]) -> None:
    """Print tables for people."""
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)


def read_warned(trials: Path, game: Path, people: Path | None = None) -> Trials:
    """Trials, with their warnings and what was recognised in their files said."""
    from trustbayes.trials.table import read_trials

    data = read_trials(trials, game, people)
    for sentence in data.notes:
        print(plain(f"note: {sentence}"), file=sys.stderr)
    for sentence in data.warnings:
        print(f"warning: {sentence}", file=sys.stderr)
    return data


def exit_code(fits: Sequence[Fit]) -> int:
    """Whether every fit converged."""
    return DONE if all(not one.gate.failed for one in fits) else NOT_CONVERGED


def gate_json(one: Fit) -> dict[str, Any]:
    """A fit's checks, JSON-safe."""
    checks = [
        {
            **asdict(check),
            "value": check.value if math.isfinite(check.value) else None,
            "passed": check.passed,
        }
        for check in one.gate.checks
    ]
    near = {"approximation": one.gate.approximation} if one.gate.approximation else {}
    return {"passed": one.gate.passed, **near, "checks": checks}


def gate_table(fits: Mapping[str, Fit]) -> Table:
    """All checks of all fits, by the names that results call them by."""
    near = {one.gate.approximation for one in fits.values()} - {""}
    title = f"Not draws from the posterior: {', '.join(sorted(near))}" if near else "Convergence"
    table = empty_table(title)
    for heading in ("model", "check", "value", "needed", "passed", "worst at"):
        table.add_column(heading)
    for name, one in fits.items():
        for check in one.gate.checks:
            needed = f"{'at most' if check.at_most else 'at least'} {check.threshold:g}"
            passed = "yes" if check.passed else "NO"
            add_row(table, name, check.name, f"{check.value:.4g}", needed, passed, check.worst)
    return table
