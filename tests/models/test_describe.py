"""Descriptions of models, against the PyMC models that are built."""

import json
import re

import pytest
from building import build
from loops import TRIALS, TRIALS_OF_KIND

from trustbayes.errors import InputError
from trustbayes.models import SPECS, Babbling, FullTrust, Joint, LevelK, Model, TrustEmbedded
from trustbayes.priors.prior import Prior

HYPER = Prior("Normal", mu=Prior("Normal", mu=0, sigma=2), sigma=1)
SETTINGS = [
    *(Model(spec) for spec in SPECS),
    LevelK("sender", lapse=True, varies={"lapse": ("subject", "treatment")}),
    LevelK(
        "receiver", priors={"level": Prior("TruncatedPoisson", tau=Prior("Exponential", lam=1))}
    ),
    LevelK("receiver", max_level=1, priors={"level": Prior("Fixed", shares=[0.4, 0.6])}),
    TrustEmbedded(
        "receiver", priors={"trust": Prior("Beta", alpha=Prior("HalfNormal", sigma=1), beta=2)}
    ),
    TrustEmbedded("receiver", varies={"trust": ()}),
    TrustEmbedded("receiver", varies={"response_precision": ("subject", "treatment")}),
    TrustEmbedded("sender", priors={"expected_trust": Prior("LogitNormal", mu=HYPER, sigma=1)}),
    Babbling("sender", varies={"habit": ("subject", "treatment")}),
    Babbling("sender", priors={"habit": Prior("StudentT", nu=4, mu=HYPER, sigma=1)}),
    FullTrust("sender", priors={"response_precision": Prior("HalfNormal", sigma=1)}),
    TrustEmbedded("sender", "interval", heaping=True),
]
OF_SETTINGS = pytest.mark.parametrize(
    "chosen", SETTINGS, ids=lambda m: f"{m.name} {m.role} {m.spec.kind} {sorted(m.priors)}"
)


def lines_of(plates):
    """Variable, sign, right-hand side and plate of every line."""
    inside = [""]
    for line in plates.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        inside = inside[: depth + 1]
        if re.fullmatch(r"population|each \w+", line.strip()):
            inside.append(line.strip().removeprefix("each "))
            continue
        name, sign, right = re.fullmatch(r"\s*(.+?) ([~=]) (.+)", line).groups()
        yield re.sub(r"\[\w+\]$", "", name), sign, right, tuple(inside[1:])


def plain(plates):
    return "\n".join(line for line in plates.splitlines() if "has no part in" not in line)


@OF_SETTINGS
def test_every_variable_stands_in_its_plate(chosen):
    built = build(chosen, TRIALS_OF_KIND[chosen.spec.kind])
    sampled = {re.sub("_(own|offset)$", "", rv.name) for rv in built.free_RVs}
    sampled |= {d.name for d in built.deterministics if not d.name.endswith("_unused")}
    found = {}
    for name, _, _, plate in lines_of(plain(chosen.describe().plates)):
        if plate[-1] != "trial" and not name.startswith("effect on"):
            found[name] = plate
    types = set(chosen.shares)
    assert set(found) == sampled | types
    for name in sampled:
        over = built.named_vars_to_dims.get(name, ())
        expected = tuple(dim for dim in over if dim in ("subject", "treatment")) or ("population",)
        assert found[name] == expected, name
    assert all(found[name] == ("subject",) for name in types)


@OF_SETTINGS
def test_names_on_the_right_are_explained_on_the_left(chosen):
    lines = list(lines_of(plain(chosen.describe().plates)))
    known = {name for name, *_ in lines}
    for parameter in chosen.parameters:
        used = [r for name, _, r, _ in lines if re.search(rf"\b{parameter.name}\b", r)]
        assert parameter.name in known
        assert used, parameter.name
    for _, sign, right, _ in lines:
        if sign == "~":
            for value in re.findall(r"=([a-z]\w*)", right):
                assert value in known or value == "best", right


