"""A model in words, to be printed or shown in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

__all__ = ["Description"]

_WIDTH = 96  # characters of a line


@dataclass(frozen=True, eq=False)
class Description:
    """A model in words, made from its declaration; shown as text or, in a notebook, as HTML.

    Parameters
    ----------
    title : str
        The theory, whose choices, and the kind of game.
    text : str
        What the theory says, and its source.
    plates : str
        Every variable where it lives: in the population, each treatment, each subject, each
        trial. ``~`` says how a variable is distributed, ``=`` what it follows from; names are
        those of the PyMC model, but for the effects of subjects.
    parameters : DataFrame
        Columns parameter, symbol, meaning, unit, support, varies over, prior (with the priors of
        its arguments), scale (natural, or that of a link, on which the prior's location and
        spread stand).
    conventions : DataFrame
        Columns convention, value, choices, meaning.

    Examples
    --------
    >>> from trustbayes.models import LevelK
    >>> description = LevelK("sender").describe()
    >>> description.title
    'Level-k, senders, finite game'
    >>> print(description.plates)
    population
      response_precision_mean ~ LogNormal(mu=1, sigma=1)
      response_precision_shape ~ LogNormal(mu=0, sigma=0.5)
      level_share ~ Dirichlet(a=1) over 0, 1, 2, 3
    each subject
      response_precision ~ Gamma(mean=response_precision_mean, shape=response_precision_shape)
      level ~ Categorical(level_share), summed out
      each trial
        utility = level-k(state, message; level)
        P(message) = softmax(response_precision × utility)
    """

    title: str
    text: str
    plates: str
    parameters: pd.DataFrame
    conventions: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """A JSON-safe form."""
        tables = {"parameters": self.parameters, "conventions": self.conventions}
        return {
            "title": self.title,
            "text": self.text,
            "plates": self.plates,
            **{name: table.to_dict("records") for name, table in tables.items()},
        }

    def markdown(self) -> str:
        """Text in Markdown, the title as a heading of the second level."""
        parts = [f"## {self.title}", self.text, f"```text\n{self.plates}\n```"]
        for table in (self.parameters, self.conventions):
            if len(table):
                rows = [list(row.values()) for row in _records(table)]
                cells = [list(map(str, table)), ["-"] * table.shape[1], *rows]
                parts.append("\n".join(_markdown_line(line) for line in cells))
        return "\n\n".join(parts) + "\n"

    def __str__(self) -> str:
        parts = [self.title, textwrap.fill(self.text, _WIDTH), self.plates]
        if len(self.parameters):
            parts.append(
                "\n".join(["parameters", *map(_parameter_line, _records(self.parameters))])
            )
        if len(self.conventions):
            lines = map(_convention_line, _records(self.conventions))
            parts.append("\n".join(["conventions", *lines]))
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        with pd.option_context("display.max_colwidth", None):
            tables = [
                table.to_html(index=False, escape=True, border=0)
                for table in (self.parameters, self.conventions)
                if len(table)
            ]
        words = f"<p><strong>{escape(self.title)}</strong></p>\n<p>{escape(self.text)}</p>"
        return "\n".join([words, f"<pre>{escape(self.plates)}</pre>", *tables])


def _records(table: pd.DataFrame) -> Iterable[dict[str, str]]:
    return ({str(k): str(v) for k, v in row.items()} for row in table.to_dict("records"))


def _markdown_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', r'\|') for cell in cells)} |"


def _parameter_line(row: Mapping[str, str]) -> str:
    unit = f"; {row['unit']}" if row["unit"] else ""
    return _wrapped(
        f"{row['symbol']} {row['parameter']}: {row['meaning']}{unit}. Support: {row['support']}. "
        f"Varies over: {row['varies over']}. Prior: {row['prior']}, scale: {row['scale']}."
    )


def _convention_line(row: Mapping[str, str]) -> str:
    return _wrapped(
        f"{row['convention']} = {row['value']} (choices: {row['choices']}). {row['meaning']}"
    )


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="  ", subsequent_indent="      ")
