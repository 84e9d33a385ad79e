"""Grades as a CSV table, and as a page for each student that anybody can read."""

from __future__ import annotations

import csv
import html
import io
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import ExerciseError
from ..files import make_folder, refuse_folder, refuse_outputs, write_bytes
from ..plain import plain
from ..reading import open_regular, real
from .exercise import Exercise
from .grade import Grade

SHOWN = 8  # missing students named
CELL = 30_000  # letters of a table's cell: spreadsheet programs take 32,767
NAME = 200  # bytes of a page's name without its ending
BOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".zip")

Write = Callable[[Path, bytes], None]  # how a file is written: at once, or together with others

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#1f2937}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4em .8em .4em 0;"
    "border-bottom:1px solid #d1d5db}.n{text-align:right;white-space:nowrap}ul{margin:0;padding-left:1.2em}"
)


def refuse_output(
    path: Path,
    *,
    inputs: Sequence[Path] = (),
    folder: Path | None = None,
    more: Sequence[Path] = (),
    reports: Path | None = None,
) -> None:
    """Raise SheetcnnError where a table cannot be written there: better now than when a class has been graded.

    Nor may it replace one of the `inputs`, or what a student has handed in to `folder`. So it is with `more` tables, and with
    the folder of `reports`.
    """
    if os.path.isdir(path):
        raise ExerciseError(f"{path}: is a folder; give the table a name, such as {path / 'grades.csv'}")
    if not os.path.isdir(path.parent):
        raise ExerciseError(f"{path}: there is no folder {path.parent}; give one that exists and can be written to")
    refuse_outputs([path, *more], inputs)
    if path.suffix.lower() in BOOKS:
        raise ExerciseError(f"{path}: is no name for a table; give one such as {path.with_suffix('.csv')}")
    if folder is not None and _within(path, folder) and not _is_ours(path):
        raise ExerciseError(f"{path}: has been handed in, and would be replaced; give the table another name with -o")
    if reports is not None:
        refuse_folder(reports, made=True)


def _within(path: Path, folder: Path) -> bool:
    try:
        return real(path).is_relative_to(real(folder))
    except OSError:
        return False


def _is_ours(path: Path) -> bool:
    """Whether there is no file, or a table that was written here, by whatever program it was saved since."""
    if not os.path.lexists(path):
        return True
    try:
        with open_regular(path, ExerciseError, "") as stream:
            first = stream.read(100).removeprefix(b"\xef\xbb\xbf").replace(b'"', b"")
    except (OSError, ExerciseError):
        return False
    return first.startswith((b"student,e-mail,", b"student;e-mail;", b"student\te-mail\t")) or not first


def write_csv(path: Path, grades: list[Grade], exercise: Exercise, write: Write = write_bytes) -> None:
    """A line for each file, and for each student who has handed in none."""
    stream = io.StringIO()
    table = csv.writer(stream)
    tasks = [f"task {n} ({task.kind})" for n, task in enumerate(exercise.tasks, start=1)]
    table.writerow(["student", "e-mail", "number", "file", "points", "of", *tasks, "counts", "look at", "remarks"])
    for grade in grades:
        points = [points_text(task.points) for task in grade.tasks] or [""] * len(tasks)
        said = [f"task {n}: {remark}" for n, task in enumerate(grade.tasks, start=1) for remark in task.remarks]
        row = [
            grade.student,
            grade.who.email if grade.who else "",
            grade.who.number if grade.who else "",
            grade.file,
            points_text(grade.points),
            points_text(grade.of),
            *points,
            ("yes" if grade.counts else "no") if grade.file else "",
            "; ".join(grade.look),
            "; ".join(grade.remarks + said),
        ]
        table.writerow([harmless(cell) for cell in row])
    write(path, ("\ufeff" + stream.getvalue()).encode())  # the mark tells Excel that it is UTF-8


