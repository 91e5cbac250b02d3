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


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("version", [114, 117, 118, 119])
def test_stata_files_of_any_kind_are_read_and_none_that_is_longer_than_it_says(
    frame, version, order
):
    frame["treatment"] = frame["treatment"].astype("category")
    frame["note"] = ["long " * 500 if version > 114 else "short"] * len(frame)  # strL from 117 on
    options = {"convert_strl": ["note"]} if version > 114 else {}
    buffer = io.BytesIO()
    frame.astype({"late": int, "state": np.int8, "message": np.float32}).to_stata(
        buffer, write_index=False, version=version, byteorder=order, **options
    )
    content = buffer.getvalue()
    assert len(parse_table(content, "t.dta").frame) == len(frame)
    at = content.index(b"<N>") + 3 if version > 114 else 6
    size = {114: 4, 117: 4}.get(version, 8)
    rows = (len(frame) - 10).to_bytes(size, order)
    with pytest.raises(InputError, match=r"t\.dta: expected a Stata file"):
        parse_table(content[:at] + rows + content[at + size :], "t.dta")


def test_texts_of_stata_that_are_not_in_utf8_are_said(frame):
    buffer = io.BytesIO()
    frame.drop(columns="late").assign(who="Jose1").to_stata(buffer, write_index=False, version=118)
    latin = buffer.getvalue().replace(b"Jose1", b"Jos\xe91")
    table = parse_table(latin, "t.dta")
    assert set(table.frame["who"]) == {"José1"}
    assert table.notes == (
        "t.dta was read as a Stata file, some of its texts in Latin-1, since they are not in "
        "UTF-8.",
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


def sheet(*rows):
    """A workbook with these rows: each its number and its cells by their place."""
    cells = "".join(
        f'<row r="{number}">'
        + "".join(f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in row)
        + "</row>"
        for number, row in [(1, [("A1", "a"), ("B1", "b")]), *rows]
    )
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'
    book = io.BytesIO()
    openpyxl.Workbook().save(book)
    return changed(book.getvalue(), "xl/worksheets/sheet1.xml", xml)


DISORDER = {
    "row 2 after row 2": [(2, [("A2", "1")]), (2, [("A2", "2")])],
    "row 3 after row 5": [(5, [("A5", "1")]), (3, [("A3", "2")])],
    "row 99999999 after row 1": [(99999999, [("A99999999", "1")])],
    "B2 is late": [(2, [("A2", "1"), ("B2", "2"), ("B2", "3")])],
    "AA2 is late": [(2, [("AB2", "1"), ("AA2", "2")])],
    "of at most 50000000 cells": [(400_000, [("XFD400000", "1")])],
}


@pytest.mark.parametrize("reason", DISORDER)
def test_sheets_that_would_be_read_over_or_fill_the_memory_are_refused(reason):
    with pytest.raises(InputError, match=reason):
        parse_table(sheet(*DISORDER[reason]), "t.xlsx")


def test_sheets_may_leave_out_rows_and_cells():
    table = parse_table(sheet((3, [("B3", "2")]), (9, [("A9", "3"), ("B9", "4")])), "t.xlsx")
    assert table.frame.to_dict("index") == {3: {"a": "", "b": "2"}, 9: {"a": "3", "b": "4"}}


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
