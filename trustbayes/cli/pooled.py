"""The command on several experiments: pool."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from trustbayes.cli.options import (
    DEFAULT_SAMPLING,
    DONE,
    NOT_CONVERGED,
    Invocation,
    Json,
    Quiet,
    SamplingOptions,
    Whole,
    check_targets,
    messages,
    pool as workers,
    watched,
)
from trustbayes.cli.printing import frame_table, print_json, print_tables
from trustbayes.cli.terminal import plain
from trustbayes.files import check_file, csv_text, write_or_keep, write_whole

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from trustbayes.inference.sampling import Sampling
    from trustbayes.pooling.study import Study

__all__ = ["pool"]


def pool(
    study: str = "simulated",
    /,
    *,
    out: Path = Path("reports/study.html"),
    sampling: SamplingOptions = DEFAULT_SAMPLING,
    fits: Path | None = None,
    between: float = 1.0,
    carry_over: Annotated[bool, Parameter(negative="--no-carry-over")] = True,
    reports: Path | None = None,
    cache: Path | None = None,
    jobs: Whole | None = None,
    quiet: Quiet = False,
    as_json: Json = False,
    invocation: Invocation = "trustbayes pool",
) -> int:
    """Fit every experiment of a study, pool what they say, and ask which theory carries over.

    Example: `trustbayes pool study.toml --fits fits --out study.html`

    Parameters
    ----------
    study : str
        TOML file that lists the experiments; or simulated, for the five that come with the
        package, or published, for the real ones that can be fetched.
    out : Path
        The report; its numbers are written beside it as JSON, and its parameters as CSV.
    fits : Path, optional
        Folder in which everything is kept: an experiment that is added later costs its own work.
    between : float
        Scale of the half-normal prior of spreads between experiments, on log and logit scales.
    carry_over : bool
        Leave each experiment out in turn, and predict its people from the others.
    reports : Path, optional
        Folder for a report on each experiment alone, which the study's report links. Takes what
        `trustbayes report` takes for each.
    cache : Path, optional
        Folder for data sets that are fetched. Default: the user's cache folder.
    jobs : int, optional
        Number of processes that fit models side by side. Default: one for each core, at most 4.
    quiet : bool
        No progress, and no messages but warnings and errors.
    as_json : bool
        Only JSON on standard output.
    """
    table = out.with_name(f"{out.stem}.parameters.csv")
    check_targets(out, fits=fits, reports=reports)
    check_file(table, "--out, parameters")
    from trustbayes.pooling.pool import pool as pool_study
    from trustbayes.pooling.reading import read_study
    from trustbayes.report.studies import study_report
    from trustbayes.trials.datasets import STUDIES, bundled_study

    path = bundled_study(study) if study in STUDIES else Path(study)
    with ExitStack() as folders, messages(quiet), workers(jobs, fresh=True) as executor:
        read = read_study(path, cache)
        settings = sampling.sampling()
        if reports is not None and fits is None:  # or both would fit everything
            fits = Path(folders.enter_context(TemporaryDirectory()))
        pooled = pool_study(
            read,
            sampling=settings,
            fits=fits,
            between=between,
            carry_over=carry_over,
            executor=executor,
            progress=watched(quiet),
        )
        links = {}
        if reports is not None:
            links = _single(read, settings, fits, reports, out, executor, watched(quiet))
        write = partial(study_report, pooled, command=invocation, reports=links)
        written = write_or_keep(write, out)
    write_whole({table: csv_text(pooled.parameters, table.name)})
    if as_json:
        places = {"report": str(written.html), "results": str(written.results)}
        verdicts = {
            role: {"winner": verdict.winner, "everywhere": verdict.everywhere, "text": verdict.text}
            for role, verdict in pooled.verdicts.items()
        }
        carried = {
            role: {"winner": verdict.winner, "text": verdict.text}
            for role, verdict in pooled.carries_over.items()
        }
        more = {"parameters_csv": str(table), "verdict": verdicts, "carries_over": carried}
        print_json(places | more | {"converged": pooled.converged})
    else:
        for role in pooled.roles:
            rows = pooled.comparison(role).reset_index()
            print_tables([frame_table(f"{role.capitalize()}s, over all experiments", rows)])
        print(plain(written.summary))
        print(f"report: {written.html}\nresults: {written.results}\nparameters: {table}")
    return DONE if pooled.converged else NOT_CONVERGED


def _single(
    study: Study,
    sampling: Sampling,
    fits: Path | None,
    folder: Path,
    out: Path,
    executor: Executor,
    progress: bool,
) -> dict[str, str]:
    """Write a report on each experiment; where they lie, seen from the study's own."""
    import os

    from trustbayes.analysis.analyse import analyse
    from trustbayes.report import write_report

    links = {}
    for number, experiment in enumerate(study.experiments, start=1):
        models = [
            model
            for role in experiment.roles
            for name in study.models
            if (model := study.model_of(experiment, name, role)) is not None
        ]
        analysis = analyse(
            experiment.trials,
            models=models,
            sampling=sampling,
            fits=fits,
            executor=executor,
            progress=progress,
        )
        path = folder / f"experiment-{number}.html"
        write_report(analysis, path)
        links[experiment.name] = Path(os.path.relpath(path, out.parent)).as_posix()
    return links
