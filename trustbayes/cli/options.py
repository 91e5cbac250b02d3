"""What the commands share: their options, exit codes, and where they work and say so.

What is heavy to import is imported by the commands that need it.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, Token

from trustbayes.cli.terminal import PlainFormatter, plain
from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import check_file, check_folder

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from trustbayes.games import Game
    from trustbayes.inference.fit import Fit
    from trustbayes.inference.sampling import Sampling
    from trustbayes.trials.table import Trials

__all__ = [
    "BAD_INPUT",
    "DEFAULT_SAMPLING",
    "DEFAULT_STUDY",
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
    "StudyOptions",
    "Whole",
    "check_targets",
    "exit_code",
    "known_names",
    "messages",
    "pool",
    "read_warned",
    "watched",
]

DONE, FAILED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 1, 2, 3, 130

RoleName = Literal["sender", "receiver"]
KindName = Literal["finite", "forecast-sharing", "interval", "recommendation"]
Json = Annotated[bool, Parameter(name="--json", negative="", show_default=False)]
Quiet = Annotated[bool, Parameter(negative="", show_default=False)]
Invocation = Annotated[str, Parameter(parse=False)]


def _whole(_: object, tokens: Sequence[Token]) -> int:
    """A whole number as it stands; cyclopts would round others in silence."""
    try:
        return int(tokens[0].value)
    except ValueError:
        raise ValueError(f"found {tokens[0].value!r}, expected a whole number") from None


Whole = Annotated[int, Parameter(converter=_whole)]


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
        population integrates subjects out and samples the population alone; nuts samples all
        together; auto is the first wherever it can fit the model.
    """

    draws: Whole = 1000
    tune: Whole = 500
    chains: Whole = 4
    seed: Whole = 20110601
    method: Literal["auto", "population", "nuts"] = "auto"

    def sampling(self) -> Sampling:
        """The package's own form."""
        from trustbayes.inference.sampling import Sampling

        return Sampling(**asdict(self))


@Parameter(name="*")
@dataclass(frozen=True)
class StudyOptions:
    """How to make a study of simulated experiments, and where.

    Parameters
    ----------
    seed : int
        Simulated experiments have this seed and the following ones.
    draws : int, optional
        Kept draws of each chain.
    tune : int, optional
        Warm-up steps of each chain.
    chains : int, optional
        Number of chains.
    folder : Path, optional
        Where what each experiment says is kept; a run that was stopped goes on from there.
    jobs : int, optional
        Number of processes that fit side by side. Default: one for each core, at most 4.
    dask : str, optional
        Address of a Dask scheduler, such as tcp://host:8786, in place of processes here.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """

    seed: Whole = 1
    draws: Whole | None = None
    tune: Whole | None = None
    chains: Whole | None = None
    folder: Path | None = None
    jobs: Whole | None = None
    dask: str | None = None
    quiet: Quiet = False
    as_json: Json = False

    def sampling(self, default: Sampling) -> Sampling:
        """A study's way to sample, but for what is asked."""
        asked: dict[str, Any] = {"draws": self.draws, "tune": self.tune, "chains": self.chains}
        return replace(default, **{n: value for n, value in asked.items() if value is not None})

    @contextmanager
    def running(self) -> Iterator[dict[str, Any]]:
        """What every study is given to run by, while its workers are there."""
        from trustbayes.inference.executors import dask_executor

        if self.dask is not None and self.jobs is not None:
            expected = "none with --dask, whose workers are counted"
            raise InputError(Fault("--jobs", str(self.jobs), expected))
        workers = pool(self.jobs) if self.dask is None else dask_executor(self.dask)
        with workers as executor:
            yield {
                "seed": self.seed,
                "folder": self.folder,
                "executor": executor,
                "progress": watched(self.quiet),
            }


MOST_JOBS = min(4, os.cpu_count() or 1)
"""Processes of about one gigabyte each that fit models side by side unless told otherwise."""


DEFAULT_SAMPLING = SamplingOptions()
DEFAULT_STUDY = StudyOptions()


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


def check_targets(out: Path | None = None, **folders: Path | None) -> None:
    """Find out before the work whether results can be written; leaves nothing there.

    Parameters
    ----------
    out : Path, optional
        What ``--out`` names.
    **folders : Path or None
        What options of their names do.
    """
    if out is not None:
        check_file(out, "--out")
    for name, folder in folders.items():
        if folder is not None:
            check_folder(folder, f"--{name}")


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


def pool(jobs: int | None, *, fresh: bool = False) -> Executor:
    """Where models are fitted side by side, see `trustbayes.inference.executors.process_pool`."""
    from trustbayes.inference.executors import process_pool

    return process_pool(MOST_JOBS if jobs is None else jobs, fresh=fresh)


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
    return DONE if all(not fit.gate.failed for fit in fits) else NOT_CONVERGED
