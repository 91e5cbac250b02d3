"""The public date quiz: a file of R, read and laid out as trials."""

import bz2
import gzip
import struct

import pytest

from trustbayes.errors import InputError
from trustbayes.files.rdata import read_rdata
from trustbayes.trials.date_quiz import quiz_trials, read_quiz

PAIRS, END = struct.pack(">i", 2 | 1024), struct.pack(">i", 254)


def whole(*numbers):
    return struct.pack(f">{len(numbers)}i", *numbers)


def characters(text):
    return whole(9, -1) if text is None else whole(9, len(text.encode())) + text.encode()


def symbol(name):
    return whole(1) + characters(name)


def strings(texts):
    return whole(16, len(texts)) + b"".join(map(characters, texts))


def frame(columns):
    """A table of R by its binary format, written from R Internals."""
    tags = ((b"names", strings(list(columns))), (b"class", strings(["data.frame"])))
    attributes = b"".join(PAIRS + symbol(tag.decode()) + value for tag, value in tags) + END
    return whole(19 | 512, len(columns)) + b"".join(columns.values()) + attributes


def reals(numbers):
    return whole(14, len(numbers)) + struct.pack(f">{len(numbers)}d", *numbers)


def flags(values):
    return whole(10, len(values), *values)


def factor(codes, labels):
    attributes = PAIRS + symbol("levels") + strings(labels) + END
    return whole(13 | 512, len(codes), *codes) + attributes


def file_of(name, value):
    return b"RDX2\nX\n" + whole(2, 0, 0) + PAIRS + symbol(name) + value + END


def quiz():
    row = {
        "pid": strings(["a", "b", "b"]),
        "number": reals([3, 3, 4]),
        "isAttentionCheck": flags([0, 0, 0]),
        "correctAnswer": reals([1950, 1950, 1960]),
        "responseEstimateLeft": reals([1940, 1950, 1930]),
        "responseMarkerWidth": reals([9, 3, 1]),
        "advisor0idDescription": factor([1, 2, 1], ["Accurate", "Agreeing"]),
        "advisor0adviceCentre": reals([1951, 1949, float("nan")]),
        "advisor0adviceWidth": reals([6, 6, 6]),
        "advisor0actualType": strings(["correct", None, "agree"]),
        "responseEstimateLeftFinal": reals([1945, 1950, 1931]),
        "responseMarkerWidthFinal": reals([9, 3, 1]),
    }
    data = whole(19, 3) + frame(row) * 3
    return file_of(
        "datequiz",
        frame(
            {
                "study": strings(["markerUse", "markerUse", "dots"]),
                "table": strings(["AdvisedTrial"] * 3),
                "data": data,
                "manipulationOK": flags([1, 0, 1]),
            }
        ),
    )


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress], ids=["plain", "bz2", "gzip"])
def test_usable_and_complete_rows_are_trials(pack):
    table = quiz_trials(read_quiz(pack(quiz()), "datequiz.rda"))
    assert table["own"].tolist() == [1944.5, 1951.5]
    assert table["final"].tolist() == [1949.5, 1951.5]
    assert table["person"].tolist() == [1, 2]
    assert table["advisor"].tolist() == ["Accurate", "Agreeing"]
    assert table["advice_type"].tolist() == ["correct", ""]
    assert table["feedback"].tolist() == ["", ""]


@pytest.mark.parametrize("cut", [5, 20, 200, 700])
def test_a_file_cut_short_is_refused_in_one_message(cut):
    with pytest.raises(InputError, match=r"cut\.rda: expected a file of R with tables"):
        read_rdata(quiz()[:cut], "cut.rda")


def test_what_is_not_understood_is_refused():
    closure = file_of("f", whole(3))
    with pytest.raises(InputError, match="type 3"):
        read_rdata(closure, "code.rda")
