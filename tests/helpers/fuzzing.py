"""Damaged tables and game files, and what must hold of reading them."""

import csv
import io
import re
import struct
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from openpyxl import Workbook

from trustbayes.errors import InputError
from trustbayes.files import text_of
from trustbayes.games import read_game
from trustbayes.simulation.simulate import read_parameters
from trustbayes.trials.datasets import bundled
from trustbayes.trials.inspect import inspect_table
from trustbayes.trials.table import Trials, read_trials

CASES = Path(__file__).parents[1] / "files" / "cases"
PAYOFF_GAME = b"""kind = "finite"
states = [1, 2]
[payoffs]
family = "table"
sender = "payoffs.csv"
receiver = "payoffs.csv"
[exclude]
timeout = [1, "late"]
[columns]
sender = "who"
"""
LAYOUTS = {"one-row-per-player.csv": "player.toml", "otree-wide.csv": "wide.toml"}
CONDITIONS = b"""kind = "finite"
states = [1, 2]
[payoffs]
family = "power-loss"
constant = 1
scale = 1
exponent = 1
[rows]
per = "player"
person = "who"
pair = ["round", "pair"]
role = "part"
sender = ["S", 1]
receiver = 2
unpaired = "leave out"
take = {state = "sender"}
[exclude]
time = [{below = 2}, {above = 60}, 7]
check = {value = 0, share_above = 0.25}
"""
GENERAL = b"""kind = "finite"
states = [0, 1, 2]
actions = ["accept", "challenge"]
[payoffs]
family = "formula"
sender = "gain * message if action == accept else -fine * (message != state)"
receiver = "5 if action == 'challenge' and message != state else max(2 - gain * message, 0)"
constants = {fine = 3}
[treatments.High]
direction = "up"
gain = 1
prior = [0.5, 0.25, 0.25]
receiver_prior = "uniform"
[treatments.Low]
direction = "down"
gain = -0.5
"""
TREATED_GAME = b"""kind = "finite"
states = [1, 2]
actions = {no = 0, yes = 1}
direction = "up"
[payoffs]
family = "table"
sender = "treated.csv"
receiver = "payoffs-of-labels.csv"
[treatments]
A = 0
B = {prior = [0.25, 0.75]}
"""
TREATED = b"message,treatment,payoff\n1,A,1\n2,A,4\n1,B,2.5\n2,B,-1\n"
OF_LABELS = b"state,action,payoff\n1,no,1\n1,yes,0\n2,no,0\n2,yes,3\n"
PAYOFFS = b"state,action,payoff\n1,1,10\n1,2,5\n2,1,5\n2,2,10\n"


@dataclass(frozen=True)
class Seed:
    """A sound file, and what reads it."""

    name: str
    content: bytes
    kind: str


def corpus() -> list[Seed]:
    """Files of every kind that is read."""
    tables = [
        Seed(path.name, path.read_bytes(), "trials")
        for path in sorted(CASES.glob("*"))
        if path.suffix in (".csv", ".txt") and not path.name.startswith("people")
        if path.name not in LAYOUTS
    ]
    forecast = bundled("simulated-forecast").trials.read_bytes().splitlines(keepends=True)
    parameters = bundled("simulated-finite").parameters.read_bytes().splitlines(keepends=True)
    layouts = [Seed(p.name, p.read_bytes(), "game") for p in (CASES / n for n in LAYOUTS.values())]
    players = [Seed(name, (CASES / name).read_bytes(), "players") for name in LAYOUTS]
    return [
        *tables,
        *players,
        *layouts,
        Seed("conditions.toml", CONDITIONS, "game"),
        Seed("quoted.csv", b"".join(quoted(CASES / "plain.csv")), "trials"),
        Seed("forecast.csv", b"".join(forecast[:30]), "forecast"),
        *(Seed(p.name, p.read_bytes(), "people") for p in sorted(CASES.glob("people*.csv"))),
        Seed("parameters.csv", b"".join(parameters[:30]), "parameters"),
        Seed("game.toml", (CASES / "game.toml").read_bytes(), "game"),
        Seed("forecast.toml", bundled("simulated-forecast").game.read_bytes(), "game"),
        Seed("payoffs.toml", PAYOFF_GAME, "game"),
        Seed("payoffs.csv", PAYOFFS, "payoffs"),
        Seed("general.toml", GENERAL, "game"),
        Seed("treated.csv", TREATED, "payoffs"),
        Seed("payoffs-of-labels.csv", OF_LABELS, "payoffs"),
        Seed("people.xlsx", excel(sheet(pd.read_csv(CASES / "people.csv"))), "people"),
        *binary(pd.read_csv(CASES / "plain.csv")),
    ]


