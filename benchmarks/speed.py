"""How fast: against the same models written straightforwardly, a hand-written limit, and by size.

    python benchmarks/speed.py [TRIALS --game GAME.toml] [--folder FITS] [--out DIR]
        [--engines ENGINE ...] [--subjects 30 128 1000 10000] [--parts PART ...]

Every measurement runs alone, in a process of its own, and is kept as a file: a run that was stopped
goes on where it was. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from common import HERE, command_line, read_experiment, write_results
from speed_words import figure, says

import trustbayes as tb
from trustbayes.files import write_whole
from trustbayes.inference.sampling import versions

THEORIES, ROLES = ("trust-embedded", "level-k"), ("sender", "receiver")
PARTS = ("comparison", "limit", "growth", "report")
ROUNDS = 60
LARGE = 1000
"""Larger experiments are sampled by a short run of NUTS."""
SHORT = {"draws": 100, "tune": 200}
SHORTENED = {"pymc": {"draws": 200, "tune": 200}, "discrete": {"draws": 100, "tune": 100}}
"""Of the experiment's naive fits those that would take too long."""
ENGINES = {"trustbayes": 5, "nutpie": 3, "numpyro": 1, "pymc": 1, "discrete": 1}
"""Runs of each, every one with its own seed: medians are reported."""
LIMIT_RUNS = 3


def main() -> None:
    options = _options().parse_args()
    trials = read_experiment(options)
    files = {"trials": str(options.trials or tb.fetch("ioannidis-2024")), "game": str(options.game)}
    how = {"draws": options.draws, "tune": options.tune, "chains": options.chains}
    bench = Bench(options.folder / "speed", {**versions(), "data": trials.checksum})
    made = {
        "comparison": lambda: comparison(bench, files, how, options),
        "limit": lambda: limits(bench, files),
        "growth": lambda: growth(bench, how, options.subjects),
        "report": lambda: report(bench, files),
    }
    tables = {part: made[part]() for part in PARTS if part in options.parts}
    write_results(
        "speed",
        options.out,
        {f"speed_{part}.csv": table for part, table in tables.items()},
        figure(tables),
        says(tables, how, SHORTENED, {"large": LARGE, "rounds": ROUNDS, **SHORT}),
    )


