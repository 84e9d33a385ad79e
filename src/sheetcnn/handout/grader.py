"""Grade students' workbooks: each on its own, in a process that may be stopped, so that no file stops a class."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import EngineError, ExerciseError, NetworkError, SheetcnnError, WorkbookError
from ..formula import Book, read_book
from ..libreoffice import recalculated
from ..network import parse_network
from ..progress import Progress
from .exercise import Exercise
from .task import Graded
from .variant import FORMAT, Handout, Student, Variant, unpacked
from .work import StudentWork
from .workers import Lost, on_all_cores

TIMEOUT = 60.0  # seconds for one file
MEMORY = 4 << 30  # bytes of addresses that a process may have while it grades a file
OFFICE = (".ods", ".fods", ".ots", ".xls")  # LibreOffice turns them into .xlsx first
BOOKS = (".xlsx", ".xlsm", *OFFICE)
NO_KEY = "give the key.xlsx that `sheetcnn handout` wrote"


@dataclass
class Grade:
    """What is said of one file, or of a student who has handed in none."""

    file: str
    student: str
    of: float
    tasks: list[Graded] = field(default_factory=list)  # none where the file could not be graded
    remarks: list[str] = field(default_factory=list)
    number: int | None = None

    @property
    def points(self) -> float:
        return round(sum(task.points for task in self.tasks), 2)


def read_key(path: Path) -> tuple[Handout, str]:
    """The handout that a key tells of, and its id. Raises ExerciseError."""
    description = _description(read_book(path))
    if description is None or "key" not in description:
        raise ExerciseError(f"{path}: is no key; {NO_KEY}")
    if description.get("format") != FORMAT:
        raise ExerciseError(
            f"{path}: was made by a newer sheetcnn (format {description.get('format')!r:.20}); update sheetcnn"
        )
    try:
        data = description["key"]
        network = parse_network(data["network"], f"{path}: network")
        parameters = {name: {key: unpacked(a) for key, a in arrays.items()} for name, arrays in data["parameters"].items()}
        for node in network.nodes:  # as when it was handed out, layers that share have the same arrays
            if node.share is not None:
                parameters[node.name] = parameters[node.share]
        handout = Handout(
            network,
            Exercise(data["exercise"], network, f"{path}: exercise"),
            parameters,
            {name: unpacked(array) for name, array in data["pictures"].items()},
            tuple(data["trained"]),
            int(data["seed"]),
            tuple(Student(*pair) for pair in data["students"]),
        )
        return handout, str(description["handout"])
    except (KeyError, TypeError, ValueError, NetworkError) as error:
        raise ExerciseError(f"{path}: is a damaged key ({str(error)[:80]}); {NO_KEY}") from None


def _description(book: Book) -> dict[str, Any] | None:
    """What the hidden sheet says; None where there is none, or none of ours."""
    sheet = book.sheets.get("_sheetcnn")
    if sheet is None or sheet.value(1, 1) != "sheetcnn":
        return None
    pieces = [sheet.texts[place] for place in sorted(sheet.texts) if place[0] > 1 and place[1] == 1]
    try:
        data = json.loads("".join(pieces))
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and "handout" in data else None


class Grader:
    """Grades files against one key."""

    def __init__(self, key: Path) -> None:
        self.handout, self.id = read_key(key)
        self._variants: dict[int, Variant] = {}

    def variant(self, number: int) -> Variant:
        """A student's variant."""
        if number not in self._variants:
            self._variants = {number: self.handout.variant(number)}  # the last one only: a class is large
        return self._variants[number]

    def grade(self, path: Path, name: str) -> Grade:
        """The grade of one file, which may be anything; `name` is what the report calls it."""
        grade = Grade(name, path.stem, self.handout.exercise.points)
        try:
            if path.suffix.lower() in OFFICE:
                with recalculated(path, TIMEOUT) as converted:
                    book = read_book(converted)
            elif path.suffix.lower() in BOOKS:
                book = read_book(path)
            else:
                raise WorkbookError(f"{path}: is no workbook; hand in the .xlsx file")
            self._grade(book, path, grade)
        except EngineError as error:
            words = str(error).removeprefix(f"{path}: ")
            grade.remarks.append(f"not graded: hand it in as .xlsx; {words}")
        except SheetcnnError as error:
            grade.remarks.append(f"not graded: {str(error).removeprefix(f'{path}: ')}")
        except MemoryError:
            grade.tasks = []
            grade.remarks.append("not graded: its formulas ask for too much memory")
        except RecursionError:
            grade.tasks = []
            grade.remarks.append("not graded: its formulas are nested too deeply")
        return grade

    def _grade(self, book: Book, path: Path, grade: Grade) -> None:
        number = self._number(book, path, grade)
        grade.number = number
        if number:
            grade.student = self.handout.students[number - 1].name
        work = StudentWork(book, self.variant(number))
        for n, task in enumerate(self.handout.exercise.tasks, start=1):
            try:
                grade.tasks.append(task.grade(work, n))
            except WorkbookError as error:
                grade.tasks.append(Graded(0.0, task.points, 0, 0, [f"cannot be graded: {error}"]))

    def _number(self, book: Book, path: Path, grade: Grade) -> int:
        """Whose variant a workbook is: its hidden sheet says so, or else the file's name."""
        data = _description(book)
        if data is not None and data["handout"] != self.id:
            raise WorkbookError("belongs to another handout or another key; was an older file handed in?")
        if data is not None and "key" in data:
            grade.remarks.append("this is the key, not a student's workbook")
        if data is not None and type(number := data.get("number")) is int and 0 <= number <= len(self.handout.students):
            if number and (expected := self.handout.students[number - 1].file) != path.name:
                grade.remarks.append(f"the file was handed out as {expected}")
            return number
        if not self.handout.students and self._ours(book):
            grade.remarks.append("its hidden sheet _sheetcnn is missing or damaged")
            return 0
        files = [student.file.casefold() for student in self.handout.students]
        if path.with_suffix(".xlsx").name.casefold() in files and self._ours(book):
            grade.remarks.append("its hidden sheet _sheetcnn is missing or damaged; the file's name tells whose it is")
            return files.index(path.with_suffix(".xlsx").name.casefold()) + 1
        raise WorkbookError("is no workbook of this handout (its hidden sheet _sheetcnn is missing)")

    def _ours(self, book: Book) -> bool:
        """Whether a workbook has the names of this handout's grids."""
        return any(
            f"{node.name}_map_1" in book.names or f"{node.name}_out" in book.names for node in self.handout.network.nodes
        )


