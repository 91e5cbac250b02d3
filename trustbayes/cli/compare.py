"""Commands on what models predict: compare, holdout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trustbayes.cli.named_fits import load_named
from trustbayes.cli.options import (
    DEFAULT_SAMPLING,
    DONE,
    NOT_CONVERGED,
    Json,
    Quiet,
    RoleName,
    SamplingOptions,
    Whole,
    exit_code,
    known_names,
    messages,
    pool,
    read_warned,
    watched,
)
from trustbayes.cli.printing import frame_table, gate_table, print_json, print_tables
from trustbayes.errors import Fault, InputError
from trustbayes.files import check_folder, plain, records

if TYPE_CHECKING:
    from trustbayes.comparison import HeldOut
    from trustbayes.inference.fit import Fit
    from trustbayes.trials.table import Trials

__all__ = ["compare", "holdout"]

_SHOWN = [
    "model", "elpd", "se", "elpd_diff", "dse", "other_sign", "p", "weight", "weight_bma", "warning",
]  # fmt: skip


def compare(
    *fits: str,
    unit: Literal["subject", "group", "trial"] = "subject",
    kfold: Whole | None = None,
    trials: Path | None = None,
    game: Path | None = None,
    people: Path | None = None,
    folder: Path | None = None,
    jobs: Whole | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Compare fits of the same trials by what they predict.

    Example: `trustbayes compare trust-embedded.nc level-k.nc wide=level-k-wide.nc`

    Parameters
    ----------
    fits : str
        Files that `trustbayes fit` wrote, all of one role: FILE, or NAME=FILE to tell apart fits of
        one theory.
    unit : "subject", "group" or "trial"
        What is predicted: all trials of a new subject, or of a new matching group (PSIS
        leave-one-out of whole people), or a new trial of a known subject (PSIS-LOO and WAIC).
    kfold : int, optional
        Also refit every model to all but one of so many parts of the subjects, or groups, and
        predict that. Sampled as the first fit was; needs the trials again.
    trials : Path, optional
        CSV file of the trials, for the k-fold.
    game : Path, optional
        Game file of the trials, for the k-fold.
    people : Path, optional
        CSV file with the covariates that the models' formulas name, for the k-fold.
    folder : Path, optional
        Where the k-fold's fits are kept; one that was stopped goes on from there.
    jobs : int, optional
        Number of processes that refit side by side. Default: one for each core, at most 4.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.comparison import verdict
    from trustbayes.comparison.compare import CRITERIA, UNITS, compare as compare_fits

    if folder is not None:
        check_folder(folder, "--folder")
    named = load_named(fits)
    loaded = list(named.values())
    if kfold is None:
        given = {"--trials": trials, "--game": game, "--people": people}
        _only_for_kfold({**given, "--folder": folder, "--jobs": jobs})
    data = None if kfold is None else _trials_of_kfold(loaded, unit, trials, game, people)
    comparison = compare_fits(named, unit)
    held = None
    if data is not None and kfold is not None and unit != "trial":
        from trustbayes.comparison import kfold as refit

        with messages(quiet), pool(jobs) as executor:
            settings = loaded[0].sampling
            held = refit(
                {name: fit.model for name, fit in named.items()},
                data,
                unit,
                kfold,
                settings,
                seed=settings.seed,
                folder=folder,
                executor=executor,
                progress=watched(quiet),
            )
    judgement = verdict(comparison, named, held)
    code = max(exit_code(loaded), _code_of(held))
    table = comparison.table
    if as_json:
        gates = {name: fit.gate.to_dict() for name, fit in named.items()}
        written = {"comparison": records(table), "verdict": plain(asdict(judgement)), "gate": gates}
        print_json(written | ({} if held is None else {"kfold": _held_out(held)}))
        return code
    tables = [
        frame_table(
            f"{rows['criterion'].iloc[0].upper()}: {UNITS[rows['unit'].iloc[0]]}", rows[_SHOWN]
        )
        for name in UNITS
        for criterion in CRITERIA[name]
        if len(rows := table[table["unit"].eq(name) & table["criterion"].eq(criterion)])
    ]
    if held is not None:
        tables.append(frame_table(held.split, held.totals().rename_axis("model").reset_index()))
    print_tables([*tables, gate_table(named)])
    if held is not None:
        _print_doubts(held)
    print(judgement.text)
    return code


def holdout(
    trials: Path,
    /,
    *,
    game: Path,
    models: str,
    role: RoleName,
    after_round: Whole | None = None,
    treatment: str | None = None,
    sampling: SamplingOptions = DEFAULT_SAMPLING,
    folder: Path | None = None,
    jobs: Whole | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Predict later rounds from earlier ones, or one treatment from the others, by real refits.

    Example: `trustbayes holdout trials.csv --game game.toml --models trust-embedded,level-k
    --role sender --after-round 30`

    Parameters
    ----------
    trials : Path
        CSV file of trials.
    game : Path
        Game file of the trials.
    models : str
        Names with commas between, such as `trust-embedded,level-k`.
    role : "sender" or "receiver"
        Whose choices.
    after_round : int, optional
        Learn from rounds up to this one and predict the later ones.
    treatment : str, optional
        Learn from all other treatments and predict this one. Give either this or a round.
    folder : Path, optional
        Where fits are kept; a run that was stopped goes on from there.
    jobs : int, optional
        Number of processes that fit models side by side. Default: one for each core, at most 4.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.comparison import hold_out
    from trustbayes.models import model as chosen

    if folder is not None:
        check_folder(folder, "--folder")
    data = read_warned(trials, game)
    names = known_names(models, data.game) or []
    with messages(quiet), pool(jobs) as executor:
        held = hold_out(
            [chosen(name, role, data.game) for name in names],
            data,
            after_round=after_round,
            treatment=treatment,
            sampling=sampling.sampling(),
            folder=folder,
            executor=executor,
            progress=watched(quiet),
        )
    if as_json:
        print_json(_held_out(held))
        return _code_of(held)
    print_tables([frame_table(held.split, held.totals().rename_axis("model").reset_index())])
    _print_doubts(held)
    return _code_of(held)


def _only_for_kfold(options: dict[str, Path | int | None]) -> None:
    """Refuse options that would do nothing."""
    faults = [
        Fault(name, str(given), "also --kfold, which alone needs it")
        for name, given in options.items()
        if given is not None
    ]
    if faults:
        raise InputError(faults)


def _trials_of_kfold(
    fits: Sequence[Fit],
    unit: str,
    trials: Path | None,
    game: Path | None,
    people: Path | None,
) -> Trials:
    """The trials that a k-fold needs, which are those of the fits."""
    from trustbayes.comparison import Basis

    faults = [
        Fault(name, "", f"{what}, which a k-fold needs again")
        for name, given, what in (
            ("--trials", trials, "the CSV file of the trials"),
            ("--game", game, "their game file"),
        )
        if given is None
    ]
    if unit == "trial":
        faults.append(Fault("--unit", unit, "subject or group, which a k-fold leaves out"))
    if faults or trials is None or game is None:
        raise InputError(faults)
    data = read_warned(trials, game, people)
    for fit in fits[:1]:
        basis = Basis.of_trials(data, fit.model.role)
        faults = basis.faults(str(trials), Basis.of_fit(fit), f"the fit of {fit.model.name}")
    if faults:
        raise InputError(faults)
    return data


def _code_of(held: HeldOut | None) -> int:
    return NOT_CONVERGED if held is not None and held.failed else DONE


def _held_out(held: HeldOut) -> dict[str, Any]:
    """Held-out scores, JSON-safe."""
    return {
        "split": held.split,
        "role": held.role,
        "unit": held.unit,
        "totals": records(held.totals().rename_axis("model").reset_index()),
        "scores": records(held.table),
        "failed": list(held.failed),
        "unreliable": list(held.unreliable),
    }


def _print_doubts(held: HeldOut) -> None:
    for failed in held.failed:
        print(f"not converged: {failed}")
    for unreliable in held.unreliable:
        print(f"unreliable score, likely too low: {unreliable}")