def binary(frame: pd.DataFrame) -> list[Seed]:
    """A table in the files of other programs: of Excel both the whole and the sheet inside."""
    written = []
    for name, write in {
        "old.dta": lambda file: frame.to_stata(file, write_index=False, time_stamp=_WHEN),
        "new.dta": lambda file: frame.to_stata(
            file, write_index=False, time_stamp=_WHEN, version=118
        ),
        "trials.parquet": lambda file: frame.to_parquet(file, index=False),
    }.items():
        buffer = io.BytesIO()
        write(buffer)
        written.append(Seed(name, buffer.getvalue(), "binary"))
    return [
        *written,
        Seed("trials.xlsx", excel(sheet(frame)), "binary"),
        Seed("sheet.xlsx", sheet(frame), "binary"),
    ]


_WHEN = datetime(2026, 1, 1)


def sheet(frame: pd.DataFrame) -> bytes:
    """The XML of a table's sheet, as openpyxl writes it."""
    buffer = io.BytesIO()
    frame.to_excel(buffer, index=False)
    with zipfile.ZipFile(buffer) as book:
        return book.read(_SHEET)


_SHEET = "xl/worksheets/sheet1.xml"


def excel(content: bytes) -> bytes:
    """A workbook around a sheet's XML."""
    blank, buffer = io.BytesIO(), io.BytesIO()
    Workbook().save(blank)
    with zipfile.ZipFile(blank) as parts, zipfile.ZipFile(buffer, "w") as book:
        for part in parts.infolist():
            part.date_time = (2026, 1, 1, 0, 0, 0)
            book.writestr(part, content if part.filename == _SHEET else parts.read(part))
    return buffer.getvalue()


def quoted(path: Path) -> list[bytes]:
    """A table with every cell in quotes and a text of two lines at the end of each row."""
    header, *rows = path.read_text().splitlines()
    lines = [",".join(f'"{cell}"' for cell in [*header.split(","), "note"])]
    lines += [",".join(f'"{cell}"' for cell in [*row.split(","), "one\ntwo"]) for row in rows]
    return [f"{line}\r\n".encode() for line in lines]


