"""The tables [columns], [rows] and [exclude] of a game file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from trustbayes.games.layout import Layout, Rows, Share, Span
from trustbayes.games.toml_section import Section, is_number

__all__ = ["LAYOUT_KEYS", "read_layout"]

LAYOUT_KEYS = ("columns", "rows", "exclude")
"""The keys that every game file may have for its file of trials."""

_PLAYER_KEYS = ("person", "pair", "role", "sender", "receiver", "take", "unpaired", "app")


def read_layout(section: Section, names: Sequence[str]) -> Layout:
    """Read how trial files are laid out; faults are noted in the section.

    Parameters
    ----------
    section : Section
        The whole file.
    names : sequence of str
        The standard columns that trials of the game may have.

    Returns
    -------
    Layout
    """
    columns = _columns(section, names)
    rows = _rows(section, names)
    if rows.per == "player":
        for name in ("sender", "receiver"):
            if name in columns:
                expected = "no name of it, since [rows] person names the column of both roles"
                section.section("columns").note(name, expected)  # type: ignore[union-attr]
    return Layout(columns, _exclude(section, rows), rows, _joined(columns, section))


def _columns(section: Section, names: Sequence[str]) -> dict[str, str]:
    columns = section.section("columns") if "columns" in section.raw else None
    if columns is None:
        return {}
    columns.allow(*names)
    read = {
        key: ", ".join(_texts(columns, key))
        if key == "treatment" and isinstance(columns.raw[key], list)
        else columns.text(key)
        for key in columns.raw
        if key in names
    }
    return {key: name for key, name in read.items() if name}


def _joined(columns: dict[str, str], section: Section) -> dict[str, tuple[str, ...]]:
    """The treatments' column, if it is made of several."""
    raw = section.raw.get("columns")
    parts = raw.get("treatment") if isinstance(raw, dict) else None
    if not isinstance(parts, list) or not columns.get("treatment"):
        return {}
    return {columns["treatment"]: tuple(parts)}


def _rows(section: Section, names: Sequence[str]) -> Rows:
    rows = section.section("rows") if "rows" in section.raw else None
    if rows is None:
        return Rows()
    per = rows.text("per", choices=("interaction", "player"))
    rows.allow("per", *_PLAYER_KEYS)
    if per != "player":
        for key in rows.raw:
            if per and key in _PLAYER_KEYS:
                rows.note(key, 'only per, or per = "player"')
        return Rows()
    person = rows.text("person")
    role = rows.text("role") if "role" in rows.raw else None
    for key in ("sender", "receiver"):
        if key in rows.raw and "role" not in rows.raw:
            rows.note(key, "also role, the column in which it stands")
    sender, receiver = _values(rows, "sender"), _values(rows, "receiver")
    if both := sorted(set(sender) & set(receiver)):
        rows.note("receiver", f"values that are not those of senders, too: {', '.join(both)}")
    unpaired = "refuse"
    if "unpaired" in rows.raw:
        unpaired = rows.text("unpaired", choices=("refuse", "leave out", "keep")) or unpaired
    pair = _texts(rows, "pair") if "pair" in rows.raw else ()
    for key in ("unpaired", "take"):
        if key in rows.raw and not pair:
            rows.note(key, "also pair, the columns that name an interaction")
    take: dict[str, str] = {}
    taken = rows.section("take") if "take" in rows.raw else None
    if taken is not None:
        able = tuple(name for name in names if name not in ("sender", "receiver"))
        taken.allow(*able)
        sides = {n: taken.text(n, ("sender", "receiver")) for n in taken.raw if n in able}
        take = {name: side for name, side in sides.items() if side}
    return Rows(
        per="player",
        person=person,
        pair=pair,
        role=role,
        sender=sender,
        receiver=receiver,
        take=take,
        unpaired=cast(Literal["refuse", "leave out", "keep"], unpaired),
        app=rows.text("app") if "app" in rows.raw else None,
    )


def _texts(section: Section, key: str) -> tuple[str, ...]:
    value = section.raw[key]
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        section.note(key, "the name of a column, or a list of them")
        return ()
    return tuple(texts)


def _values(section: Section, key: str) -> tuple[str, ...]:
    """What stands for a role; the role's name without a word."""
    if key not in section.raw:
        return (key,)
    value = section.raw[key]
    values = value if isinstance(value, list) else [value]
    if not values or not all(is_number(v) or (isinstance(v, str) and v) for v in values):
        section.note(key, "a number or a text, or a list of them")
        return (key,)
    return tuple(str(v) for v in values)


def _exclude(section: Section, rows: Rows) -> dict[str, tuple[Any, ...]]:
    exclude = section.section("exclude") if "exclude" in section.raw else None
    if exclude is None:
        return {}
    rules: dict[str, tuple[Any, ...]] = {}
    for column, value in exclude.raw.items():
        values = value if isinstance(value, list) else [value]
        read: list[Any] = []
        for item in values:
            if isinstance(item, dict):
                read.append(_condition(exclude, column, item, rows))
            elif is_number(item) or isinstance(item, str):
                read.append(item)
            else:
                read.append(None)
        if not read or None in read:
            expected = (
                "a number or a text, a condition {below = 2}, {above = 60} or "
                '{value = 0, share_above = 0.25, of = "column of people"}, or a list of these'
            )
            exclude.note(column, expected)
        else:
            rules[column] = tuple(read)
    return rules


def _condition(
    section: Section, column: str, item: dict[str, Any], rows: Rows
) -> Span | Share | None:
    """A condition, None if it cannot be understood."""
    if "share_above" in item:
        share, value, of = item["share_above"], item.get("value"), item.get("of")
        if not set(item) <= {"value", "share_above", "of"}:
            return None
        if not (is_number(share) and 0 <= share < 1):
            return None
        if not (is_number(value) or isinstance(value, str)):
            return None
        if of is not None and not isinstance(of, str):
            return None
        if of is None and rows.per == "interaction":
            section.note(column, 'also of = "...", the column of the people who are meant')
        return Share(value, float(share), of)
    limits = {key: item.get(key) for key in ("below", "above")}
    if not item or not set(item) <= set(limits):
        return None
    if not all(is_number(limit) for limit in limits.values() if limit is not None):
        return None
    return Span(**{key: None if v is None else float(v) for key, v in limits.items()})
