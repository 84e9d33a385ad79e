"""Exercises: handed out and graded."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .app import command
from .arguments import NetworkArgument
from .show import progress as progress_bar
from .show import say, table


class Form(StrEnum):
    """Whose form grades are written in, besides ours."""

    moodle = "moodle"
    canvas = "canvas"


@command()
def handout(
    network: NetworkArgument,
    image: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE", help="A picture, an .npy or .csv file, or a sample's name; variants draw one of several."
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="Where the workbooks and the key go.")],
    exercise: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="An exercise file; default: the network's own table, or the file beside it."),
    ] = None,
    students: Annotated[
        Path | None,
        typer.Option(metavar="ROSTER", help="A .csv or .xlsx file as your school's system exports it: a workbook for each."),
    ] = None,
    seed: Annotated[int, typer.Option(help="What the variants are drawn by: choose one that nobody guesses.")] = 0,
    protect: Annotated[bool, typer.Option("--protect", help="Lock all cells but those to type in.")] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what was handed out into this folder, and its key.")
    ] = False,
) -> None:
    """Write an exercise for students, and its key."""
    from ..handout.writer import hand_out

    with progress_bar("writing workbooks") as progress:
        made = hand_out(
            network, image, output, exercise=exercise, students=students, seed=seed, protect=protect, overwrite=overwrite,
            progress=progress, say=say,
        )  # fmt: skip
    for note in made.notes:
        say(f"note: {note}")
    several = f"{len(made.workbooks)} workbooks in {made.workbooks[0].parent}" if students else str(made.workbooks[0])
    say(f"wrote {several}, to be handed out, and {made.key}, which is yours")
    say(f"grade what comes back:  sheetcnn grade FOLDER --key {made.key} -o grades.csv")


@command()
def grade(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="The folder with what was handed in, or the .zip as it was downloaded.")
    ],
    key: Annotated[Path, typer.Option(metavar="KEY", help="The key.xlsx that `sheetcnn handout` wrote.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="grades.csv", help="The table to write; reports go beside it.")
    ] = Path("grades.csv"),
    form: Annotated[
        Form | None, typer.Option(help="Also write the table that this system imports, as grades-moodle.csv or the like.")
    ] = None,
) -> None:
    """Grade students' workbooks: a table, and a report for each."""
    from ..files import Outputs
    from ..handout.forms import refuse_form, write_form
    from ..handout.grader import grade as grade_folder
    from ..handout.grader import read_key
    from ..handout.report import class_summary, points_text, refuse_output, write_csv, write_reports

    reports = output.with_name(f"{output.stem}-reports") if output.name else output
    forms = {one: output.with_name(f"{output.stem}-{one}.csv") for one in Form if output.name}
    more = [] if form is None or not output.name else [forms[form]]
    refuse_output(output, inputs=(folder, key), folder=folder, more=more, reports=reports)
    handout = read_key(key)[0]
    if form is not None:
        refuse_form(form, handout)
    with progress_bar("grading") as progress:
        grades = grade_folder(folder, key, skip=(output, reports, *forms.values()), progress=progress)
    exercise = handout.exercise
    notes: tuple[str, ...] = ()
    with Outputs() as outputs:
        pages = write_reports(reports, grades, exercise, outputs.write_bytes)
        if form is not None:
            notes = write_form(form, forms[form], grades, handout, outputs.write_bytes)
        write_csv(output, grades, exercise, outputs.write_bytes)
    rows = [[one.student, one.file, points_text(one.points), points_text(one.of), "; ".join(one.remarks)] for one in grades]
    table(exercise.settings.title, ["student", "file", "points", "of", ""], rows, right=(2, 3))
    for line in class_summary(grades, len(handout.students)):
        say(line)
    say(f"wrote {output}" + (f" and {len(pages)} report{'s' * (len(pages) > 1)} in {reports}" if pages else ""))
    if form is not None:
        for note in notes:
            say(f"note: {note}")
        say(f"wrote {forms[form]}, to be imported in {form.capitalize()}")
