"""Drive LibreOffice over UNO: a line of jobs as JSON on standard input, a line of what was read on standard output.

A job: {"book": path, "edits": [[sheet, cell, number or text or "=formula"], …], "insert_rows": [[sheet, row, count], …],
"rename": [[sheet, name], …], "read": [[sheet, area], …], "save": path, "timed": whether each edit is recalculated and timed, "rounds": [{"edits": …, "read": …}, …], done one after the other
in the workbook as it then is}; all but the book may be left out.
Runs in a Python that has `uno`, which need not be the one that has sheetcnn.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import uno
from com.sun.star.beans import PropertyValue

FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".ods": "calc8"}


def connect(program, profile):
    """A LibreOffice of our own, and its desktop."""
    pipe = f"sheetcnn-{time.monotonic_ns()}"
    command = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo"]
    process = subprocess.Popen(
        [*command, f"--accept=pipe,name={pipe};urp;"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    for _ in range(300):
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return process, context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except Exception:
            time.sleep(0.1)
    raise SystemExit("LibreOffice did not answer")


def option(name, value):
    given = PropertyValue()
    given.Name, given.Value = name, value
    return given


def edit(document, sheet, cell, value):
    """Type something into a cell, or clear it."""
    target = document.Sheets.getByName(sheet).getCellRangeByName(cell)
    if value is None:
        target.setString("")
    elif isinstance(value, str) and value.startswith("="):
        target.setFormula(value)
    elif isinstance(value, str):
        target.setString(value)
    else:
        target.setValue(value)


def read(document, job):
    """What stands in areas."""
    areas = [document.Sheets.getByName(sheet).getCellRangeByName(area) for sheet, area in job.get("read", ())]
    return [[list(row) for row in area.getDataArray()] for area in areas]


def work(desktop, job):
    begin = time.perf_counter()
    document = desktop.loadComponentFromURL(Path(job["book"]).as_uri(), "_blank", 0, (option("Hidden", True),))
    load = time.perf_counter() - begin
    try:
        edits = []
        if job.get("timed"):
            document.calculateAll()
        for change in job.get("edits", ()):
            begin = time.perf_counter()
            edit(document, *change)
            if job.get("timed"):
                document.calculate()
                edits.append(time.perf_counter() - begin)
        for sheet, row, count in job.get("insert_rows", ()):
            document.Sheets.getByName(sheet).Rows.insertByIndex(row, count)
        for sheet, name in job.get("rename", ()):
            document.Sheets.getByName(sheet).setName(name)
        start = time.perf_counter()
        document.calculateAll()
        seconds = time.perf_counter() - start
        found, rounds = read(document, job), []
        for one in job.get("rounds", ()):
            for change in one["edits"]:
                edit(document, *change)
            document.calculate()
            rounds.append(read(document, one))
        if "save" in job:
            document.storeToURL(Path(job["save"]).as_uri(), (option("FilterName", FILTERS[Path(job["save"]).suffix]),))
        return {"read": found, "load": load, "seconds": seconds, "edits": edits, "rounds": rounds}
    finally:
        document.close(True)


def main():
    process, desktop = connect(sys.argv[1], Path(sys.argv[2]))
    try:
        for line in sys.stdin:
            print(json.dumps([work(desktop, job) for job in json.loads(line)]), flush=True)
    finally:
        try:
            desktop.terminate()
        except Exception:
            process.terminate()
        process.wait(timeout=30)


main()
