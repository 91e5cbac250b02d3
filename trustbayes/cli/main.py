"""The command line: every command is one call into the package.

Exit codes: 0 done, 2 bad input, 3 done but some model did not converge, 130 interrupted. Results
go to standard output, messages and progress to standard error. What is heavy to import is imported
by the commands that need it.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, CycloptsError, Parameter

from trustbayes.cli import compare as comparecommands, simulated as simcommands
from trustbayes.cli.options import (
    BAD_INPUT,
    DEFAULT_SAMPLING,
    DONE,
    INTERRUPTED,
    NOT_CONVERGED,
    Invocation,
    Json,
    KindName,
    Quiet,
    RoleName,
    SamplingOptions,
    add_row,
    check_target,
    empty_table,
    exit_code,
    gate_json,
    gate_table,
    known_names,
    messages,
    pool,
    print_json,
    print_tables,
    read_warned,
    watched,
)
from trustbayes.errors import Fault, InputError, suggestion
from trustbayes.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

    from trustbayes.games import Game
    from trustbayes.models import Model
    from trustbayes.trials.table import Trials

__all__ = ["main"]

Formulas = Annotated[list[str] | None, Parameter(negative="")]


def _version() -> str:
    from importlib.metadata import version

    return version("trustbayes")


app = App(
    name="trustbayes",
    help=(
        "Bayesian models of trust and strategic thinking in cheap-talk experiments.\n\n"
        "Example: `trustbayes report trials.csv --game game.toml --out report.html`"
    ),
    help_format="markdown",
    version=_version,
)


def main(tokens: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    tokens : sequence of str, optional
        Default: those of the command line.

    Returns
    -------
    int
        The exit code.
    """
    tokens = sys.argv[1:] if tokens is None else list(tokens)
    try:
        command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
        own = {"invocation": shlex.join(["trustbayes", *tokens])} if "invocation" in ignored else {}
        return command(*bound.args, **bound.kwargs, **own) or DONE
    except (CycloptsError, InputError) as error:
        print(f"trustbayes: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("trustbayes: interrupted", file=sys.stderr)
        return INTERRUPTED


@app.command
def report(
    trials: Path | None = None,
    /,
    *,
    game: Path | None = None,
    models: str | None = None,
    out: Path = Path("reports/report.html"),
    sampling: SamplingOptions = DEFAULT_SAMPLING,
    fits: Path | None = None,
    formula: Formulas = None,
    people: Path | None = None,
    planted: Path | None = None,
    jobs: int | None = None,
    joint: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    kfold: int | None = None,
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
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    check_target(out)
    data, known = _experiment(trials, game, planted, people)
    names = known_names(models, data.game)
    chosen = None if formula is None else _regressed(names, data.roles, data.game, formula)
    from trustbayes.analysis.analyse import analyse
    from trustbayes.report import write_report

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
            executor=executor,
            progress=watched(quiet),
        )
        written = write_report(analysis, out, command=invocation)
    verdicts = {
        role: {"winner": one.winner, "text": one.text} for role, one in analysis.verdicts.items()
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
        for one in verdicts.values():
            print(one["text"])
        print(f"report: {written.html}\nresults: {written.results}")
    return DONE if analysis.converged else NOT_CONVERGED


@app.command
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
            }
        )
        return DONE
    named = " and ".join(f"{count} {role}s" for role, count in subjects.items())
    print(f"{data.source}: {len(data.table)} trials of {named} in {rounds} rounds")
    for name, conditions in treatments.items():
        print(f"treatment {name}: {_in_words(conditions)}")
    for rule in data.exclusions:
        print(f"left out: {rule.rows} rows with {rule.column} = {rule.value}")
    return DONE


@app.command
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
    check_target(out)
    data = read_warned(trials, game, people)
    known_names(model, data.game)
    from trustbayes.inference.fitting import fit as sample

    settings = sampling.sampling()
    chosen = _regressed([model], [role], data.game, formula)
    result = sample(chosen[0], data, settings, progress=watched(quiet))
    result.save(out)
    if as_json:
        print_json({"fit": str(out), **gate_json(result)})
    else:
        print_tables([gate_table([result])])
        print(f"fit: {out}")
    return exit_code([result])


