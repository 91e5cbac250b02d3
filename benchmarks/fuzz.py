"""Ten thousand damaged tables and game files: refused with one message, or read whole.

    python benchmarks/fuzz.py [FILES] [SEED]

Writes benchmarks/results/fuzz.md.
"""

import os
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import fuzzing

RESULTS = Path(__file__).parent / "results" / "fuzz.md"


def main() -> None:
    """Damage, read, count: a share of the files in each of as many processes as there are cores."""
    words = [*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1 :]]
    files, seed = int(words[0]), int(words[1])
    cores, started = os.cpu_count() or 1, time.perf_counter()
    shares = [(seed, range(first, files, cores)) for first in range(cores)]
    with get_context("spawn").Pool(cores) as pool:
        parts = pool.starmap(_some, shares)
    counts = sum((count for count, *_ in parts), Counter())
    broken = [fault for _, faults, _ in parts for fault in faults]
    seconds, work = time.perf_counter() - started, sum(used for *_, used in parts)
    lines = ["| files of | read whole | refused with a message |", "|-|-:|-:|"]
    lines += [
        f"| {kind} | {counts[kind, 'read']} | {counts[kind, 'refused']} |"
        for kind in sorted({kind for kind, _ in counts})
    ]
    times = f"{seconds:.0f} s ({work:.0f} s of processors, {cores} cores)"
    lines += ["", f"{files} files in {times}; neither read nor refused: {len(broken)}."]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join([*lines, *broken[:20]]))
    sys.exit(bool(broken))


def _some(seed: int, numbers: range) -> tuple[Counter[tuple[str, str]], list[str], float]:
    """What became of some files, what was a fault, and the processor's seconds."""
    corpus, broken = fuzzing.corpus(), []
    counts: Counter[tuple[str, str]] = Counter()
    begin = time.process_time()
    with TemporaryDirectory() as folder:
        for number in numbers:
            rng = np.random.default_rng((seed, number))
            sound = corpus[number % len(corpus)]
            steps = rng.integers(0, 2**31, size=(rng.integers(1, 5), 3)).tolist()
            try:
                content = fuzzing.mutated(sound.content, steps)
                counts[sound.kind, fuzzing.read(sound, content, Path(folder))] += 1
            except Exception as error:
                broken.append(f"{sound.name} {steps}: {type(error).__name__}: {error}")
    return counts, broken, time.process_time() - begin


if __name__ == "__main__":
    main()
