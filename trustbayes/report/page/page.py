"""Sections as one self-contained HTML page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trustbayes.files import expanded, write_whole
from trustbayes.report.page.front import Front
from trustbayes.report.page.glossary import first_uses
from trustbayes.report.page.section import Section

__all__ = ["Written", "page_of", "write_page"]


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
    for section in sections:
        read += [(part.name, part.words) for part in (section, *section.parts)]
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


def write_page(
    path: str | Path,
    title: str,
    subtitle: str,
    front: Front,
    sections: Sequence[Section],
    numbers: Mapping[str, Any],
    more: Mapping[Path, str | Callable[[Path], object]],
) -> Written:
    """Write a page, its numbers beside it as JSON and further files, all of them or none.

    Parameters
    ----------
    path : str or Path
        Of the HTML file.
    title, subtitle, front, sections
        Of `page_of`.
    numbers : mapping
        JSON-safe.
    more : mapping of Path to str or callable
        Further files, as `trustbayes.files.write_whole` takes them.

    Returns
    -------
    Written

    Raises
    ------
    InputError
        If a file cannot be written.
    """
    written = replace(Written.at(expanded(path)), summary=front.summary)
    page = page_of(title, subtitle, front, sections)
    text = json.dumps(numbers, indent=1, allow_nan=False)
    write_whole({written.html: page, written.results: text, **more})
    return written


def _resource(name: str) -> str:
    """The text of a file of the package."""
    return files("trustbayes.report").joinpath(name).read_text("utf-8")
