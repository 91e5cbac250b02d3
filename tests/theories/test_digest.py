"""What tells two specs apart, and what does not."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
import outside
import pytest
from outside import theory

from trustbayes.errors import InputError
from trustbayes.models import SPECS
from trustbayes.priors.prior import Prior
from trustbayes.theories.digest import spec_digest

SPEC = SPECS.spec("level-k", "sender", "finite")


def with_answer(source):
    """The theory with an answer of other code, in a module of its own."""
    names = {"__name__": "elsewhere", "np": np}
    exec(source, names)
    return theory(answer=names["answer"])


def scaled(factor):
    def answer(game, values, conventions):
        return factor * outside.utility(game, values, conventions)

    return answer


def test_every_spec_of_the_package_has_its_digest():
    assert len({spec_digest(spec) for spec in SPECS}) == len(SPECS)


def test_words_and_looks_are_no_part_of_it():
    words = replace(SPEC, title="t", description="d", citation="c", remark="r", by_default=False)
    assert spec_digest(words) == spec_digest(SPEC)


@pytest.mark.parametrize(
    "changes",
    [
        {"answer": lambda game, values, conventions: 0.0},
        {"placed": True},
        {"coupling": {"response_precision": "lapse"}},
        {"parameters": SPEC.parameters[:2]},
        {
            "parameters": tuple(
                replace(p, prior=Prior("Dirichlet", a=2.0)) if p.name == "level" else p
                for p in SPEC.parameters
            )
        },
        {"conventions": tuple(replace(c, default=2) for c in SPEC.conventions)},
        {"response": SPECS.spec("level-k", "sender", "forecast-sharing").response},
        {"name": "another"},
        {"role": "receiver"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_whatever_bears_on_numbers_is(changes):
    assert spec_digest(replace(SPEC, **changes)) != spec_digest(SPEC)


def test_what_a_function_holds_and_uses_is(monkeypatch):
    assert spec_digest(theory(answer=scaled(2.0))) == spec_digest(theory(answer=scaled(2.0)))
    assert spec_digest(theory(answer=scaled(2.0))) != spec_digest(theory(answer=scaled(3.0)))
    before = spec_digest(theory())
    monkeypatch.setattr(outside, "_SHIFT", 1.0)
    constant = spec_digest(theory())
    monkeypatch.undo()
    monkeypatch.setattr(outside, "misfit", lambda gap: abs(gap))
    helper = spec_digest(theory())
    assert len({before, constant, helper}) == 3


@dataclass(frozen=True)
class Doubling:
    """A dataclass with a method."""

    more: float

    def __call__(self, game, values, conventions):
        return 2.0 + self.more


def test_objects_count_by_their_fields_and_their_methods(monkeypatch):
    before = [spec_digest(theory(answer=Doubling(more))) for more in (0.0, 0.0, 1.0)]
    assert before[0] == before[1] != before[2]
    monkeypatch.setattr(Doubling, "__call__", lambda self, game, values, conventions: 3.0)
    assert spec_digest(theory(answer=Doubling(0.0))) != before[0]


def test_code_without_a_source_is_told_apart_as_it_is_compiled():
    one, same, other = (
        with_answer(f"def answer(game, values, conventions): return np.ones(3) * {factor}")
        for factor in (1.5, 1.5, 2.5)
    )
    assert spec_digest(one) == spec_digest(same) != spec_digest(other)


def test_layout_comments_and_docstrings_do_not_count(tmp_path, monkeypatch):
    digests = []
    texts = (
        'def answer(game, values, conventions):\n    """Words."""\n    return 1  # note\n',
        "# above\n\ndef answer(game: int, values, conventions) -> int:\n    return (1)\n",
        "def answer(game, values, conventions):\n    return 2\n",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    for number, text in enumerate(texts):
        (tmp_path / f"laid_out_{number}.py").write_text(text)
        digests.append(spec_digest(theory(answer=__import__(f"laid_out_{number}").answer)))
    assert digests[0] == digests[1] != digests[2]


def test_what_cannot_be_told_is_refused():
    lock = Lock()

    def answer(game, values, conventions):
        return lock

    with pytest.raises(InputError, match="model adding, receiver, what its functions use"):
        spec_digest(theory(answer=answer))


def test_it_is_the_same_in_every_process():
    script = (
        "from outside import theory\n"
        "from trustbayes.models import SPECS\n"
        "from trustbayes.theories.digest import spec_digest\n"
        "print(*map(spec_digest, [*SPECS, theory()]))\n"
    )
    root = Path(__file__).parents[2]
    for seed in "12":
        path = os.pathsep.join([str(root), str(root / "tests" / "helpers")])
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
        out = subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        ).stdout
        assert out.split() == [*map(spec_digest, [*SPECS, theory()])]
