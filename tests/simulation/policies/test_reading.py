"""Files of policies: what they mean, and what is wrong with them."""

from pathlib import Path

import pytest

from trustbayes import Audit, Policy, Strength, bundled, read_policies
from trustbayes.errors import InputError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policies.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_is_read(tmp_path: Path):
    path = write(
        tmp_path,
        """
        [policies."a fine"]
        audit = {probability = 0.25, fine = 40, per = "unit", to = "receiver"}
        treatments = ["High"]
        cost = 0.5
        frontier = {over = "audit.fine", low = 0, high = 80, cost = 0.01}

        [policies.guarantee]
        game = {bias = 0.5}
        shift = {trust = 0.5}
        share = 0.5
        feedback = "none"
        partners = "fixed"

        [policies.silence]
        play = "babbling"
        """,
    )
    assert read_policies(path) == (
        Policy(
            "a fine",
            audit=Audit(0.25, 40, "unit", "receiver"),
            treatments=("High",),
            cost=0.5,
            frontier=Strength("audit.fine", 0, 80, 0.01),
        ),
        Policy(
            "guarantee",
            game={"bias": 0.5},
            shift={"trust": 0.5},
            share=0.5,
            feedback="none",
            partners="fixed",
        ),
        Policy("silence", play="babbling"),
    )


def test_the_bundled_policies_are_policies():
    for name in ("simulated-finite", "simulated-forecast", "simulated-recommendation"):
        policies = read_policies(bundled(name).policies)
        assert len(policies) >= 3
        assert len({policy.name for policy in policies}) == len(policies)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path):
    path = write(
        tmp_path,
        """
        title = "x"
        [policies.a]
        audits = {}
        cost = "much"
        treatments = "High"
        shift = {trust = "more"}
        [policies.b]
        audit = {probability = 0.5, fines = 3}
        frontier = {over = 3, low = 0}
        game = 7
        """,
    )
    with pytest.raises(InputError) as caught:
        read_policies(path)
    assert [fault.place.removeprefix("policies.toml, key ") for fault in caught.value.faults] == [
        "title",
        "policies.a.audits",
        "policies.a.cost",
        "policies.a.treatments",
        "policies.a.shift.trust",
        "policies.b.game",
        "policies.b.audit.fines",
        "policies.b.audit.fine",
        "policies.b.frontier.over",
        "policies.b.frontier.high",
    ]


def test_what_is_no_file_of_policies_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="expected a table"):
        read_policies(write(tmp_path, ""))
    with pytest.raises(InputError, match="at least one policy"):
        read_policies(write(tmp_path, "[policies]"))
    with pytest.raises(InputError, match="a TOML file"):
        read_policies(write(tmp_path, "policies = ["))
    with pytest.raises(InputError, match="but there is no such file"):
        read_policies(tmp_path / "none.toml")
