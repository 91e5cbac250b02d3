"""From the layouts in which experiments were published to those of their game files."""

from __future__ import annotations

import pandas as pd

__all__ = ["ioannidis_pairs", "oey_rounds"]

_ROLES = ("sender", "receiver")
_AGREEMENT = {
    "Strongly disagree": "1",
    "Disagree": "2",
    "Neither agree nor disagree": "3",
    "Agree": "4",
    "Strongly agree": "5",
}


def ioannidis_pairs(raw: pd.DataFrame) -> pd.DataFrame:
    """One row per subject and round to one row per pair and round.

    Matching groups are numbered anew in each of the four treatment cells, and pairs (group_id)
    anew in each matching group and round. Without participant codes and demographics. Agreement
    with the statements of trust becomes a number from 1 (strongly disagree) to 5 (strongly agree).

    Parameters
    ----------
    raw : DataFrame
        The table of Ioannidis, Habitual communication, all cells as text.

    Returns
    -------
    DataFrame
        As ``data/games/ioannidis-2024.toml`` reads it; ``timeout`` is 1 where a message or an
        action is none of the game's.
    """
    cell = ["treatment_past", "treatment_future", "matching_group"]
    pair = [*cell, "round", "group_id"]
    shared = ["bias", "noise", "state", "message", "action"]
    renamed = {
        "id_sub": "id",
        "earnings": "earnings",
        "time_decision": "time",
        "risk": "risk",
        "crt": "crt",
        "trust_sender": "trust_sender",
        "trust_receiver": "trust_receiver",
    }
    senders, receivers = (
        raw[raw["role"] == role.capitalize()]
        .set_index(pair)[[*renamed, *extra]]
        .rename(columns={key: f"{role}_{name}" for key, name in renamed.items()})
        for role, extra in (("sender", shared), ("receiver", []))
    )
    table = senders.join(receivers, how="inner", validate="one_to_one").reset_index()
    for column in (f"{role}_trust_{of}" for role in _ROLES for of in _ROLES):
        table[column] = table[column].map(_AGREEMENT)
    table["b"] = table["bias"].map({"Low": "0.2", "Medium": "1", "Large": "2"})
    inside = table[["message", "action"]].isin(list("12345")).all(axis=1)
    table["timeout"] = (~inside).astype(int)
    table = table.rename(columns={"group_id": "pair"}).sort_values(
        [*cell, "round", "pair"], key=lambda c: c if c.name in cell[:2] else c.astype(int)
    )
    table["matching_group"] = table[cell].agg("-".join, axis=1)
    front = [*cell, "round", "pair", "sender_id", "receiver_id", "bias", "b", *shared[1:]]
    return table[[*front, "timeout", *(c for c in table if c not in {*front, "timeout"})]]


_OEY_COLUMNS = {
    "subjID": "person",
    "trialNumber": "trial",
    "role": "role",
    "util": "payoff",
    "p": "base_rate",
    "k": "drawn",
    "ksay": "reported",
    "callBS": "challenge",
}


def oey_rounds(senders: pd.DataFrame, receivers: pd.DataFrame) -> pd.DataFrame:
    """A row per person and round, people numbered anew in the order of their codes.

    Parameters
    ----------
    senders, receivers : DataFrame
        The two tables of Oey, Schachner and Vul (repository RationalLying), all cells as text.

    Returns
    -------
    DataFrame
        As ``data/games/oey-vul-2022.toml`` reads it.
    """
    table = pd.concat([senders, receivers])[list(_OEY_COLUMNS)].rename(columns=_OEY_COLUMNS)
    table["challenge"] = table["challenge"].map({"FALSE": "0", "TRUE": "1"})
    codes = {code: position for position, code in enumerate(sorted(set(table["person"])), start=1)}
    table["person"] = table["person"].map(codes)
    return table.astype({"trial": int}).sort_values(["person", "trial"], ignore_index=True)
