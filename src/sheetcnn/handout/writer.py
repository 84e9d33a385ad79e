"""Write a handout: the students' workbooks on all cores, and the key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..builder import load_pictures, picture_of, refuse_too_large
from ..errors import ExerciseError, SheetcnnError
from ..files import Outputs, make_folder, refuse_outputs
from ..image import value_range
from ..model.drawn import Drawn, mirrored
from ..model.limits import graph_of
from ..model.settings import INPUT
from ..model.wanted import wanted_of
from ..model.weights import load_parameters, random_layers, trained_layers
from ..opening import open_network
from ..progress import Progress
from ..sheets.content import WorkbookContent
from ..sheets.gallery.content import GALLERY_CELLS
from ..sheets.layout import lay_out, lay_out_learning
from ..templates import exercise_path
from ..temporary import temporary_folder
from ..version import VERSION
from ..xlsx.write import write_workbook
from .exercise import read_exercise
from .handout import FORMAT, Handout
from .roster import Roster, read_roster
from .workbook import draft_handout
from .workers import Lost, on_all_cores, usable_cores

KEY, SINGLE, FOLDER = "key.xlsx", "handout.xlsx", "students"
MAX_SEED = 2**63


@dataclass(frozen=True)
class HandedOut:
    """What `hand_out` wrote."""

    key: Path
    workbooks: tuple[Path, ...]
    handout: Handout
    notes: tuple[str, ...]
    roster: Roster | None = None


def hand_out(
    network: Any,
    image: Any,
    folder: str | Path,
    *,
    exercise: str | Path | None = None,
    students: str | Path | None = None,
    seed: int = 0,
    protect: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> HandedOut:
    """Write an exercise as a workbook for students and a key for the teacher, into a folder that is made where needed.

    `network` and `image` are as `build` takes them; `exercise` is an exercise file (default: the network's own table, or the file beside it); `students` a roster, as
    `read_roster` reads it: each gets a workbook with its own variant in the folder `students`. `seed` makes the variants.
    `say` is told who is on the roster before anything is written. Without another key, what was handed out before could not
    be graded: so a folder with a handout is refused, unless `overwrite` says that it is to be replaced. Raises SheetcnnError.
    """
    target = Path(folder)
    key = target / KEY
    _refuse_earlier([key], overwrite)
    refuse_outputs([key], makes_folders=True)
    opened = open_network(network)
    checked = opened.network
    given = None if exercise is None else exercise_path(str(exercise))
    tasks = read_exercise(checked, opened.file, given)
    if not 0 <= seed < MAX_SEED:
        raise ExerciseError(f"seed {seed} must be a whole number from 0 on")
    # No products and sums, which would tell the answers; what a layer reads stands on its sheet, for all windows to be seen.
    if (frozen := next((node for node in checked.nodes if not node.live), None)) is not None:
        raise ExerciseError(f"{checked.source}: {frozen.title}: is not live, and all layers of a handout are; leave it out")
    images = [picture_of(one) for one in (image if isinstance(image, list | tuple) else [image])]
    pictures = load_pictures(images, checked.input)
    wanted = wanted_of(checked, list(pictures)) if tasks.learns else None
    drawn = Drawn(
        mirrors=mirrored(checked, None), training=tasks.learns, typed=wanted is not None and wanted.typed is not None
    )
    graph = graph_of(checked, drawn)
    lay_out_learning(graph, lay_out(graph))  # refuses what does not fit
    known = {array.id for array in graph}
    for number, task in enumerate(tasks.tasks, start=1):
        for id in task.blanks(checked).keys() - known:
            raise ExerciseError(
                f"{checked.source}: task {number} ({task.kind}): nothing passes a gradient to {id.split('.')[0]!r}"
            )
    if any(array.shared_name or array.one_name for array in graph):
        raise ExerciseError(
            f"{checked.source}: has more grids than can have names of their own, which grading needs; use fewer channels"
        )
    parameters, notes = load_parameters(checked, opened.folder, opened.arrays)
    read = None if students is None else read_roster(Path(students))
    roster = read.students if read else ()
    paths = [target / FOLDER / student.file for student in roster] or [target / SINGLE]
    _refuse_earlier(paths, overwrite)
    inputs = [*opened.files, *(Path(path) for path in (given, students, *images) if isinstance(path, str | Path))]
    refuse_outputs([*paths, key], inputs, makes_folders=True)
    handout = Handout(
        checked, tasks, parameters, pictures, trained_layers(checked, opened.folder, opened.arrays), seed, roster, drawn
    )
    for name, pixels in pictures.items():
        refuse_too_large(graph, graph.run(parameters | handout.given(name) | {f"{INPUT}.channel": pixels}), name)
    if read and say is not None:
        for line in (f"{students}: {read.understood}", *(f"note: {remark}" for remark in read.remarks)):
            say(line)
    make_folder(paths[0].parent)
    shown = {
        "pixel_range": value_range(images, pictures.values()),
        "random": random_layers(checked, opened.folder, opened.arrays),
    }
    writer = _Writer(handout, protect, shown)
    # They are put in their places together when all are complete, the key last.
    with temporary_folder(ExerciseError, target) as staging, Outputs() as outputs:
        staged = [(path, staging / f"{n}.xlsx") for n, path in enumerate([*paths, key])]
        numbers = range(1, len(paths) + 1) if roster else [0]
        with _by_their_places(staged):
            writer.write(staged[-1][1], 0, True)
            _write_all(writer, [(part, n) for (_, part), n in zip(staged[:-1], numbers, strict=True)], progress)
        for path, part in staged:
            outputs.add(part, path)
    return HandedOut(key, tuple(paths), handout, tuple(notes), read)


def _refuse_earlier(paths: Sequence[Path], overwrite: bool) -> None:
    """Raise ExerciseError where a handout is already."""
    for path in paths:
        if not overwrite and os.path.lexists(path):
            raise ExerciseError(
                f"{path}: exists already, and what was handed out before would be lost, or could not be graded any more; "
                "give another folder, or --overwrite"
            )


@contextmanager
def _by_their_places(staged: Sequence[tuple[Path, Path]]) -> Iterator[None]:
    """Have messages name files by their places, not by where they are written first."""
    try:
        yield
    except SheetcnnError as error:
        for path, part in staged:
            if str(error).startswith(f"{part}: "):
                raise type(error)(f"{path}{str(error).removeprefix(str(part))}") from None
        raise


def _write_all(writer: _Writer, jobs: list[tuple[Path, int]], progress: Progress | None) -> None:
    """Write the students' workbooks, each to its place, on all cores where there are several of both."""
    if min(len(jobs), usable_cores()) == 1:
        for done, (path, number) in enumerate(jobs, start=1):
            writer.write(path, number, False)
            if progress is not None:
                progress(done, len(jobs))
        return
    with closing(on_all_cores(_writing, (writer.handout, writer.protect, writer.shown), jobs)) as results:
        for done, (_, result) in enumerate(results, start=1):
            if isinstance(result, Exception):
                raise result
            if isinstance(result, Lost):
                folder = jobs[0][0].parent.parent  # not the one that is gone afterwards
                raise ExerciseError(f"{folder}: writing broke off, for want of memory perhaps; use a smaller network")
            if progress is not None:
                progress(done, len(jobs))


class _Writer:
    """Writes workbooks of one handout; `shown` is what else they show, alike in all of them."""

    def __init__(self, handout: Handout, protect: bool, shown: dict[str, Any]) -> None:
        self.handout, self.protect, self.shown, self.id = handout, protect, shown, handout.id

    def write(self, path: Path, number: int, key: bool) -> None:
        """The workbook of a student, counted from 1, or of number 0."""
        name = self.handout.students[number - 1].name if number else ""
        try:
            variant = self.handout.variant(number)
        except ValueError as error:
            whose = f"{name}: " if name else ""
            raise ExerciseError(f"{self.handout.network.source}: {whose}{error}") from None
        pages = lay_out(variant.graph)
        for page in pages.values():
            page.lists = None  # a list of kernels would give designs away
        # What is to be found is not known where colour scales and formats are made, so that they cannot tell of it.
        saved = None if key else variant.shown()
        values = (
            variant.values
            if saved is None
            else variant.filled_in()
            | {array.id: saved[array.id] for array in variant.graph if array.role in ("parameter", "shared")}
        )
        learning = lay_out_learning(variant.graph, pages)
        content = WorkbookContent(variant.graph, values, pages, {}, gallery=GALLERY_CELLS, learning=learning,
                      right=self.handout.right(variant.picture), home="Exercise", saved=saved, **self.shown)  # fmt: skip
        description: dict[str, Any] = {"format": FORMAT, "version": VERSION, "handout": self.id, "number": number}
        if key:
            description["key"] = self.handout.to_dict()
        write_workbook(
            path, draft_handout(content, self.handout.exercise, variant, key, name, description, self.protect and not key)
        )


def _writing(handout: Handout, protect: bool, shown: dict[str, Any]) -> Callable[[Path, int], None]:
    """What writes one student's workbook after another."""
    return partial(_Writer(handout, protect, shown).write, key=False)
