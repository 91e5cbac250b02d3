"""How commands print results: JSON for machines, tables for people, both on standard output."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trustbayes.cli.terminal import plain

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from trustbayes.inference.fit import Fit

__all__ = [
    "add_row",
    "empty_table",
    "frame_table",
    "gate_table",
    "print_json",
    "print_tables",
]


def print_json(value: Any) -> None:
    """Print a result for machines."""
    print(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def frame_table(title: str, rows: pd.DataFrame) -> Table:
    """A table of a frame, for people."""
    table = empty_table(title)
    for name in rows:
        table.add_column(str(name))
    for row in rows.itertuples(index=False):
        add_row(table, *(f"{v:.2f}" if isinstance(v, float) else str(v) for v in row))
    return table


def empty_table(title: str) -> Table:
    """A table without columns or rows yet."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    return Table(
        title=Text(plain(title)), box=box.SIMPLE, title_justify="left", caption_justify="left"
    )


def add_row(table: Table, *cells: str) -> None:
    """Cells as they stand: brackets in names are no markup."""
    from rich.text import Text

    table.add_row(*(Text(plain(cell), overflow="fold") for cell in cells))


def print_tables(tables: Sequence[Table]) -> None:
    """Print tables for people."""
    from rich.console import Console

    console = Console()
    for table in tables:
        console.print(table)


def gate_table(fits: Mapping[str, Fit]) -> Table:
    """All checks of all fits, by the names that results call them by."""
    table = empty_table("Convergence")
    for heading in ("model", "check", "value", "needed", "passed", "worst at"):
        table.add_column(heading)
    for name, fit in fits.items():
        for check in fit.gate.checks:
            needed = f"{'at most' if check.at_most else 'at least'} {check.threshold:g}"
            passed = "yes" if check.passed else "NO"
            add_row(table, name, check.name, f"{check.value:.4g}", needed, passed, check.worst)
    return table
