"""Separated cells: every form that programs write is read or refused, nothing lost in silence."""

import csv
import io

import numpy as np
import pytest

from trustbayes.errors import InputError
from trustbayes.files import identifiers, parse_csv, text_of, typed

TEXT = "sender,note,age\ns1,José,23.5\ns2,λ,40\n"


def cells(content, source="t.csv"):
    table = parse_csv(content if isinstance(content, bytes) else content.encode(), source)
    assert table.faults == ()
    return [list(table.frame.columns), *table.frame.to_numpy().tolist()]


def refused(content):
    with pytest.raises(InputError) as caught:
        parse_csv(content if isinstance(content, bytes) else content.encode(), "t.csv")
    return str(caught.value)


PLAIN = [["sender", "note", "age"], ["s1", "José", "23.5"], ["s2", "λ", "40"]]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_encodings_and_line_ends(encoding, end):
    assert cells(TEXT.replace("\n", end).encode(encoding)) == PLAIN


def test_what_was_recognised_is_said():
    assert parse_csv(TEXT.encode(), "t.csv").notes == ()
    assert parse_csv(TEXT.encode("utf-16"), "t.csv").notes == ("t.csv was read as UTF-16.",)
    western = TEXT.replace("λ", "ö").encode("cp1252")
    assert cells(western)[1][1] == "José"
    assert parse_csv(western, "t.csv").notes == ("t.csv was read as Windows-1252.",)


def test_a_file_in_two_encodings_is_refused():
    mixed = "a,b\né,1\n".encode() + "ö,2\n".encode("cp1252")
    assert refused(mixed) == (
        "t.csv, row 3: expected text in UTF-8, but there is the byte f6 among characters that are "
        "in UTF-8"
    )
    assert "which Windows-1252 has not either" in refused(b"a,b\n\x81,1\n")
    assert refused("a,b\n1,2\n".encode("utf-16")[:-1]).startswith(
        "t.csv: expected text in UTF-16, as its first bytes say"
    )
    assert "row 2: expected text, but there is a null character" in refused("a,b\n\0,1\n")


@pytest.mark.parametrize("start", [b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"<stata_dta>"])
def test_other_kinds_of_file_are_refused_unopened(start):
    assert "save the table as CSV" in refused(start + b"\x00\xff\x81")


def test_accents_composed_or_not_are_the_same_name():
    assert cells("name,x\nJose\u0301,1\n") == cells("name,x\nJos\u00e9,1\n")


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separators_and_decimal_commas(separator):
    text = TEXT.replace(",", separator).replace("23.5", "23,5")
    assert cells(text) == PLAIN
    [note] = parse_csv(text.encode(), "t.csv").notes
    assert note.endswith("between its columns, and decimal commas in: age.")


def test_a_fault_quotes_a_decimal_comma_as_it_stands():
    table = parse_csv(b"a;b\n1,5;2\n", "t.csv")
    assert table.frame.at[2, "a"] == "1.5"
    assert str(table.fault(2, "a", "less")) == "t.csv, row 2, column a: found '1,5', expected less"


def test_a_column_of_commas_and_points_stays_as_it_is():
    assert cells("a;b\n1.5;x\n2,5;y\n")[1:] == [["1.5", "x"], ["2,5", "y"]]


def test_two_separators_that_would_do_are_asked_back():
    assert "one kind of separator between columns, but commas and semicolons would do" in refused(
        "a;b,c\n1;2,3\n"
    )
    assert cells('a,"b;c"\n1,2\n') == [["a", "b;c"], ["1", "2"]]
    assert cells("a;b\n1,5;2,5\n") == [["a", "b"], ["1.5", "2.5"]]


def test_a_separator_that_the_first_line_names():
    assert cells("sep=;\na;b,c\n1;2\n") == [["a", "b,c"], ["1", "2"]]
    assert list(parse_csv(b"sep=;\na;b\n1;2\n", "t.csv").frame.index) == [3]


def test_leftovers_of_spreadsheets():
    table = parse_csv(b"a,b,,\n\n1,2,,\n,,,\n3,4\n5,6,,,,\n,\n\n", "t.csv")
    assert table.frame.to_numpy().tolist() == [["1", "2"], ["5", "6"]]
    assert [str(fault) for fault in table.faults] == [
        "t.csv, row 5: expected 4 cells as in the header, but there are 2"
    ]
    assert table.notes == (
        "t.csv has 2 columns without a name or a cell, passed over.",
        "t.csv has 2 rows of empty cells, passed over.",
    )


