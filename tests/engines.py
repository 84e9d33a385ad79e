"""Other people's programs compute a workbook anew: LibreOffice, kept running, and IronCalc."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ironcalc
from conftest import TESTS, uno_python
from spoil import spoil_saved_values

import sheetcnn
from sheetcnn.checking.report import Report
from sheetcnn.office.libreoffice import find_libreoffice


class Office:
    """A LibreOffice that stays open for as many jobs as come; see `drive_office.py` for what a job is."""

    def __init__(self) -> None:
        python = uno_python()
        assert python is not None
        self._folder = tempfile.TemporaryDirectory(prefix="sheetcnn-", ignore_cleanup_errors=True)
        command = [python, str(TESTS / "drive_office.py"), str(find_libreoffice()), f"{self._folder.name}/profile"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Do jobs: open a workbook, edit cells, recalculate, read values, save."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "LibreOffice went away; what it said stands above"
        return json.loads(answer)

    def close(self) -> None:
        self._process.communicate(timeout=60)
        self._folder.cleanup()

    @contextmanager
    def recalculated(self, book: Path) -> Iterator[Path]:
        """The workbook after a recalculation: all its saved values are made wrong first, so that none can be trusted."""
        spoiled, saved = book.with_name("spoiled.xlsx"), book.with_name("by_libreoffice.xlsx")
        spoil_saved_values(book, spoiled)
        self([{"book": str(spoiled), "save": str(saved)}])
        yield saved


# IronCalc takes no single cell for the range of INDEX and MATCH, as Excel does; it does take $A$1:$A$1.
_SINGLE = re.compile(rb"((?:INDEX\(|MATCH\((?:[^(),]|\([^()]*\))*,)(?:'[^']*'!|\w+!)?)(\$[A-Z]+\$\d+)(?=,)")


@contextmanager
def by_ironcalc(book: Path) -> Iterator[Path]:
    """The workbook as IronCalc computes and saves it."""
    written, saved = book.with_name("for_ironcalc.xlsx"), book.with_name("by_ironcalc.xlsx")
    with zipfile.ZipFile(book) as old, zipfile.ZipFile(written, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, _SINGLE.sub(rb"\1\2:\2", data) if name.startswith("xl/worksheets/sheet") else data)
    saved.unlink(missing_ok=True)
    model = ironcalc.load_from_xlsx(str(written), "en", "UTC", "en")
    model.evaluate()
    model.save_to_xlsx(str(saved))
    yield saved


def check_with(recalculated: Any, book: Path) -> Report:
    """`check` with the values of another program instead of ours."""
    with patch("sheetcnn.checking.check.recalculated", recalculated):
        return sheetcnn.check(book, engine="libreoffice")
