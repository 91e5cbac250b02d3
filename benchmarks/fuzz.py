"""Ten thousand damaged tables and game files: refused with one message, or read whole.

    python benchmarks/fuzz.py [FILES] [SEED]

Writes benchmarks/results/fuzz.md.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
import fuzzing

RESULTS = Path(__file__).parent / "results" / "fuzz.md"


def main() -> None:
    """Damage, read, count."""
    files, seed = (int(word) for word in [*sys.argv[1:], "10000", "1"][:2])
    if len(sys.argv) == 2:
        seed = 1
    rng, corpus = np.random.default_rng(seed), fuzzing.corpus()
    found, broken, started = Counter(), [], time.perf_counter()
    with TemporaryDirectory() as folder:
        for number in range(files):
            one = corpus[number % len(corpus)]
            steps = rng.integers(0, 2**31, size=(rng.integers(1, 5), 3)).tolist()
            try:
                found[
                    one.kind, fuzzing.read(one, fuzzing.mutated(one.content, steps), Path(folder))
                ] += 1
            except Exception as error:
                broken.append(f"{one.name} {steps}: {type(error).__name__}: {error}")
    seconds = time.perf_counter() - started
    lines = ["| files of | read whole | refused with a message |", "|-|-:|-:|"]
    lines += [
        f"| {kind} | {found[kind, 'read']} | {found[kind, 'refused']} |"
        for kind in sorted({kind for kind, _ in found})
    ]
    lines += ["", f"{files} files in {seconds:.0f} s; neither read nor refused: {len(broken)}."]
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join([*lines, *broken[:20]]))
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
