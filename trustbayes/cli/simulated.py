"""Commands on simulated experiments: simulate, calibrate, recover, design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trustbayes.cli.options import (
    DEFAULT_STUDY,
    DONE,
    NOT_CONVERGED,
    Invocation,
    Json,
    RoleName,
    StudyOptions,
    Whole,
    check_targets,
    known_names,
)
from trustbayes.cli.printing import frame_table, print_json, print_tables
from trustbayes.cli.terminal import plain
from trustbayes.errors import Fault, InputError
from trustbayes.files import csv_text, records, write_or_keep, write_whole

if TYPE_CHECKING:
    from trustbayes.games import Game
    from trustbayes.models import Model
    from trustbayes.simulation.experiments import Experiment

__all__ = ["calibrate", "design", "recover", "simulate"]


def simulate(
    model: str,
    /,
    *,
    role: Literal["sender", "receiver", "both"],
    game: Path,
    subjects: Whole,
    rounds: Whole,
    seed: Whole,
    out: Path,
    between: bool = False,
    as_json: Json = False,
) -> int:
    """Simulate an experiment whose subjects behave as a model says.

    Parameters are drawn from the model's priors and written beside the trials. Receivers are sent
    the messages of senders of the same model.

    Example: `trustbayes simulate level-k --role both --game game.toml --subjects 32 --rounds 60
    --seed 1 --out trials.csv`

    Parameters
    ----------
    model : str
        A name that `trustbayes models` lists.
    role : "sender", "receiver" or "both"
        Whose choices to write.
    game : Path
        Game file, with treatments.
    subjects : int
        Number of senders, and of receivers.
    rounds : int
        Every subject plays every treatment, in blocks of rounds.
    between : bool
        Every subject plays one treatment instead, in all rounds.
    seed : int
        The same seed gives the same files.
    out : Path
        The trials, a CSV file; NAME.csv gets its parameters in NAME.parameters.csv beside it.
    as_json : bool
        Only JSON on standard output.
    """
    check_targets(out)
    from trustbayes.games import read_game
    from trustbayes.models import model as chosen
    from trustbayes.simulation.simulate import simulate as play

    played_game = read_game(game)
    known_names(model, played_game)
    played = play(
        played_game,
        sender=_sender(model, played_game, role == "sender"),
        receiver=None if role == "sender" else chosen(model, "receiver", played_game),
        subjects=subjects,
        rounds=rounds,
        seed=seed,
        between=between,
    )
    if role == "receiver":
        played = played.without_senders()
    beside = out.with_name(f"{out.stem}.parameters.csv")
    write_whole(
        {out: csv_text(played.trials, out.name), beside: csv_text(played.parameters, beside.name)}
    )
    if as_json:
        print_json({"trials": str(out), "parameters": str(beside)})
    else:
        print(f"trials: {out}\nparameters: {beside}")
    return DONE


def calibrate(
    model: str,
    /,
    *,
    role: RoleName,
    game: Path,
    subjects: Whole = 20,
    rounds: Whole = 20,
    simulations: Whole = 200,
    out: Path = Path("reports/calibration.html"),
    study: StudyOptions = DEFAULT_STUDY,
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
    out : Path
        The report; its numbers are written beside it as JSON.
    """
    from trustbayes.report.studies import study_report
    from trustbayes.simulation.calibration import CALIBRATION_SAMPLING, calibrate as run

    check_targets(out, folder=study.folder)
    experiment = _experiment(model, role, game, subjects, rounds)
    sampling = study.sampling(CALIBRATION_SAMPLING)
    with study.running() as how:
        calibration = run(
            experiment,
            simulations=simulations,
            sampling=sampling,
            **how,
        )
    written = write_or_keep(lambda path: study_report(calibration, path, invocation), out)
    verdict = "passed" if calibration.passed else "FAILED"
    if study.as_json:
        tests = records(calibration.tests)
        _print_written(
            written, passed=calibration.passed, simulations=calibration.simulations, tests=tests
        )
    else:
        shown = calibration.tests[["quantity", "p_value", "threshold", "passed"]]
        shown = shown.assign(**{n: shown[n].map("{:.4f}".format) for n in ("p_value", "threshold")})
        print_tables([frame_table(f"Uniform ranks of each quantity: {verdict}", shown)])
        _print_written(written)
    return DONE if calibration.passed else NOT_CONVERGED


