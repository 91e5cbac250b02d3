"""Formulas: what they say, the design matrix by hand, and every fault in one clear message."""

import json

import numpy as np
import pandas as pd
import pytest
from traited import GAME, planted_trials

from trustbayes.errors import InputError
from trustbayes.models.formula import Formula
from trustbayes.trials.table import trials_from_frame

TRIALS = planted_trials()
UNITS = TRIALS.fold("receiver")


def formula(text):
    return Formula(text, "formula of trust")


def altered(change):
    """The trials' table with some column changed, read again."""
    return trials_from_frame(change(TRIALS.table.copy()), GAME, "altered").fold("receiver")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trust ~ crt", "the right side only"),
        ("0 + crt", "an intercept"),
        ("crt - 1", "an intercept"),
        ("1 + crt +", "expected a formula, such as"),
        ("", "expected a formula"),
        ("1 + foo(crt)", "in place of foo"),
        ("1 + np.logg(crt)", r"'np.log' \(did you mean it\?\)"),
        ("1 + (crt | group)", r"no group terms but \(1 \| group\)"),
        ("1 + (1 | session)", r"no group terms but \(1 \| group\)"),
        ("1 + group", r"group in \(1 \| group\) only"),
        ("1 + offset(crt)", "in place of offset"),
    ],
)
def test_what_is_no_formula_is_refused_at_once(text, message):
    with pytest.raises(InputError, match=message) as caught:
        formula(text)
    assert str(caught.value).startswith("formula of trust: ")
    assert len(caught.value.faults) == 1


def test_a_tilde_without_a_response_is_fine():
    assert formula("~ 1 + crt").covariates == ("crt",)


def test_a_formula_runs_no_other_code():
    for text in ("1 + __import__('os')", "1 + exec(crt)", "1 + os.system('x')", "1 + np.load(crt)"):
        with pytest.raises(InputError, match=r"Unexpected character|in place of"):
            formula(text)
    with pytest.raises(InputError, match="KeyError: 'foo'"):
        formula("1 + np.log(foo(age))").fixed_to(UNITS)


@pytest.mark.parametrize(
    ("text", "change", "message"),
    [
        ("1 + crtt", None, r"'crtt', expected one of the receivers': 'crt' \(did you mean it\?\)"),
        ("1 + sender_crt", None, "'sender_crt', expected a column that is the same in all trials"),
        (
            "1 + crt",
            lambda t: t.assign(receiver_crt=2),
            "covariate crt: found '2.0 for all', expected a covariate that differs",
        ),
        (
            "1 + crt",
            lambda t: t.assign(receiver_crt=t["receiver_crt"].where(t["receiver"] != "r03", "NA")),
            "covariate crt: expected a value for every receiver; missing for r03",
        ),
        (
            "1 + mood",
            lambda t: t.assign(receiver_mood=np.where(t["receiver"] == "r05", "", "good")),
            "mood: expected a value for every receiver; missing for r05",
        ),
        (
            "1 + crt",
            lambda t: t.assign(receiver_crt=t["round"]),
            "'crt', expected a column that is the same in all trials of a receiver",
        ),
        ("1 + (1 | group)", lambda t: t.drop(columns="group"), "a column of matching groups"),
        (
            "1 + treatment",
            lambda t: t[t["treatment"] == "Low"],
            "treatment: found 'Low', expected two treatments or more",
        ),
        (
            "1 + crt + twice",
            lambda t: t.assign(receiver_twice=2 * t["receiver_crt"]),
            "terms of which none follows from the others",
        ),
    ],
)
def test_faults_of_covariates_are_found_before_sampling(text, change, message):
    units = UNITS if change is None else altered(change)
    with pytest.raises(InputError, match=message) as caught:
        formula(text).fixed_to(units)
    assert len(caught.value.faults) == 1


def test_the_design_matrix_by_hand():
    found = formula("1 + crt * C(treatment) + country").fixed_to(UNITS)
    assert set(found.columns) == {
        "crt",
        "treatment[High]",
        "country[FR]",
        "country[NL]",
        "crt:treatment[High]",
    }
    table = TRIALS.table.drop_duplicates("receiver").set_index("receiver").loc[list(UNITS.subjects)]
    crt = np.repeat(table["receiver_crt"].to_numpy(float)[:, None], 2, axis=1)
    high = np.broadcast_to([0.0, 1.0], crt.shape)
    country = table["receiver_country"].to_numpy()[:, None]
    by_hand = {
        "crt": (crt - crt.mean()) / crt.std(),
        "treatment[High]": high - 0.5,
        "country[FR]": (country == "FR") - np.mean(country == "FR") + 0 * crt,
        "country[NL]": (country == "NL") - np.mean(country == "NL") + 0 * crt,
        "crt:treatment[High]": (crt * high - (crt * high).mean()) / (crt * high).std(),
    }
    design = found.design(UNITS)
    assert design.shape == (12, 2, 5)
    for place, column in enumerate(found.columns):
        np.testing.assert_allclose(design[..., place], by_hand[column], atol=1e-12)