@app.command
def simulate(
    model: str,
    /,
    *,
    role: Literal["sender", "receiver", "both"],
    game: Path,
    subjects: int,
    rounds: int,
    seed: int,
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
    check_target(out)
    from trustbayes.games import read_game
    from trustbayes.models import model as chosen
    from trustbayes.simulation.simulate import simulate as play

    played_game = read_game(game)
    known_names(model, played_game)
    played = play(
        played_game,
        sender=chosen(model, "sender", played_game),
        receiver=None if role == "sender" else chosen(model, "receiver", played_game),
        subjects=subjects,
        rounds=rounds,
        seed=seed,
        between=between,
    )
    if role == "receiver":
        played = played.without_senders()
    beside = out.with_name(f"{out.stem}.parameters.csv")
    write_whole({out: _csv(played.trials), beside: _csv(played.parameters)})
    if as_json:
        print_json({"trials": str(out), "parameters": str(beside)})
    else:
        print(f"trials: {out}\nparameters: {beside}")
    return DONE


@app.command
def models(
    name: str | None = None,
    /,
    *,
    role: RoleName | None = None,
    kind: KindName | None = None,
    as_json: Json = False,
) -> int:
    """List the models with their parameters, default priors and sources, or describe one.

    Example: `trustbayes models level-k --role sender`

    Parameters
    ----------
    name : str, optional
        A model to describe: what depends on what, every prior written out, all conventions.
    role : "sender" or "receiver", optional
        Only models of their choices.
    kind : "finite" or "forecast-sharing", optional
        Only models for this kind of game.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.models import SPECS, Model, model_names

    if name is not None and name not in model_names(kind):
        raise InputError(Fault("model", name, suggestion(name, model_names(kind))))
    chosen = [
        spec
        for spec in SPECS
        if name in (None, spec.name) and role in (None, spec.role) and kind in (None, spec.kind)
    ]
    if name is not None:
        found = [Model(spec).describe() for spec in chosen]
        if as_json:
            print_json([one.to_dict() for one in found])
        else:
            print("\n\n\n".join(map(str, found)))
        return DONE
    if as_json:
        print_json([_declared(spec) for spec in chosen])
        return DONE
    tables = []
    for spec in chosen:
        table = empty_table(f"{spec.name}, {spec.role}, {spec.kind} game")
        request = "" if spec.by_default else " On request."
        table.caption = f"{spec.description}{request} {spec.citation}."
        for heading in ("parameter", "meaning", "varies by", "default prior"):
            table.add_column(heading)
        for p in spec.parameters:
            add_row(table, f"{p.symbol}  {p.name}", p.meaning, ", ".join(p.varies), str(p.prior))
        for c in spec.conventions:
            choices = ", ".join(map(str, c.choices)) or "a whole number from 0"
            add_row(table, f"convention {c.name}", c.meaning, "", choices)
        tables.append(table)
    print_tables(tables)
    return DONE


for _command in (
    comparecommands.compare,
    comparecommands.holdout,
    simcommands.calibrate,
    simcommands.recover,
    simcommands.design,
):
    app.command(_command)

datasets = App(name="datasets", help="List the data sets, or fetch one.")
app.command(datasets)


@datasets.default
def list_datasets(*, as_json: Json = False) -> int:
    """List the data sets that come with the package or can be fetched.

    Example: `trustbayes datasets`

    Parameters
    ----------
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.trials.datasets import BUNDLED, DATASETS, bundled

    found = [
        {"name": own.name, "from": "bundled", "game": str(own.game), "is": own.description}
        for own in map(bundled, BUNDLED)
    ]
    found += [
        {"name": d.name, "from": d.url, "game": str(d.game), "is": d.description}
        for d in DATASETS.values()
    ]
    if as_json:
        print_json(found)
    else:
        for one in found:
            source = "bundled" if one["from"] == "bundled" else f"datasets fetch {one['name']}"
            print(f"{one['name']} ({source}): {one['is']}\n  game: {one['game']}")
    return DONE


@datasets.command
def fetch(name: str, /, *, as_json: Json = False) -> int:
    """Download a public data set and write it as a file of trials.

    Example: `trustbayes datasets fetch ioannidis-2024`

    Parameters
    ----------
    name : str
        A name that `trustbayes datasets` lists.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.trials.datasets import DATASETS, fetch as download

    trials = download(name)
    game = DATASETS[name].game
    if as_json:
        print_json({"trials": str(trials), "game": str(game)})
    else:
        print(f"trials: {trials}\ngame: {game}")
    return DONE


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
    able = {one.name for each in plain for one in each.parameters if "subject" in one.varies}
    for name in given:
        if name not in able:
            raise InputError(Fault("--formula", name, suggestion(name, sorted(able))))
    return [
        one.but(
            formulas={
                name: text
                for name, text in given.items()
                if name in {p.name for p in one.parameters if "subject" in one.varies[p.name]}
            }
        )
        for one in plain
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
        own = bundled()
        trials, game, planted = own.trials, own.game, own.parameters
    if game is None:
        raise InputError(Fault("--game", "", f"the game file of {trials}"))
    data = read_warned(trials, game, people)
    return data, None if planted is None else read_parameters(planted)


def _in_words(conditions: list[float] | dict[str, float]) -> str:
    """What sets a treatment apart: its biases, or values with names."""
    if isinstance(conditions, list):
        return f"bias {', '.join(f'{bias:g}' for bias in conditions)}"
    return ", ".join(f"{name.replace('_', ' ')} {v:g}" for name, v in conditions.items())


def _csv(table: pd.DataFrame) -> str:
    return str(table.to_csv(index=False, lineterminator="\n"))


def _declared(spec: Any) -> dict[str, Any]:
    """A model's declaration, JSON-safe."""
    return {
        **{key: getattr(spec, key) for key in ("name", "role", "kind", "title", "description")},
        "citation": spec.citation,
        "parameters": [
            {**vars(parameter), "prior": parameter.prior.to_dict()} for parameter in spec.parameters
        ],
        "conventions": [asdict(convention) for convention in spec.conventions],
    }
