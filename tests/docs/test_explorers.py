"""The pictures to be moved about: their numbers by the theories' closed forms, and in a browser."""

import json
import re
import subprocess

import numpy as np
import pytest

from trustbayes.games import read_game
from trustbayes.trials.datasets import bundled

ROUNDING = 0.051  # numbers have one digit


@pytest.fixture(scope="module")
def pages(of_site):
    return of_site("explorers").explorers()


def numbers(page):
    text = re.search(r'id="\w+-grid">(.*?)</script>', page, flags=re.S)
    assert text is not None
    return json.loads(text[1])


@pytest.mark.parametrize(
    ("market", "step", "gain"),
    [("CLUL", 10, 15), ("CLUH", 30, 45), ("CHUL", 40, -15), ("CHUH", 120, -45)],
)
def test_forecasts_are_shared_by_the_closed_forms(pages, market, step, gain):
    # The step h of a level and the gain g of full trust as in the table of the theory, section 1.
    grid = numbers(pages["explore-forecast.html"])
    shown, seen = grid["markets"][market], np.array(grid["seen"])
    for level, line in enumerate(shown["level_reports"]):
        assert np.allclose(line, np.minimum(seen + level * step, 150), atol=ROUNDING)
    inner, built = (seen >= -150 + step) & (seen < 150), np.array(shown["level_capacities"][1])
    assert np.allclose(built[inner], (250 + seen - step + gain)[inner], atol=ROUNDING)
    believing = shown["capacities"][-1]
    assert np.allclose(believing, 250 + seen + gain, atol=ROUNDING)
    assert np.allclose([line[0] for line in shown["capacities"]], believing[0], atol=ROUNDING)
    reports = np.array(shown["reports"])
    assert reports.shape == (len(grid["aversions"]), len(grid["trusts"]), seen.size)
    assert (reports >= seen - ROUNDING).all()  # nobody under-reports
    assert (np.diff(reports, axis=0) <= ROUNDING).all()  # whoever minds more lies less


def test_choices_of_the_finite_game_are_those_of_its_payoffs(pages):
    grid = numbers(pages["explore-finite.html"])
    shown, scale = grid["treatments"]["Medium"], read_game(bundled("simulated-finite").game).scale
    assert shown["bias"] == 1
    # Check tables of the theory, section 3, for precise people.
    says, does = np.array(shown["lk_sender"][-1]), np.array(shown["lk_receiver"][-1])
    assert (says[1].argmax(axis=-1) + 1).tolist() == [2, 3, 4, 5, 5]
    assert (says[2].argmax(axis=-1) + 1).tolist() == [3, 4, 5, 5, 5]
    assert (does[1].argmax(axis=-1) + 1).tolist()[:4] == [1, 1, 2, 3]
    # Full trust by hand: payoffs 110 - 20 |m - a|^1.4, logit.
    for place, precision in enumerate(grid["precisions"]):
        for m in range(5):
            weights = [np.exp(-precision * 20 * abs(m - a) ** 1.4 / scale) for a in range(5)]
            shares = 100 * np.array(weights) / sum(weights)
            assert np.allclose(shown["te_receiver"][place][-1][m], shares, atol=0.51)
    # Whom a lie costs 100 payoff units tells the truth.
    honest = np.array(shown["te_sender"][-1][-1])
    assert (honest.argmax(axis=-1) == np.arange(5)).all()


def test_nothing_comes_from_elsewhere(pages):
    assert len(pages) == 2
    for page in pages.values():
        assert "<script" in page
        assert re.search(r'<(?:input|select)[^>]* id="', page)
        assert not re.search(r"https?:|//\w+\.|url\(|import", page)
        for control in re.findall(r'<(?:input|select)[^>]* id="([\w-]+)"', page):
            assert f'<label for="{control}">' in page


MOVE = """<script>
for (const [name, value] of [
  ["explore-market", "CHUH"], ["explore-level", 2], ["explore-trust", 10], ["explore-seen", 10],
  ["choose-bias", "Medium"], ["choose-precision", 5], ["choose-level", 2], ["choose-seen", 1]]) {
  const control = document.getElementById(name);
  control.value = value; control.dispatchEvent(new Event("input"));
}</script>"""


@pytest.mark.slow
def test_the_controls_move_the_pictures(pages, of_site, tmp_path):
    browser = of_site("browser", needs_browser=True).BROWSER
    file = tmp_path / "page.html"
    file.write_text(
        f'<!DOCTYPE html><html lang="en"><body>{"".join(pages.values())}{MOVE}', "utf-8"
    )
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    says = re.findall(r'id="(?:explore|choose)-says"[^>]*>(.*?)</p>', done.stdout, flags=re.S)
    assert len(says) == 2
    assert "at level 2 she reports 140." in says[0]  # -100 + 2 * 120
    assert "builds 105 if he trusts by 1, " in says[0]  # 250 - 100 - 45
    assert "one of level 2 says 4 (" in says[1]  # state 2, two steps of one
    assert done.stdout.count('<circle class="lk"') == 2
    assert done.stdout.count('<rect class="bar te" x=') == 11  # with the key's
