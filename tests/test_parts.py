"""The parts of a workbook are as Excel writes them, whose files other programs are made for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from same_parts import parts
from test_workbook import NETWORK, PIXELS

import sheetcnn

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(params=["build", "handout"])
def book(request: pytest.FixtureRequest, make, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """A workbook with all kinds of sheets, or one that a student fills in."""
    if request.param == "build":
        return make(NETWORK, PIXELS)
    [path] = sheetcnn.hand_out("digits", "digit-3", tmp_path).workbooks
    return path


def test_drawings_have_the_usual_prefixes(tmp_path: Path) -> None:
    """ExcelJS finds what is in a drawing by them."""
    words = [f"<{name}> & co" for name in ("cat", "coffee")]
    for name, sample in zip(words, ("cat.jpg", "coffee.jpg"), strict=True):
        (tmp_path / f"{name}.jpg").write_bytes((Path(__file__).parents[1] / "samples" / sample).read_bytes())
    built = sheetcnn.build("edges", [tmp_path / f"{name}.jpg" for name in words], tmp_path / "book.xlsx")
    drawing = parts(built.path)["xl/drawings/drawing1.xml"].decode()
    assert set(re.findall(r"</?(\w+:)?\w+", drawing)) == {"xdr:", "a:"}
    assert set(re.findall(r' (\w+:)?\w+="', drawing)) == {"xmlns:", "r:", ""}
    pictures = ElementTree.fromstring(drawing).iter(
        "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}cNvPr"
    )
    described = [picture.attrib["descr"] for picture in pictures]
    assert [text.split(":")[0] for text in described] == words


def test_fonts_are_in_the_order_of_the_schema(book: Path) -> None:
    fonts = list(ElementTree.fromstring(parts(book)["xl/styles.xml"]).iter(f"{MAIN}font"))
    order = ["b", "i", "strike", "u", "sz", "color", "name", "family", "scheme"]
    for font in fonts:
        tags = [child.tag.removeprefix(MAIN) for child in font]
        assert tags == sorted(tags, key=order.index)
    assert max(len(font) for font in fonts) >= 4


def test_colours_are_opaque(book: Path) -> None:
    for name in ("styles.xml", "worksheets/sheet2.xml"):
        alphas = re.findall(r'rgb="(..)[0-9A-F]{6}"', parts(book)[f"xl/{name}"].decode())
        assert set(alphas) == {"FF"}, name


@pytest.mark.skipif(shutil.which("ssconvert") is None, reason="Gnumeric is not installed (ssconvert)")
def test_gnumeric_understands_all(tmp_path: Path) -> None:
    """All but scales of colours, which it does not know: also the lists of drop-downs."""
    book = sheetcnn.build("edges", ["cat", "coffee"], tmp_path / "book.xlsx").path
    command = ["ssconvert", str(book), str(tmp_path / "book.gnumeric")]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stderr
    assert [line for line in said.splitlines() if not line.endswith("of type 'colorScale'")] == []


def test_texts_are_shared(book: Path) -> None:
    """Apple's programs are reported to show texts inside of cells as blanks."""
    found = parts(book)
    table = ElementTree.fromstring(found["xl/sharedStrings.xml"])
    texts = [item.findtext(f"{MAIN}t") for item in table]
    sheets = [ElementTree.fromstring(part) for name, part in found.items() if name.startswith("xl/worksheets/sheet")]
    cells = [cell for sheet in sheets for cell in sheet.iter(f"{MAIN}c")]
    assert {cell.get("t", "n") for cell in cells} <= {"n", "s", "str"}
    assert all(
        (cell.find(f"{MAIN}f") is not None) == (cell.get("t") == "str") for cell in cells if cell.get("t", "n") != "n"
    )
    numbers = [int(cell.findtext(f"{MAIN}v", "")) for cell in cells if cell.get("t") == "s"]
    assert set(numbers) == set(range(len(texts)))
    assert table.attrib == {"count": str(len(numbers)), "uniqueCount": str(len(texts))}
    assert len(set(texts)) == len(texts)
    assert all(texts)


def test_spaces_of_texts_are_kept(book: Path) -> None:
    for item in ElementTree.fromstring(parts(book)["xl/sharedStrings.xml"]):
        text = item.findtext(f"{MAIN}t", "")
        kept = item[0].get("{http://www.w3.org/XML/1998/namespace}space") == "preserve"
        assert kept or text == text.strip()


def test_without_lxml(tmp_path: Path) -> None:
    """openpyxl writes with lxml where it is installed, which comes with other packages, and otherwise without."""
    for lxml in ("True", "False"):
        command = [sys.executable, "-m", "sheetcnn", "build", "digits", "digit-3", "digit-9", "-o", f"{lxml}.xlsx"]
        subprocess.run(command, env=os.environ | {"OPENPYXL_LXML": lxml}, cwd=tmp_path, check=True, capture_output=True)
    with_it, without = parts(tmp_path / "True.xlsx"), parts(tmp_path / "False.xlsx")
    assert list(with_it) == list(without)
    for name, part in with_it.items():
        if not name.endswith(".png"):
            assert ElementTree.canonicalize(part) == ElementTree.canonicalize(without[name]), name


def test_the_parts_are_named_once(book: Path) -> None:
    with zipfile.ZipFile(book) as archive:
        names = archive.namelist()
    assert len(set(names)) == len(names)
    kinds = ElementTree.fromstring(parts(book)["[Content_Types].xml"])
    given = [kind.attrib["PartName"].lstrip("/") for kind in kinds if "PartName" in kind.attrib]
    assert sorted(given) == sorted(name for name in names if name.startswith(("xl", "docProps")) and name.endswith(".xml"))
    relations = ElementTree.fromstring(parts(book)["xl/_rels/workbook.xml.rels"])
    keys = [relation.attrib["Id"] for relation in relations]
    assert len(set(keys)) == len(keys)
