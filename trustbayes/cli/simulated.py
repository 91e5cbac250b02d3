"""Commands on simulated experiments: calibrate, recover, design."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trustbayes.cli.options import (
    DONE,
    NOT_CONVERGED,
    Invocation,
    Json,
    Quiet,
    RoleName,
    check_target,
    frame_table,
    known_names,
    pool,
    print_json,
    print_tables,
    watched,
)
from trustbayes.errors import Fault, InputError
from trustbayes.files import records

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from trustbayes.inference.sampling import Sampling
    from trustbayes.simulation.experiments import Experiment

__all__ = ["calibrate", "design", "recover"]


def calibrate(
    model: str,
    /,
    *,
    role: RoleName,
    game: Path,
    subjects: int = 20,
    rounds: int = 20,
    simulations: int = 200,
    seed: int = 1,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    out: Path = Path("reports/calibration.html"),
    folder: Path | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes calibrate",
) -> int:
    """Calibrate a model by simulation: find out whether its intervals mean what they say.

    Parameters are drawn from the priors, an experiment is simulated and fitted, and the rank of
    what was planted among the posterior draws must be uniform, for parameters of the population and
    of subjects and for the log likelihood.

    Example: `trustbayes calibrate level-k --role receiver --game game.toml --folder simulations`

    Parameters
    ----------
    model : str
        A name that `trustbayes models` lists.
    role : "sender" or "receiver"
        Whose choices. Receivers are sent the messages of senders of the same model.
    game : Path
        Game file, with treatments.
    subjects : int
        Number of subjects.
    rounds : int
        Every subject plays every treatment, in blocks of rounds.
    simulations : int
        At least 20.
    seed : int
        Simulations have this seed and the following ones.
    draws : int, optional
        Kept draws of each chain.
    tune : int, optional
        Warm-up steps of each chain.
    chains : int, optional
        Number of chains.
    out : Path
        The report; its numbers are written beside it as JSON.
    folder : Path, optional
        Where the ranks of each simulation are kept; a run that was stopped goes on from there.
    jobs : int, optional
        Number of processes that fit side by side. Default: one for each core, at most 4.
    dask : str, optional
        Address of a Dask scheduler, such as tcp://host:8786, in place of processes here.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.report.studies import calibration_report
    from trustbayes.simulation.calibration import CALIBRATION_SAMPLING, calibrate as run

    check_target(out)
    experiment = _experiment(model, role, game, subjects, rounds)
    sampling = _sampling(CALIBRATION_SAMPLING, draws, tune, chains)
    with _workers(jobs, dask) as executor:
        found = run(
            experiment,
            simulations=simulations,
            seed=seed,
            sampling=sampling,
            folder=folder,
            executor=executor,
            progress=watched(quiet),
        )
    written = calibration_report(found, out, invocation)
    verdict = "passed" if found.passed else "FAILED"
    if as_json:
        tests = records(found.tests)
        _print_written(written, passed=found.passed, simulations=found.simulations, tests=tests)
    else:
        shown = found.tests[["quantity", "p_value", "threshold", "passed"]]
        shown = shown.assign(**{n: shown[n].map("{:.4f}".format) for n in ("p_value", "threshold")})
        print_tables([frame_table(f"Uniform ranks of each quantity: {verdict}", shown)])
        _print_written(written)
    return DONE if found.passed else NOT_CONVERGED