def _options() -> argparse.ArgumentParser:
    parser = command_line(__doc__, experiment=True)
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--subjects", nargs="+", type=int, default=[30, 128, 1000, 10000])
    for name, value in (("draws", 500), ("tune", 500), ("chains", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser


@dataclass(frozen=True)
class Bench:
    """Where measurements are kept.

    Parameters
    ----------
    folder : Path
    known : mapping
        What results depend on besides their task.
    """

    folder: Path
    known: Mapping[str, str]

    def once(self, label: str, task: Mapping[str, Any], run: Callable[[], Any]) -> Any:
        """The result of a measurement, from its file if it has one."""
        text = json.dumps([label, task, self.known], sort_keys=True)
        path = self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
        if not path.exists():
            print(f"{label}: ", end="", flush=True)
            started = time.perf_counter()
            record = {"label": label, **run()}
            write_whole({path: json.dumps(record)})
            print(f"{time.perf_counter() - started:.0f} s", flush=True)
        return json.loads(path.read_text("utf-8"))

    def measured(self, label: str, task: Mapping[str, Any], repeat: int = 0) -> Any:
        """The result of a function of measure.py, in a process of its own.

        The first repeat compiles all, the others find it in the cache of the first.
        """
        cache = self.folder / "compiled" / label.replace(", ", "-").replace(" ", "-")

        def run() -> Any:
            if repeat == 0:
                shutil.rmtree(cache, ignore_errors=True)
            cache.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory() as name:
                given, output = Path(name) / "task.json", Path(name) / "found.json"
                given.write_text(json.dumps(task), "utf-8")
                subprocess.run(
                    [sys.executable, str(HERE / "measure.py"), str(given), str(output)],
                    check=True,
                    env={**os.environ, "PYTENSOR_FLAGS": f"base_compiledir={cache}"},
                )
                return json.loads(output.read_text("utf-8"))

        return self.once(f"{label}, run {repeat + 1}", task, run)


def comparison(
    bench: Bench, files: Mapping[str, str], how: Mapping[str, int], options: argparse.Namespace
) -> pd.DataFrame:
    """A row for each model, role and engine: medians of its runs."""
    rows = []
    for theory in THEORIES:
        for role in ROLES:
            for engine in options.engines:
                if engine == "discrete" and theory != "level-k":
                    continue
                settings = {**how, **SHORTENED.get(engine, {})}
                task = {"what": "sampled", "engine": engine, "name": theory, "role": role}
                label = f"{theory}, {role}, {engine}"
                runs = pd.DataFrame(
                    [
                        bench.measured(
                            label, {**task, **files, **settings, "again": repeat}, repeat
                        )
                        for repeat in range(ENGINES[engine])
                    ]
                ).drop(columns="label")
                ess = runs[["bulk", "tail"]].min(axis=1)
                runs["ess_per_second"] = ess / runs["sample"]
                runs["ess_per_second_compiled"] = ess / (runs["sample"] + runs["compile"])
                runs["gradients_per_second"] = runs["gradients"] / runs["sample"]
                middle = runs.median()
                rows.append(
                    {
                        "model": theory,
                        "role": role,
                        "engine": engine,
                        "runs": ENGINES[engine],
                        "draws": settings["draws"],
                        **middle,
                        # The first run compiles all; later ones find most of it in the cache.
                        "compile": runs["compile"].iloc[0],
                        "compile_again": runs["compile"].iloc[1:].median(),
                    }
                )
    return pd.DataFrame(rows)


def limits(bench: Bench, files: Mapping[str, str]) -> pd.DataFrame:
    """A row for each model and role: one gradient of trustbayes, and of the kernel by hand."""
    rows = []
    for theory in THEORIES:
        for role in ROLES:
            task = {"what": "limited", "name": theory, "role": role, **files}
            label = f"{theory}, {role}, limit"
            runs = [bench.measured(label, task, repeat) for repeat in range(LIMIT_RUNS)]
            middle = pd.DataFrame(runs).drop(columns="label").median()
            rows.append({"model": theory, "role": role, "runs": LIMIT_RUNS, **middle})
    return pd.DataFrame(rows)


def growth(bench: Bench, how: Mapping[str, int], sizes: list[int]) -> pd.DataFrame:
    """A row for each model, role, number of subjects and method."""
    game = str(HERE.parent / "data/simulated-finite/game.toml")
    rows = []
    for theory in THEORIES:
        for subjects in sizes:
            file = bench.folder / f"{theory}-{subjects}.csv"
            played = {
                "what": "simulated", "game": game, "name": theory, "subjects": subjects,
                "rounds": ROUNDS, "out": str(file),
            }  # fmt: skip
            label = f"{theory}, {subjects} subjects"
            if not file.exists():
                bench.measured(f"{label}, simulation", played)
            settings = {**how, **(SHORT if subjects > LARGE else {})}
            for role in ROLES:
                task = {"name": theory, "role": role, "game": game, "trials": str(file)}
                grown = bench.measured(f"{label}, {role}", {"what": "grown", **task, **settings})
                known = grown.pop("population")
                least = min(grown["bulk"], grown["tail"])
                row = {"model": theory, "role": role, "subjects": subjects}
                to_400 = 400 * grown["sample"] / least
                rows.append(
                    {**row, "method": "nuts", **settings, **grown, "seconds_to_400": to_400}
                )
                given = {"what": "summed_out", **task}
                summed_out = bench.measured(f"{label}, {role}, population engine", given)
                apart = differences(summed_out.pop("population"), known)
                rows.append({**row, "method": "population", **summed_out, **apart})
    return pd.DataFrame(rows).drop(columns="label")


def differences(moments: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, float]:
    """How the population engine's moments of the population differ from NUTS's, at worst.

    Returns
    -------
    dict
        ``shift``, the largest difference of means in NUTS's standard deviations, and ``narrowest``
        and ``widest``, the ratios of standard deviations.
    """
    shifts, ratios = [], []
    for name, (means, spreads) in known.items():
        own_means, own_spreads = map(np.array, moments[name])
        shifts += list(abs(own_means - means) / spreads)
        ratios += list(own_spreads / spreads)
    return {"shift": max(shifts), "narrowest": min(ratios), "widest": max(ratios)}


def report(bench: Bench, files: Mapping[str, str]) -> pd.DataFrame:
    """Time and memory of the default report by the command line, caches as they are."""

    def run() -> Any:
        with tempfile.TemporaryDirectory() as name:
            command = [
                str(Path(sys.executable).with_name("trustbayes")), "report", files["trials"],
                "--game", files["game"], "--out", str(Path(name) / "report.html"),
            ]  # fmt: skip
            return watched(command)

    record = bench.once("report", {"files": dict(files)}, run)
    return pd.DataFrame([record]).drop(columns="label")


def watched(command: list[str]) -> dict[str, float]:
    """Run a command.

    Returns
    -------
    dict
        Its ``seconds``, exit ``code``, and the largest ``memory`` of all its processes together,
        in bytes, what they share counted once; looked at four times a second.
    """
    started, peak = time.perf_counter(), 0
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        peak = max(peak, sum(map(_memory, [process, *_children(process)])))
        time.sleep(0.25)
    if process.returncode not in (0, 3):  # 3: done, but some model did not converge
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return {
        "seconds": time.perf_counter() - started,
        "memory": float(peak),
        "code": process.returncode,
    }


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _memory(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, "pss", memory.uss))


if __name__ == "__main__":
    main()
