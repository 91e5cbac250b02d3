"""Where many fits are made: processes of this machine, or workers of a cluster."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from threading import Thread
from typing import Literal

from trustbayes.errors import Fault, InputError

__all__ = ["dask_executor", "process_pool"]

_RETRIES = 3  # of a fit whose worker died

_UNGUARDED = (
    "trustbayes: worker processes run the script that starts them once more. Put what starts them "
    'below the line\n    if __name__ == "__main__":'
)
_START: Literal["forkserver", "spawn"] = "forkserver" if sys.platform == "linux" else "spawn"


def process_pool(jobs: int, *, fresh: bool = False) -> Executor:
    """Worker processes on this machine, for `run_fits`.

    Processes know nothing of the one that starts them, which is safe with threads, so a script
    that uses them needs ``if __name__ == "__main__":``. Each fit samples as many chains at a time
    as there are cores for each process.

    Parameters
    ----------
    jobs : int
        Number of processes, from 1 to the number of cores.
    fresh : bool
        Whether each fit has a process of its own. Compiled code is never freed, up to 50 MB for a
        model, so this keeps memory small where models differ; where they are alike, a process that
        goes on need not compile them again.

    Returns
    -------
    concurrent.futures.Executor
        To be used in a ``with`` statement.

    Raises
    ------
    InputError
        If there are more jobs than cores, or none.
    """
    if getattr(current_process(), "_inheriting", False):  # a worker that runs the script again
        print(_UNGUARDED, file=sys.stderr, flush=True)  # forkserver swallows what exits say
        sys.exit(1)
    cores = os.cpu_count() or 1
    if not 1 <= jobs <= cores:
        expected = f"a whole number from 1 to {cores}, the number of cores"
        raise InputError(Fault("jobs", str(jobs), expected))
    return _Pool(jobs, cores // jobs, fresh)


@contextmanager
def dask_executor(address: str) -> Iterator[Executor]:
    """Dask's workers, for `run_fits`; needs the extra ``distributed``.

    Workers must have the package and see the folder of the fits under the same path. Each task has
    one core: start workers with one thread each. A worker that dies takes its fits with it; they
    are made again elsewhere.

    Parameters
    ----------
    address : str
        Of the scheduler, such as ``tcp://host:8786``.

    Yields
    ------
    concurrent.futures.Executor

    Raises
    ------
    InputError
        If the extra is not installed, or no scheduler answers there.

    Examples
    --------
    >>> with dask_executor("tcp://host:8786") as executor:  # doctest: +SKIP
    ...     fits = run_fits(tasks, Path("fits"), executor)
    """
    try:
        from distributed import Client
    except ImportError:
        expected = "the extra trustbayes[distributed], which is not installed"
        raise InputError(Fault("dask", address, expected)) from None
    try:
        # Not the default of this process: files are written here, whatever becomes of the cluster.
        client = Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(Fault("dask", address, "the address of a running scheduler")) from error
    with client:
        yield client.get_executor(pure=False, retries=_RETRIES)


class _Pool(ProcessPoolExecutor):
    """A process pool that knows how many cores each of its fits may use."""

    def __init__(self, jobs: int, cores: int, fresh: bool) -> None:
        context = get_context(_START)
        if _START == "forkserver":
            # One process imports the package; workers are copies of it, and share its memory.
            context.set_forkserver_preload([__name__])
        super().__init__(
            jobs,
            mp_context=context,
            initializer=_end_with_parent,
            max_tasks_per_child=1 if fresh else None,
        )
        self.cores = cores


def _end_with_parent() -> None:
    """Make a worker end when the process that started it is killed; else it would wait on."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()