def class_summary(grades: list[Grade], students: int) -> list[str]:
    """What a teacher should know of a whole class, a line each: who is missing, and what is to be looked at."""
    people = {grade.student for grade in grades if grade.file and (grade.who or not students)}
    missing = [grade.student for grade in grades if not grade.file]
    lines = []
    if students:
        names = ", ".join(missing[:SHOWN]) + (f" and {len(missing) - SHOWN:,} more" if len(missing) > SHOWN else "")
        lines.append(f"{len(people):,} of {students:,} students handed in" + (f"; missing: {names}" if missing else ""))
    else:
        lines.append(_counted(len(people), "student", "handed in"))
    if strangers := sum(1 for grade in grades if grade.file and students and not grade.who):
        lines.append(f"{_counted(strangers, 'file')} of nobody on the roster")
    if ungraded := sum(1 for grade in grades if grade.file and not grade.tasks):
        lines.append(f"{_counted(ungraded, 'file')} not graded: the remarks say why")
    if unknown := len({grade.student for grade in grades if grade.look and grade.counts}):
        have = "has" if unknown == 1 else "have"
        lines.append(
            f"{_counted(unknown, 'student')} {have} cells that nobody could evaluate: look at them (column “look at”)"
        )
    return lines


def _counted(number: int, what: str, rest: str = "") -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'} {rest}".rstrip()


def write_reports(folder: Path, grades: list[Grade], exercise: Exercise, write: Write = write_bytes) -> list[Path]:
    """A page in HTML for each file."""
    make_folder(folder)
    paths: list[Path] = []
    taken: set[str] = set()  # some systems take upper and lower case for the same
    for grade in grades:
        if grade.file:
            stem = re.sub(r"[^\w-]+", "_", grade.file.rsplit(".", 1)[0])[-100:]
            stem = stem.encode()[-NAME:].decode(errors="ignore")
            name, number = stem, 1
            while name.casefold() in taken:
                number += 1
                name = f"{stem}_{number}"
            taken.add(name.casefold())
            path = folder / f"{name}.html"
            write(path, page(grade, exercise).encode())
            paths.append(path)
    return paths


def page(grade: Grade, exercise: Exercise) -> str:
    """The report of one file."""
    rows = []
    for n, (task, graded) in enumerate(zip(exercise.tasks, grade.tasks, strict=False), start=1):
        full = graded.cells and graded.right == graded.cells
        share = f"{graded.right:,} of {graded.cells:,} right" if graded.cells else ""
        words = "".join(f"<li>{escape(remark)}</li>" for remark in graded.remarks)
        said = f"<ul>{words}</ul>" if words else "all right" if full else ""
        points = f"{points_text(graded.points)} of {points_text(graded.of)}"
        rows.append(
            f"<tr><td>{n}</td><td>{task.kind}</td><td class=n>{points}</td><td class=n>{share}</td><td>{said}</td></tr>"
        )
    remarks = "".join(f"<p>{escape(remark[:1].upper() + remark[1:])}.</p>" for remark in grade.remarks)
    heads = "<tr><th>task</th><th></th><th class=n>points</th><th class=n>cells</th><th>remarks</th></tr>"
    table = f"<table>{heads}{''.join(rows)}</table>" if rows else ""
    return (
        f'<!doctype html><meta charset="utf-8"><title>{escape(grade.student)}</title><style>{_STYLE}</style>\n'
        f"<h1>{escape(exercise.settings.title)}</h1>\n<p><b>{escape(grade.student)}</b> · {escape(grade.file)}</p>\n"
        f"<p><b>{points_text(grade.points)} of {points_text(grade.of)} points</b></p>\n{remarks}\n{table}\n"
    )


def escape(text: str) -> str:
    """Text from outside as a page holds it."""
    return html.escape(plain(text, CELL))


def points_text(value: float) -> str:
    """Points as people write them: 4, 2.5."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


_LIVE = re.compile(
    r"""(?:\A|[,;|])[\s"'“”]*(?=[-=+@－＝＋＠])"""
    # A blank or a colon may separate too, but "a - b" and "is -3" are no formulas.
    r"""|[\s:/\\^~#]["'“”]*(?=[=@＝＠]|[-+－＋](?!\s|\Z|\d[\d.,]*(?:e[-+]?\d+)?(?:[\s,;)]|\Z)))"""
)


def harmless(cell: str) -> str:
    """A text of which no spreadsheet program takes any part for a formula, whichever separator it reads a table by.

    Names of files and students are anybody's. With another separator than ours, quotation marks within a line are letters
    like others, and each piece between two separators is a cell: so an apostrophe goes before what would begin a formula
    at the start of the text, and after everything that may be a separator, blanks and line ends among them.
    """
    return _LIVE.sub(lambda match: f"{match[0]}'", plain(cell, CELL))
