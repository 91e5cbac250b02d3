"""The sentences of the first page follow from the numbers of the results, by rules."""

import copy

import pytest

from trustbayes.report.answer import answer, group_shares, ranked
from trustbayes.report.quantities import against_half, chance, of_them, of_whom

WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SPACE = "\N{NO-BREAK SPACE}"


def made(model, title, **changes):
    base = {
        "role": "sender", "model": model, "title": title, "manner": f"as {title} says",
        "combines": [], "benchmark": False, "mixture": False, "typical": {}, "units": {},
    }  # fmt: skip
    return base | changes


@pytest.fixture
def found():
    """Two theories of senders, three people, the first theory named."""
    gate = [
        {
            "role": "sender", "model": name, "passed": True,
            "checks": [{"name": "R-hat", "value": 1.034, "passed": name == "one"}],
        }
        for name in ("one", "two")
    ]  # fmt: skip
    return {
        "ci_prob": 0.9,
        "gate": gate,
        "verdict": {
            "sender": {
                "winner": "one", "reason": "named", "best": "one", "rival": "two", "lead": 30.0,
                "error": 6.0, "more": None, "unit": "subject", "other_sign": 0.0002,
            }
        },
        "comparison": [
            {"role": "sender", "unit": "subject", "criterion": "loso", "model": m, "elpd": e}
            for m, e in (("one", -10.0), ("two", -40.0))
        ],
        "people": {
            "sender": {
                "best": "one", "second": "two", "rows": [{"difference": d} for d in (5, 2, -1)],
            }
        },
        "shares": {
            "sender": [
                {"model": "one", "subjects": 2, "share": 2 / 3},
                {"model": "two", "subjects": 1, "share": 1 / 3},
                {"model": "corner", "subjects": 0, "share": 0.0},
            ]
        },
        "population": [],
        "how": {
            "sampling": {"draws": 500, "tune": 300},
            "models": [made("one", "One"), made("two", "Two")],
        },
    }  # fmt: skip


def mixture(found, *shares):
    """The same with a mixture of the two, which passed the gate."""
    found["how"]["models"].append(made("mix", "Mix", combines=["one", "two"], mixture=True))
    found["gate"].append({"role": "sender", "model": "mix", "passed": True, "checks": []})
    found["population"] = [
        {
            "role": "sender", "model": "mix", "parameter": "theory", "statistic": "share",
            "option": name, "mean": mean, "interval": [low, high], "treatment": "",
            "unit": "share of subjects",
        }
        for name, (mean, low, high) in zip(("one", "two"), shares, strict=True)
    ]  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0, "none"), (1e-9, "hardly any"), (0.0499, "hardly any"), (0.05, "about one in ten"),
        (0.1499, "about one in ten"), (0.15, "about two in ten"), (0.4499, "about four in ten"),
        (0.45, "about half"), (0.5, "about half"), (0.5499, "about half"),
        (0.55, "about six in ten"), (0.9499, "about nine in ten"), (0.95, "nearly all"),
        (1 - 1e-9, "nearly all"), (1, "all"),
    ],
)  # fmt: skip
def test_shares_in_words(share, words):
    assert of_them(share) == words
    whole = {"none": "no senders", "about half": "about half the senders"}
    assert of_whom(share, "senders") == whole.get(words, f"{words} senders")


def test_every_share_gets_words_that_are_right_to_a_tenth():
    digits = dict(zip(WORDS, range(1, 10), strict=True))
    digits["half"] = 5
    for thousandth in range(1, 1000):
        words = of_them(thousandth / 1000).split()
        if words[0] == "about":
            assert abs(digits[words[1]] / 10 - thousandth / 1000) <= 0.05 + 1e-9


