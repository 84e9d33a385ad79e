"""Do two source trees write the same workbooks? Every part is compared byte for byte, to prove that a change of the code changes nothing.

Run:  python tests/same_parts.py OLD NEW [--quick]

OLD and NEW are source trees (the folder with the package sheetcnn in it), or folders of workbooks. Each tree builds its
own templates in all ways, and hands out its own exercises. Ends with 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

# The moment of writing, which workbooks tell in this part.
TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
SHOWN = 60  # bytes before and after the first difference
QUICK = ("cs231n", "digits", "edges")
ROSTER = "name,id\nAnna Schmidt,7\nBob Ng,11\n"
WAYS: dict[str, dict[str, Any]] = {
    "compact": {},
    "steps": {"detail": "steps"},
    "protect": {"protect": True},
    "no gallery": {"gallery": False},
    "no inspector": {"inspector": False},
    "all": {"detail": "steps", "protect": True, "gallery": False, "inspector": False},
}


def build(folder: Path, quick: bool) -> None:
    """Write all workbooks, with the sheetcnn that is imported."""
    import sheetcnn
    from sheetcnn.templates import exercises, templates

    assert str(Path(sheetcnn.__file__).parents[1]) == os.environ["PYTHONPATH"], "another sheetcnn than that of the tree"
    (folder / "roster.csv").write_text(ROSTER, encoding="utf-8")
    for name, path in templates().items():
        if quick and name not in QUICK:
            continue
        words = path.read_text(encoding="utf-8").splitlines()[0].split()  # "# Build it:  sheetcnn build edges cat"
        picture = words[words.index(name) + 1]
        several = [picture, "cross" if picture == "coffee" else "coffee"]
        for way, options in WAYS.items():
            for pictures in ([picture], several) if not quick or way == "compact" else ([picture],):
                sheetcnn.build(name, pictures, folder / f"{name}, {way}, {len(pictures)}.xlsx", **options)
        if name in exercises():
            students = None if quick else folder / "roster.csv"
            sheetcnn.hand_out(name, picture, folder / name, students=students)
            sheetcnn.hand_out(name, several, folder / f"{name}, protect", seed=3, protect=True)


def built(source: Path, folder: Path, quick: bool) -> subprocess.Popen[bytes]:
    """Start building with a source tree."""
    command = [sys.executable, __file__, "--build", str(folder), *(["--quick"] if quick else [])]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(source.resolve())}, cwd=folder)


def parts(book: Path) -> dict[str, bytes]:
    """What is in a workbook, but not when it was written."""
    with zipfile.ZipFile(book) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    return found | {name: TIMES.sub(rb"\1", part) for name, part in found.items() if name == "docProps/core.xml"}


def difference(old: bytes | None, new: bytes | None) -> str:
    """How a part differs, in words."""
    if old is None or new is None:
        return f"only in {'NEW' if old is None else 'OLD'}"
    least = min(len(old), len(new))
    at = next((n for n in range(least) if old[n] != new[n]), least)
    shown = [part[max(0, at - SHOWN) : at + SHOWN].decode(errors="replace") for part in (old, new)]
    return f"{len(old):,} and {len(new):,} bytes, other from byte {at:,} on\n    OLD …{shown[0]}…\n    NEW …{shown[1]}…"


def compare(old: Path, new: Path) -> bool:
    """Print what differs; whether nothing does, and there is something."""
    books = [{str(path.relative_to(folder)): path for path in folder.rglob("*.xlsx")} for folder in (old, new)]
    compared, differing = 0, Counter[str]()
    for name in sorted(books[0].keys() | books[1].keys()):
        before, after = (parts(found[name]) if name in found else {} for found in books)
        compared += len(before | after)
        for part in sorted(before.keys() | after.keys()):
            if before.get(part) != after.get(part):
                print(f"{name}: {part}: {difference(before.get(part), after.get(part))}")
                differing[part] += 1
        if list(before) != list(after) and before.keys() == after.keys():
            print(f"{name}: its parts stand in another order")
            differing["(order)"] += 1
    for part, count in differing.most_common():
        print(f"{count:6} × {part}")
    print(f"{len(books[0])} and {len(books[1])} workbooks: {differing.total()} of {compared:,} parts differ")
    return compared > 0 and not differing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="OLD NEW")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}, in fewer ways")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build is not None:
        build(given.build, given.quick)
        return 0
    if len(given.folders) != 2:
        parser.error("give two source trees, or two folders of workbooks")
    with tempfile.TemporaryDirectory() as place:
        compared, running = [], []
        for source, name in zip(given.folders, ("old", "new"), strict=True):
            if (source / "sheetcnn" / "__init__.py").is_file():
                compared.append(Path(place, name))
                compared[-1].mkdir()
                running.append(built(source, compared[-1], given.quick))
            else:
                compared.append(source)
        ends = [process.wait() for process in running]  # of all, also where the first fails
        if any(ends):
            return 2
        return 0 if compare(*compared) else 1


if __name__ == "__main__":
    sys.exit(main())
