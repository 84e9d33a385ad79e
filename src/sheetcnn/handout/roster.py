"""The roster: students' names from a CSV file, each with a file name that every system accepts."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ..errors import ExerciseError
from ..network import Text
from .variant import Student

MAX_BYTES = 1_000_000
MAX_STUDENTS = 10_000
MAX_LETTERS = 100
HEADS = ("name", "student", "full name")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\Z", re.I)


def read_roster(path: Path) -> tuple[Student, ...]:
    """The students of a CSV file: its column `name`, or else its first column.

    Raises ExerciseError with one line that names the file, the line and the rule.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ExerciseError(f"{path}: is larger than {MAX_BYTES:,} bytes; give a CSV file with one student a line")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ExerciseError(f"{path}: cannot be read ({error.strerror}); give a CSV file with one student a line") from None
    except UnicodeDecodeError:
        raise ExerciseError(f"{path}: is not a text file in UTF-8; save the roster as “CSV UTF-8”") from None
    first = text.split("\n", 1)[0]
    sign = max(",;\t", key=first.count)
    try:
        rows = [(n, row) for n, row in enumerate(csv.reader(io.StringIO(text), delimiter=sign), start=1) if any(row)]
    except csv.Error as error:
        raise ExerciseError(f"{path}: is no CSV file ({error}); give one student a line") from None
    heads = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    column = next((heads.index(head) for head in HEADS if head in heads), None)
    if column is not None:
        del rows[0]
    names = []
    for line, row in rows:
        name = row[column or 0].strip() if len(row) > (column or 0) else ""
        if not name:
            raise ExerciseError(
                f"{path}: line {line} has no name; give each student one, in the first column or one called name"
            )
        if len(name) > MAX_LETTERS:
            raise ExerciseError(f"{path}: line {line}: the name has {len(name)} letters; {MAX_LETTERS} are allowed")
        try:
            TypeAdapter(Text).validate_python(name)
        except ValidationError:
            raise ExerciseError(f"{path}: line {line}: {name!r} holds a control character; leave it out") from None
        names.append(name)
    if not names:
        raise ExerciseError(f"{path}: has no students; give one a line")
    if len(names) > MAX_STUDENTS:
        raise ExerciseError(f"{path}: has {len(names):,} students; sheetcnn takes {MAX_STUDENTS:,}")
    taken: set[str] = set()
    return tuple(Student(name, _file(name, taken)) for name in names)


def _file(name: str, taken: set[str]) -> str:
    """A file name made of a person's: letters and digits of any script, no two alike."""
    plain = unicodedata.normalize("NFC", name)
    stem = re.sub(r"[^\w-]+", "_", plain).strip("_")[:60] or "student"
    if _RESERVED.match(stem):
        stem += "_"
    number, unique = 1, stem
    while unique.casefold() in taken:
        number += 1
        unique = f"{stem}_{number}"
    taken.add(unique.casefold())
    return f"{unique}.xlsx"