@pytest.mark.parametrize(
    ("probability", "words"),
    [(0, "below 1 in 1,000"), (0.001, "about 1 in 1,000"), (0.04, "about 1 in 25"),
     (1 / 193, "about 1 in 190"),
     (0.0949, "about 1 in 11"), (0.095, f"about 10{SPACE}%"), (0.5, f"about 50{SPACE}%")],
)  # fmt: skip
def test_chances_in_words(probability, words):
    assert chance(probability) == words


@pytest.mark.parametrize(
    ("interval", "words"),
    [((0.51, 0.7), "they are the majority"), ((0.5, 0.7), "whether they are the majority is open"),
     ((0.4, 0.5), "whether they are the majority is open"), ((0.1, 0.49), "they are a minority")],
)  # fmt: skip
def test_an_interval_across_a_half_leaves_the_majority_open(interval, words):
    assert against_half(*interval, "senders").startswith(words)


def test_people_are_counted_where_no_mixture_was_fitted(found):
    said = answer(found, "sender")
    assert said.people == (
        "About seven in ten senders (2 of 3) act as One says and about three in ten (1 of 3) as "
        "Two says."
    )
    assert said.wins == (
        "One predicts a new sender best, before Two; it is the better one for 2 of 3 senders."
    )
    assert said.sure == (
        "The chance that Two predicts better after all is below 1 in 1,000. The rule: when "
        "everybody is predicted from all the others, the lead must exceed two standard errors and "
        "4 nats; it is 5.0 standard errors."
    )
    assert said.typical == "By One, a typical sender acts as One says."
    assert said.missing == ""


def test_all_or_none_of_the_people(found):
    found["shares"]["sender"][0] |= {"subjects": 3, "share": 1.0}
    found["shares"]["sender"][1] |= {"subjects": 0, "share": 0.0}
    assert answer(found, "sender").people == "All senders (3 of 3) act as One says."


def test_a_single_person_is_no_plural(found):
    found["shares"]["sender"] = [{"model": "two", "subjects": 1, "share": 1.0}]
    found["people"]["sender"]["rows"] = [{"difference": 1.0}]
    said = answer(found, "sender")
    assert said.people == "The only sender acts as Two says."
    assert said.wins.endswith("it is the better one for 1 of 1 sender.")


def test_those_who_fit_both_come_last_whatever_their_number(found):
    found["shares"]["sender"] = [
        {"model": "one", "subjects": 1, "share": 0.1},
        {"model": "corner", "subjects": 9, "share": 0.9},
    ]
    assert answer(found, "sender").people == (
        "About one in ten senders (1 of 10) act as One says and about nine in ten (9 of 10) in a "
        "way that fits both theories equally."
    )


def test_estimated_shares_come_before_counts_and_ties_stay_in_order(found):
    said = answer(mixture(found, (0.5, 0.4, 0.6), (0.5, 0.4, 0.6)), "sender")
    assert said.people == (
        f"About half the senders (50{SPACE}%) act as One says and about half (50{SPACE}%) as Two "
        "says."
    )
    assert said.sure.endswith(
        f"Of those who act as One says, whether they are the majority is open (40{SPACE}% to "
        f"60{SPACE}% of senders)."
    )


def test_a_mixture_that_did_not_pass_says_nothing_of_shares(found):
    mixture(found, (0.8, 0.6, 0.9), (0.2, 0.1, 0.4))
    found["gate"][-1]["passed"] = False
    assert [group.count for group in group_shares(found, "sender")] == [2, 1]


def test_theories_together_win_by_that_name(found):
    mixture(found, (0.8, 0.6, 0.9), (0.2, 0.1, 0.4))
    found["verdict"]["sender"] |= {"winner": "mix", "best": "mix", "rival": "one"}
    assert answer(found, "sender").wins == (
        "The theories together (Mix) predict a new sender better than any of them alone."
    )


