"""The command on a table without a game file: inspect."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from trustbayes.cli.options import DONE, Json
from trustbayes.cli.printing import add_row, empty_table, print_json, print_tables
from trustbayes.cli.terminal import plain
from trustbayes.errors import Fault, InputError
from trustbayes.files import check_file, expanded, write_whole

__all__ = ["inspect"]


def inspect(
    table: Path,
    /,
    *,
    out: Path | None = None,
    overwrite: Annotated[bool, Parameter(negative="")] = False,
    as_json: Json = False,
) -> int:
    """Look at a table without a game file, and draft one.

    Example: `trustbayes inspect trials.xlsx --out game.toml`

    Parameters
    ----------
    table : Path
        A table of text, or an Excel, Stata or Parquet file.
    out : Path, optional
        Where the draft of the game file goes; a file that is there stays, unless --overwrite.
    overwrite : bool
        Replace the file at --out.
    as_json : bool
        Only JSON on standard output.
    """
    from trustbayes.trials.inspect import inspect_table

    if out is not None:
        check_file(out, "--out")
        if expanded(out).exists() and not overwrite:
            raise InputError(Fault("--out", str(out), "a file that is not there, or --overwrite"))
    seen = inspect_table(table)
    if out is not None:
        write_whole({expanded(out): seen.draft})
    if as_json:
        print_json(asdict(seen))
        return DONE
    what = {"player": "one player's", "interaction": "an interaction's"}.get(seen.per, "unknown")
    print(plain(f"{seen.source}: {seen.rows} rows; by the columns' names a row is {what}"))
    shown = empty_table("columns")
    for heading in ("column", "holds", "filled", "distinct", "values", "perhaps"):
        shown.add_column(heading)
    for c in seen.columns:
        perhaps = " or ".join(c.candidate)
        add_row(shown, c.name, c.kind, str(c.filled), str(c.distinct), c.values, perhaps)
    print_tables([shown])
    said = [
        *seen.notes,
        f"constant: {', '.join(seen.constants) or 'no column'}",
        f"in increasing order: {', '.join(seen.sorted_by) or 'by no column'}",
        f"rows that repeat an earlier one: {', '.join(map(str, seen.duplicated[:20])) or 'none'}"
        + (f", ... ({len(seen.duplicated)})" if len(seen.duplicated) > 20 else ""),
    ]
    for sentence in said:
        print(plain(sentence))
    print(plain(f"\n{seen.draft}" if out is None else f"draft of a game file: {out}"))
    return DONE
