"""Excel, Stata and Parquet: what pandas and openpyxl write is what the plain table says."""

import io
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.files import excel, formats, parse_csv, parse_table

PLAIN = Path(__file__).parent / "cases" / "plain.csv"


@pytest.fixture
def frame():
    return pd.read_csv(PLAIN).assign(age=[20.5, np.nan] * 12, late=[True, False] * 12)


def written(frame, kind):
    buffer = io.BytesIO()
    if kind == "xlsx":
        frame.to_excel(buffer, index=False)
    elif kind == "parquet":
        frame.to_parquet(buffer, index=False)
    else:
        frame.assign(late=frame["late"].astype(int)).to_stata(buffer, write_index=False)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "dta"])
def test_the_same_cells_as_the_plain_table(frame, kind):
    plain = parse_csv(frame.astype({"late": int}).to_csv(index=False).encode(), "plain.csv")
    table = parse_table(written(frame, kind), f"trials.{kind}")
    pd.testing.assert_frame_equal(table.frame, plain.frame)
    assert table.notes[0].startswith(f"trials.{kind} was read as ")


def test_labels_of_stata_stand_for_their_numbers(frame):
    frame["treatment"] = frame["treatment"].astype("category")
    table = parse_table(written(frame, "dta"), "t.dta")
    assert set(table.frame["treatment"]) == {"Low", "High"}
    assert table.notes == (
        "t.dta was read as a Stata file, with labels for the values of treatment.",
    )


def test_two_filled_sheets_are_asked_back(frame):
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.create_sheet("more").append(["c"])
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(InputError, match="found 'Sheet, more', expected a workbook with one sheet"):
        parse_table(buffer.getvalue(), "t.xlsx")


def changed(content, name, text):
    """The workbook with one part replaced."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(buffer, "w") as new:
        for part in old.namelist():
            new.writestr(part, text if part == name else old.read(part), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def test_bombs_are_refused_before_they_are_unpacked(frame, monkeypatch):
    entities = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbb">]><a>&b;</a>'
    sheet = "xl/worksheets/sheet1.xml"
    with pytest.raises(InputError, match=r"sheet1.xml', expected a workbook w"):
        parse_table(changed(written(frame, "xlsx"), sheet, entities), "t.xlsx")
    monkeypatch.setattr(excel, "MOST_BYTES", 2**20)
    with pytest.raises(InputError, match=r"of at most 1 MiB .* unpacks to 5 MiB"):
        parse_table(changed(written(frame, "xlsx"), sheet, b" " * 5 * 2**20), "t.xlsx")
    monkeypatch.setattr(excel, "MOST_CELLS", 10)
    monkeypatch.setattr(formats, "MOST_CELLS", 10)
    for kind in ("xlsx", "parquet"):
        with pytest.raises(InputError, match="at most 10 cells"):
            parse_table(written(frame, kind), f"t.{kind}")


@pytest.mark.parametrize("kind", ["xlsx", "parquet", "dta"])
def test_damaged_files_are_one_message(frame, kind):
    content = written(frame, kind)
    for cut in (20, len(content) // 2):
        with pytest.raises(InputError, match=r"t\.bin: expected an? .* that can be read"):
            parse_table(content[:cut], "t.bin")


def test_the_extra_is_named_where_it_is_missing(frame, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"openpyxl, defusedxml .*'trustbayes\[tables\]'"):
        parse_table(written(frame, "xlsx"), "t.xlsx")
