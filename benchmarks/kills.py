"""A hundred kills at random moments: nothing half done, and the next run gives the same numbers.

    python benchmarks/kills.py [KILLS] [SEED]

Writes benchmarks/results/kills.md.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import killing

from trustbayes.files import write_whole

RESULTS = Path(__file__).parent / "results" / "kills.md"
CASES = Path(__file__).parents[1] / "tests" / "files" / "cases"
_FEW = ("--draws", "50", "--tune", "20", "--chains", "2")
_TRIALS = ("plain.csv", "--game", "game.toml")
COMMANDS = {
    "report": [
        *("report", *_TRIALS, "--models", "full-trust", *_FEW, "--jobs", "2"),
        *("--fits", "fits", "--out", "out/report.html"),
    ],
    "fit": ["fit", "level-k", *_TRIALS, "--role", "sender", *_FEW, "--out", "level-k.nc"],
    "pool": [
        *("holdout", *_TRIALS, "--models", "full-trust,babbling,level-k", "--role", "receiver"),
        *("--after-round", "3", *_FEW, "--jobs", "2", "--folder", "fits"),
    ],
    "calibrate": [
        *("calibrate", "full-trust", "--role", "sender", "--game", "game.toml", "--subjects", "4"),
        *("--rounds", "6", "--simulations", "20", *_FEW, "--jobs", "2", "--folder", "ranks"),
        *("--out", "out/calibration.html"),
    ],
}


def main() -> None:
    """Kill each command so many times in one folder, then let it end, and compare."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    titles = ("command", "kills", "of these while it ran", "workers lost, exit", "half files")
    lines = [f"| {' | '.join(titles)} | same numbers after |", "|-|-:|-:|-|-:|-|"]
    for name, tokens in COMMANDS.items():
        with TemporaryDirectory() as place:
            whole, torn = _folder(Path(place, "whole")), _folder(Path(place, "torn"))
            killing.finished(tokens, whole)  # and leave what is compiled in the caches
            seconds = killing.finished(tokens, _folder(whole))
            expected = killing.outcome(whole)
            running = half = 0
            for _ in range(kills // len(COMMANDS)):
                running += killing.killed(tokens, torn, rng.uniform(0.05, 1) * seconds)
                try:
                    half += not killing.outcome(torn).items() <= expected.items()
                except Exception:
                    half += 1
                if len(killing.outcome(torn)) == len(expected):
                    torn = _folder(torn)  # it was done: from the beginning
            killing.finished(tokens, torn)
            same = killing.outcome(torn) == expected
            lost, half_lost, same_lost = _without_workers(tokens, _folder(torn), seconds, expected)
            half, same = half + half_lost, same and same_lost
        row = (name, kills // len(COMMANDS), running, lost, half, "yes" if same else "NO")
        lines.append("| " + " | ".join(map(str, row)) + " |")
        print(lines[-1], flush=True)
    lines += ["", f"A full disk (tmpfs of 4 MB): {_full_disk()}"]
    write_whole({RESULTS: "\n".join(lines) + "\n"})
    print("\n".join(lines))


def _without_workers(
    tokens: list[str], folder: Path, seconds: float, expected: dict[str, Any]
) -> tuple[str, int, bool]:
    """Kill a command's workers alone in the middle: how many, its end, and what it leaves."""
    workers, code, _ = killing.workers_killed(tokens, folder, 0.5 * seconds)
    half = not killing.outcome(folder).items() <= expected.items()
    killing.finished(tokens, folder)
    return f"{workers}, {code}", int(half), killing.outcome(folder) == expected


def _folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("plain.csv", "game.toml"):
        shutil.copy(CASES / name, folder)
    return folder


def _full_disk() -> str:
    """What a command says whose disk fills while it runs, and what it leaves there."""
    with TemporaryDirectory() as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True
        )
        if mounted.returncode:
            return "not tried, for want of the right to mount one."
        try:
            folder = _folder(Path(place, "disk"))
            tokens = ["fit", "level-k", *_TRIALS, "--role", "sender", "--draws", "4000", "--chains"]
            process = killing.started([*tokens, "4", "--tune", "20", "--out", "a.nc"], folder)
            errors = process.communicate()[1].decode().strip()
            left = sorted(path.name for path in folder.iterdir())
            return f"exit {process.returncode}, leaves {', '.join(left)}; says: {errors[-300:]}"
        finally:
            subprocess.run(["umount", place], check=False)


if __name__ == "__main__":
    main()
