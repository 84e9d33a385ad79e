"""Time sheetcnn beside others on the same cells, in one run. Run:  make bench"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

RUNS = 3
NETWORK = """
name = "bench"
[input]
channels = 3
height = {height}
width = 66
[[layers]]
type = "conv2d"
name = "conv"
out_channels = {filters}
kernel_size = 3
activation = "relu"
"""


# Linux's own account of a process since it began; getrusage would count what was there before exec as well.
PEAK = """
import sys
from pathlib import Path
from sheetcnn.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
status = Path("/proc/self/status")
print([line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")][0] if status.exists() else 0)
"""


def best(work: Callable[[], object], runs: int = RUNS) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def network(folder: Path, formulas: int) -> tuple[Path, Path]:
    """A network whose one layer has about so many formulas of three SUMPRODUCTs, and its input."""
    import numpy as np

    rows = 64 if formulas >= 4096 else 8
    path, pixels = folder / "bench.toml", folder / "bench.npy"
    path.write_text(NETWORK.format(height=rows + 2, filters=max(1, formulas // (64 * rows))))
    np.save(pixels, np.random.default_rng(0).integers(0, 256, (3, rows + 2, 66)).astype(float))
    return path, pixels


def with_openpyxl(formulas: list[tuple[int, int, str]], target: Path) -> None:
    """The same formulas, written by openpyxl without values."""
    from openpyxl import Workbook

    book = Workbook()
    book.create_sheet("Input")
    sheet = book.create_sheet("conv")
    for row, column, text in formulas:
        sheet.cell(row, column, "=" + text)
    book.save(target)


def measure(formulas: int, slow: bool) -> None:
    """Print one table row for each comparison at one size."""
    import sheetcnn
    from sheetcnn.formula import read_book

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, pixels = network(folder, formulas)
        book = folder / "bench.xlsx"
        build = best(lambda: sheetcnn.build(path, pixels, book, gallery=False, inspector=False))
        check = best(lambda: sheetcnn.check(book))
        cells = [(r, c, text) for r, row in read_book(book).sheets["conv"].formulas.items() for c, text in row]
        print(f"\n{len(cells):,} formulas of three SUMPRODUCTs, {book.stat().st_size / 1e6:.1f} MB")
        print(f"  build {build:6.2f} s    check {check:6.2f} s (shortest of {RUNS})")

        other = best(lambda: with_openpyxl(cells, folder / "other.xlsx"), 1 if slow else RUNS)
        row("build / openpyxl (same formulas, no values)", build / other, "at most 0.5")
        with zipfile.ZipFile(book) as archive:
            parts = [archive.read(item) for item in archive.namelist()]
        row(
            "build / deflate of the same bytes",
            build / best(lambda: [zlib.compress(part, 6) for part in parts]),
            "at most 2.5",
        )

        try:
            import ironcalc
        except ImportError:
            print("  ironcalc is not installed: pip install ironcalc")
        else:

            def compute() -> None:
                ironcalc.load_from_xlsx(str(book), "en", "UTC", "en").evaluate()

            row("check / ironcalc (load and evaluate)", check / best(compute), "at most 1")
        if slow:
            against_python_engines(book, check)


def against_python_engines(book: Path, check: float) -> None:
    """The engines written in Python, which take minutes on large workbooks."""
    import warnings

    warnings.simplefilter("ignore")
    try:
        import formulas
    except ImportError:
        print("  formulas is not installed: pip install formulas")
    else:
        row(
            "formulas / check",
            best(lambda: formulas.ExcelModel().loads(str(book)).finish().calculate(), 1) / check,
            "at least 50",
        )
    try:
        from openpyxl.utils import get_column_letter
        from pycel import ExcelCompiler

        from sheetcnn.formula import read_book
    except ImportError:
        print("  pycel is not installed: pip install pycel")
        return
    cells = [
        f"conv!{get_column_letter(c)}{r}" for r, line in read_book(book).sheets["conv"].formulas.items() for c, _ in line
    ]

    def compute() -> None:
        compiler = ExcelCompiler(filename=str(book))
        for cell in cells:
            compiler.evaluate(cell)

    row("pycel / check", best(compute, 1) / check, "at least 10")


def row(what: str, ratio: float, goal: str) -> None:
    print(f"  {what:45} {ratio:8.2f}    goal: {goal}")


def memory(formulas: int) -> None:
    """Peak memory of build and of check, each in a process of its own."""
    for what in ("build", "check"):
        with tempfile.TemporaryDirectory() as name:
            path, pixels = network(Path(name), formulas)
            import sheetcnn

            book = Path(name) / "bench.xlsx"
            arguments = ["build", str(path), str(pixels), "-o", str(book), "--no-gallery", "--no-inspector"]
            if what == "check":
                sheetcnn.build(path, pixels, book, gallery=False, inspector=False)
                arguments = ["check", str(book)]
            done = subprocess.run([sys.executable, "-c", PEAK, *arguments], capture_output=True, text=True, check=True)
            print(f"  peak memory of {what}: {int(done.stdout.split()[-1]) / 1024:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_024, 12_288, 147_456], help="formula cells")
    parser.add_argument("--slow", type=int, default=2_000, help="the largest size at which engines in Python are run")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}")
    for size in options.sizes:
        measure(size, slow=size <= options.slow)
        memory(size)


if __name__ == "__main__":
    main()