@pytest.mark.parametrize("text", [",\n", ";;\n;\n", "\n , \n"])
def test_a_file_of_separators_is_empty(text):
    assert refused(text) == "t.csv: expected a header and rows, but the file is empty"


def test_a_column_without_a_name_that_holds_something_is_refused():
    assert refused("a,,b\n1,2,3\n") == "t.csv, row 1: expected a name for column number 2"


def test_cells_of_any_length():
    long = "x" * 300_000
    assert cells(f'a,b\n"{long},",1\n{long},2\n')[1:] == [[f"{long},", "1"], [long, "2"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b,c\n1,2,3\n4,"5,6\n7,8,9\n',
         "t.csv, row 3, column b: found '\"5,6\\n7,8,9\\n', expected a quote that closes"),
        ('a,b,c\n1,2,"3\n4,5,"6"\n', "row 2, column c: found '\"3\\n4,5,\"6\"\\n', expected the e"),
        ('a,"b,c\n1,2,3\n', "t.csv, row 1, column number 2"),
        ('a,b,c,d\n1,2,3,\n4,5,6,"7\n8,9,0,\n1,2,3,4"\n',
         "row 3, column d: found '7\\n8,9,0,\\n1,2,3,4', expected a quote that closes in its row, "
         "but it does by row 5, after what looks like rows"),
        ('a,b,c,d\n4,5,6,"7\n1,2,3,4"\n', "a quote that closes in its row, but it does by row 3"),
    ],
)  # fmt: skip
def test_quotes_that_swallow_rows_are_named(text, expected):
    try:
        message = "\n".join(map(str, parse_csv(text.encode(), "t.csv").faults))
    except InputError as error:
        message = str(error)
    assert expected in message


def test_texts_of_several_lines_are_legitimate():
    text = 'a,b,note\n1,2,"one\ntwo, ""three""\n\nfour"\n5,6,x\n'
    table = parse_csv(text.encode(), "t.csv")
    assert table.frame["note"].tolist() == ['one\ntwo, "three"\n\nfour', "x"]
    assert list(table.frame.index) == [2, 6]
    first = 'note,a,b,c\n"one\ntwo",1,2,3\n'
    assert cells(first)[1] == ["one\ntwo", "1", "2", "3"]


def test_quotes_inside_a_cell_and_blanks_around_one():
    assert cells('a,b\n5" tall, "x, y" \n')[1] == ['5" tall', "x, y"]


def test_columns_named_with_what_cannot_be_seen_are_refused():
    assert "a name without the character '\\x1b'" in refused("a,b\x1b[2J\n1,2\n")


def test_all_that_csv_writes_is_read_back():
    rng = np.random.default_rng(3)
    letters = list("a1, ;\"'\n|\t=é")
    for separator in ",;\t|":
        rows = [list("abcdefghij")]
        rows += [["".join(rng.choice(letters, 4)) for _ in range(10)] for _ in range(50)]
        text = io.StringIO()
        csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(rows)
        assert cells(text.getvalue()) == [[cell.strip() for cell in row] for row in rows]


def test_identifiers_that_were_whole_numbers_once():
    def named(*names):
        import pandas as pd

        return identifiers(pd.Series(names, dtype="str")).tolist()

    assert named("1.0", "2.", "10") == ["1", "2", "10"]
    assert named("001", "1") == ["001", "1"]
    assert named("1.0", "x") == ["1", "x"]


@pytest.mark.parametrize("code", ["NA", "#N/A", "<NA>", "-", "n/a", "", ".", "NaN"])
def test_codes_of_missing_values_among_numbers(code):
    import pandas as pd

    values, note, doubtful = typed(pd.Series(["20", code, "23"], dtype="str"), "age")
    assert values.tolist()[::2] == [20, 23]
    assert np.isnan(values[1])
    assert note == f"age: 1 of 3 values missing ({code!r})."
    assert doubtful == []


def test_what_became_a_factor_is_said():
    import pandas as pd

    values, note, _ = typed(pd.Series(["1", "2", "other"], dtype="str"), "school")
    assert values.tolist() == ["1", "2", "other"]
    assert note == "school is a factor of 3 levels: '1', '2', 'other'."
    assert typed(pd.Series(["NL", "", "DE"], dtype="str"), "country")[1] == ""


def test_text_is_decoded_alike_for_every_kind_of_file():
    assert text_of(b"\xef\xbb\xbfname = 'x'", "game.toml") == ("name = 'x'", ())
