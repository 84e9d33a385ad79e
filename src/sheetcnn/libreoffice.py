"""A real recalculation: LibreOffice opens a workbook, computes every formula anew, and saves it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .errors import EngineError

TIMEOUT = 1800  # seconds
_PLACES = (
    "/Applications/LibreOffice.app/Contents/MacOS/soffice",
    r"C:\Program Files\LibreOffice\program\soffice.com",
    r"C:\Program Files (x86)\LibreOffice\program\soffice.com",
)

# By default LibreOffice trusts the values saved in an .xlsx file; 0 means "always recalculate".
_SETTINGS = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema"
           xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="ODFRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""


def find_libreoffice() -> str | None:
    """The program's path, or None where it is not installed."""
    return shutil.which("soffice") or shutil.which("libreoffice") or next((p for p in _PLACES if Path(p).exists()), None)


def write_profile(folder: Path) -> None:
    """Make a folder a LibreOffice user profile that recalculates whatever it loads."""
    (folder / "user").mkdir(parents=True)
    (folder / "user" / "registrymodifications.xcu").write_text(_SETTINGS, encoding="utf-8")


@contextmanager
def recalculated(book: Path, timeout: float = TIMEOUT) -> Iterator[Path]:
    """The workbook as LibreOffice saves it after a full recalculation, in a folder that goes away afterwards.

    Raises EngineError where LibreOffice is not installed or does not do its work.
    """
    with tempfile.TemporaryDirectory(prefix="sheetcnn-", ignore_cleanup_errors=True) as name:
        source = (
            Path(name) / f"book{book.suffix.lower()}"
        )  # a copy: nothing is locked, and no name can be taken for an option
        try:
            shutil.copyfile(book, source)
        except OSError as error:
            raise EngineError(f"{book}: cannot be read ({error.strerror})") from None
        with converted([source], timeout, str(book)) as [result]:
            yield result


@contextmanager
def converted(books: Sequence[Path], timeout: float, called: str = "the workbook") -> Iterator[list[Path]]:
    """Several workbooks recalculated and saved as .xlsx, in a folder that goes away afterwards; `called` is for messages.

    Raises EngineError where LibreOffice is not installed or does not do its work.
    """
    program = find_libreoffice()
    if program is None:
        raise EngineError("LibreOffice is not installed (no soffice found); install it, or check with --engine python")
    with tempfile.TemporaryDirectory(prefix="sheetcnn-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_profile(folder / "profile")
        command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
        command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"), *map(str, books)]
        environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, env=environment, check=False)
        except subprocess.TimeoutExpired:
            raise EngineError(f"{called}: LibreOffice did not finish within {timeout:g} seconds") from None
        results = [folder / "out" / f"{book.stem}.xlsx" for book in books]
        if not all(result.exists() for result in results):
            words = " ".join((done.stderr or done.stdout).split())[:200]
            raise EngineError(f"{called}: LibreOffice could not open it ({words or f'exit code {done.returncode}'})")
        yield results