@OF_SETTINGS
def test_tables_hold_the_declaration(chosen):
    found = chosen.describe()
    table = found.parameters.set_index("parameter")
    assert list(table.index) == [p.name for p in chosen.parameters]
    for parameter in chosen.parameters:
        row, prior = table.loc[parameter.name], chosen.priors[parameter.name]
        assert (row["symbol"], row["meaning"]) == (parameter.symbol, parameter.meaning)
        assert row["unit"].startswith(parameter.unit)
        if "subject" in chosen.varies[parameter.name] or not prior.hierarchical:
            assert row["prior"] == str(prior)
        scales = {"LogNormal": "link (log)", "LogitNormal": "link (logit)"}
        assert row["scale"] == scales.get(prior.distribution, "natural")
    conventions = found.conventions.set_index("convention")
    assert list(conventions.index) == [c.name for c in chosen.spec.conventions]
    assert list(conventions["meaning"]) == [c.meaning for c in chosen.spec.conventions]
    assert json.loads(json.dumps(found.to_dict()))["title"] == found.title
    for text in (str(found), found.markdown(), found._repr_html_()):
        for word in (found.title, *table.index, *conventions.index):
            assert word in text


def test_a_spread_that_is_not_used_is_not_shown():
    found = TrustEmbedded("sender").describe()
    prior = found.parameters.set_index("parameter").loc["expected_trust", "prior"]
    assert prior == "expit of Normal(mu=0, sigma=1.5)"
    assert "expected_trust_sigma" not in found.plates


def test_the_response_rule_follows_the_conventions():
    plates = LevelK("receiver", lapse=True).describe().plates
    assert (
        "(1 - lapse) × softmax(response_precision × utility) + lapse / number of actions" in plates
    )
    plates = TrustEmbedded("sender", "forecast-sharing", noise="student-t").describe().plates
    assert "report ~ StudentT(nu=4, mu=best report, sigma=response_noise × a), censored" in plates
    assert "P(message) = softmax(utility)" in Babbling("sender").describe().plates
    plates = FullTrust("receiver", "interval", heaping=True, noise="student-t").describe().plates
    assert "meant action ~ StudentT(nu=4, mu=best action, sigma=response_noise × half" in plates
    assert "action = nearest multiple of round_to with probability rounding, else meant" in plates


def test_the_game_settles_what_depends_on_it():
    chosen = TrustEmbedded("sender")
    values = {
        name: chosen.describe(game).conventions.set_index("convention")["value"].to_dict()
        for name, game in (("open", None), *((n, TRIALS[n].game) for n in ("power", "table")))
    }
    assert values["open"]["expected_action"] == "by the game"
    assert values["power"]["expected_action"] == "mean"
    assert values["table"]["expected_action"] == "quantal"
    plates = chosen.describe(TRIALS["table"].game).plates
    assert "expected_trust, response_precision)" in plates
    with pytest.raises(InputError, match="model trust-embedded, kind of game"):
        chosen.describe(TRIALS["forecast"].game)


def test_types_say_what_they_do_without():
    chosen = next(m for m in SETTINGS if (m.name, m.role) == ("mixture", "sender"))
    [line] = [
        s for s in chosen.describe().plates.splitlines() if s.startswith("lying_aversion has")
    ]
    assert line.endswith("type level 0, level 1, level 2, level 3 or babbling")


def test_both_roles_stand_side_by_side():
    joint = Joint(TrustEmbedded("sender"), TrustEmbedded("receiver"))
    found = joint.describe()
    assert "expit(logit(mean of receiver_trust) + trust_gap)" in found.plates
    assert "  trust_gap ~ Normal(mu=0, sigma=1)" in found.plates
    names = found.parameters["parameter"].tolist()
    assert {"sender_lying_aversion", "receiver_trust", "trust_gap"} <= set(names)
    assert "sender: belief" in found.conventions["convention"].tolist()
    rational = Joint(joint.sender, joint.receiver, gap=None).describe()
    assert "trust_gap" not in str(rational)
    assert "expit(logit(mean of receiver_trust))" in rational.plates
    joint_names = {rv.name for rv in joint.build(TRIALS["power"]).free_RVs}
    for name in joint_names:
        assert re.sub("_(own|offset)$", "", name) in found.plates


def test_html_and_markdown_are_escaped():
    found = TrustEmbedded("sender").describe()
    spiked = type(found)(
        "<b>", "a & b", "x < y", found.parameters.assign(unit="|a| <i>"), found.conventions
    )
    page = spiked._repr_html_()
    assert "<b>" not in page
    assert "<i>" not in page
    assert "&lt;b&gt;" in page
    assert "x &lt; y" in page
    assert r"\|a\| <i>" in spiked.markdown()
    # Long cells are not cut.
    assert found.conventions["meaning"].str.len().max() > 200
    assert all(part in found._repr_html_() for part in found.conventions["meaning"])