def recover(
    model: str,
    /,
    *,
    role: RoleName,
    game: Path,
    subjects: int = 30,
    rounds: str = "20,40",
    replications: int = 50,
    seed: int = 1,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    out: Path = Path("reports/recovery.html"),
    folder: Path | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes recover",
) -> int:
    """Plant parameters, simulate, and hold estimates against what was planted.

    Bias, root mean squared error, coverage of 50 and 90 % intervals and correlation, for parameters
    of the population and of subjects, by number of rounds.

    Example: `trustbayes recover trust-embedded --role sender --game game.toml --rounds 20,60`

    Parameters
    ----------
    model : str
        A name that `trustbayes models` lists.
    role : "sender" or "receiver"
        Whose choices. Receivers are sent the messages of senders of the same model.
    game : Path
        Game file, with treatments.
    subjects : int
        Number of subjects.
    rounds : str
        Numbers of rounds to try, with commas between.
    replications : int
        Experiments for each number of rounds.
    seed : int
        Experiments have this seed and the following ones.
    draws : int, optional
        Kept draws of each chain.
    tune : int, optional
        Warm-up steps of each chain.
    chains : int, optional
        Number of chains.
    out : Path
        The report; its numbers are written beside it as JSON.
    folder : Path, optional
        Where the estimates of each experiment are kept; a run that was stopped goes on from there.
    jobs : int, optional
        Number of processes that fit side by side. Default: one for each core, at most 4.
    dask : str, optional
        Address of a Dask scheduler, such as tcp://host:8786, in place of processes here.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.report.studies import recovery_report
    from trustbayes.simulation.recovery import RECOVERY_SAMPLING

    check_target(out)
    lengths = _numbers("--rounds", rounds)
    experiment = _experiment(model, role, game, subjects, lengths[0])
    sampling = _sampling(RECOVERY_SAMPLING, draws, tune, chains)
    with _workers(jobs, dask) as executor:
        found = run(
            experiment,
            rounds=lengths,
            replications=replications,
            seed=seed,
            sampling=sampling,
            folder=folder,
            executor=executor,
            progress=watched(quiet),
        )
    written = recovery_report(found, out, invocation)
    if as_json:
        _print_written(written, table=records(found.table))
    else:
        print_tables([frame_table("Planted against estimated", found.table)])
        _print_written(written)
    return DONE if not found.lost and not found.failures else NOT_CONVERGED


def design(
    *,
    game: Path,
    theories: str,
    subjects: str,
    rounds: str,
    role: Literal["sender", "receiver", "both"] = "both",
    each_treatment: bool = False,
    experiments: int = 20,
    seed: int = 1,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    out: Path = Path("reports/design.html"),
    folder: Path | None = None,
    jobs: int | None = None,
    dask: str | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes design",
) -> int:
    """Say how large an experiment must be to tell theories apart, before data are collected.

    Experiments of each size are simulated from each theory, all theories are fitted, and the
    verdict's rules decide which one is named.

    Example: `trustbayes design --game game.toml --theories trust-embedded,level-k
    --subjects 20,40,80 --rounds 20,40`

    Parameters
    ----------
    game : Path
        Game file, with treatments.
    theories : str
        Names with commas between.
    subjects : str
        Numbers of subjects to try, with commas between.
    rounds : str
        Numbers of rounds to try, with commas between.
    role : "sender", "receiver" or "both"
        Whose choices.
    each_treatment : bool
        Try experiments that play only one of the treatments, too.
    experiments : int
        Simulated for each theory, role and size.
    seed : int
        Experiments of each size have this seed and the following ones.
    draws : int, optional
        Kept draws of each chain.
    tune : int, optional
        Warm-up steps of each chain.
    chains : int, optional
        Number of chains.
    out : Path
        The report; its numbers are written beside it as JSON.
    folder : Path, optional
        Where the verdict on each experiment is kept; a run that was stopped goes on from there.
    jobs : int, optional
        Number of processes that fit side by side. Default: one for each core, at most 4.
    dask : str, optional
        Address of a Dask scheduler, such as tcp://host:8786, in place of processes here.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.games import read_game
    from trustbayes.report.studies import design_report
    from trustbayes.simulation.power import DESIGN_SAMPLING, design as run

    check_target(out)
    read = read_game(game)
    names = known_names(theories, read) or []
    sizes = _numbers("--subjects", subjects), _numbers("--rounds", rounds)
    sampling = _sampling(DESIGN_SAMPLING, draws, tune, chains)
    with _workers(jobs, dask) as executor:
        found = run(
            read,
            names,
            subjects=sizes[0],
            rounds=sizes[1],
            roles=("sender", "receiver") if role == "both" else (role,),
            each_treatment=each_treatment,
            experiments=experiments,
            seed=seed,
            sampling=sampling,
            folder=folder,
            executor=executor,
            progress=watched(quiet),
        )
    written = design_report(found, out, invocation)
    if as_json:
        _print_written(written, table=records(found.table))
    else:
        print_tables([frame_table("Experiments with the right verdict", found.table)])
        _print_written(written)
    unsampled = bool((found.experiments["reason"] != "").any())
    return NOT_CONVERGED if unsampled or found.failures else DONE


def _experiment(model: str, role: RoleName, game: Path, subjects: int, rounds: int) -> Experiment:
    from trustbayes.games import read_game
    from trustbayes.models import model as chosen
    from trustbayes.simulation.experiments import Experiment

    read = read_game(game)
    known_names(model, read)
    receiver = chosen(model, "receiver", read) if role == "receiver" else None
    experiment = Experiment(read, chosen(model, "sender", read), receiver, subjects, rounds)
    experiment.play(0)  # finds what is wrong with the numbers before any work
    return experiment


def _sampling(
    default: Sampling, draws: int | None, tune: int | None, chains: int | None
) -> Sampling:
    return replace(
        default,
        draws=default.draws if draws is None else draws,
        tune=default.tune if tune is None else tune,
        chains=default.chains if chains is None else chains,
    )


def _numbers(option: str, listed: str) -> list[int]:
    """Whole numbers between commas."""
    parts = [part.strip() for part in listed.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(Fault(option, listed, "whole numbers from 1, with commas between"))
    return sorted({int(part) for part in parts})


@contextmanager
def _workers(jobs: int | None, dask: str | None) -> Iterator[Executor]:
    """Processes here, or Dask's workers."""
    from trustbayes.inference.executors import dask_executor

    if dask is not None and jobs is not None:
        raise InputError(Fault("--jobs", str(jobs), "none with --dask, whose workers are counted"))
    with pool(jobs) if dask is None else dask_executor(dask) as executor:
        yield executor


def _print_written(written: Any, **found: Any) -> None:
    if found:
        print_json({"report": str(written.html), "results": str(written.results), **found})
    else:
        print(f"report: {written.html}\nresults: {written.results}")
