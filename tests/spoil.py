"""Make a workbook's saved values wrong, so that only a real recalculation can bring the right ones."""

import re
import zipfile
from pathlib import Path


def spoil_saved_values(source: Path, target: Path) -> None:
    """Copy a workbook with 987654 saved as the value of every formula that has a number."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"</f><v>-?[0-9.e+-]+</v>", b"</f><v>987654</v>", data)
            new.writestr(name, data)
