"""What a terminal is sent: letters that it can show, and nothing that would steer it."""

from __future__ import annotations

import codecs
import logging
import re
import sys
import unicodedata

__all__ = ["PlainFormatter", "expand_home", "plain", "prepare_output"]

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SIGNS = {
    "⁻": "-",
    "−": "-",
    "–": "-",
    "—": "-",
    "≤": "<=",
    "≥": ">=",
    "×": "x",
    "’": "'",
    "√": "sqrt",
    "½": "1/2",
}
_HOME = re.compile(r"(--[\w-]+=|[^=~/]+=)?(~(?:[/\\].*)?)", re.DOTALL)


def plain(text: str) -> str:
    r"""Text in which characters that would steer a terminal are spelt out.

    Examples
    --------
    >>> plain("s1\x1b[2J") == r"s1\u001b[2J"
    True
    """
    return _STEERING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


class PlainFormatter(logging.Formatter):
    """Messages as `plain` text."""

    def format(self, record: logging.LogRecord) -> str:
        """The message."""
        return plain(super().format(record))


def prepare_output() -> None:
    """Have letters that an encoding lacks spelt out, on standard output and error.

    Greek letters become their names, other signs what they look like or their number.
    """
    codecs.register_error("trustbayes-spelt", _spelt)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="trustbayes-spelt")


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(map(_spelling, letters)), error.end


def _spelling(letter: str) -> str:
    *_, name = unicodedata.name(letter, "?").split()
    if "GREEK" in unicodedata.name(letter, ""):
        name = "lambda" if name == "LAMDA" else name.lower()
        return name if letter.islower() else name.capitalize()
    parts = unicodedata.normalize("NFKD", letter)
    base = "".join(part for part in parts if not unicodedata.combining(part))
    return _SIGNS.get(letter) or (base if base.isascii() else f"\\u{ord(letter):04x}")


def expand_home(token: str) -> str:
    """A word of the command line with ``~`` as the user's home, which not every shell puts there.

    Examples
    --------
    >>> "~" in expand_home("--out=~/a.nc")
    False
    >>> expand_home("trust ~ 1 + age")
    'trust ~ 1 + age'
    """
    match = _HOME.fullmatch(token)
    if match is None:
        return token
    from trustbayes.files import expanded

    return (match[1] or "") + str(expanded(match[2]))
