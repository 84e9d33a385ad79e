"""Grade students' workbooks: each on its own, in a process that may be stopped, so that no file stops a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.array import Values
from ..checking.contents import description_texts
from ..errors import EngineError, ExerciseError, SheetcnnError, WorkbookError
from ..formula import Book, read_book
from ..model.drawn import PLAIN, drawn_from
from ..model.graph import Graph
from ..model.network import Network, parse_network
from ..model.network_file import parse_json
from ..model.settings import INPUT
from ..office.libreoffice import recalculated
from ..progress import Progress
from ..reading import real
from .exercise import Exercise
from .grade import Grade as Grade  # what users of the package find here
from .hand_ins import HandIn, hand_ins, identical
from .handout import FORMAT, Handout, unpacked
from .kinds import Kind, kind_of
from .marking import Graded
from .people import Claim, People
from .student import Student
from .variant import Variant
from .whose import put_together
from .work import StudentWork
from .workers import Lost, on_all_cores

TIMEOUT = 60.0  # seconds for one file
MEMORY = 768 << 20  # bytes that a process may ask for while it grades a file; one of 120,000 formulas needs a tenth of that
ELSEWHERE = 1 << 30  # bytes of addresses that Python and NumPy take, where the system does not tell
THE_KEY = "this is the key, not a student's workbook"
NO_KEY = "give the key.xlsx that `sheetcnn handout` wrote"


def read_key(path: Path) -> tuple[Handout, str]:
    """The handout that a key tells of, and its id. Raises ExerciseError, whatever the file is."""
    try:
        book = read_book(path)
    except WorkbookError as error:
        raise ExerciseError(f"{error}; this is no key: {NO_KEY}") from None
    description = _description(book)
    if description is None or "key" not in description:
        raise ExerciseError(f"{path}: is no key; {NO_KEY}")
    if description.get("format") != FORMAT:
        raise ExerciseError(
            f"{path}: was made by a newer sheetcnn (format {description.get('format')!r:.20}); update sheetcnn"
        )
    try:
        return _handout(description["key"], path), str(description["handout"])
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, SheetcnnError) as error:
        raise ExerciseError(f"{path}: is a damaged key ({str(error)[:120]}); {NO_KEY}") from None


def _handout(data: dict[str, Any], path: Path) -> Handout:
    """The handout as a key says it. Raises all kinds of errors where it is damaged."""
    network = parse_network(data["network"], f"{path}: network")
    packed = {
        name: arrays
        for name, arrays in data["parameters"].items()
        if name == INPUT or network.by_name[name].share is None  # the others' are their owners'
    }
    parameters = {f"{name}.{key}": unpacked(array) for name, arrays in packed.items() for key, array in arrays.items()}
    pictures = {str(name): unpacked(array) for name, array in data["pictures"].items()}
    _refuse_wrong_sizes(network, parameters, pictures)
    trained, seed, students = data["trained"], data["seed"], data["students"]
    if not isinstance(trained, list) or not set(trained) <= network.by_name.keys():
        raise ValueError(f"trained is {trained!r:.40}")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"seed is {seed!r:.40}")
    if not isinstance(students, list):
        raise ValueError(f"students is {students!r:.40}")
    for student in students:
        if not isinstance(student, list) or not all(isinstance(text, str) for text in student[:4]):
            raise ValueError(f"a student is {student!r:.40}")
    drawn = drawn_from(data["drawn"], network) if "drawn" in data else PLAIN
    exercise = Exercise(data["exercise"], network, f"{path}: exercise")
    return Handout(
        network, exercise, parameters, pictures, tuple(trained), seed, tuple(Student(*one) for one in students), drawn
    )


def _refuse_wrong_sizes(network: Network, parameters: Values, pictures: dict[str, np.ndarray]) -> None:
    """Raise ValueError where a key's arrays are not those that the network needs."""
    typed = [array for array in Graph(network) if array.role == "parameter"]
    if {array.id: array.shape for array in typed} != {name: numbers.shape for name, numbers in parameters.items()}:
        raise ValueError("its numbers do not fit")
    if not pictures or any(array.shape != network.input.shape for array in pictures.values()):
        raise ValueError("its pictures do not fit")
    for array in (*pictures.values(), *parameters.values()):
        if not np.isfinite(array).all():
            raise ValueError("it holds numbers that are not finite")


