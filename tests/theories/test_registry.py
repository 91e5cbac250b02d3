"""One list of theories: what is refused, who gets which look, and what other packages declare."""

from importlib.metadata import EntryPoint

import pytest
from outside import theory

from trustbayes.errors import InputError
from trustbayes.models import SPECS, Model, model
from trustbayes.theories.registry import UNKNOWN, Registry
from trustbayes.theories.spec import Look


def registry(*entries):
    return Registry(tuple(SPECS), lambda: entries)


def test_a_theory_is_known_once_it_is_registered():
    known = registry()
    spec = known.register(theory())
    assert known.spec("adding", "receiver", "finite") is spec
    assert known.names("finite")[-1] == "adding"
    assert "adding" not in known.names("forecast-sharing")
    assert "adding" not in known.names("finite", role="sender")
    assert len(known) == len(SPECS) + 1


def test_the_same_theory_may_come_again_and_takes_the_other_place():
    known = registry()
    known.register(theory())
    again = known.register(theory(title="Adding more"))
    assert [spec for spec in known if spec.name == "adding"] == [again]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "level-k"}, "theory level-k, receiver, finite game: found 'level-k', expected a"),
        ({"kind": "finit"}, "kind: found 'finit', expected 'finite' (did you mean it?)"),
        ({"role": "judge"}, "role: found 'judge', expected sender or receiver"),
    ],
)
def test_a_clash_and_what_is_unknown_are_refused(changes, expected):
    known = registry()
    with pytest.raises(InputError) as caught:
        known.register(theory(**changes))
    assert expected in str(caught.value)
    assert tuple(known) == tuple(SPECS)
    with pytest.raises(InputError, match="theory: found 'Model', expected a ModelSpec"):
        known.register(model("level-k", "sender"))


def test_who_is_asked_for_in_vain_is_suggested():
    known = registry()
    known.register(theory())
    with pytest.raises(InputError, match="model: found 'addin', expected 'adding'"):
        known.spec("addin", "receiver", "finite")
    with pytest.raises(InputError, match="expected receiver: the theory says nothing of senders"):
        known.spec("adding", "sender", "finite")


def test_looks_are_those_declared_and_else_ones_that_nobody_has():
    known = registry()
    pink = Look("#FF00FF", "1", "-")
    known.register(theory("pink", look=pink))
    plain = [f"plain-{number}" for number in range(12)]
    for name in plain:
        known.register(theory(name))
    assert known.look("pink") == pink
    looks = [known.look(name) for name in known.names("finite")]
    assert len({(look.colour, look.line) for look in looks}) == len(looks)
    assert UNKNOWN not in looks
    assert known.look("nobody") == UNKNOWN


def test_whom_a_theory_combines_is_declared():
    assert SPECS.combining() == {"mixture", "hybrid"}
    known = registry()
    known.register(theory(combines=("level-k",)))
    assert known.combining() == {"mixture", "hybrid", "adding"}


def test_entry_points_are_loaded_when_the_registry_is_first_asked(monkeypatch):
    monkeypatch.setattr("outside.declared", [theory("a"), theory("b")], raising=False)
    asked = []

    def entries():
        asked.append(True)
        return [EntryPoint("mine", "outside:declared", "trustbayes.theories")]

    known = Registry(tuple(SPECS), entries)
    assert not asked
    assert known.names("finite")[-2:] == ("a", "b")
    assert len(known) == len(SPECS) + 2
    assert asked == [True]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module:theory", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("outside:utility", "TypeError: 'function' object is not iterable"),
        ("outside:clash", "InputError: theory level-k, receiver, finite game: found 'level-k'"),
    ],
)
def test_a_broken_entry_point_is_one_message(monkeypatch, value, reason):
    monkeypatch.setattr("outside.clash", theory("level-k"), raising=False)
    known = registry(EntryPoint("mine", value, "trustbayes.theories"))
    for _ in range(2):  # it is not passed over when it is asked again
        with pytest.raises(InputError) as caught:
            len(known)
        assert f"entry point mine = {value}: found" in str(caught.value)
        assert reason in str(caught.value)


def test_a_theory_of_one_function_is_a_whole_model():
    description = str(Model(theory()).describe())
    assert "utility = adding(message, action; constant)" in description
