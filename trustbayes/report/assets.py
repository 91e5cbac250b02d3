"""What a paper takes from a report: its tables as LaTeX and CSV, its figures as SVG and PDF."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from trustbayes.files import expanded
from trustbayes.report.page.picture import Rendered
from trustbayes.report.page.section import Section
from trustbayes.report.page.style import style
from trustbayes.report.page.table import Table

__all__ = ["assets", "csv_table", "latex", "latex_table"]

_TEX = {
    "\\": r"\textbackslash{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{INFINITY}": r"$\infty$",
    "<": "$<$",
    ">": "$>$",
    "|": r"\textbar{}",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "ᵉ": r"$^e$",
    "₀": r"$_0$",
    **{
        letter: f"$\\{name}$"
        for letter, name in (
            ("α", "alpha"), ("β", "beta"), ("γ", "gamma"), ("δ", "delta"), ("ε", "varepsilon"),
            ("η", "eta"), ("θ", "theta"), ("κ", "kappa"), ("λ", "lambda"), ("μ", "mu"),
            ("ξ", "xi"), ("π", "pi"), ("ρ", "rho"), ("σ", "sigma"), ("τ", "tau"), ("φ", "phi"),
            ("ω", "omega"), ("Δ", "Delta"), ("Σ", "Sigma"), ("Ω", "Omega"),
        )
    },
}  # fmt: skip
"""What LaTeX reads otherwise, or its usual fonts lack."""


def latex(text: str) -> str:
    r"""Text as LaTeX prints it.

    Examples
    --------
    >>> print(latex("50 % of α_1 & {x}"))
    50 \% of $\alpha$\_1 \& \{x\}
    """
    return "".join(_TEX.get(letter, letter) for letter in " ".join(text.split()))


def latex_table(table: Table) -> str:
    """A table with caption and notes, for the package booktabs.

    Parameters
    ----------
    table : Table

    Returns
    -------
    str
    """
    columns = "".join("l" if i in table.words else "r" for i in range(len(table.header)))
    lines = [
        r"\begin{table}",
        rf"\caption{{{latex(table.caption)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        f"{' & '.join(map(latex, table.header))} \\\\",
        r"\midrule",
        *(f"{' & '.join(map(latex, row))} \\\\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(f"\n{place}. {latex(note)}" for place, note in enumerate(table.notes, start=1)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def csv_table(table: Table) -> str:
    r"""A table as CSV, as it stands in the report.

    A label that a spreadsheet would run as a formula has an apostrophe before it, which makes it
    text.

    Examples
    --------
    >>> from trustbayes.report.page.table import table
    >>> csv_table(table("Counts.", "what|count", [("=1+1", "−12")]))
    "what,count\n'=1+1,-12\n"
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(map(_cell, table.header))
    writer.writerows([_cell(cell) for cell in row] for row in table.rows)
    return file.getvalue()


_SIZE = r"[-+]?[\d.,]+(?:[eE][-+]?\d+)?(?: ?%)?"
_NUMBER = re.compile(rf"{_SIZE}(?: (?:to|±) {_SIZE}| \([-+\d.,eE%to ]*\))?\W?")


def _cell(text: str) -> str:
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    runs = text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _NUMBER.fullmatch(text)
    return f"'{text}" if runs else text


def assets(
    sections: Sequence[Section], pictures: Sequence[Rendered], folder: str | Path
) -> dict[Path, str | Callable[[Path], object]]:
    """The files of a report's tables and figures.

    Parameters
    ----------
    sections : sequence of Section
    pictures : sequence of Rendered
        Those of the first page.
    folder : str or Path
        Where they go.

    Returns
    -------
    dict of Path to str or callable
        For `trustbayes.files.write_whole`: for each table NAME.tex and NAME.csv, for each figure
        NAME.svg and NAME.pdf. A figure that could not be drawn has none.
    """
    folder = expanded(folder)
    files: dict[Path, str | Callable[[Path], object]] = {}
    for name, table in _tables(sections):
        files[folder / f"{name}.tex"] = latex_table(table)
        files[folder / f"{name}.csv"] = csv_table(table)
    for picture in [*pictures, *_pictures(sections)]:
        if picture.image is not None:
            for kind in ("svg", "pdf"):
                files[folder / f"{_slug(picture.name)}.{kind}"] = _Saved(picture.draw, kind)
    return files


class _Saved:
    """Writes a figure; its files are the same whenever they are made."""

    def __init__(self, draw: Callable[[], Figure], kind: str) -> None:
        self._draw, self._kind = draw, kind

    def __call__(self, path: Path) -> None:
        date = "Date" if self._kind == "svg" else "CreationDate"
        with style():
            self._draw().savefig(path, format=self._kind, metadata={date: None})


def _parts(sections: Sequence[Section]) -> Iterator[Section]:
    for section in sections:
        yield section
        yield from _parts(section.parts)


def _tables(sections: Sequence[Section]) -> Iterator[tuple[str, Table]]:
    for section in _parts(sections):
        for place, table in enumerate(section.tables, start=1):
            yield f"{_slug(section.name)}-{place}", table


def _pictures(sections: Sequence[Section]) -> Iterator[Rendered]:
    for section in _parts(sections):
        yield from section.pictures


def _slug(name: str) -> str:
    """A name as a file may have it everywhere."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:120] or "figure"
