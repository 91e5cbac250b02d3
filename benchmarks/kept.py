"""Simulations that a benchmark has made, kept beside its results: a long one is made in parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from trustbayes.files import write_whole

_DIGITS = 5


def take_up(path: Path, folder: Path) -> None:
    """Put the files of an earlier run, as `put_down` kept them, where fits are looked for.

    Parameters
    ----------
    path : Path
        A table with a row per file; if there is none, nothing is known.
    folder : Path
        Files that are there already stay.
    """
    if path.exists():
        rows = pd.read_csv(path).itertuples(index=False)
        files = {folder / str(row.file): str(row.record) for row in rows}
        write_whole({place: text for place, text in files.items() if not place.exists()})


def put_down(path: Path, folder: Path, files: str = "*.json") -> None:
    """Keep files of a folder in one table, numbers to five digits.

    Parameters
    ----------
    path : Path
    folder : Path
    files : str
        Which, as a pattern.
    """
    made = sorted(folder.glob(files))
    records = [json.dumps(_rounded(json.loads(file.read_text("utf-8")))) for file in made]
    names = [file.name for file in made]
    write_whole({path: pd.DataFrame({"file": names, "record": records}).to_csv(index=False)})


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, _DIGITS) if isinstance(value, float) else value
