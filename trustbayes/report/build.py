"""Write the report and its numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from trustbayes.analysis import Analysis
from trustbayes.report.page import page_of
from trustbayes.report.results import results
from trustbayes.report.sections import sections
from trustbayes.report.wording import counted, listed
from trustbayes.wholefile import write_whole

__all__ = ["Written", "report"]


@dataclass(frozen=True)
class Written:
    """The files of a report.

    Parameters
    ----------
    html, results : Path
    """

    html: Path
    results: Path


def report(analysis: Analysis, path: str | Path, command: str = "") -> Written:
    """Write an analysis as one self-contained HTML file, its numbers as JSON beside it.

    Both files are written whole or not at all. A figure that cannot be drawn is logged and shows
    as a box with the reason.

    Parameters
    ----------
    analysis : Analysis
    path : str or Path
        Of the HTML file. The numbers go to ``results.json`` in the same folder; give reports
        that should keep theirs a folder each.
    command : str
        The command that made the analysis, for the record.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    path = Path(path)
    found = results(analysis, command)
    written = Written(path, path.with_name("results.json"))
    trials = analysis.trials
    people = listed(counted(len(trials.subjects(role)), role) for role in trials.roles)
    page = page_of(
        f"Trust or limited thinking? {trials.game.name}",
        f"{counted(len(trials.table), 'trial')} of {people}, from {trials.source}.",
        sections(analysis, found),
    )
    write_whole({written.html: page, written.results: json.dumps(found, indent=1, allow_nan=False)})
    return written
