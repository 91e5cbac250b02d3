"""Write the report and its numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from trustbayes.analysis.analyse import Analysis
from trustbayes.files import expanded, write_whole
from trustbayes.report.first_page import front_page
from trustbayes.report.page.page import Written, page_of
from trustbayes.report.page.wording import counted, listed
from trustbayes.report.results import results
from trustbayes.report.sections import sections

__all__ = ["write_report"]


def write_report(analysis: Analysis, path: str | Path, command: str = "") -> Written:
    """Write an analysis as one self-contained HTML file, its numbers as JSON beside it.

    Both files are written whole or not at all. A figure that cannot be drawn is logged and shows
    as a box with the reason.

    Parameters
    ----------
    analysis : Analysis
    path : str or Path
        Of the HTML file, such as ``report.html``. The numbers go beside it, to ``report.json``.
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
    path = expanded(path)
    found = results(analysis, command)
    front = front_page(analysis, found)
    written = replace(Written.at(path), summary=front.summary)
    trials = analysis.trials
    people = listed(counted(len(trials.subjects(role)), role) for role in trials.roles)
    page = page_of(
        f"Trust or limited thinking? {trials.game.name}",
        f"{counted(len(trials.table), 'trial')} of {people}, from {trials.source}.",
        front,
        sections(analysis, found),
    )
    write_whole({written.html: page, written.results: json.dumps(found, indent=1, allow_nan=False)})
    return written
