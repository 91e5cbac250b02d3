"""Commands on files of trials: report, validate, fit."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trustbayes.cli.options import (
    DEFAULT_SAMPLING,
    DONE,
    NOT_CONVERGED,
    Invocation,
    Json,
    Quiet,
    RoleName,
    SamplingOptions,
    Whole,
    check_targets,
    exit_code,
    known_names,
    messages,
    pool,
    read_warned,
    watched,
)
from trustbayes.cli.printing import gate_table, print_json, print_tables
from trustbayes.cli.terminal import plain
from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import write_or_keep

if TYPE_CHECKING:
    import pandas as pd

    from trustbayes.games import Game
    from trustbayes.models import Model
    from trustbayes.trials.table import Trials

__all__ = ["fit", "report", "validate"]

Formulas = Annotated[list[str] | None, Parameter(negative="")]


def report(
    trials: Path | None = None,
    /,
    *,
    game: Path | None = None,
    models: str | None = None,
    out: Path = Path("reports/report.html"),
    sampling: SamplingOptions = DEFAULT_SAMPLING,
    fits: Path | None = None,
    assets: Path | None = None,
    formula: Formulas = None,
    people: Path | None = None,
    planted: Path | None = None,
    jobs: Whole | None = None,
    joint: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    kfold: Whole | None = None,
    show: Annotated[bool, Parameter(name="--open", negative="", show_default=False)] = False,
    policies: Path | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes report",
) -> int:
    """Fit every model, check, compare, and write the report.

    Example: `trustbayes report trials.csv --game game.toml --out report.html --fits fits`

    Parameters
    ----------
    trials : Path, optional
        CSV file of trials. Without it: the bundled simulated experiment.
    game : Path, optional
        Game file of the trials.
    models : str, optional
        Names with commas between, such as `trust-embedded,level-k`. Default: all but those that
        `trustbayes models` marks "on request".
    out : Path
        The report; its numbers are written beside it as JSON.
    fits : Path, optional
        Folder in which fits are kept; a run that was stopped goes on from there.
    assets : Path, optional
        Folder for every table as LaTeX and CSV and every figure as SVG and PDF.
    formula : list of str, optional
        Regressions on people and treatments in every model that has the parameter, such as
        `--formula "trust = 1 + crt" --formula "level = 1 + crt"`. The report then says what
        people's traits predict.
    people : Path, optional
        CSV file with the covariates of each subject that the trials lack.
    planted : Path, optional
        True parameters of simulated trials, as `trustbayes simulate` writes them.
    jobs : int, optional
        Number of processes that fit models side by side. Default: one for each core, at most 4.
    joint : bool
        Fit the trust-embedded models of both roles together, too, so that what senders expect
        draws on what receivers do.
    kfold : int, optional
        Also refit every model to all but one of so many parts of the subjects, and predict that;
        the verdict then asks whether these refits agree. Takes about so many times as long.
    show : bool
        Open the report in the browser when it is done.
    policies : Path, optional
        TOML file of policies, as `trustbayes policy` takes it: the report then says what would
        build trust.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    check_targets(out, fits=fits, assets=assets)
    data, known = _experiment(trials, game, planted, people)
    names = known_names(models, data.game)
    chosen = None if formula is None else _regressed(names, data.roles, data.game, formula)
    from trustbayes.analysis.analyse import analyse
    from trustbayes.report import write_report
    from trustbayes.simulation.policies import read_policies

    asked = () if policies is None else read_policies(policies)

    settings = sampling.sampling()
    with messages(quiet), pool(jobs, fresh=True) as executor:
        analysis = analyse(
            data,
            models=names if chosen is None else chosen,
            sampling=settings,
            fits=fits,
            planted=known,
            joint=joint,
            kfold=kfold,
            policies=asked,
            executor=executor,
            progress=watched(quiet),
        )
        write = partial(write_report, analysis, command=invocation, assets=assets)
        written = write_or_keep(write, out)
    verdicts = {
        role: {"winner": verdict.winner, "text": verdict.text}
        for role, verdict in analysis.verdicts.items()
    }
    if as_json:
        print_json(
            {
                "report": str(written.html),
                "results": str(written.results),
                "verdict": verdicts,
                "converged": analysis.converged,
            }
        )
    else:
        print(plain(written.summary))
        print(f"report: {written.html}\nresults: {written.results}")
    if show:
        webbrowser.open(written.html.absolute().as_uri())
    return DONE if analysis.converged else NOT_CONVERGED


