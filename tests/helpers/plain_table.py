"""A small table of trials, and the same with one row changed."""

from collections.abc import Sequence

HEADER = "sender,receiver,round,treatment,bias,state,message,action"
ROWS: Sequence[str] = (
    "s1,r1,1,High,1,1,2,1",
    "s2,r2,1,High,1,2,3,2",
    "s1,r2,2,High,1,3,3,2",
    "s2,r1,2,High,1,1,1,1",
    "s10,r10,1,Low,0.5,3,3,3",
    "s10,r10,2,Low,0.5,2,2,2",
)


def changed(row: int, old: str, new: str) -> list[str]:
    """ROWS with one row (counted as the file's lines) changed."""
    rows = list(ROWS)
    assert old in rows[row - 2]
    rows[row - 2] = rows[row - 2].replace(old, new)
    return rows
