"""Grades as a CSV table, and as a page for each student that anybody can read."""

from __future__ import annotations

import csv
import io
import re
from html import escape
from pathlib import Path

from ..errors import ExerciseError
from ..files import write_bytes
from .exercise import Exercise
from .grader import Grade

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:46em;margin:2em auto;padding:0 1em;color:#1f2937}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.4em .8em .4em 0;"
    "border-bottom:1px solid #d1d5db}.n{text-align:right;white-space:nowrap}ul{margin:0;padding-left:1.2em}"
)


def write_csv(path: Path, grades: list[Grade], exercise: Exercise) -> None:
    """A line for each file, and for each student who has handed in none."""
    stream = io.StringIO()
    table = csv.writer(stream)
    tasks = [f"task {n} ({task.kind})" for n, task in enumerate(exercise.tasks, start=1)]
    table.writerow(["student", "file", "points", "of", *tasks, "remarks"])
    for grade in grades:
        points = [points_text(task.points) for task in grade.tasks] or [""] * len(tasks)
        said = [f"task {n}: {remark}" for n, task in enumerate(grade.tasks, start=1) for remark in task.remarks]
        row = [
            grade.student,
            grade.file,
            points_text(grade.points),
            points_text(grade.of),
            *points,
            "; ".join(grade.remarks + said),
        ]
        table.writerow([_harmless(cell) for cell in row])
    write_bytes(path, ("\ufeff" + stream.getvalue()).encode())  # the mark tells Excel that it is UTF-8


def write_reports(folder: Path, grades: list[Grade], exercise: Exercise) -> list[Path]:
    """A page in HTML for each file."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExerciseError(f"{folder}: cannot be made ({error.strerror}); give another place with -o") from None
    paths = []
    for grade in grades:
        if grade.file:
            stem = re.sub(r"[^\w-]+", "_", grade.file.rsplit(".", 1)[0])[-100:]
            path, number_ = folder / f"{stem}.html", 1
            while path in paths:
                number_ += 1
                path = folder / f"{stem}_{number_}.html"
            write_bytes(path, page(grade, exercise).encode())
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


def points_text(value: float) -> str:
    """Points as people write them: 4, 2.5."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _harmless(cell: str) -> str:
    """A text that no spreadsheet program takes for a formula: names of files and students are anybody's."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
