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
_MANY = ("--draws", "4000", "--tune", "20", "--chains", "4")
FULL = {  # files larger than what is tried before the work
    "fit": ["fit", "level-k", *_TRIALS, "--role", "sender", *_MANY, "--out", "level-k.nc"],
    "pool": [
        *("holdout", *_TRIALS, "--models", "full-trust,level-k", "--role", "receiver"),
        *("--after-round", "3", *_MANY, "--jobs", "2", "--folder", "fits"),
    ],
}
_TRIED = 2**20 + 2**16  # bytes: without them the command would not begin


def main() -> None:
    """Kill each command so many times in one folder, then let it end, and compare."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    titles = (
        "command",
        "kills while it ran",
        "too late, repeated",
        "workers lost, exit",
        "half files",
    )
    lines = [f"| {' | '.join(titles)} | same numbers after |", "|-|-:|-:|-|-:|-|"]
    for name, tokens in COMMANDS.items():
        with TemporaryDirectory() as place:
            whole, torn = _folder(Path(place, "whole")), _folder(Path(place, "torn"))
            killing.finished(tokens, whole)  # and leave what is compiled in the caches
            seconds = killing.finished(tokens, _folder(whole))
            expected = killing.outcome(whole)
            hits = late = half = 0
            while hits < kills // len(COMMANDS):
                fresh = not killing.outcome(torn)
                took = killing.killed(tokens, torn, rng.uniform(0.05, 1) * seconds)
                hits, late = hits + (took is None), late + (took is not None)
                if took is not None and fresh:
                    seconds = took  # as fast as this machine is now
                left = _left(torn)
                half += left is None or not left.items() <= expected.items()
                if left is None or len(left) == len(expected):
                    torn = _folder(torn)  # it was done: from the beginning
            killing.finished(tokens, torn)
            same = killing.outcome(torn) == expected
            lost, half_lost, same_lost = _without_workers(tokens, _folder(torn), seconds, expected)
            half, same = half + half_lost, same and same_lost
        row = (name, hits, late, lost, half, "yes" if same else "NO")
        lines.append("| " + " | ".join(map(str, row)) + " |")
        print(lines[-1], flush=True)
    columns = ("command", "disk", "exit", "half files", "same numbers after", "the last it said")
    lines += ["", "A full disk:", "", f"| {' | '.join(columns)} |", "|-|-:|-:|-:|-|-|"]
    for name, tokens in FULL.items():
        lines.append(_full_disk(name, tokens, 0.6))
        print(lines[-1], flush=True)
    write_whole({RESULTS: "\n".join(lines) + "\n"})
    print("\n".join(lines))


def _left(folder: Path) -> dict[str, Any] | None:
    """What is in a folder's files; None if one of them is not whole."""
    try:
        return killing.outcome(folder)
    except Exception:
        return None


def _without_workers(
    tokens: list[str], folder: Path, seconds: float, expected: dict[str, Any]
) -> tuple[str, int, bool]:
    """Kill a command's workers alone in the middle: how many, its end, and what it leaves."""
    workers, code, _ = killing.workers_killed(tokens, folder, 0.5 * seconds)
    left = _left(folder)
    half = left is None or not left.items() <= expected.items()
    killing.finished(tokens, folder)
    return f"{workers}, {code}", int(half), killing.outcome(folder) == expected


def _folder(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in ("plain.csv", "game.toml"):
        shutil.copy(CASES / name, folder)
    return folder


def _full_disk(name: str, tokens: list[str], share: float) -> str:
    """What a command says whose disk has room for so much of its output, and what it leaves."""
    with TemporaryDirectory() as place:
        whole, disk = _folder(Path(place, "whole")), Path(place, "disk")
        killing.finished(tokens, whole)
        expected = killing.outcome(whole)
        bytes_ = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
        size = max(int(share * bytes_), _TRIED)
        disk.mkdir()
        mounted = _mount(f"size={size}", disk)
        if mounted.returncode:
            return f"| {name} | not tried, for want of the right to mount a tmpfs | | | | |"
        try:
            folder = _folder(disk / "work")
            process = killing.started(tokens, folder)
            said = process.communicate()[1].decode().strip().splitlines()
            left = _left(folder)
            half = left is None or not left.items() <= expected.items()
            parts = [path for path in folder.rglob(".*") if path.is_file()]
            _mount(f"remount,size={4 * bytes_ + 2 * _TRIED}", disk)
            killing.finished(tokens, folder)
            same = killing.outcome(folder) == expected
        finally:
            subprocess.run(["umount", disk], check=False)
        cells = (name, f"{size / 1024:.0f} of {bytes_ / 1024:.0f} KiB", process.returncode)
        message = "<br>".join(said[-4:]).replace(place, "").replace("|", "\\|")
        rest = (int(half) + len(parts), "yes" if same else "NO", message)
        return "| " + " | ".join(map(str, (*cells, *rest))) + " |"


def _mount(options: str, place: Path) -> subprocess.CompletedProcess[bytes]:
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    return subprocess.run(command, capture_output=True)


if __name__ == "__main__":
    main()
