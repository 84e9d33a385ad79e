"""Many ways to write a convolution and a pooling: graded alike whoever computes them, and as live feedback says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import openpyxl
import pytest
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.formula import ArrayFormula
from ways import BIAS, CONVOLUTIONS, LOOK, PICTURE_ONLY, POOLINGS, RIGHT, WEIGHT, WRONG, Places, Way

from sheetcnn.a1 import cell_name
from sheetcnn.formula import Formualizer, read_book
from sheetcnn.formula.engines import Answer, Place
from sheetcnn.formula.engines.by_libreoffice import saved_answers
from sheetcnn.handout.grader import Grader
from sheetcnn.handout.marking import Graded
from sheetcnn.handout.work import StudentWork
from sheetcnn.handout.writer import HandedOut, hand_out

if TYPE_CHECKING:
    from engines import Office

NETWORK = {
    "name": "Ways",
    "input": {"channels": 2, "height": 6, "width": 6},
    "layers": [
        {
            "type": "conv2d",
            "name": "conv",
            "out_channels": 1,
            "kernel_size": 3,
            "activation": "relu",
            "weight": [WEIGHT],
            "bias": [BIAS],
        },
        {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
    ],
    "exercise": {
        "title": "Ways",
        "feedback": "live",
        "tasks": [{"kind": "fill", "layer": "conv", "points": 16}, {"kind": "fill", "layer": "pool", "points": 4}],
    },
}
DONE = "F9:F10"  # on the sheet Exercise: how many cells live feedback takes for right
WAYS = [pytest.param(1, way, id=f"convolution: {way.name}") for way in CONVOLUTIONS]
WAYS += [pytest.param(2, way, id=f"pooling: {way.name}") for way in POOLINGS]


class ByOffice:
    """LibreOffice as an engine that stays open."""

    name = "LibreOffice"

    def __init__(self, office: Office, folder: Path) -> None:
        self.office, self.folder = office, folder

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        jobs = []
        for n, data in enumerate(books):
            (self.folder / f"asked{n}.xlsx").write_bytes(data)
            jobs.append({"book": str(self.folder / f"asked{n}.xlsx"), "save": str(self.folder / f"answer{n}.xlsx")})
        self.office(jobs)
        return [saved_answers(read_book(Path(job["save"])), cells) for job in jobs]


@pytest.fixture
def made(tmp_path: Path) -> HandedOut:
    (tmp_path / "net.json").write_text(json.dumps(NETWORK), encoding="utf-8")
    np.save(tmp_path / "net.npy", np.random.default_rng(5).integers(0, 10, (2, 6, 6)).astype(float))
    return hand_out(tmp_path / "net.json", tmp_path / "net.npy", tmp_path / "out")


def written(made: HandedOut, task: int, way: Way) -> Path:
    """A student's workbook in which one layer is filled in one way."""
    opened, places = openpyxl.load_workbook(made.workbooks[0]), Places(read_book(made.workbooks[0]))
    name, size = ("conv", 4) if task == 1 else ("pool", 2)
    sheet = opened[name]
    top, left = places.corner(f"{name}_map_1")
    for own, scope, meaning in way.names:
        area, row, column, *_ = places.names[meaning]
        names = opened[scope].defined_names if scope else opened.defined_names
        names[own] = DefinedName(own, attr_text=f"{area}!${cell_name(row, column).rstrip('0123456789')}${row}")
    for i, j in np.ndindex(size, size):
        text, where = way.write(places, i, j), cell_name(top + i, left + j)
        if isinstance(text, float):
            sheet[where] = text
        elif not text.startswith("{"):
            sheet[where] = f"={text}"
        elif not way.spilt:
            sheet[where] = ArrayFormula(where, f"={text[1:-1]}")
        elif (i, j) == (0, 0):
            sheet[where] = ArrayFormula(f"{where}:{cell_name(top + size - 1, left + size - 1)}", f"={text[1:-1]}")
        if way.spare is not None:
            sheet[cell_name(top + 20 + i, left + j)] = f"={way.spare(places, i, j)}"
    path = made.key.parent / "student.xlsx"
    opened.save(path)
    return path


def worth(graded: Graded) -> str:
    """What the grade says of all cells alike."""
    if graded.look:
        assert len(graded.look) == graded.cells
        assert graded.points == 0
        assert graded.remarks[0].startswith(LOOK)
        return LOOK
    if graded.points == graded.of:
        assert not graded.remarks
        return RIGHT
    return PICTURE_ONLY if all(remark.startswith(PICTURE_ONLY) for remark in graded.remarks) else WRONG


@pytest.mark.parametrize(("task", "way"), WAYS)
def test_without_libreoffice(task: int, way: Way, made: HandedOut) -> None:
    """Ours and formualizer: what only LibreOffice knows is to be looked at, never wrong."""
    book, variant = read_book(written(made, task, way)), Grader(made.key).variant(0)
    said = worth(made.handout.exercise.tasks[task - 1].grade(StudentWork(book, variant, [Formualizer()]), task))
    alone = worth(made.handout.exercise.tasks[task - 1].grade(StudentWork(book, variant, [Formualizer()], ours=False), task))
    unknown = {"MMULT", "SUM(a*b) without Ctrl+Shift+Enter", "the same caught by IFERROR", "a plain range"}
    assert said == way.worth or (said == LOOK and way.name in unknown)
    assert alone == said or (alone == LOOK and way.name in unknown)


@pytest.mark.libreoffice
@pytest.mark.parametrize(("task", "way"), WAYS)
def test_whoever_computes_says_the_same(task: int, way: Way, made: HandedOut, office: Office, tmp_path: Path) -> None:
    path, variant = written(made, task, way), Grader(made.key).variant(0)
    book, real = read_book(path), ByOffice(office, tmp_path)
    kind = made.handout.exercise.tasks[task - 1]
    assert worth(kind.grade(StudentWork(book, variant, [Formualizer(), real]), task)) == way.worth
    alone = worth(kind.grade(StudentWork(book, variant, [real], ours=False), task))
    assert alone == (LOOK if way.new and alone == LOOK else way.worth)
    assert worth(kind.grade(StudentWork(book, variant, [Formualizer(), real], ours=False), task)) == way.worth


@pytest.mark.libreoffice
@pytest.mark.parametrize(("task", "way"), WAYS)
def test_grades_agree_with_live_feedback(task: int, way: Way, made: HandedOut, office: Office) -> None:
    """Where LibreOffice shows green the grade is not 0, unless other numbers show that it is right for this picture only."""
    if task == 2:  # the map that is pooled must be there
        first = written(made, 1, CONVOLUTIONS[0])
        made.workbooks[0].write_bytes(first.read_bytes())
    path, variant = written(made, task, way), Grader(made.key).variant(0)
    [job] = office([{"book": str(path), "read": [["Exercise", DONE]]}])
    green = job["read"][0][task - 1][0]
    graded = made.handout.exercise.tasks[task - 1].grade(StudentWork(read_book(path), variant), task)
    assert worth(graded) == way.worth
    if not way.new or green:
        assert (green == graded.cells) == (way.worth in (RIGHT, PICTURE_ONLY))