# -- a class ---------------------------------------------------------------------------------------------------------------
def grade(
    folder: str | Path, key: str | Path, *, skip: tuple[Path, ...] = (), progress: Progress | None = None,
    timeout: float = TIMEOUT,
) -> list[Grade]:  # fmt: skip
    """Grade every file of a folder and of the folders in it, and name the students who have handed in none.

    Each file is read and evaluated in a process of its own kind, which is stopped after `timeout` seconds. Files and
    folders in `skip` are left alone. Raises SheetcnnError where the folder or the key cannot be used, never because of a student's file.
    """
    root, source = Path(folder), Path(key)
    handout, _ = read_key(source)
    if not root.is_dir():
        raise ExerciseError(f"{root}: is no folder; give the folder with the students' workbooks")
    left_alone = {path.resolve() for path in (source, *skip)}
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and _handed_in(path, root, left_alone)]
    names = [path.relative_to(root).as_posix() for path in files]
    grades: list[Grade] = [Grade(name, path.stem, handout.exercise.points) for name, path in zip(names, files, strict=True)]
    jobs = list(zip(files, names, strict=True))
    lost = {
        Lost.BROKE_OFF: "grading it broke off; its formulas ask for too much",
        Lost.TOO_LONG: f"it takes more than {timeout:g} seconds; its formulas ask for too much",
    }
    with closing(on_all_cores(_grading, (source,), jobs, timeout)) as results:
        for done, (n, result) in enumerate(results, start=1):
            if isinstance(result, Grade):
                grades[n] = result
            else:
                grades[n].remarks.append(f"not graded: {lost.get(result, result)}")
            if progress is not None:
                progress(done, len(jobs))
    by_number: dict[int, list[Grade]] = {}
    for one in grades:
        if one.number is not None:
            by_number.setdefault(one.number, []).append(one)
    for number, same in by_number.items():
        if number and len(same) > 1:
            for one in same:
                others = ", ".join(other.file for other in same if other is not one)
                one.remarks.append(f"the same student's workbook was handed in as {others}")
    grades.sort(key=lambda one: (one.number is None, one.number or 0, one.file))
    missing = [student for n, student in enumerate(handout.students, start=1) if n not in by_number]
    grades += [Grade("", student.name, handout.exercise.points, [], ["no file was handed in"]) for student in missing]
    return grades


def _handed_in(path: Path, root: Path, left_alone: set[Path]) -> bool:
    hidden = any(part.startswith((".", "~$")) for part in path.relative_to(root).parts)
    place = path.resolve()
    return not hidden and left_alone.isdisjoint((place, *place.parents))


def _grading(key: Path) -> Callable[[Path, str], Grade | str]:
    """What grades one file after another, with little memory and whatever they hold."""
    grader = Grader(key)

    def graded(path: Path, name: str) -> Grade | str:
        with _little_memory():
            try:
                return grader.grade(path, name)
            except Exception as error:  # a mistake of ours must not stop a class either
                return f"grading it failed ({type(error).__name__}: {str(error)[:200]})"

    return graded


@contextmanager
def _little_memory() -> Iterator[None]:
    """A limit to the memory that may be asked for, where the system has one."""
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    with suppress(ValueError, OSError):  # some systems know the limit, but do not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
