"""What a paper takes from a report is whole, the same every time, and inert."""

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from pages import Page

from trustbayes.models import SPECS
from trustbayes.report import results, write_report
from trustbayes.report.assets import csv_table, latex, latex_table
from trustbayes.report.page.table import table
from trustbayes.report.paper import methods_paragraph, references

HOSTILE = r"\input{x} & 50% $y_1$ #2 ~ ^ {z} <b> =1+1"


def test_every_table_and_figure_of_the_page_has_its_files(make_analysis, undrawn, tmp_path):
    made = make_analysis(subjects=2, rounds=3, names=["trust-embedded"])
    folder = tmp_path / "parts"
    text = write_report(made, tmp_path / "report.html", assets=folder).html.read_text("utf-8")
    parsed = Page(text)
    stems = {path.stem for path in folder.iterdir()}
    endings = {stem: {p.suffix for p in folder.glob(f"{stem}.*")} for stem in stems}
    figures = {str(one["id"]) for one in parsed.all("figure")}
    assert figures <= stems
    assert all(endings[name] == {".svg", ".pdf"} for name in figures)
    tables = {stem for stem in stems if endings[stem] == {".tex", ".csv"}}
    assert len(tables) == len(parsed.all("table"))
    assert stems == figures | tables
    rows = [row for row in csv.reader(io.StringIO((folder / "convergence-1.csv").read_text()))]
    assert rows[0][:2] == ["model", "check"]
    again = tmp_path / "again"
    write_report(made, tmp_path / "report.html", assets=again)
    for path in folder.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_without_a_folder_only_the_report_is_written(make_analysis, undrawn, tmp_path):
    made = make_analysis(subjects=2, rounds=3, names=["trust-embedded"])
    write_report(made, tmp_path / "report.html")
    assert {path.name for path in tmp_path.iterdir()} == {"report.html", "report.json"}


def test_latex_has_no_letter_that_acts():
    said = latex(HOSTILE)
    bare = re.sub(r"\\[&%$#_{}]|\\[a-z]+\{\}|\$[<>]\$", "", said)
    assert not set(bare) & set("\\&%$#_{}~^<>")
    assert latex("αᵉ − 1 ≥ β₀") == r"$\alpha$$^e$ $-$ 1 $\geq$ $\beta$$_0$"


def test_a_table_in_latex_has_its_cells_in_their_columns():
    lines = latex_table(table("A & B.", "what|n", [("x_1", "−2")], notes=["so"])).splitlines()
    assert r"\begin{tabular}{lr}" in lines
    assert r"x\_1 & $-$2 \\" in lines
    assert r"\caption{A \& B.}" in lines
    assert lines[-2:] == ["1. so", r"\end{table}"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_latex_takes_the_table(tmp_path):
    body = latex_table(table(HOSTILE, "what|n", [(HOSTILE, "−2"), ("αᵉ", "≤ 1")]))
    head = r"\documentclass{article}\usepackage{booktabs}\begin{document}"
    (tmp_path / "x.tex").write_text(f"{head}\n{body}\\end{{document}}", "utf-8")
    command = ["pdflatex", "-halt-on-error", "-no-shell-escape", "x.tex"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("label", ["=1+1", "+cmd", "-cmd", "@sum", "−x", "-1+cmd|A0"])
def test_a_spreadsheet_runs_no_label(label):
    said = csv_table(table("x", "what|n", [(label, "−1.5")]))
    assert said.splitlines()[1].startswith("'")
    assert said.splitlines()[1].endswith(",-1.5")


@pytest.mark.parametrize("said", ["−1.5", "−2.50 (−3.10 to −1)", "−0.1 to 0.2", "−0.15 ± 0.1"])
def test_a_number_in_a_table_stays_a_number(said):
    [_, row] = csv.reader(io.StringIO(csv_table(table("x", "what|n", [("a", said)]))))
    assert row[1] == said.replace("−", "-")


def test_the_methods_paragraph_says_what_was_done(analysis):
    found = results(analysis)
    text = methods_paragraph(found)
    assert f"{found['experiment']['trials']} trials" in text
    assert f"seed {found['how']['sampling']['seed']}" in text
    assert f"trustbayes {found['how']['models'][0]['versions']['trustbayes']}" in text
    assert "leave-one-subject-out" in text
    for one in found["verdict"].values():
        assert one["text"] in text
    by_trial = {role: one | {"unit": "subject-sum"} for role, one in found["verdict"].items()}
    assert "leave-one-subject-out" not in methods_paragraph(found | {"verdict": by_trial})


def test_references_are_those_that_were_used(make_analysis, analysis):
    def keys(one):
        return {reference.key for reference in references(results(one))}

    assert {"ozer2011trust", "crawford2003lying", "vehtari2021rank", "trustbayes"} <= keys(analysis)
    alone = replace(make_analysis(subjects=2, rounds=3, names=["level-k"]))
    assert "ozer2011trust" not in keys(alone)
    assert "crawford2003lying" in keys(alone)


def test_every_source_that_a_theory_cites_has_its_reference(make_analysis):
    found = results(make_analysis(subjects=2, rounds=3, names=["level-k"]))
    [made, *_] = found["how"]["models"]
    for spec in SPECS:
        cited = found | {"how": found["how"] | {"models": [made | {"citation": spec.citation}]}}
        texts = [reference.text for reference in references(cited)]
        for surname, year in re.findall(r"(\w+)(?: and \w+)? \((\d{4})\)", spec.citation):
            assert any(surname in text and f"({year})" in text for text in texts), spec.citation


def test_bibtex_is_balanced_and_plain(analysis):
    for one in references(results(analysis)):
        entry = one.bibtex
        assert entry.count("{") == entry.count("}")
        assert entry.startswith(f"@{one.kind}{{{one.key},\n")
        assert entry.isascii()
        assert one.text.endswith(".")
        assert one.fields["year"] in one.text
