"""Make a workbook's saved values wrong, so that only a real recalculation can bring the right ones."""

import re
import subprocess
import zipfile
from pathlib import Path

from sheetcnn.office.libreoffice import find_libreoffice, write_profile

AT_ONCE = 150  # LibreOffice 7.4 stops silently after some 250 workbooks


def spoil_saved_values(source: Path, target: Path) -> None:
    """Copy a workbook with 987654 saved as the value of every formula that has a number."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            data = old.read(name)
            if name.startswith("xl/worksheets/sheet"):
                data = re.sub(rb"</f><v>-?[0-9.e+-]+</v>", b"</f><v>987654</v>", data)
            new.writestr(name, data)


def recalculate_all(source: Path, target: Path) -> None:
    """Let LibreOffice recalculate all workbooks of a folder, in few runs, and save them in another."""
    write_profile(source.parent / "profile")
    command = [str(find_libreoffice()), f"-env:UserInstallation={(source.parent / 'profile').as_uri()}", "--headless"]
    command += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(target)]
    books = sorted(map(str, source.iterdir()))
    for first in range(0, len(books), AT_ONCE):
        subprocess.run([*command, *books[first : first + AT_ONCE]], check=True, capture_output=True, timeout=1200)
