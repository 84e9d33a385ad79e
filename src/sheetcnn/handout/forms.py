"""Grades in the forms that Moodle and Canvas import."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import ExerciseError
from ..files import write_bytes
from .grade import Grade
from .handout import Handout
from .headings import is_canvas, is_worksheet, plain
from .report import Write, harmless, points_text
from .student import Student

# Moodle looks for its own words in a worksheet, in the language of who uploads it.
_GRADE = ("grade", "bewertung", "note", "calificacion", "valutazione", "voto")
_MOST = ("maximumgrade", "bestwertung", "notemaximale", "calificacionmaxima", "valutazionemassima", "votomassimo")
_FEEDBACK = ("feedbackcomments", "feedbackalskommentar", "feedbackparcommentaires", "comentariosderetroalimentacion",
             "commentidifeedback")  # fmt: skip
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def write_form(
    kind: str, path: Path, grades: Sequence[Grade], handout: Handout, write: Write = write_bytes
) -> tuple[str, ...]:
    """Write a table that a school's system imports, `moodle` or `canvas`: a line for each student, with one grade or none.

    Returns what a teacher should know of it. Raises ExerciseError where the handout has no roster.
    """
    refuse_form(kind, handout)
    rows, notes = {"moodle": _moodle, "canvas": _canvas}[kind](handout, _by_student(grades))
    stream = io.StringIO()
    # Moodle writes “-” where there is nothing, which is no formula.
    csv.writer(stream).writerows([cell if cell == "-" else harmless(cell) for cell in row] for row in rows)
    write(path, stream.getvalue().encode())  # without a mark: Canvas takes it for a letter
    unknown = sum(1 for grade in grades if grade.file and grade.who is None)
    if unknown:
        notes.append(f"{unknown:,} {'file is' if unknown == 1 else 'files are'} of nobody on the roster, and not in it")
    return tuple(notes)


def refuse_form(kind: str, handout: Handout) -> None:
    """Raise ExerciseError where there is no roster to fill in: better before a class is graded than after."""
    if not handout.students:
        raise ExerciseError(f"a form for {kind.capitalize()} needs a roster; hand out with --students, or leave out --form")


def _by_student(grades: Sequence[Grade]) -> dict[Student, Grade]:
    """The one grade of each student that counts; none of those who have handed in nothing."""
    return {grade.who: grade for grade in grades if grade.who is not None and grade.counts and grade.file}


def _points(grade: Grade | None) -> str:
    """The points; nothing, which is not 0, where there is no file that could be graded."""
    return points_text(grade.points) if grade is not None and grade.tasks else ""


def _feedback(grade: Grade | None) -> str:
    if grade is None:
        return ""
    said = list(grade.remarks)
    for n, task in enumerate(grade.tasks, start=1):
        words = f" ({'; '.join(task.remarks)})" if task.remarks else ""
        said.append(f"task {n}: {points_text(task.points)} of {points_text(task.of)}{words}")
    return "; ".join(said)


def _moodle(handout: Handout, found: dict[Student, Grade]) -> tuple[list[list[str]], list[str]]:
    """Moodle's worksheet, where the roster was one; or else a table for its import of grades."""
    students = handout.students
    headings = [heading for heading, _ in students[0].columns]
    if is_worksheet(headings):
        return _worksheet(handout, headings, found)
    title = handout.exercise.settings.title
    rows = [["Full name", "Email address", "ID number", title, f"{title} (feedback)"]]
    for student in students:
        grade = found.get(student)
        rows.append([student.name, student.email, student.number, _points(grade), _feedback(grade)])
    return rows, _unknown(students, "Moodle")


def _worksheet(handout: Handout, headings: list[str], found: dict[Student, Grade]) -> tuple[list[list[str]], list[str]]:
    words = [plain(heading) for heading in headings]
    rows, notes = [headings], []
    for student in handout.students:
        grade = found.get(student)
        row = [cell for _, cell in student.columns]
        for n, word in enumerate(words):
            row[n] = _points(grade) if word in _GRADE else _feedback(grade) if word in _FEEDBACK else row[n]
        rows.append(row)
    most = next((rows[1][n] for n, word in enumerate(words) if word in _MOST), "")
    of = handout.exercise.points
    if re.fullmatch(r"\d+([.,]\d+)?", most) and float(most.replace(",", ".")) != of:
        notes.append(f"the exercise has {points_text(of)} points, Moodle's assignment {most}: let them be the same there")
    return rows, notes


def _canvas(handout: Handout, found: dict[Student, Grade]) -> tuple[list[list[str]], list[str]]:
    """Canvas's gradebook: the columns by which it knows students, in its own words and order, and one assignment."""
    students = handout.students
    headings = [heading for heading, _ in students[0].columns]
    own = is_canvas(headings)
    headings = headings if own else list(_CANVAS)
    of = points_text(handout.exercise.points)
    rows = [[*headings, handout.exercise.settings.title], ["    Points Possible", *[""] * (len(headings) - 1), of]]
    for student in students:
        known = [cell for _, cell in student.columns] if own else [student.name, "", student.number, student.email, ""]
        rows.append([*known, _points(found.get(student))])
    return rows, [] if own else _unknown(students, "Canvas")


def _unknown(students: Sequence[Student], system: str) -> list[str]:
    """A note on students whom the system may not find."""
    nameless = [student.name for student in students if not (student.email or student.number)]
    if not nameless:
        return []
    shown = ", ".join(nameless[:5]) + (" …" if len(nameless) > 5 else "")
    return [f"the roster has neither e-mail addresses nor numbers by which {system} finds {shown}"]
