"""What is said of one file that was handed in."""

from __future__ import annotations

from dataclasses import dataclass, field

from .marking import Graded
from .student import Student

SHOWN = 6  # cells named for each task


@dataclass
class Grade:
    """What is said of one file, or of a student who has handed in none."""

    file: str
    student: str
    of: float
    tasks: list[Graded] = field(default_factory=list)  # none where the file could not be graded
    remarks: list[str] = field(default_factory=list)
    number: int | None = None  # whose workbook it was made as, by which it is graded; 0 where all have the same
    who: Student | None = None  # who handed it in, where the roster has them
    counts: bool = True  # whether it is the attempt that counts
    key: bool = False  # whether it is the key itself

    @property
    def points(self) -> float:
        return round(sum(task.points for task in self.tasks), 2)

    @property
    def look(self) -> list[str]:
        """Cells that nobody could evaluate, by task: "task 1: conv!B9, conv!C9 and 3 more"."""
        said = []
        for n, task in enumerate(self.tasks, start=1):
            if task.look:
                more = f" and {len(task.look) - SHOWN:,} more" if len(task.look) > SHOWN else ""
                said.append(f"task {n}: {', '.join(task.look[:SHOWN])}{more}")
        return said
