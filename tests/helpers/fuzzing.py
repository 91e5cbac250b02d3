"""Damaged tables and game files, and what must hold of reading them."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trustbayes.errors import InputError
from trustbayes.files import text_of
from trustbayes.games import read_game
from trustbayes.simulation.simulate import read_parameters
from trustbayes.trials.datasets import bundled
from trustbayes.trials.table import read_trials

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
    ]
    forecast = bundled("simulated-forecast").trials.read_bytes().splitlines(keepends=True)
    parameters = bundled("simulated-finite").parameters.read_bytes().splitlines(keepends=True)
    return [
        *tables,
        Seed("quoted.csv", b"".join(quoted(CASES / "plain.csv")), "trials"),
        Seed("forecast.csv", b"".join(forecast[:30]), "forecast"),
        *(Seed(p.name, p.read_bytes(), "people") for p in sorted(CASES.glob("people*.csv"))),
        Seed("parameters.csv", b"".join(parameters[:30]), "parameters"),
        Seed("game.toml", (CASES / "game.toml").read_bytes(), "game"),
        Seed("forecast.toml", bundled("simulated-forecast").game.read_bytes(), "game"),
        Seed("payoffs.toml", PAYOFF_GAME, "game"),
        Seed("payoffs.csv", PAYOFFS, "payoffs"),
    ]


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
                (folder / "payoffs.toml").write_bytes(PAYOFF_GAME)
                read_game(folder / "payoffs.toml")
            case "parameters":
                assert len(read_parameters(path)) == rows_of(content)
            case "people":
                read_trials(CASES / "plain.csv", game, path)
            case kind:
                game = bundled("simulated-forecast").game if kind == "forecast" else game
                trials = read_trials(path, game)
                left_out = sum(rule.rows for rule in trials.exclusions)
                assert len(trials.table) == rows_of(content) - left_out, seed.name
    except InputError:
        return "refused"
    return "read"


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
