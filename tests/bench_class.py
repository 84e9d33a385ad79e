"""Time the grading of a class, a third of which writes formulas that only another engine knows. Run:  python tests/bench_class.py"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from students import GRADIENTS, hand_in

import sheetcnn
from sheetcnn.formula import read_book


def gradients(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "roster.csv").write_text("\n".join(f"Student {n}" for n in range(1, count + 1)), encoding="utf-8")
        start = time.perf_counter()
        pictures = ["red-triangle-hard", "blue-disc-hard"]
        made = sheetcnn.hand_out("shapes-rgb", pictures, folder / "out", students=folder / "roster.csv")
        print(f"{count} workbooks written in {time.perf_counter() - start:.1f} s")
        key = read_book(made.key)
        for path in made.workbooks:
            hand_in(path, key, "{0}", GRADIENTS)
        start = time.perf_counter()
        grades = sheetcnn.grade(made.workbooks[0].parent, made.key)
        full = {tuple(task.points for task in grade.tasks)[1:3] for grade in grades}
        print(f"graded in {time.perf_counter() - start:.1f} s", full)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("students", nargs="?", type=int, default=200)
    parser.add_argument(
        "--gradients", action="store_true", help="the exercise of gradients, of shapes-rgb, filled in by all"
    )
    given = parser.parse_args()
    count = given.students
    if given.gradients:
        gradients(count)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "roster.csv").write_text("\n".join(f"Student {n}" for n in range(1, count + 1)), encoding="utf-8")
        start = time.perf_counter()
        made = sheetcnn.hand_out(
            "digits", [f"digit-{n}" for n in (0, 1, 2, 5, 7)], folder / "out", students=folder / "roster.csv"
        )
        print(f"{count} workbooks written in {time.perf_counter() - start:.1f} s")
        key = read_book(made.key)
        for others in (0, 3):
            for n, path in enumerate(made.workbooks):
                hand_in(path, key, "IFERROR({0},0)" if others and n % others == 0 else "{0}")
            start = time.perf_counter()
            grades = sheetcnn.grade(made.workbooks[0].parent, made.key)
            seconds = time.perf_counter() - start
            full = {tuple(task.points for task in grade.tasks)[2::2] for grade in grades}
            print(f"graded in {seconds:.1f} s, a third with IFERROR" if others else f"graded in {seconds:.1f} s", full)
            sheetcnn.hand_out(
                "digits",
                [f"digit-{n}" for n in (0, 1, 2, 5, 7)],
                folder / "out",
                students=folder / "roster.csv",
                overwrite=True,
            )


if __name__ == "__main__":
    main()
