"""Sections as one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trustbayes.report.page.front import Front
from trustbayes.report.page.glossary import first_uses
from trustbayes.report.page.section import Section

__all__ = ["Written", "page_of"]


@dataclass(frozen=True)
class Written:
    """The files of a report.

    Parameters
    ----------
    html, results : Path
    summary : str
        The answer, a line for each role.
    """

    html: Path
    results: Path
    summary: str = ""

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


def page_of(title: str, subtitle: str, front: Front, sections: Sequence[Section]) -> str:
    """Make the page; all text is escaped.

    Parameters
    ----------
    title, subtitle : str
    front : Front
        The first page, which is all there is without sections.
    sections : sequence of Section
        Their figures drawn.

    Returns
    -------
    str
        HTML.
    """
    read = [("answer", front.words)]
    for one in sections:
        read += [(part.name, part.words) for part in (one, *one.parts)]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(_resource("template.html.j2"))
    return page.render(
        title=title,
        subtitle=subtitle,
        front=front,
        sections=sections,
        terms=first_uses(read),
        style=Markup(_resource("style.css")),
    )


def _resource(name: str) -> str:
    """The text of a file of the package."""
    return files("trustbayes.report").joinpath(name).read_text("utf-8")
