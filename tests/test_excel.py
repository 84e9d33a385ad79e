"""What Microsoft's own validation rules (package openxml-audit) say of our workbooks."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from networks import Case
from test_random import PARTS, holds
from test_workbook import NETWORK, PICTURE_OF, PIXELS

import sheetcnn
from sheetcnn.templates import exercises


def complaints(place: Path, books: int = 1) -> list[dict[str, str]]:
    """What the audit says of a workbook, or of all in a folder."""
    audit = Path(sys.executable).with_name("openxml-audit")
    command = [
        str(audit),
        "-f",
        "office2016",
        "-m",
        "0",
        "-o",
        "json",
        *(["--recursive"] if place.is_dir() else []),
        str(place),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    audits = json.loads(done.stdout)
    assert len(audits) == books
    return [{key: value or "" for key, value in error.items()} for audit in audits for error in audit["errors"]]


@pytest.mark.parametrize("detail", ["compact", "steps"])
def test_every_kind_of_sheet(detail: str, make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    assert complaints(make(NETWORK, PIXELS, detail=detail, protect=detail == "steps")) == []


@pytest.mark.parametrize("name", PICTURE_OF)
def test_templates(name: str, tmp_path: Path) -> None:
    assert complaints(sheetcnn.build(name, PICTURE_OF[name], tmp_path / "book.xlsx").path) == []


def test_several_pictures(tmp_path: Path) -> None:
    assert complaints(sheetcnn.build("edges", ["cat", "coffee"], tmp_path / "book.xlsx", protect=True).path) == []


def test_options(tmp_path: Path) -> None:
    """Each option of `build` by itself, and all together; a picture and several."""
    (tmp_path / "labels.txt").write_text("\n".join(f"=digit <{n}> & 'more'" for n in range(10)), encoding="utf-8")
    options = {
        "steps": {"detail": "steps"},
        "protect": {"protect": True},
        "no gallery": {"gallery": False},
        "no inspector": {"inspector": False},
        "labels": {"labels": tmp_path / "labels.txt"},
    }
    options["all"] = {key: value for one in options.values() for key, value in one.items()}
    options["training"] = {"steps": 2, "epochs": True}
    pictures = {"a picture": "digit-3", "two pictures": ["digit-3", "digit-9"]}
    for count, picture in pictures.items():
        for name, given in options.items():
            sheetcnn.build("digits", picture, tmp_path / f"{name}, {count}.xlsx", **given)
    assert complaints(tmp_path, books=len(options) * len(pictures)) == []


def test_random_networks(tmp_path: Path) -> None:
    """Layers of all kinds, drawn in all ways."""
    folders: list[Path] = []

    def build(case: Case) -> None:
        folders.append(tmp_path / str(len(folders)))
        folders[-1].mkdir()
        case.build(folders[-1])

    holds(0, 12 * PARTS, build)
    assert complaints(tmp_path, books=len(folders)) == []


def test_a_fault_is_seen(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """Were the audit to see nothing, the tests above would prove nothing."""
    path = make(NETWORK, PIXELS)
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(tmp_path / "bad.xlsx", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"<sheetData>", b"<sheetDatum/><sheetData>"))
    assert any("sheetDatum" in complaint["description"] for complaint in complaints(tmp_path / "bad.xlsx"))


@pytest.mark.parametrize("name", exercises())
def test_handouts(name: str, tmp_path: Path) -> None:
    made = sheetcnn.hand_out(name, PICTURE_OF[name], tmp_path)
    for book in (made.key, *made.workbooks):
        assert complaints(book) == []