def recover(
    model: str,
    /,
    *,
    role: RoleName,
    game: Path,
    subjects: Whole = 30,
    rounds: str = "20,40",
    replications: Whole = 50,
    out: Path = Path("reports/recovery.html"),
    study: StudyOptions = DEFAULT_STUDY,
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
    out : Path
        The report; its numbers are written beside it as JSON.
    """
    from trustbayes.report.studies import study_report
    from trustbayes.simulation.recovery import RECOVERY_SAMPLING, recovery_study

    check_targets(out, folder=study.folder)
    lengths = _numbers("--rounds", rounds)
    experiment = _experiment(model, role, game, subjects, lengths[0])
    sampling = study.sampling(RECOVERY_SAMPLING)
    with study.running() as how:
        recovery = recovery_study(
            experiment,
            rounds=lengths,
            replications=replications,
            sampling=sampling,
            **how,
        )
    written = write_or_keep(lambda path: study_report(recovery, path, invocation), out)
    if study.as_json:
        _print_written(written, table=records(recovery.table))
    else:
        print_tables([frame_table("Planted against estimated", recovery.table)])
        _print_written(written)
    return DONE if not recovery.lost and not recovery.failures else NOT_CONVERGED


def design(
    *,
    game: Path,
    theories: str,
    subjects: str,
    rounds: str,
    role: Literal["sender", "receiver", "both"] = "both",
    each_treatment: bool = False,
    experiments: Whole = 20,
    out: Path = Path("reports/design.html"),
    study: StudyOptions = DEFAULT_STUDY,
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
    out : Path
        The report; its numbers are written beside it as JSON.
    """
    from trustbayes.games import read_game
    from trustbayes.report.studies import study_report
    from trustbayes.simulation.power import DESIGN_SAMPLING, design as run

    check_targets(out, folder=study.folder)
    read = read_game(game)
    names = known_names(theories, read) or []
    sizes = _numbers("--subjects", subjects), _numbers("--rounds", rounds)
    sampling = study.sampling(DESIGN_SAMPLING)
    with study.running() as how:
        power = run(
            read,
            names,
            subjects=sizes[0],
            rounds=sizes[1],
            roles=None if role == "both" else (role,),
            each_treatment=each_treatment,
            experiments=experiments,
            sampling=sampling,
            **how,
        )
    written = write_or_keep(lambda path: study_report(power, path, invocation), out)
    if study.as_json:
        _print_written(written, table=records(power.table))
    else:
        print_tables([frame_table("Experiments with the right verdict", power.table)])
        _print_written(written)
    unsampled = bool((power.experiments["reason"] != "").any())
    return NOT_CONVERGED if unsampled or power.failures else DONE


def _experiment(model: str, role: RoleName, game: Path, subjects: int, rounds: int) -> Experiment:
    from trustbayes.games import read_game
    from trustbayes.models import model as chosen
    from trustbayes.simulation.experiments import Experiment

    read = read_game(game)
    known_names(model, read)
    receiver = chosen(model, "receiver", read) if role == "receiver" else None
    experiment = Experiment(
        read, _sender(model, read, role == "sender"), receiver, subjects, rounds
    )
    experiment.play(0)  # finds what is wrong with the numbers before any work
    return experiment


def _sender(name: str, game: Game, asked: bool) -> Model | None:
    """The model of those who send messages; none where recommendations come from the game."""
    from trustbayes.models import model as chosen

    return chosen(name, "sender", game) if asked or "sender" in game.roles else None


def _numbers(option: str, listed: str) -> list[int]:
    """Whole numbers between commas."""
    parts = [part.strip() for part in listed.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(Fault(option, listed, "whole numbers from 1, with commas between"))
    return sorted({int(part) for part in parts})


def _print_written(written: Any, **figures: Any) -> None:
    if figures:
        print_json({"report": str(written.html), "results": str(written.results), **figures})
    else:
        print(plain(written.summary))
        print(f"report: {written.html}\nresults: {written.results}")
