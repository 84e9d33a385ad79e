"""Time sheetcnn beside others on the same cells, in one run, and print one table of ratios. Run:  make bench"""

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

RUNS, MORE = 3, 15  # of each; more of what takes less than a second, where others at work count for much
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
PRINTS_PEAK_MEMORY = """
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


Clock = Callable[[], float]


def best(work: Callable[[], object], runs: int = RUNS, clock: Clock = time.perf_counter) -> float:
    """The shortest of several runs, in seconds: of the clock, or of `time.process_time` where others are at work as well."""
    times = []
    for _ in range(runs):
        start = clock()
        work()
        times.append(clock() - start)
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


def with_xlsxwriter(formulas: list[tuple[int, int, str]], target: Path) -> None:
    """The same formulas, written by XlsxWriter, each with a value beside it."""
    import xlsxwriter

    with xlsxwriter.Workbook(target) as book:
        book.add_worksheet("Input")
        sheet = book.add_worksheet("conv")
        for row, column, text in formulas:
            sheet.write_formula(row - 1, column - 1, "=" + text, None, 0.5)


def measure(formulas: int, slow: bool) -> dict[str, str]:
    """One column of the table."""
    import sheetcnn
    from sheetcnn.formula import read_book
    from sheetcnn.office.libreoffice import find_libreoffice, recalculated

    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, pixels = network(folder, formulas)
        book = folder / "bench.xlsx"
        runs = RUNS if formulas > 20_000 else MORE
        build = best(lambda: sheetcnn.build(path, pixels, book, gallery=False, inspector=False), runs)
        check = best(lambda: sheetcnn.check(book), runs)
        work = best(lambda: sheetcnn.check(book), runs, time.process_time)  # of the processor: engines use several at once
        cells = [(r, c, text) for r, row in read_book(book).sheets["conv"].formulas.items() for c, text in row]
        found["formula cells"] = f"{len(cells):,}"
        found["build, seconds"], found["check, seconds"] = f"{build:.2f}", f"{check:.2f}"
        other = best(lambda: with_openpyxl(cells, folder / "other.xlsx"), runs)
        found["build / openpyxl without values (0.33; 1 at 1,000)"] = f"{build / other:.2f}"
        try:
            other = best(lambda: with_xlsxwriter(cells, folder / "other.xlsx"), runs)
            found["build / XlsxWriter with values"] = f"{build / other:.2f}"
        except ImportError:
            found["build / XlsxWriter with values"] = "not installed"
        with zipfile.ZipFile(book) as archive:
            parts = [archive.read(item) for item in archive.namelist()]
        deflate = best(lambda: [zlib.compress(part, 6) for part in parts], runs)
        found["build / deflate of the same bytes (1.5)"] = f"{build / deflate:.2f}"
        for name, engine, goal in (("formualizer", with_formualizer, 1), ("IronCalc", with_ironcalc, 0.5)):
            theirs = engine(book, runs)
            found[f"check / {name}, processor time ({goal})"] = f"{work / theirs:.2f}" if theirs else "cannot"
        slower = against_python_engines(book) if slow else {}
        for engine, goal in (("formulas", 50), ("pycel", 10)):
            found[f"{engine} / check ({goal} or more)"] = f"{slower[engine] / check:.0f}" if engine in slower else ""

        def recalculate() -> None:
            with recalculated(book):
                pass

        if find_libreoffice() is not None:
            found["LibreOffice, opened to saved / check"] = f"{best(recalculate, 1) / check:.1f}"
        found["file, MB"] = f"{book.stat().st_size / 1e6:.1f}"
        for what in ("build", "check"):
            found[f"peak memory of {what}, MB"] = f"{memory(what, path, pixels, book):,.0f}"
    return found


def with_ironcalc(book: Path, runs: int) -> float | None:
    """How long IronCalc takes to load and evaluate a workbook, of the processor; None where it is not installed."""
    try:
        import ironcalc
    except ImportError:
        return None
    return best(lambda: ironcalc.load_from_xlsx(str(book), "en", "UTC", "en").evaluate(), runs, time.process_time)


def with_formualizer(book: Path, runs: int) -> float | None:
    """How long formualizer takes to load and evaluate a workbook, of the processor; None where that is too large for it."""
    import formualizer

    try:
        return best(lambda: formualizer.load_workbook(str(book)).evaluate_all(), runs, time.process_time)
    except OSError:
        return None


def against_python_engines(book: Path) -> dict[str, float]:
    """The seconds of the engines written in Python, which take minutes on large workbooks."""
    import warnings

    warnings.simplefilter("ignore")
    found = {}
    try:
        import formulas
    except ImportError:
        pass
    else:
        found["formulas"] = best(lambda: formulas.ExcelModel().loads(str(book)).finish().calculate(), 1)
    try:
        from openpyxl.utils import get_column_letter
        from pycel import ExcelCompiler

        from sheetcnn.formula import read_book
    except ImportError:
        return found
    lines = read_book(book).sheets["conv"].formulas.items()
    cells = [f"conv!{get_column_letter(c)}{r}" for r, line in lines for c, _ in line]

    def compute() -> None:
        compiler = ExcelCompiler(filename=str(book))
        for cell in cells:
            compiler.evaluate(cell)

    found["pycel"] = best(compute, 1)
    return found


def memory(what: str, path: Path, pixels: Path, book: Path) -> float:
    """Peak memory of build or of check, in a process of its own."""
    arguments = ["build", str(path), str(pixels), "-o", str(book), "--no-gallery", "--no-inspector"]
    arguments = arguments if what == "build" else ["check", str(book)]
    done = subprocess.run([sys.executable, "-c", PRINTS_PEAK_MEMORY, *arguments], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) / 1024


def kernel_edit() -> str | None:
    """How long LibreOffice takes to recalculate the lenet5 workbook, gallery and inspector included, after a kernel's edit."""
    import json

    from conftest import uno_python

    import sheetcnn
    from sheetcnn.a1 import LETTERS
    from sheetcnn.formula import read_book
    from sheetcnn.office.libreoffice import find_libreoffice

    program, python = find_libreoffice(), uno_python()
    if program is None or python is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        book = sheetcnn.build("lenet5", "digit-3", Path(name) / "lenet5.xlsx").path
        sheet, row, column, *_ = read_book(book).names["conv1_kernel_1_1"]
        edits = [[sheet, f"{LETTERS[column]}{row}", value] for value in (1, 2, 3)]
        job = [{"book": str(book), "edits": edits, "timed": True}]
        driver = [python, str(Path(__file__).parent / "drive_office.py"), program, str(Path(name) / "profile")]
        done = subprocess.run(driver, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True)
        return f"{min(json.loads(done.stdout)[0]['edits']):.3f} s"


def main() -> None:
    from rich.console import Console
    from rich.table import Table

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1_024, 12_288, 147_456, 999_424], help="formula cells")
    parser.add_argument("--slow", type=int, default=2_000, help="the largest size at which engines in Python are run")
    options = parser.parse_args()
    columns = [measure(size, slow=size <= options.slow) for size in options.sizes]
    table = Table(
        "formulas of three SUMPRODUCTs, ratios (goal)", *["" for _ in columns], title=f"Python {sys.version.split()[0]}"
    )
    for key in columns[0]:
        table.add_row(key, *[column.get(key, "") for column in columns])
    Console(width=140).print(table)
    edit = kernel_edit()
    print(
        f"a kernel's edit in lenet5, recalculated by LibreOffice: {edit or 'LibreOffice or python3-uno is not installed'} (goal 0.1 s)"
    )


if __name__ == "__main__":
    main()
