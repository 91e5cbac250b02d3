"""Write the report and its numbers."""

from __future__ import annotations

from html import escape
from pathlib import Path

from trustbayes.analysis.analyse import Analysis
from trustbayes.report.assets import assets as assets_of
from trustbayes.report.first_page import front_page
from trustbayes.report.games.registry import kind_of
from trustbayes.report.page.page import Written, page_of, write_page
from trustbayes.report.page.wording import counted, listed
from trustbayes.report.results import results
from trustbayes.report.sections import sections

__all__ = ["first_page", "write_report"]


def write_report(
    analysis: Analysis,
    path: str | Path,
    command: str = "",
    assets: str | Path | None = None,
) -> Written:
    """Write an analysis as one self-contained HTML file, its numbers as JSON beside it.

    All files are written whole or not at all. A figure that cannot be drawn is logged and shows
    as a box with the reason.

    Parameters
    ----------
    analysis : Analysis
    path : str or Path
        Of the HTML file, such as ``report.html``. The numbers go beside it, to ``report.json``.
    command : str
        The command that made the analysis, for the record.
    assets : str or Path, optional
        A folder for what a paper takes: every table as LaTeX and CSV, every figure as SVG and PDF.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    numbers = results(analysis, command)
    front = front_page(analysis, numbers)
    made = sections(analysis, numbers)
    more = {} if assets is None else assets_of(made, front.pictures, assets)
    return write_page(path, *_titles(analysis), front, made, numbers, more)


def first_page(analysis: Analysis) -> str:
    """The first page of the report alone, as a frame that a notebook shows.

    Parameters
    ----------
    analysis : Analysis

    Returns
    -------
    str
        HTML; the style of the page stays within it.
    """
    page = page_of(*_titles(analysis), front_page(analysis, results(analysis)), [])
    return (
        f'<iframe srcdoc="{escape(page)}" title="The answer" '
        'style="width: 100%; height: 62rem; border: 0"></iframe>'
    )


Analysis.shown_by = first_page


def _titles(analysis: Analysis) -> tuple[str, str]:
    """The title of the page, and what it is made from."""
    trials = analysis.trials
    people = listed(counted(len(trials.subjects(role)), role) for role in trials.roles)
    return (
        f"{kind_of(trials.game).topic} {trials.game.name}",
        f"{counted(len(trials.table), 'trial')} of {people}, from {trials.source}.",
    )