@pytest.mark.parametrize(
    ("reason", "more", "wins", "missing"),
    [
        ("close", 1, "One and Two are too close.", "Have about 1 more sender play"),
        ("close", 12, "One and Two are too close.", "Have about 12 more senders play"),
        ("close", None, "One and Two are too close.", "change the design"),
        ("refits", None, "do not agree.", "Look at whom the refits predict otherwise"),
        ("alone", None, "Only One was fitted to senders", "Fit at least two theories"),
    ],
)
def test_without_a_verdict_it_is_said_what_is_missing(found, reason, more, wins, missing):
    found["verdict"]["sender"] |= {"winner": None, "reason": reason, "more": more}
    said = answer(found, "sender")
    assert wins in said.wins
    assert missing in said.missing


def test_without_convergence_nothing_is_said_of_people(found):
    found["verdict"]["sender"] |= {"winner": None, "reason": "gate", "best": "", "rival": ""}
    found["gate"][1]["passed"] = False
    said = answer(found, "sender")
    assert said.people.startswith("How many senders act by which theory cannot be said")
    assert said.wins == (
        "No theory of senders can be named yet: Two did not converge (1 of 2 fits)."
    )
    assert said.sure == "Nothing is sure before every fit passes the gate (Two: R-hat 1.034)."
    assert "--draws 1000" in said.missing
    assert "--tune 600" in said.missing
    found["how"]["models"][1]["benchmark"] = True
    found["gate"][0]["passed"], found["gate"][1]["passed"] = False, True
    assert ranked(found, "sender") == []  # a benchmark that another beats is no description
    found["gate"][1]["passed"] = False
    assert answer(found, "sender").typical.startswith("What a typical sender does cannot be said")


@pytest.mark.parametrize(
    ("also", "wins", "missing"),
    [
        (True, "Two was not computed exactly enough (1 of 2 fits).", "(--method nuts)"),
        (False, "Two did not converge (1 of 2 fits).", "--draws 1000"),
    ],
)
def test_more_draws_are_not_asked_for_where_an_approximation_missed(found, also, wins, missing):
    found["verdict"]["sender"] |= {"winner": None, "reason": "gate", "best": "", "rival": ""}
    missed = {"name": "integration error, sd", "value": 0.12, "passed": False}
    mixed = {"name": "R-hat", "value": 1.034, "passed": also}
    found["gate"][1] |= {"passed": False, "checks": [mixed, missed]}
    said = answer(found, "sender")
    assert said.wins == f"No theory of senders can be named yet: {wins}"
    assert missing in said.missing
    assert ("draws" in said.missing) == (not also)
    if also:
        assert said.sure.endswith("(Two: integration error, sd 0.1200).")


def test_a_typical_person_has_the_numbers_of_the_population(found):
    found["how"]["models"][0] |= {
        "typical": {"cost": "loses {value} coins"},
        "units": {"cost": "coins"},
    }
    row = {
        "role": "sender", "model": "one", "parameter": "cost", "statistic": "population median",
        "treatment": "", "option": "", "unit": "coins", "mean": 15.06, "interval": [10.6, 20.5],
    }  # fmt: skip
    found["population"] = [row | {"unit": "share of the table", "mean": 0.3}, row]
    assert answer(found, "sender").typical == (
        "By One, a typical sender loses 15.1 (10.6 to 20.5) coins."
    )
    # Where the mixture leads, a person is typical of its largest theory, as the mixture has it.
    mixture(found, (0.8, 0.6, 0.9), (0.2, 0.1, 0.4))
    found["comparison"].append(found["comparison"][0] | {"model": "mix", "elpd": -5.0})
    found["population"].append(row | {"model": "mix", "mean": 30.2, "interval": [20.1, 40.3]})
    found["how"]["models"][2]["units"] = {"cost": "coins"}
    assert answer(found, "sender").typical == (
        "Of those who act as One says, a typical sender loses 30.2 (20.1 to 40.3) coins."
    )


def test_the_answer_does_not_change_the_results(found):
    before = copy.deepcopy(found)
    answer(found, "sender")
    assert found == before
