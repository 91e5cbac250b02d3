"""Many fits, one mechanism: here or on an executor, each a file, none repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    as_completed,
    wait,
)
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from rich.progress import TextColumn

from trustbayes.errors import Fault, InputError, WorkFailed
from trustbayes.files import check_folder, expanded
from trustbayes.inference.choice import settled
from trustbayes.inference.fit import Fit, load_fit
from trustbayes.inference.fitting import fit
from trustbayes.inference.progress import TimeLeft, bar
from trustbayes.inference.records import fit_key
from trustbayes.inference.sampling import Sampling
from trustbayes.inference.travel import check_travel
from trustbayes.models import Model, model_from_dict
from trustbayes.trials.table import Trials

__all__ = ["Failure", "FitTask", "FitsFailed", "Task", "iter_fits", "run_fits", "size_of"]

_log = logging.getLogger(__name__)

_CIRCUMSTANCES = (BrokenExecutor, CancelledError, OSError, MemoryError, InputError)
_WORKER_DIED = "too little memory ends a worker, or a script that starts it without a guard"


class Task[Result](Protocol):
    """Work that fits models and ends in one file: of given trials, or of trials yet to be made."""

    @property
    def key(self) -> str:
        """Content hash: the same inputs have the same key."""
        ...

    @property
    def file(self) -> str:
        """Name of the file."""
        ...

    @property
    def label(self) -> str:
        """What is done, for messages."""
        ...

    @property
    def source(self) -> str:
        """Where the trials come from, for messages."""
        ...

    @property
    def size(self) -> float:
        """About how long it takes, next to other work."""
        ...

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker: a function and its first arguments, which can be pickled.

        It is called with them, the path of the file and a number of cores, and writes the file
        whole.
        """
        ...

    def make(self, path: Path | None, progress: bool) -> Result:
        """Do it here, and write the file if there is a path."""
        ...

    def read(self, path: Path) -> Result:
        """The result from its file.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        ...

    def check_travel(self) -> None:
        """Refuse what other processes cannot be given.

        Raises
        ------
        InputError
        """
        ...


def size_of(model: Model, trials: Trials) -> float:
    """About how long a fit takes: of six parameters some twenty times as long as of one."""
    return float(len(trials.table) * len(model.parameters) ** 2)


@dataclass(frozen=True, eq=False)
class FitTask:
    """One fit to be made: what to fit, to what, and how to sample.

    Parameters
    ----------
    model : Model
    trials : Trials
        With the model's role.
    sampling : Sampling

    Raises
    ------
    InputError
        If the trials lack the model's role or what its formulas name, or are of another kind of
        game.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> FitTask(tb.FullTrust("receiver"), trials, Sampling()).label
    'full-trust, receiver (lapse=False)'
    """

    model: Model
    trials: Trials
    sampling: Sampling

    def __post_init__(self) -> None:
        self.model.check_kind(self.trials.game)
        if self.model.role not in self.trials.roles:
            raise InputError(Fault(self.trials.source, "", f"trials of the {self.model.role}"))
        if self.model.formulas:  # whose faults should not show after other fits were made
            self.model.fixed_to(self.model.fold(self.trials))
        settled(self.model, self.trials, self.sampling)

    @cached_property
    def key(self) -> str:
        """Content hash: the same inputs have the same key."""
        return fit_key(self.model, self.trials, self.sampling)

    @property
    def file(self) -> str:
        """Name of the fit's file."""
        return f"{self.model.role}-{self.model.name}-{self.key[:16]}.nc"

    @property
    def label(self) -> str:
        """Model, role and the conventions that have an effect, for messages."""
        chosen = self.model.effective_conventions(self.trials.game).items()
        settings = ", ".join(f"{name}={value}" for name, value in chosen)
        return f"{self.model.name}, {self.model.role}" + (f" ({settings})" if settings else "")

    @property
    def source(self) -> str:
        """What the trials are called."""
        return self.trials.source

    @property
    def size(self) -> float:
        """About how long it takes, next to other fits."""
        return size_of(self.model, self.trials)

    @property
    def job(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        """What travels to a worker, see `Task.job`."""
        return _fit_to_file, (self.model.to_dict(), self.trials, self.sampling)

    def make(self, path: Path | None, progress: bool) -> Fit:
        """Fit the model here, and keep the fit if there is a path."""
        made = fit(self.model, self.trials, self.sampling, progress=progress)
        if path is not None:
            made.save(path)
        return made

    def read(self, path: Path) -> Fit:
        """The fit from its file, see `trustbayes.inference.fit.load_fit`."""
        return load_fit(path, self.trials.game, self.model.priors, self.model.spec)

    def check_travel(self) -> None:
        """Refuse payoffs and priors that are Python functions, and theories unknown elsewhere."""
        game = self.trials.game
        check_travel(game, [self.model], f"{self.trials.source}, game {game.name}", self.label)


@dataclass(frozen=True, eq=False)
class Failure:
    """A fit that could not be made.

    Parameters
    ----------
    task : Task
    error : Exception
        That stopped it.
    """

    task: Task[Any]
    error: Exception

    @property
    def reason(self) -> str:
        """Kind of the error and what it said."""
        reason = f"{type(self.error).__name__}: {self.error}"
        if isinstance(self.error, BrokenExecutor):
            reason += f" ({_WORKER_DIED})"
        return reason

    @property
    def circumstantial(self) -> bool:
        """Whether a worker, a file or the memory failed, not the fit: it can do another time."""
        dask = type(self.error).__module__.startswith("distributed")  # it lost its workers
        return dask or isinstance(self.error, _CIRCUMSTANCES)

    def __str__(self) -> str:
        return f"{self.task.label}, {self.task.source}: {self.reason}"


class FitsFailed(WorkFailed):
    """Some fits could not be made; all others were.

    Parameters
    ----------
    failures : sequence of Failure
    fits : sequence of results or None
        From `run_fits`: in the order of its tasks, None where there is no fit.
    folder : Path, optional
        Where the other fits are.
    """

    def __init__(
        self, failures: Sequence[Failure], fits: Sequence[Any] = (), folder: Path | None = None
    ) -> None:
        self.failures, self.fits, self.folder = tuple(failures), tuple(fits), folder
        reasons: dict[str, list[Failure]] = {}
        for failure in self.failures:
            reasons.setdefault(failure.reason, []).append(failure)
        lines = [f"{len(self.failures)} of the fits failed:"]
        for reason, (first, *more) in reasons.items():
            others = f", and {len(more)} more" if more else ""
            lines.append(f"{first.task.label}, {first.task.source}{others}: {reason}")
        if folder is not None:
            lines.append(f"all others are in {folder}, from which the same command goes on")
        super().__init__("\n".join(lines))


def run_fits[Result](
    tasks: Sequence[Task[Result]],
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> list[Result]:
    """Make many fits.

    Parameters
    ----------
    tasks : sequence of FitTask or of other `Task`
        Equal ones are done once.
    folder : Path, optional
        Where each fit is kept, whole, as a file by its key. A fit whose file is there is read
        and not repeated, so that a run that was stopped or killed goes on where it was; a file
        that cannot be read is replaced.
    executor : concurrent.futures.Executor, optional
        Where the fits are made: `process_pool` on this machine, Dask's ``Client.get_executor()``
        on a cluster, whose workers must see the folder (without one, that of temporary files).
        Default: here, one after the other. The numbers are the same everywhere.
    progress : bool
        Whether to show a bar: over the fits, or over the draws where there is one fit only.

    Returns
    -------
    list of Fit, or of what the tasks give
        In the order of the tasks.

    Raises
    ------
    FitsFailed
        At the end, if any fit could not be made, with every reason and the other fits.
    InputError
        If an executor is given and a game's payoffs or a prior are Python functions, which do not
        travel.

    Examples
    --------
    >>> import trustbayes as tb
    >>> data = tb.bundled("simulated-finite")
    >>> trials = tb.read_trials(data.trials, data.game)
    >>> models = tb.TrustEmbedded("sender"), tb.LevelK("sender")
    >>> tasks = [FitTask(model, trials, Sampling()) for model in models]
    >>> with process_pool(2) as pool:  # doctest: +SKIP
    ...     fits = run_fits(tasks, Path("fits"), pool)
    """
    results: list[Any] = [None] * len(tasks)
    try:
        for position, result in iter_fits(tasks, folder, executor, progress):
            results[position] = result
    except FitsFailed as error:
        raise FitsFailed(error.failures, results, error.folder) from error.__cause__
    return results


def iter_fits[Result](
    tasks: Sequence[Task[Result]],
    folder: Path | None = None,
    executor: Executor | None = None,
    progress: bool = True,
) -> Iterator[tuple[int, Result]]:
    """Make many fits and give each as soon as it is there, so that not all need be held.

    Parameters
    ----------
    tasks, folder, executor, progress
        As for `run_fits`.

    Yields
    ------
    position : int
        Of the task.
    fit : Fit, or what the task gives

    Raises
    ------
    FitsFailed, InputError
        As `run_fits`; what has been given is not repeated in the error.
    """
    if folder is not None:
        folder = expanded(folder)
        check_folder(folder, "folder of the fits")
    if executor is not None:
        for task in tasks:
            task.check_travel()
    where: dict[str, list[int]] = {}
    for position, task in enumerate(tasks):
        where.setdefault(task.key, []).append(position)
    failures: dict[int, Failure] = {}
    cause: Exception | None = None
    several = progress and (len(where) > 1 or executor is not None)
    with bar(TextColumn("fits"), show=several) as shown:
        row = shown.add_task("fits", total=len(where))
        for key, result in _results(
            {key: tasks[positions[0]] for key, positions in where.items()},
            folder,
            executor,
            progress and len(where) == 1,
        ):
            shown.advance(row)
            if isinstance(result, Exception):
                first = where[key][0]
                failures[first] = Failure(tasks[first], result)
                _log.error("failed: %s", failures[first])
                cause = cause or result
                continue
            for position in where[key]:
                yield position, result
    if failures:
        raise FitsFailed([failures[first] for first in sorted(failures)], folder=folder) from cause


def _results[Result](
    tasks: Mapping[str, Task[Result]],
    folder: Path | None,
    executor: Executor | None,
    progress: bool,
) -> Iterator[tuple[str, Result | Exception]]:
    """Each result, or why there is none, by its key: those read first."""
    todo = {}
    for key, task in tasks.items():
        result = _read(task, folder)
        if result is None:
            todo[key] = task
        else:
            yield key, result
    if executor is None:
        yield from _here(todo, folder, progress)
    elif todo:
        yield from _elsewhere(todo, folder, executor)


def _read[Result](task: Task[Result], folder: Path | None) -> Result | None:
    """The result from its file; None if there is none, or it cannot be read."""
    if folder is None or not (folder / task.file).exists():
        return None
    _log.info("reading the fit of %s", task.label)
    try:
        return task.read(folder / task.file)
    except InputError as error:
        _log.warning("fitting again what could not be read: %s", error)
        return None


def _here[Result](
    tasks: Mapping[str, Task[Result]], folder: Path | None, progress: bool
) -> Iterator[tuple[str, Result | Exception]]:
    left = TimeLeft([task.size for task in tasks.values()])
    for key, task in tasks.items():
        _log.info("fitting %s", task.label)
        result: Result | Exception
        try:
            result = task.make(None if folder is None else folder / task.file, progress)
            _log.info("fitted %s: %s", task.label, left.after(task.size))
        except Exception as error:
            result = error
        yield key, result


def _elsewhere[Result](
    tasks: Mapping[str, Task[Result]], folder: Path | None, executor: Executor
) -> Iterator[tuple[str, Result | Exception]]:
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="trustbayes-")))
        largest_first = sorted(tasks.items(), key=lambda item: -item[1].size)
        keys = {_submit(executor, task, place): key for key, task in largest_first}
        stack.callback(_stop, keys)
        left = TimeLeft([task.size for task in tasks.values()])
        for future in as_completed(keys):
            task, path = tasks[keys[future]], place / tasks[keys[future]].file
            result: Result | Exception
            try:
                future.result()
                result = task.read(path)
                _log.info("fitted %s: %s", task.label, left.after(task.size))
            except Exception as error:
                result = error
            if folder is None:
                path.unlink(missing_ok=True)
            yield keys[future], result


def _submit(executor: Executor, task: Task[Any], folder: Path) -> Future[None]:
    function, arguments = task.job
    path, cores = folder / task.file, getattr(executor, "cores", 1)
    try:
        return executor.submit(function, *arguments, path, cores)
    except BrokenExecutor as error:  # a worker died while others were being submitted
        future: Future[None] = Future()
        future.set_exception(error)
        return future


def _stop(futures: Mapping[Future[None], str]) -> None:
    """Begin no more fits, and wait for those that run: their folder may go."""
    wait([future for future in futures if not future.cancel()])


def _fit_to_file(
    form: Mapping[str, Any], trials: Trials, sampling: Sampling, path: Path, cores: int
) -> None:
    """What a worker does; the fit comes back as its file."""
    fit(model_from_dict(form), trials, sampling, progress=False, cores=cores).save(path)
