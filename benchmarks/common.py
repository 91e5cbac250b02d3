"""What the benchmarks share: their command line, the real experiment, and results as files."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

import trustbayes as tb
from trustbayes.files import write_whole
from trustbayes.inference.gate import Gate
from trustbayes.inference.sampling import versions
from trustbayes.report.page.style import style

HERE = Path(__file__).parent
RESULTS = HERE / "results"


def command_line(description: str, *, experiment: bool) -> argparse.ArgumentParser:
    """The arguments of every benchmark; with ``experiment`` also those of a trial table."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    if experiment:
        parser.add_argument("trials", type=Path, nargs="?", help="default: ioannidis-2024, fetched")
        parser.add_argument(
            "--game", type=Path, default=HERE.parent / "data/games/ioannidis-2024.toml"
        )
        parser.add_argument("--people", type=Path, help="covariates that the trials lack")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="fits at a time")
    parser.add_argument(
        "--folder", type=Path, default=HERE / "fits", help="where fits are kept: none is repeated"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results are written")
    return parser


def read_experiment(options: argparse.Namespace) -> tb.Trials:
    """The trials of the command line."""
    return tb.read_trials(
        options.trials or tb.fetch("ioannidis-2024"), options.game, options.people
    )


def write_results(
    name: str, out: Path, tables: dict[str, pd.DataFrame], figure: Figure, words: str
) -> None:
    """Write a benchmark's tables, plot, and what the README says of them; all or nothing.

    Parameters
    ----------
    name : str
        Of the benchmark; its files begin with it.
    out : Path
    tables : dict of str to DataFrame
        By file name.
    figure : Figure
    words : str
        Markdown; ``{plot}`` is where the plot goes.
    """
    plot = f"{name}.png"
    text = words.replace("{plot}", f"![{name}](results/{plot})")
    made = f"*{datetime.now(UTC):%Y-%m-%d}; {_machine()}; {_versions()}.*"

    def save(path: Path) -> None:
        with style():
            figure.savefig(path, format="png", dpi=120)

    write_whole(
        {out / file: table.to_csv(index=False) for file, table in tables.items()}
        | {out / plot: save, out / f"{name}.md": f"{text.strip()}\n\n{made}\n"}
    )
    print(text.strip(), flush=True)


def largest_rhat(gates: Iterable[Gate]) -> float:
    """The largest R-hat of all parameters of some fits."""
    return max(check.value for gate in gates for check in gate.checks if check.name == "R-hat")


def markdown(table: pd.DataFrame) -> str:
    """A table of text in Markdown."""
    rows = [list(table.columns), ["-"] * table.shape[1], *table.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in rows)


def _machine() -> str:
    """Cores and processor."""
    cpu = platform.processor() or platform.machine()
    known = Path("/proc/cpuinfo")
    if known.exists():
        lines = known.read_text("utf-8").splitlines()
        cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), cpu)
    return f"{os.cpu_count()} cores, {cpu}, {platform.system()}"


def _versions() -> str:
    return ", ".join(f"{name} {version}" for name, version in versions().items())