def test_the_first_treatment_is_the_reference_whatever_its_name():
    # "High" would come first in the alphabet.
    assert formula("1 + treatment").fixed_to(UNITS).columns == ("treatment[High]",)
    assert formula("1 + treatment").fixed_to(UNITS).factor_levels("treatment") == ("Low", "High")


def test_a_role_may_be_left_out_of_a_name():
    short, whole = (formula(f"1 + {n}").fixed_to(UNITS) for n in ("crt", "receiver_crt"))
    np.testing.assert_array_equal(short.design(UNITS), whole.design(UNITS))


def test_means_and_spreads_are_those_of_the_people_it_was_learnt_from():
    found = formula("1 + age").fixed_to(UNITS)
    others = altered(lambda t: t.assign(receiver_age=t["receiver_age"] + 10))
    gap = found.design(others) - found.design(UNITS)
    np.testing.assert_allclose(gap, 10 / np.std(UNITS.people["age"]))
    assert found.fixed_to(others) is found


def test_only_treatments_that_people_met_count():
    """Means are over the pairs that met: here r01 to r06 met Low only, the others both."""
    units = altered(lambda t: t[(t["treatment"] == "Low") | (t["receiver"] > "r06")])
    found = formula("1 + treatment").fixed_to(units)
    np.testing.assert_allclose(found.design(units)[0, :, 0], [-6 / 18, 12 / 18])


def test_it_comes_back_from_its_form():
    found = formula("1 + np.log(age) + treatment + (1 | group)").fixed_to(UNITS)
    again = Formula.from_dict(json.loads(json.dumps(found.to_dict())), "formula of trust")
    assert again.columns == found.columns
    np.testing.assert_array_equal(again.design(UNITS), found.design(UNITS))
    np.testing.assert_array_equal(again.group_indicator(UNITS), found.group_indicator(UNITS))
    np.testing.assert_array_equal(found.group_indicator(UNITS).sum(axis=0), [3, 3, 3, 3])


def test_new_levels_and_groups_are_refused():
    found = formula("1 + country + (1 | group)").fixed_to(UNITS)
    elsewhere = altered(lambda t: t.assign(receiver_country="ES"))
    with pytest.raises(InputError, match=r"The levels \(ES\)"):
        found.design(elsewhere)
    with pytest.raises(InputError, match=r"group: found 'new', expected groups .* g0, g1, g2, g3"):
        found.group_indicator(altered(lambda t: t.assign(group="new")))


def test_further_columns_are_known_of_people_if_constant():
    assert {"crt", "receiver_crt", "age", "country"} <= set(UNITS.people)
    assert UNITS.varying == ("sender_crt",)
    assert isinstance(TRIALS.fold("sender").people["crt"], np.ndarray)
    frame = pd.DataFrame({"crt": UNITS.people["crt"]}, index=UNITS.subjects)
    expected = TRIALS.table.groupby("receiver")["receiver_crt"].first()
    assert (frame["crt"] == expected.loc[list(UNITS.subjects)]).all()


@pytest.mark.parametrize(
    "name", ["years at school", "a.b/c", "age (2026)", "José 5%", "被験者 №1", 'it\'s "x"', "<b>"]
)
def test_names_of_any_characters_stand_between_backquotes(name):
    column, other = f"receiver_{name}", "receiver_age"
    units = altered(lambda table: table.rename(columns={other: column}))
    for text in ("1 + {}", "1 + {} * treatment + (1 | group)", "1 + np.log({}) + scale({})"):
        plain = formula(text.replace("{}", "age")).fixed_to(UNITS)
        odd = formula(text.replace("{}", f"`{name}`")).fixed_to(units)
        assert odd.covariates == (name,)
        assert [c.replace(name, "age") for c in odd.columns] == list(plain.columns)
        np.testing.assert_array_equal(odd.design(units), plain.design(UNITS))
        again = Formula.from_dict(json.loads(json.dumps(odd.to_dict())), "formula of trust")
        np.testing.assert_array_equal(again.design(units), plain.design(UNITS))