def validate(
    trials: Path, /, *, game: Path, people: Path | None = None, as_json: Json = False
) -> int:
    """Check a file of trials against its game and say what is in it.

    Example: `trustbayes validate trials.csv --game game.toml`

    Parameters
    ----------
    trials : Path
        CSV file of trials.
    game : Path
        Game file of the trials.
    people : Path, optional
        CSV file with covariates of the subjects.
    as_json : bool
        Only JSON on standard output.
    """
    data = read_warned(trials, game, people)
    subjects = {role: len(data.subjects(role)) for role in data.roles}
    treatments = {name: data.conditions(name) for name in data.treatments}
    rounds = int(data.table["round"].nunique())
    if as_json:
        print_json(
            {
                "source": data.source,
                "checksum": data.checksum,
                "trials": len(data.table),
                "subjects": subjects,
                "rounds": rounds,
                "treatments": treatments,
                "exclusions": [asdict(rule) for rule in data.exclusions],
                "warnings": data.warnings,
                "notes": data.notes,
            }
        )
        return DONE
    named = " and ".join(f"{count} {role}s" for role, count in subjects.items())
    print(plain(f"{data.source}: {len(data.table)} trials of {named} in {rounds} rounds"))
    for name, conditions in treatments.items():
        print(plain(f"treatment {name}: {_in_words(conditions)}"))
    for rule in data.exclusions:
        whose = "" if rule.people is None else f" of {rule.people} people"
        print(plain(f"left out: {rule.rows} rows{whose} with {rule.column} {_which(rule.value)}"))
    return DONE


def fit(
    model: str,
    trials: Path,
    /,
    *,
    role: RoleName,
    game: Path,
    out: Path,
    formula: Formulas = None,
    people: Path | None = None,
    sampling: SamplingOptions = DEFAULT_SAMPLING,
    quiet: Quiet = False,
    as_json: Json = False,
) -> int:
    """Fit one model to the trials of one role and keep the fit as a file.

    Example: `trustbayes fit level-k trials.csv --role sender --game game.toml --out level-k.nc`

    Parameters
    ----------
    model : str
        A name that `trustbayes models` lists.
    trials : Path
        CSV file of trials.
    role : "sender" or "receiver"
        Whose choices.
    game : Path
        Game file of the trials.
    out : Path
        The fit, a NetCDF file.
    formula : list of str, optional
        Regressions on people and treatments, such as `--formula "trust = 1 + crt"`; may be
        repeated.
    people : Path, optional
        CSV file with the covariates of each subject that the trials lack.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    check_targets(out)
    data = read_warned(trials, game, people)
    known_names(model, data.game)
    from trustbayes.inference.fitting import fit as sample

    settings = sampling.sampling()
    chosen = _regressed([model], [role], data.game, formula)
    result = sample(chosen[0], data, settings, progress=watched(quiet))
    write_or_keep(result.save, out)
    if as_json:
        print_json({"fit": str(out), **result.gate.to_dict()})
    else:
        print_tables([gate_table({result.model.name: result})])
        print(f"fit: {out}")
    return exit_code([result])


def _regressed(
    names: Sequence[str] | None,
    roles: Sequence[RoleName],
    game: Game,
    formulas: Sequence[str] | None,
) -> list[Model]:
    """Models with each formula in those that have its parameter, at least one."""
    from trustbayes.models import model, model_names

    names = names or model_names(game.kind, by_default=True)

    given: dict[str, str] = {}
    for text in formulas or ():
        name, equal, right = text.partition("=")
        if not equal or not name.strip():
            raise InputError(Fault("--formula", text, "a parameter and its formula: trust = 1 + x"))
        if name.strip() in given:
            raise InputError(Fault("--formula", text, f"one formula of {name.strip()}"))
        given[name.strip()] = right.strip()
    plain = [
        model(name, role, game)
        for role in roles
        for name in names
        if name in model_names(game.kind, role=role)
    ]
    able = {p.name for model in plain for p in model.parameters if "subject" in p.varies}
    for name in given:
        if name not in able:
            raise InputError(Fault("--formula", name, suggestion(name, sorted(able))))
    return [
        model.replace(
            formulas={
                name: text
                for name, text in given.items()
                if name in {p.name for p in model.parameters if "subject" in model.varies[p.name]}
            }
        )
        for model in plain
    ]


def _experiment(
    trials: Path | None, game: Path | None, planted: Path | None, people: Path | None
) -> tuple[Trials, pd.DataFrame | None]:
    """The trials asked for, or the bundled ones, and the true parameters if there are any."""
    from trustbayes.simulation.simulate import read_parameters

    if trials is None:
        from trustbayes.trials.datasets import bundled

        for name, given in (("--game", game), ("--planted", planted), ("--people", people)):
            if given is not None:
                raise InputError(Fault(name, str(given), "also TRIALS, a CSV file of trials"))
        example = bundled()
        trials, game, planted = example.trials, example.game, example.parameters
    if game is None:
        raise InputError(Fault("--game", "", f"the game file of {trials}"))
    data = read_warned(trials, game, people)
    return data, None if planted is None else read_parameters(planted)


def _which(value: float | str) -> str:
    """What a column held in rows left out; a condition is in words already."""
    said = str(value)
    words = said.startswith(("below ", "above ", "equal to ", "a pair without"))
    return said if words else f"= {said}"


def _in_words(conditions: list[float] | dict[str, float]) -> str:
    """What sets a treatment apart: its biases, or values with names."""
    if isinstance(conditions, list):
        return f"bias {', '.join(f'{bias:g}' for bias in conditions)}"
    return ", ".join(f"{name.replace('_', ' ')} {v:g}" for name, v in conditions.items())
