"""A student on the roster."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Student:
    """A student: the name in the roster, the name of the file, and what a school's system knows the student by."""

    name: str
    file: str
    email: str = ""
    number: str = ""
    columns: tuple[tuple[str, str], ...] = ()  # of the roster, by heading: what the system's own import form repeats

    def __post_init__(self) -> None:
        """Keys are JSON, in which pairs are lists."""
        object.__setattr__(self, "columns", tuple((str(heading), str(cell)) for heading, cell in self.columns))
