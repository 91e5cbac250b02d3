"""What is written holds no formula of a spreadsheet."""

import pandas as pd
import pytest

from trustbayes.errors import InputError
from trustbayes.files import csv_text


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+A1", "-A1", "\t=1"])
def test_labels_that_a_spreadsheet_would_run_are_refused(label):
    for frame in (pd.DataFrame({"treatment": [label]}), pd.DataFrame({label: ["x"]})):
        with pytest.raises(InputError, match=r"t\.csv, column .*does not begin as a formula does"):
            csv_text(frame, "t.csv")


def test_numbers_and_other_labels_are_written_as_they_are():
    frame = pd.DataFrame({"a": ["-1", "+.5", "s=1", "<b>"], "b": [-1.5, 2, 3, 4]})
    assert csv_text(frame, "t.csv") == "a,b\n-1,-1.5\n+.5,2.0\ns=1,3.0\n<b>,4.0\n"