PIECES = [
    *(b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf"),
    *(b"\xff\xfe", b"NA", b"#N/A", b"1e999", b"-0", b"=cmd|' /C calc'!A0", "é".encode(), b"\xe9"),
    *(b"1,5", b"inf", b" ", b"<b>", b"\x1b[2J", b"sender", b"stat", b"[", b"]", b"=", b"'", b"\\"),
    *(b"x" * 140_000, b"9" * 400, "\u202e".encode(), "e\u0301".encode(), b"1_000", b"0x10"),
]


def lines_of(content: bytes) -> list[bytes]:
    return re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", content)


def mutated(content: bytes, steps: Sequence[tuple[int, int, int]]) -> bytes:
    """The content after some steps, each a kind of damage and two numbers that say where."""
    for kind, first, second in steps:
        at = first % (len(content) + 1)
        lines = lines_of(content)
        row, other = first % max(len(lines), 1), second % max(len(lines), 1)
        match kind % 12:
            case 0:
                content = content[:at] + PIECES[second % len(PIECES)] + content[at:]
            case 1:
                content = content[:at] + content[at + 1 + second % 40 :]
            case 2:
                content = content[:at] + bytes([second % 256]) + content[at + 1 :]
            case 3 if lines:
                lines.insert(other, lines[row])
                content = b"".join(lines)
            case 4 if lines:
                del lines[row]
                content = b"".join(lines)
            case 5 if lines:
                lines[row], lines[other] = lines[other], lines[row]
                content = b"".join(lines)
            case 6:
                content = re.sub(rb"\r\n|\r|\n", (b"\n", b"\r", b"\r\n")[second % 3], content)
            case 7:
                content = content.replace(b",", (b";", b"\t", b"|", b",")[second % 4])
            case 8:
                try:
                    encoding = ("utf-16", "utf-8-sig", "cp1252", "utf-16-le")[second % 4]
                    content = content.decode().encode(encoding)
                except UnicodeError:
                    pass
            case 9:
                content = content[:at]
            case 10 if lines:
                lines[row] = lines[row].rstrip(b"\r\n") + b",\n" * (1 + second % 3)
                content = b"".join(lines)
            case 11 if lines:
                cells = lines[row].split(b",")
                cells[second % len(cells)] = PIECES[first % len(PIECES)]
                lines[row] = b",".join(cells)
                content = b"".join(lines)
    return content


def read(seed: Seed, content: bytes, folder: Path) -> str:
    """Read a damaged file: "read" or "refused", or an AssertionError; anything else is a fault."""
    (folder / seed.name).write_bytes(content)
    path, game = folder / seed.name, CASES / "game.toml"
    try:
        match seed.kind:
            case "game":
                (folder / "payoffs.csv").write_bytes(PAYOFFS)
                read_game(path)
            case "payoffs":
                sound = {"treated.csv": TREATED, "payoffs-of-labels.csv": OF_LABELS}
                for name, text in sound.items():
                    if name != seed.name:
                        (folder / name).write_bytes(text)
                (folder / "payoffs.toml").write_bytes(
                    TREATED_GAME if seed.name in sound else PAYOFF_GAME
                )
                read_game(folder / "payoffs.toml")
            case "parameters":
                assert len(read_parameters(path)) == rows_of(content)
            case "players":
                trials = read_trials(path, CASES / LAYOUTS[seed.name])
                assert_nothing_lost(trials, content)
            case "people":
                read_trials(CASES / "plain.csv", game, path)
            case "binary":
                if seed.name == "sheet.xlsx":
                    path.write_bytes(excel(content))
                assert len(read_trials(path, game).table) >= rows_in_binary(content, seed.name)
            case kind:
                game = bundled("simulated-forecast").game if kind == "forecast" else game
                trials = read_trials(path, game)
                left_out = sum(rule.rows for rule in trials.exclusions)
                assert len(trials.table) == rows_of(content) - left_out, seed.name
                inspection = inspect_table(path)
                assert inspection.rows == rows_of(content), seed.name
    except InputError:
        return "refused"
    return "read"


def assert_nothing_lost(trials: Trials, content: bytes) -> None:
    """Every row of a player is half of a trial, left out by a rule, or said to be idle."""
    notes = " ".join(trials.notes)
    side_by_side = re.search(r"rounds of (\S+) side by side", notes)
    header = text_of(content, "counted")[0].lstrip().splitlines()[0]
    rounds = len(set(re.findall(rf"\b{side_by_side[1]}\.(\d+)\.", header))) if side_by_side else 1
    idle = re.search(r"has (\d+) rows of players without a role", notes)
    left_out = sum(rule.rows for rule in trials.exclusions) + (int(idle[1]) if idle else 0)
    assert 2 * len(trials.table) == rows_of(content) * rounds - left_out


def rows_of(content: bytes) -> int:
    """Rows below the header that hold anything, counted in another way than the package does."""
    text, _ = text_of(content, "counted")
    lines = re.split(r"\r\n|\r|\n", text)
    if '"' not in text:
        filled = [line for line in lines if line.strip(",;\t| \xa0")]
        return len(filled) - 1 - filled[0].startswith("sep=")
    csv.field_size_limit(2**31 - 1)
    separator = max(",;\t|", key=next(line for line in lines if line.strip()).count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    return sum(1 for row in reader if any(cell.strip() for cell in row)) - 1


def rows_in_binary(content: bytes, name: str) -> int:
    """Trials that a file of another program has room for, by its bytes."""
    if name.endswith(".parquet"):
        groups = pq.ParquetFile(io.BytesIO(content)).metadata
        return sum(groups.row_group(i).column(0).num_values for i in range(groups.num_row_groups))
    if name.endswith(".xlsx"):
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as book:
                content = book.read(_SHEET)
        rows = [e for e in ElementTree.fromstring(content).iter() if e.tag.endswith("}row")]
        return sum(any("".join(cell.itertext()).strip() for cell in row) for row in rows) - 1
    if content.startswith(b"<stata_dta>"):
        types = content.partition(b"<variable_types>")[2].partition(b"</variable_types>")[0]
        codes = np.frombuffer(types, "<u2").tolist()
        width = sum({65526: 8, 65527: 4, 65528: 4, 65529: 2, 65530: 1}.get(c, c) for c in codes)
        return len(content.partition(b"<data>")[2].partition(b"</data>")[0]) // width
    (variables,) = struct.unpack("<H", content[4:6])
    types = content[109 : 109 + variables]
    width = sum({251: 1, 252: 2, 253: 4, 254: 4, 255: 8}.get(code, code) for code in types)
    # after the header: type, name, order, format, name of labels, label of each; five bytes
    before = 109 + variables * (1 + 33 + 2 + 49 + 33 + 81) + 2 + 5
    return (len(content) - before) // width
