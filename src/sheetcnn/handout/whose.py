"""Whose each file is, which attempt of a student counts, and what people must be told of each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .grade import Grade
from .hand_ins import HandIn
from .handout import Handout
from .people import Claim, attempt_order
from .student import Student

SHOWN = 3  # people named who handed in the same file


def put_together(
    handout: Handout,
    found: Sequence[HandIn],
    claims: Sequence[Claim],
    grades: list[Grade],
    copies: Sequence[Sequence[HandIn]],
) -> list[Grade]:
    """The grades of a class in the roster's order: each file under who handed it in, then who has handed in none."""
    owners = _owners(handout, claims, grades)
    for grade, owner in zip(grades, owners, strict=True):
        if owner:
            grade.who = handout.students[owner - 1]
            grade.student = grade.who.name
    people = [f"\0{owner}" if owner else claim.key for owner, claim in zip(owners, claims, strict=True)]
    attempts: dict[str, list[int]] = defaultdict(list)
    for n, person in enumerate(people):
        attempts[person].append(n)
    for same in attempts.values():
        _one_counts([grades[n] for n in sorted(same, key=lambda n: attempt_order(found[n]))])
    told = _others_workbooks(handout, grades, owners)
    missing = []
    for n, student in enumerate(handout.students, start=1):
        if n not in owners:
            missing.append(_missing(handout, student, n, told[n], claims, grades, owners))
            continue
        for grade, owner in zip(grades, owners, strict=True):
            if owner == n and grade.counts:
                grade.remarks += told[n]
    _identical(found, grades, people, copies)
    last = len(handout.students) + 1
    order = sorted(range(len(grades)), key=lambda n: (owners[n] or last, grades[n].file))
    return [grades[n] for n in order] + missing


def _owners(handout: Handout, claims: Sequence[Claim], grades: list[Grade]) -> list[int]:
    """Who of the roster handed in each file, counted from 1; 0 for nobody in it.

    The path says who handed it in, the workbook only whose it was: where they disagree, the path is right, since a
    school's system knows who was signed in, and a file's content may have come from anybody. What a path does not settle
    the workbook does, but for a name that a system gives and the roster lacks, where the workbook's own student has
    handed it in too.
    """
    by_path = [next(iter(claim.students)) if len(claim.students) == 1 else 0 for claim in claims]
    owners = []
    for claim, grade, owner in zip(claims, grades, by_path, strict=True):
        made = grade.number or 0
        if not owner and made and (not claim.students or made in claim.students):
            stranger = claim.by_system and not claim.students
            if not (stranger and made in by_path):
                owner = made
            if stranger:
                grade.remarks.append(f"it lies under the name {claim.person}, which is not on the roster")
        elif not owner and not made and not claim.by_system and len(claim.rest) == 1:
            owner = next(iter(claim.rest))
        if not owner and len(claim.students) > 1:
            names = " or ".join(handout.students[n - 1].name for n in sorted(claim.students))
            grade.remarks.append(f"the name that it lies under is that of {names}")
        owners.append(owner)
    return owners


def _one_counts(attempts: list[Grade]) -> None:
    """Say of a student's attempts, in order, which one counts: the latest that could be graded, or else the latest."""
    if len(attempts) < 2:
        return
    latest = next((grade for grade in reversed(attempts) if grade.tasks), attempts[-1])
    for grade in attempts:
        grade.counts = grade is latest
        if grade is not latest:
            grade.remarks.append(f"does not count: {latest.file} is the latest attempt")
    others = ", ".join(grade.file for grade in attempts if grade is not latest)
    latest.remarks.append(f"the latest of {len(attempts)} attempts; handed in too: {others}")


def _others_workbooks(handout: Handout, grades: list[Grade], owners: list[int]) -> dict[int, list[str]]:
    """Remark on files that were made for somebody else, and return what those people are to be told."""
    told: dict[int, list[str]] = defaultdict(list)
    for grade, owner in zip(grades, owners, strict=True):
        made = grade.number or 0
        if made and made != owner:
            name = handout.students[made - 1].name
            grade.remarks.append(f"this is the workbook made for {name}, by whose numbers it is graded")
            told[made].append(f"{grade.student} handed in the workbook made for {name} ({grade.file})")
    return told


def _missing(
    handout: Handout,
    student: Student,
    n: int,
    told: list[str],
    claims: Sequence[Claim],
    grades: list[Grade],
    owners: list[int],
) -> Grade:
    """What is said of a student of whom there is no file, which is not always that none was handed in."""
    perhaps = [
        grade.file
        for claim, grade, owner in zip(claims, grades, owners, strict=True)
        if not owner and (n in claim.students or n in claim.rest)
    ]
    remarks = list(told)
    if perhaps:
        remarks.append(f"no file is surely theirs; {', '.join(perhaps)} may be")
    return Grade("", student.name, handout.exercise.points, [], remarks or ["no file was handed in"], who=student)


def _identical(found: Sequence[HandIn], grades: list[Grade], people: list[str], copies: Sequence[Sequence[HandIn]]) -> None:
    """Tell people whose files are the same byte for byte of each other; one's own copies are nobody's business."""
    places = {one.name: n for n, one in enumerate(found)}
    for group in copies:
        members = [places[one.name] for one in group]
        for n in members:
            others = [grades[m] for m in members if people[m] != people[n]]
            if others:
                words = ", ".join(f"{other.file} of {other.student}" for other in others[:SHOWN])
                more = f" and {len(others) - SHOWN:,} more" if len(others) > SHOWN else ""
                grades[n].remarks.append(f"the same file, byte for byte, as {words}{more}")
