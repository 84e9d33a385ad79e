"""Other people's programs compute a workbook anew: LibreOffice, kept running, and IronCalc."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ironcalc
import numpy as np
from conftest import TESTS, uno_python
from spoil import spoil_saved_values

import sheetcnn
from sheetcnn.arrays.array import Array, Values
from sheetcnn.arrays.grid import flat
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

    def computed(self, built: sheetcnn.Built, arrays: Iterable[Array]) -> Values:
        """The numbers of arrays after such a recalculation, by their ids. Nothing is saved: that takes the longest."""
        assert built.path is not None
        spoil_saved_values(built.path, spoiled := built.path.with_name("spoiled.xlsx"))
        grids = [(array, *one) for array in arrays for one in flat(built.content.grids[array.id])]
        areas = [[grid.sheet, replace(grid, prefix="").area] for *_, grid in grids]
        [answer] = self([{"book": str(spoiled), "read": areas}])
        found = {array.id: np.empty((*array.shape[: array.grid_axes], *array.size)) for array, *_ in grids}
        for (array, index, grid), cells in zip(grids, answer["read"], strict=True):
            found[array.id][index] = [row[:: grid.spacing[1]] for row in cells[:: grid.spacing[0]]]
        return {array.id: found[array.id].reshape(array.shape) for array, *_ in grids}

    def output(self, built: sheetcnn.Built) -> np.ndarray:
        """What the last layer puts out after such a recalculation."""
        last = built.graph.output(built.network.nodes[-1].name)
        return self.computed(built, [last])[last.id]


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