def _description(book: Book) -> dict[str, Any] | None:
    """What the hidden sheet says; None where there is none, or none of ours."""
    try:
        data = parse_json("".join(description_texts(book) or ()))
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

    def grade(self, path: Path, name: str, likely: int = 0) -> Grade:
        """The grade of one file, which may be anything.

        `name` is what the report calls it, `likely` whose it is where the workbook itself does not say so.
        """
        grade = Grade(name, path.stem, self.handout.exercise.points)
        read = path
        try:
            kind, words = kind_of(path)
            if kind is Kind.OFFICE:
                with recalculated(path, TIMEOUT) as read:
                    book = read_book(read)
            elif kind is Kind.WORKBOOK:
                book = read_book(path)
            else:
                raise WorkbookError(words or "is an archive; ask for the workbook in it")
            self._grade(book, likely, grade)
        except EngineError as error:
            words = str(error).removeprefix(f"{path}: ")
            grade.remarks.append(f"not graded: hand it in as .xlsx; {words}")
        except SheetcnnError as error:
            grade.remarks.append(f"not graded: {str(error).removeprefix(f'{read}: ')}")
        except MemoryError:
            grade.tasks = []
            grade.remarks.append("not graded: its formulas ask for too much memory")
        except RecursionError:
            grade.tasks = []
            grade.remarks.append("not graded: its formulas are nested too deeply")
        return grade

    def _grade(self, book: Book, likely: int, grade: Grade) -> None:
        number = self._number(book, likely, grade)
        grade.number = number
        if number:
            grade.student = self.handout.students[number - 1].name
        work = StudentWork(book, self.variant(number))
        for n, task in enumerate(self.handout.exercise.tasks, start=1):
            try:
                grade.tasks.append(task.grade(work, n))
            except WorkbookError as error:
                reason = str(error).removeprefix(f"{book.source}: ")
                grade.tasks.append(Graded(0.0, task.points, 0, 0, [f"cannot be graded: {reason}"]))
        by = dict.fromkeys(helped.engine for helped in work.helped)
        if by:
            grade.remarks.append(f"formulas that sheetcnn's own evaluator does not know were computed by {' and '.join(by)}")

    def _number(self, book: Book, likely: int, grade: Grade) -> int:
        """Whose variant a workbook is: its hidden sheet says so, or else the name that it lies under."""
        data = _description(book)
        if data is not None and data["handout"] != self.id:
            raise WorkbookError("belongs to another handout or another key; was an older file handed in?")
        if data is not None and "key" in data:
            grade.key = True
            grade.remarks.append(THE_KEY)
        if data is not None and type(number := data.get("number")) is int and 0 <= number <= len(self.handout.students):
            return number
        if self._ours(book) and (likely or not self.handout.students):
            whose = "; the name that it lies under tells whose it is" if likely else ""
            grade.remarks.append(f"its hidden sheet _sheetcnn is missing or damaged{whose}")
            return likely
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
    """Grade every file of a folder, or of an archive as a school's system gives it, and name who has handed in none.

    Each file is read and evaluated in a process of its own kind, which is stopped after `timeout` seconds. Files and
    folders in `skip` are left alone. Raises SheetcnnError where the folder or the key cannot be used, never because of a student's file.
    """
    root, source = Path(folder), Path(key)
    handout, _ = read_key(source)
    left_alone = {real(path) for path in (source, *skip)}
    with hand_ins(root, left_alone) as found:
        claims = People(handout.students).claims(found)
        grades = _graded(source, handout, found, claims, progress, timeout)
        copies = identical(found)
    return put_together(handout, found, claims, grades, copies)


def _graded(
    source: Path, handout: Handout, found: list[HandIn], claims: list[Claim], progress: Progress | None, timeout: float
) -> list[Grade]:
    """The grade of each file, as yet without whose it is."""
    grades = [Grade(one.name, claim.person, handout.exercise.points) for one, claim in zip(found, claims, strict=True)]
    for one, graded in zip(found, grades, strict=True):
        if one.complaint:
            graded.remarks.append(f"not graded: {one.complaint}")
    places = [n for n, one in enumerate(found) if not one.complaint]
    jobs = []
    for n in places:
        likely = claims[n].students or claims[n].rest
        jobs.append((found[n].path, found[n].name, next(iter(likely)) if len(likely) == 1 else 0))
    lost = {
        Lost.BROKE_OFF: "grading it broke off; its formulas ask for too much",
        Lost.TOO_LONG: f"it takes more than {timeout:g} seconds; its formulas ask for too much",
    }
    with closing(on_all_cores(_grading, (source,), jobs, timeout)) as results:
        for done, (n, result) in enumerate(results, start=1):
            if isinstance(result, Grade):
                result.student = claims[places[n]].person
                if result.key:  # no student's work, however right it is
                    result.tasks, result.remarks = [], [f"not graded: {THE_KEY}"]
                grades[places[n]] = result
            else:
                grades[places[n]].remarks.append(f"not graded: {lost.get(result, result)}")
            if progress is not None:
                progress(done, len(jobs))
    return grades


def _grading(key: Path) -> Callable[[Path, str, int], Grade | str]:
    """What grades one file after another, with little memory and whatever they hold."""
    grader = Grader(key)

    def graded(path: Path, name: str, likely: int) -> Grade | str:
        with _little_memory():
            try:
                return grader.grade(path, name, likely)
            except Exception as error:  # a mistake of ours must not stop a class either
                return f"grading it failed ({type(error).__name__}: {str(error)[:200]})"

    return graded


def _addresses() -> int:
    """How many bytes of addresses this process has already: NumPy takes some for each processor."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return ELSEWHERE


@contextmanager
def _little_memory() -> Iterator[None]:
    """A limit to the memory that may be asked for, where the system has one."""
    try:
        import resource
    except ImportError:
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = _addresses() + MEMORY
    limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
    with suppress(ValueError, OSError):  # some systems know the limit, but do not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
