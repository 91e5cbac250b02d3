"""Files: text of any origin read cell by cell, files written whole, rows for JSON.

pandas is loaded by the functions that need it: the command line starts without it.
"""

from trustbayes.files.separated import parse_csv
from trustbayes.files.sheets import csv_text
from trustbayes.files.table import (
    MISSING,
    TextTable,
    identifiers,
    natural_order,
    numbers,
    plain,
    records,
    typed,
)
from trustbayes.files.targets import check_file, check_folder, expanded, write_or_keep
from trustbayes.files.text import read_bytes, text_of
from trustbayes.files.whole import write_whole

__all__ = [
    "MISSING",
    "TextTable",
    "check_file",
    "check_folder",
    "csv_text",
    "expanded",
    "identifiers",
    "natural_order",
    "numbers",
    "parse_csv",
    "plain",
    "read_bytes",
    "records",
    "text_of",
    "typed",
    "write_or_keep",
    "write_whole",
]
