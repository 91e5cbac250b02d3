"""Sections as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from trustbayes.report.page.section import Section

__all__ = ["Written", "page_of"]


@dataclass(frozen=True)
class Written:
    """The files of a report.

    Parameters
    ----------
    html, results : Path
    """

    html: Path
    results: Path

    @classmethod
    def at(cls, html: Path) -> Written:
        """Numbers beside a page and under its name, so that no two pages share them.

        Examples
        --------
        >>> Written.at(Path("reports", "pilot.html")).results.name
        'pilot.json'
        >>> Written.at(Path("reports", "pilot.1")).results.name
        'pilot.1.results.json'
        """
        name = f"{html.stem}.json" if html.suffix == ".html" else f"{html.name}.results.json"
        return cls(html, html.with_name(name))


def page_of(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """Make the page; all text is escaped.

    Parameters
    ----------
    title, subtitle : str
    sections : sequence of Section
        Their figures drawn.

    Returns
    -------
    str
        HTML.
    """
    template = files("trustbayes.report").joinpath("template.html.j2").read_text("utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(template)
    return page.render(title=title, subtitle=subtitle, sections=sections)
