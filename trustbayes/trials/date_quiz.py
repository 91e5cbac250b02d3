"""The date quiz of the Oxford Accuracy and Confidence lab, as a file of trials."""

from __future__ import annotations

import pandas as pd

from trustbayes.files.rdata import read_rdata

__all__ = ["quiz_trials", "read_quiz"]

_STUDIES = ("datesStudy", "directBenevolence", "markerUse")


def read_quiz(content: bytes, name: str) -> pd.DataFrame:
    """The table of the studies' tables in the published file of R.

    Raises
    ------
    InputError
        If it is no such file.
    """
    return read_rdata(content, name)["datequiz"]


def quiz_trials(raw: pd.DataFrame) -> pd.DataFrame:
    """One row per decision after a recommendation, markers as their centres.

    Of the studies with estimates on a line those tables that their authors marked usable, and of
    these all rows with an estimate, a recommendation, a decision and the right year. People are
    numbered anew.

    Parameters
    ----------
    raw : DataFrame
        See `read_quiz`.

    Returns
    -------
    DataFrame
    """
    usable = raw[
        (raw["table"] == "AdvisedTrial")
        & raw["study"].isin(_STUDIES)
        & (raw["manipulationOK"] == "True")
    ]
    parts = [_rows(row["data"], row["study"]) for _, row in usable.iterrows()]
    table = pd.concat(parts, keys=range(len(parts)), names=["part"]).reset_index(level="part")
    table["person"] = table.groupby(["part", "pid"], sort=False).ngroup() + 1
    columns = [name for name in table if name not in ("part", "pid")]
    return table[["study", "person", *(n for n in columns if n not in ("study", "person"))]]


def _rows(data: pd.DataFrame, study: str) -> pd.DataFrame:
    """The complete rows of one table."""

    def text(name: str) -> pd.Series:
        return data[name] if name in data else pd.Series("", index=data.index)

    def number(name: str) -> pd.Series:
        return pd.to_numeric(text(name), errors="coerce")

    def centre(which: str) -> pd.Series:
        return number(f"responseEstimateLeft{which}") + number(f"responseMarkerWidth{which}") / 2

    table = pd.DataFrame(
        {
            "pid": text("pid"),
            "study": study,
            "trial": number("number"),
            "block": text("block"),
            "feedback": text("feedback"),
            "attention_check": text("isAttentionCheck"),
            "truth": number("correctAnswer"),
            "own": centre(""),
            "own_width": number("responseMarkerWidth"),
            "advisor": text("advisor0idDescription"),
            "advice": number("advisor0adviceCentre"),
            "advice_width": number("advisor0adviceWidth"),
            "advice_type": text("advisor0actualType"),
            "final": centre("Final"),
            "final_width": number("responseMarkerWidthFinal"),
        }
    )
    return table.dropna(subset=["truth", "own", "advice", "final"])
