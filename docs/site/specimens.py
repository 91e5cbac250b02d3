"""Reports of other kinds than the sample, for the gallery: their numbers are made up.

What makes the numbers up is what makes them up for the tests, and nothing is sampled.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np

import trustbayes as tb
from trustbayes.report.page import picture
from trustbayes.report.page.style import Encoded
from trustbayes.report.studies import study_report

TESTS = Path(__file__).resolve().parents[2] / "tests"
NOT_DRAWN = Encoded("data:,", 1, 1)
THEORIES = ("trust-embedded", "level-k")


def specimens(drawn: set[str]) -> Iterator[tuple[str, str]]:
    """Reports as HTML, by what they are about; figures of functions in ``drawn`` are left out.

    Parameters
    ----------
    drawn : set of str
        Functions as MODULE:NAME; those that are drawn here are added.

    Yields
    ------
    tuple of str and str
    """
    encode = picture.encode

    def once(draw: Callable) -> Encoded:
        function = getattr(draw, "func", draw)
        name = f"{function.__module__}:{function.__qualname__}"
        if name in drawn:
            return NOT_DRAWN
        drawn.add(name)
        return encode(draw)

    picture.encode = once
    try:
        with tempfile.TemporaryDirectory() as folder:
            for place, (title, write) in enumerate(_writers().items()):
                with np.errstate(all="ignore"):  # made-up draws: weights beyond all bounds
                    written = write(Path(folder) / f"{place}.html")
                yield title, written.html.read_text("utf-8")
    finally:
        picture.encode = encode


def _writers() -> dict[str, Callable]:
    sys.path.insert(0, str(TESTS / "helpers"))
    made_up, joined = _part("report/conftest.py"), _part("report/test_both_roles.py")
    studies, recovered = _part("cli/test_simulated.py"), _part("simulation/test_recovery.py")
    several = _part("helpers/several.py")
    people = {"subjects": 8, "rounds": 10}

    def analysis(path: Path, kind: str = "finite", names: tuple[str, ...] = THEORIES):
        return tb.write_report(made_up.made_up_analysis(kind=kind, names=names, **people), path)

    def recommendations(path: Path):
        trials = _part("helpers/advice.py").advised(people=12, rounds=20)
        return tb.write_report(made_up.analysis_of(trials, ["trust-embedded", "average"]), path)

    def roles(path: Path):
        whole = made_up.made_up_analysis(names=THEORIES, **people)
        return tb.write_report(replace(whole, both=joined.made_up_both(0.5, 12)), path)

    def policies(path: Path):
        trials = _part("helpers/synthetic.py").small_trials()
        fits = [made_up.made_up_fit("trust-embedded", role, trials) for role in trials.roles]
        fine = tb.Policy(
            "a fine", audit=tb.Audit(0.5, 20.0), frontier=tb.Strength("audit.fine", 0.0, 50.0, 0.1)
        )
        trust = tb.Policy("a guarantee", shift={"trust": 1.0})
        return study_report(tb.counterfactual(*fits, [fine, trust], seed=1, draws=40), path)

    return {
        "Forecast sharing": partial(analysis, kind="forecast-sharing"),
        "On an interval": partial(analysis, kind="interval"),
        "Recommendations": recommendations,
        "Types of people": partial(analysis, names=(*THEORIES, "mixture")),
        "People in both roles": roles,
        "Policies": policies,
        "Calibration": lambda path: study_report(studies.calibration(), path),
        "Recovery": lambda path: study_report(recovered.by_hand(), path),
        "Design": lambda path: study_report(studies.design(), path),
        "Several experiments": lambda path: study_report(several.made_up_study(), path),
    }


def _part(name: str) -> ModuleType:
    """A file of the tests as a module."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, TESTS / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
