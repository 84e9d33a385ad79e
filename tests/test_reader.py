"""Reading .xlsx: every legal way of writing a cell, as other programs use them, and what is no workbook. Files are written by hand."""

from __future__ import annotations

import os
import re
import zipfile
from copy import copy
from pathlib import Path

import numpy as np
import pytest

from sheetcnn.a1 import parse_area
from sheetcnn.errors import WorkbookError
from sheetcnn.formula import Book, Sheet, evaluate, group_formulas, read_book
from sheetcnn.formula import book as book_module
from sheetcnn.formula import pieces as pieces_module
from sheetcnn.formula import reader as reader_module
from sheetcnn.formula.plain_rows import numbers_of
from sheetcnn.formula.sheet_reader import Cells
from sheetcnn.formula.values import NUMERIC

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def relations(*given: tuple[str, str, str]) -> str:
    lines = [f'<Relationship Id="{key}" Type="{OFFICE}/{kind}" Target="{target}"/>' for key, kind, target in given]
    return f'<Relationships xmlns="{PACKAGE}">{"".join(lines)}</Relationships>'


def parts(rows: str, strings: str = "", names: str = "", data: str = "sheetData") -> dict[str, str]:
    """A workbook of one sheet, by the names of its parts."""
    return {
        "_rels/.rels": relations(("a", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="b"/></sheets>'
        f"<definedNames>{names}</definedNames></workbook>",
        "xl/_rels/workbook.xml.rels": relations(
            ("b", "worksheet", "worksheets/one.xml"), ("c", "sharedStrings", "strings.xml")
        ),
        "xl/worksheets/one.xml": f"<worksheet {MAIN}><{data}>{rows}</{data}></worksheet>",
        "xl/strings.xml": f"<sst {MAIN}>{strings}</sst>",
    }


def write(folder: Path, given: dict[str, str]) -> Path:
    path = folder / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in given.items():
            archive.writestr(name, text)
    return path


def sheet(folder: Path, rows: str, strings: str = "") -> Sheet:
    return read_book(write(folder, parts(rows, strings))).sheets["S"]


def test_kinds_of_cells(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="B2"><v>1.5</v></c><c r="C2" t="n"><v>-2E-3</v></c><c r="D2" t="b"><v>1</v></c>'
        '<c r="E2" t="b"><v>0</v></c><c r="F2" t="b"><v> true </v></c><c r="G2" t="str"><v>formula text</v></c>'
        '<c r="H2" t="e"><v>#N/A</v></c><c r="I2" t="e"><v>#SPILL!</v></c><c r="J2" t="d"><v>2026-01-01</v></c>'
        '<c r="K2" t="inlineStr"><is><t>in</t><rPh sb="0" eb="1"><t>aside</t></rPh><r><t>line</t></r></is></c>'
        '<c r="L2"/><c r="M2"><v></v></c><c r="N2" t="s"><v>1</v></c></row>'
    )
    read = sheet(tmp_path, rows, "<si><t>zero</t></si><si><t>one</t></si>")
    have = [read.value(2, column) for column in range(1, 15)]
    assert have[:9] == [None, 1.5, -0.002, True, False, True, "formula text", "#N/A", "#VALUE!"]
    assert have[9:] == ["2026-01-01", "inline", None, None, "one"]
    assert read.kind.shape == (4, 16)
    assert read.errors_or_booleans == 5
    assert [read.value(1, 2), read.value(3, 2), read.value(9, 2), read.value(2, 99)] == [None] * 4
    assert [read.value(4, 2), read.value(2, 16)] == [None] * 2  # just beyond the arrays
    assert read.number[2, 12:14].tolist() == [0, 0]  # what is no number is stored as 0, which SUMPRODUCT relies on
    assert sheet(tmp_path, "").kind.shape == (2, 2)


def test_shared_strings(tmp_path: Path) -> None:
    """Texts in several formats come in pieces; reading aids of East Asian texts are no part of them."""
    strings = (
        '<si>\n<t>plain</t>\n</si><si><r><t xml:space="preserve">two </t></r><r><rPr><b/></rPr><t>formats</t></r></si>'
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si><si><t/></si>'
        "<si><t>after &amp; all</t></si>"
    )
    cells = "".join(f'<c r="{letter}1" t="s"><v>{n}</v></c>' for n, letter in enumerate("ABCDE"))
    read = sheet(tmp_path, f'<row r="1">{cells}</row>', strings)
    assert [read.value(1, n) for n in range(1, 6)] == ["plain", "two formats", "東京", "", "after & all"]


def test_cells_and_rows_without_their_places(tmp_path: Path) -> None:
    """They follow the one before: the standard allows it, and some writers do so."""
    read = sheet(tmp_path, "<row><c><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>"
                 '<row r="5"><c r="C5"><v>4</v></c><c><v>5</v></c></row><row><c><v>6</v></c></row>')  # fmt: skip
    places = {(1, 1): 1, (1, 2): 2, (2, 1): 3, (5, 3): 4, (5, 4): 5, (6, 1): 6}
    assert {place: read.value(*place) for place in places} == places
    assert (read.kind == NUMERIC).sum() == 6


def test_prefixed_elements(tmp_path: Path) -> None:
    """Some writers give every element a namespace prefix."""
    rows = (
        '<x:row r="1"><x:c r="A1"><x:v>7</x:v></x:c><x:c r="B1" t="s"><x:v>0</x:v></x:c>'
        '<x:c r="C1"><x:f>A1*2</x:f><x:v>14</x:v></x:c><x:c r="D1" t="inlineStr"><x:is><x:t>in</x:t></x:is></x:c></x:row>'
    )
    given = parts(rows, "<x:si><x:t>text</x:t></x:si>", data="x:sheetData")
    for name in ("xl/worksheets/one.xml", "xl/strings.xml"):
        given[name] = (
            given[name].replace("xmlns=", "xmlns:x=").replace("<worksheet", "<x:worksheet").replace("<sst", "<x:sst")
        )
        given[name] = given[name].replace("</worksheet", "</x:worksheet").replace("</sst", "</x:sst")
    read = read_book(write(tmp_path, given)).sheets["S"]
    assert [read.value(1, 1), read.value(1, 2), read.formula(1, 3), read.saved[1, 3], read.value(1, 4)] == [
        7, "text", "A1*2", 14, "in"
    ]  # fmt: skip


def test_formulas_and_saved_values(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str">\n<f>"a"&amp;"b"</f>\n<v>ab</v>\n</c>'
        '<c r="C1" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="D1" t="b"><f>1=1</f><v>1</v></c><c r="E1"><f>2+2</f></c>'
        '<c r="F1"><f>=3+3</f><v>6</v></c><c r="G1"><f> 4+4 </f></c><c r="H1"><f t="array" ref="H1">5+5</f></c>'
        '<c r="I1"><f t="array" ref="$I$1">6+6</f></c><c r="J1"><f t="array" ref="J1:K1">7+7</f></c><c r="K1"><v>9</v></c></row>'
    )
    read = sheet(tmp_path, rows)
    formulas = [read.formula(1, column) for column in range(1, 12)]
    assert formulas[:5] == ["1+1", '"a"&"b"', "1/0", "1=1", "2+2"]
    assert formulas[5:] == ["3+3", "4+4", "{=5+5}", "{=6+6}", "{=7+7}", None]
    assert read.formula(2, 1) is None
    assert read.spills == {(1, 10): (1, 2)}
    assert read.value(1, 11) is None  # it waits for its array formula, whose second number was saved
    assert [read.saved[1, 1], read.saved[1, 4], read.saved[1, 11]] == [2, 1, 9]
    assert read.saved_texts == {(1, 2): "ab", (1, 3): "#DIV/0!"}
    assert read.saved[1, 2:4].tolist() != read.saved[1, 2:4].tolist()  # NaN
    assert read.errors_or_booleans == 0
    assert not read.number.any(axis=1)[:1].any()
    assert read.number[1, 1:11].tolist() == [0] * 10


def test_long_formulas_come_whole(tmp_path: Path) -> None:
    """Longer than the parser's buffer: entities and buffers cut a text into pieces."""
    text = "+".join(["1"] * 25_000) + "&" + "+".join(["2"] * 25_000)
    rows = f'<row r="1"><c r="A1"><f>{text.replace("&", "&amp;")}</f></c><c r="B1" t="str"><v>{"x&amp;y" * 40_000}</v></c></row>'
    read = sheet(tmp_path, rows, f"<si><t>{'a&lt;b' * 40_000}</t></si>")
    assert read.formula(1, 1) == text
    assert read.value(1, 2) == "x&y" * 40_000


def test_sheets_and_names(tmp_path: Path) -> None:
    names = (
        '<definedName name="good">\'S\'!$B$2:$C$5</definedName><definedName name="cell">S!$A$1</definedName>'
        '<definedName name="local" localSheetId="0">S!$A$1</definedName><definedName name="formula">SUM(S!$A$1)</definedName>'
        '<definedName name="gone">#REF!</definedName><definedName name="elsewhere">Other!$A$1</definedName>'
        '<definedName name="split">S!$A&#36;7</definedName>'
    )
    given = parts('<row r="1"><c r="A1"><v>1</v></c></row>', names=names)
    given["xl/workbook.xml"] = given["xl/workbook.xml"].replace(
        "</sheets>",
        '<sheet name="Chart" sheetId="2" r:id="d"/><sheet name="Missing" sheetId="3" r:id="zz"/>'
        '<sheet name="Two &amp; three" sheetId="4" r:id="e"/></sheets>',
    )
    given["xl/_rels/workbook.xml.rels"] = relations(
        ("b", "worksheet", "/xl/worksheets/one.xml"),
        ("d", "chartsheet", "chartsheets/sheet1.xml"),
        ("e", "worksheet", "./worksheets/deep/er/../../two.xml"),
    ).replace("</Rel", '<Relationship Id="b" Type="x/worksheet" Target="http://h/x.xml" TargetMode="External"/></Rel', 1)
    given["xl/worksheets/two.xml"] = given["xl/worksheets/one.xml"].replace("<v>1<", "<v>2<")
    book = read_book(write(tmp_path, given))
    assert list(book.sheets) == ["S", "Two & three"]
    assert [one.value(1, 1) for one in book.sheets.values()] == [1, 2]
    assert book.names == {"good": ("S", 2, 2, 5, 3), "cell": ("S", 1, 1, 1, 1), "split": ("S", 7, 1, 7, 1)}


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("S!$A$1", ("S", 1, 1, 1, 1)),
        ("S!A1:B2", ("S", 1, 1, 2, 2)),
        ("Übung!$A$1:$B$2", ("Übung", 1, 1, 2, 2)),
        ("数据!$A$1", ("数据", 1, 1, 1, 1)),
        ("Sheet😀!$A$1", ("Sheet😀", 1, 1, 1, 1)),
        ("'a ''b'''!$AA$10:$AB$12", ("a 'b'", 10, 27, 12, 28)),
        ("S!$XFD$1048576", ("S", 1048576, 16384, 1048576, 16384)),
        ("S!$XFE$1", None),
        ("S!$A$1:$XFE$1", None),
        ("S!$A$0", None),
        ("S!$A$1048577", None),
        ("S!$B$2:$A$3", None),
        ("S!$A$3:$B$2", None),
        ("$A$1", None),
        ("S!$A$1,S!$B$1", None),
        ("S!$A$1:$B", None),
        ("", None),
    ],
)
def test_areas(text: str, area: tuple[str, int, int, int, int] | None) -> None:
    assert parse_area(text) == area


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ('<row r="1"><c r="A1"><f t="shared" si="3"/></c></row>', "A1 shares a formula that does not exist"),
        ('<row r="1"><c r="A1"><f t="table" ref="A1">1</f></c></row>', "unknown kind 'table'"),
        ('<row r="1"><c r="B1"><f t="array" ref="A1:B1">1</f></c></row>', "array formula of cell B1 fills A1:B1"),
        (
            '<row r="1"><c r="A1"><f t="array" ref="A1:CZ30000">1</f></c></row>',
            "array formulas fill more than 2,000,000 cells",
        ),
        ('<row r="0"><c><v>1</v></c></row>', "row 0 does not exist"),
        ('<row r="1"><c r="XFD1"><v>1</v></c><c><v>1</v></c></row>', "column 16385 does not exist"),
        ('<row r="1"><c r="1"><v>1</v></c></row>', "a cell '1' stands in row 1"),
        ('<row r="1"><c r="A1" t="s"><v>-1</v></c></row>', "text number"),
        ('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', "text number '0', which does not exist"),
        ('<row r="1"><c r="B3"><v>1</v></c></row>', "a cell 'B3' stands in row 1"),
        (
            '<row r="4"><c r="B4"><v>1</v></c><c r="C4"><v>1</v></c><c r="B4"><v>2</v></c></row>',
            "cell B4 stands there twice",
        ),
    ],
)
def test_damaged_cells_are_named(rows: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=f"sheet S: .*{reason}"):
        sheet(tmp_path, rows)


def test_the_last_row_and_column_are_there(tmp_path: Path) -> None:
    read = sheet(tmp_path, '<row r="1048576"><c r="A1048576"><v>1</v></c></row>')
    assert read.value(1_048_576, 1) == 1
    read = sheet(tmp_path, '<row r="1"><c r="XFD1"><v>1</v></c></row>')
    assert read.value(1, 16_384) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"xl/worksheets/one.xml": None}, "is no complete workbook"),
        ({"xl/_rels/workbook.xml.rels": None}, "is no complete workbook"),
        ({"_rels/.rels": relations(("a", "thumbnail", "x.png"))}, "is no .xlsx workbook"),
        ({"xl/workbook.xml": "<workbook"}, "is damaged"),
    ],
)
def test_incomplete_packages(change: dict[str, str | None], reason: str, tmp_path: Path) -> None:
    given = parts("") | change
    with pytest.raises(WorkbookError, match=reason):
        read_book(write(tmp_path, {name: text for name, text in given.items() if text is not None}))


def test_damaged_data(tmp_path: Path) -> None:
    """Bytes that are no longer what was compressed."""
    path = write(tmp_path, parts("".join(f'<row r="{r}"><c r="A{r}"><v>{r * r}</v></c></row>' for r in range(1, 2000))))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo("xl/worksheets/one.xml").header_offset + 200
    data[place : place + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(WorkbookError, match="is damaged"):
        read_book(path)


def test_a_sheet_twice_is_refused(tmp_path: Path) -> None:
    for old, new in (('name="S" sheetId="1"', 'name="S" sheetId="2"'), ('name="S" sheetId="1"', 'name="T" sheetId="2"')):
        given = parts("")
        one = '<sheet name="S" sheetId="1" r:id="b"/>'
        given["xl/workbook.xml"] = given["xl/workbook.xml"].replace(one, one + one.replace(old, new))
        if "T" not in new:  # the same name for another part
            given["xl/workbook.xml"] = given["xl/workbook.xml"].replace('sheetId="2" r:id="b"', 'sheetId="2" r:id="d"')
            given["xl/_rels/workbook.xml.rels"] = relations(
                ("b", "worksheet", "worksheets/one.xml"), ("d", "worksheet", "worksheets/two.xml"), ("c", "sharedStrings", "strings.xml")
            )  # fmt: skip
            given["xl/worksheets/two.xml"] = given["xl/worksheets/one.xml"]
        with pytest.raises(WorkbookError, match="stands there twice"):
            read_book(write(tmp_path, given))


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a file may unpack to, and how far its cells may be scattered: at the limit it is read, beyond it is not."""
    path = write(tmp_path, parts('<row r="3"><c r="D3"><v>1</v></c></row>'))
    with zipfile.ZipFile(path) as archive:
        packed, unpacked = (sum(sizes) for sizes in zip(*((i.compress_size, i.file_size) for i in archive.infolist()), strict=True))  # fmt: skip
    monkeypatch.setattr(reader_module, "MAX_AREA", 5 * 6)
    monkeypatch.setattr(reader_module, "FREE", unpacked)
    monkeypatch.setattr(reader_module, "MAX_GROWTH", 0)
    read_book(path)
    monkeypatch.setattr(reader_module, "PER_BYTE", 0)
    monkeypatch.setattr(reader_module, "MAX_AREA", 5 * 6 - 1)
    with pytest.raises(WorkbookError, match="scattered over 30 places"):
        read_book(path)
    monkeypatch.setattr(reader_module, "PER_BYTE", 30 / packed)
    read_book(path)
    monkeypatch.setattr(reader_module, "MAX_AREA", 100)
    monkeypatch.setattr(reader_module, "FREE", unpacked - 1)
    with pytest.raises(WorkbookError, match=f"its {packed:,} bytes unpack to {unpacked:,}"):
        read_book(path)
    monkeypatch.setattr(reader_module, "MAX_GROWTH", unpacked / packed)
    read_book(path)
    monkeypatch.setattr(reader_module, "MAX_BYTES", unpacked - 1)
    with pytest.raises(WorkbookError, match="unpack to"):
        read_book(path)


def test_parts_that_lie_in_each_other_are_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand entries for the same bytes unpack to a thousand times as much, though each of them grows ten times only."""
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts("").items():
            archive.writestr(name, text)
        archive.writestr("again", np.random.default_rng(0).integers(0, 2, 80_000).astype(np.uint8).tobytes())
        for n in range(2_000):
            archive.filelist.append(copy(archive.filelist[-1]))
            archive.filelist[-1].filename = f"again {n}"
    with zipfile.ZipFile(path) as archive:
        packed, unpacked = (sum(getattr(i, size) for i in archive.infolist()) for size in ("compress_size", "file_size"))
    assert unpacked < 10 * packed
    with pytest.raises(WorkbookError, match=f"unpack to {unpacked:,}; sheetcnn takes 100 times as many"):
        read_book(path)


def test_rows_are_taken_apart_when_asked_for(tmp_path: Path) -> None:
    """More rows than are kept open, asked for in any order."""
    rows = "".join(f'<row r="{r}"><c r="A{r}"><f>{r}*2</f></c><c r="C{r}"><f>A{r}+1</f></c></row>' for r in range(1, 200))
    book: Book = read_book(write(tmp_path, parts(rows)))
    formulas = book.sheets["S"].formulas
    for r in (5, 199, 1, 5, 64, 65, 66, 128, 5):
        assert formulas[r] == [(1, f"{r}*2"), (3, f"A{r}+1")]
    assert len(formulas) == 199
    assert list(formulas) == list(range(1, 200))
    assert formulas.count == 398
    for r in formulas:
        assert formulas[r][0][1] == f"{r}*2"
    assert len(formulas._open) <= book_module._OPEN  # memory stays small
    evaluate(book, group_formulas(book))
    assert book.sheets["S"].value(150, 3) == 301


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
def test_large_sheets_are_no_other_process_s(tmp_path: Path) -> None:
    """What a forked process writes into its arrays, as when it grades a hand-in, is not seen here."""
    read = sheet(tmp_path, '<row r="1"><c r="A1"><v>1</v></c></row><row r="9000"><c r="Z9000"><v>2</v></c></row>')
    assert read.kind.size > pieces_module._LARGE
    if (process := os.fork()) == 0:
        read.kind[...], read.number[...] = 0, 7
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0
    assert [read.value(1, 1), read.value(9000, 26), read.value(5, 5)] == [1, 2, None]


def test_a_password_is_told(tmp_path: Path) -> None:
    """Such a file is no archive, but one of those in which Excel before 2007 saved everything."""
    (tmp_path / "secret.xlsx").write_bytes(bytes.fromhex("D0CF11E0A1B11AE1") + bytes(3000))
    with pytest.raises(WorkbookError, match=r"secret\.xlsx: has a password, or is an old \.xls; save it as"):
        read_book(tmp_path / "secret.xlsx")


PLAIN = "".join(
    f'<row r="{n}" ht="16.5" customHeight="1"><c r="A{n}" s="1"/><c r="B{n}" s="2"><v>{n}.5</v></c>'
    f'<c r="C{n}" s="3"><f>IF(B{n}&lt;&gt;2,"a &amp; b",SUM($A$1:B{n})+1)</f><v>-{n}E-3</v></c><c r="D{n}" t="n"><v>7</v></c></row>'
    for n in range(3, 60)
)


@pytest.mark.parametrize("chunk", [1 << 20, 700, 64, 7])
def test_rows_read_as_wholes_are_what_the_parser_reads(chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside rows that only the parser takes, and cut wherever pieces of the file end."""
    others = '<row r="1"><c r="A1" t="str"><v>x</v></c></row><row><c><v>8</v></c></row>'
    rows = others + PLAIN + '<row r="70" spans="1:2"><c r="B70" t="b"><v>1</v></c></row><row r="71"/>'
    path = write(tmp_path, parts(rows))
    taken = []
    monkeypatch.setattr(reader_module, "_CHUNK", chunk)
    monkeypatch.setattr(Cells, "take", lambda self, row, cells, take=Cells.take: taken.append(row) or take(self, row, cells))
    quick = read_book(path).sheets["S"]
    assert taken == [*range(3, 60)] or chunk < 100  # then "<row" itself is cut at times, and the parser takes it
    monkeypatch.setattr(Cells, "take", lambda self, row, cells: False)
    slow = read_book(path).sheets["S"]
    assert dict(quick.formulas) == dict(slow.formulas)
    assert quick.formula(59, 3) == 'IF(B59<>2,"a & b",SUM($A$1:B59)+1)'
    assert (quick.texts, quick.value(2, 1), quick.value(59, 2), quick.saved[59, 3]) == (slow.texts, 8, 59.5, -0.059)
    for name in ("kind", "number", "saved"):
        np.testing.assert_array_equal(getattr(quick, name), getattr(slow, name))


def test_rows_with_texts_and_blank_cells_are_read_as_wholes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blank cells before, between and behind; rows of blank cells only, and of one text; what is saved is kept beside formulas."""
    rows = (
        '<row r="1"><c r="A1"/><c r="B1" s="3"/><c r="C1" t="s"><v>1</v></c><c r="D1"/><c r="F1"><f aca="false">C3&amp;"x"</f><v>2</v></c>'
        '<c r="G1" s="2"><v>1e-3</v></c><c r="H1"/></row><row r="2"><c r="A2"/><c r="ZZ2" s="1"/></row><row r="3"><c r="C3" t="s"><v>0</v></c></row>'
        '<row r="4"><c r="A4" t="n"><v>4</v></c><c r="C4" t="n"><v>-5</v></c></row>'
    )
    strings = "<si><t>zero</t></si><si><t>one</t></si>"
    took = []
    monkeypatch.setattr(
        Cells, "take", lambda self, row, cells, take=Cells.take: took.append(take(self, row, cells)) or took[-1]
    )
    read = sheet(tmp_path, rows, strings)
    assert took == [True] * 4
    assert [read.value(1, 3), read.value(3, 3), read.value(1, 7), read.value(4, 1), read.value(4, 3)] == [
        "one",
        "zero",
        0.001,
        4,
        -5,
    ]
    assert (read.formulas.count, read.formula(1, 6), read.saved[1, 6], np.isnan(read.saved).sum()) == (
        1,
        'C3&"x"',
        2,
        read.saved.size - 1,
    )
    assert (read.kind.shape, np.count_nonzero(read.kind)) == ((6, 9), 6)
    monkeypatch.setattr(pieces_module, "_MOST", 2)  # then there are no pieces left for most rows
    few = sheet(tmp_path, rows, strings)
    monkeypatch.setattr(Cells, "take", lambda self, row, cells: False)
    slow = sheet(tmp_path, rows, strings)
    assert (slow.texts, dict(slow.formulas)) == (read.texts, dict(read.formulas))
    for name in ("kind", "number", "saved"):
        np.testing.assert_array_equal(getattr(read, name), getattr(slow, name))
        np.testing.assert_array_equal(getattr(few, name), getattr(slow, name))


def test_rows_that_only_look_plain(tmp_path: Path) -> None:
    """Formulas with signs or blanks around, a formula whose saved value is a shared text, cells in another order."""
    rows = (
        '<row r="1"><c r="A1"><f>=3+3</f><v>6</v></c></row><row r="2"><c r="A2"><f> 4+4</f><v>8</v></c></row>'
        '<row r="3"><c r="A3"><f>5+5 </f><v>10</v></c></row><row r="4"><c r="A4" t="s"><f>"o"</f><v>0</v></c></row>'
        '<row r="5"><c r="C5"><f>3*3</f><v>9</v></c><c r="B5"><f>2*2</f><v>4</v></c></row>'
        '<row r="6"><c r="A6"><f>1&amp;2</f><v>12</v></c><c r="B6"><v>1</v></c></row>'
    )
    read = sheet(tmp_path, rows, "<si><t>one</t></si>")
    assert {row: read.formulas[row] for row in read.formulas} == {
        1: [(1, "3+3")], 2: [(1, "4+4")], 3: [(1, "5+5")], 4: [(1, '"o"')], 5: [(2, "2*2"), (3, "3*3")], 6: [(1, "1&2")]
    }  # fmt: skip
    assert (read.saved_texts, read.texts) == ({(4, 1): "one"}, {})
    assert [read.saved[5, 2], read.saved[5, 3], read.saved[3, 1], read.value(6, 2)] == [4, 9, 10, 1]


def test_numbers_are_those_of_python() -> None:
    """To the last bit, near the ends of what doubles hold and half-way between two; what is no number of JSON's is left to others."""
    rng = np.random.default_rng(0)
    some = np.frombuffer(rng.bytes(80_000))
    texts = [repr(number) for number in some[np.isfinite(some)].tolist()]
    texts += [f"{number:.{digits}g}" for number in rng.normal(size=3000).tolist() for digits in (1, 15, 17, 25)]
    texts += [f"{n}.5" for n in (2**53, 2**53 + 1, 2**52 + 1)] + [
        "9007199254740993",
        "1e23",
        "2.2250738585072011e-308",
        "5e-324",
        "2e-324",
    ]
    texts += ["0", "-0", "12345678901234567890123", "1E-05", "1e+16", "1.7976931348623157e308"]
    found = numbers_of([text.encode() for text in texts])
    assert found is not None
    np.testing.assert_array_equal(found, [float(text) for text in texts])
    for wrong in (
        "",
        " ",
        "1 ",
        "+1",
        ".5",
        "1.",
        "01",
        "1,2",
        "[1]",
        "true",
        "null",
        '"1"',
        "NaN",
        "Infinity",
        "1_0",
        "0x1",
        "--1",
        "1e",
        "9" * 5000,
    ):
        assert numbers_of([b"1", wrong.encode(), b"2"]) is None, wrong
    assert numbers_of([b"1e999"]) is None or np.isinf(numbers_of([b"1e999"])).all()
    assert numbers_of([]).tolist() == []


def test_rows_in_comments_are_not_read(tmp_path: Path) -> None:
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><!-- {PLAIN} --><row r="2"><c r="A2" t="str"><v><![CDATA[>{PLAIN}]]></v></c></row>'
    read = sheet(tmp_path, rows)
    assert (read.kind.shape, read.value(1, 1), read.value(2, 1)) == ((4, 3), 1, f">{PLAIN}")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('<row r="60"><c r="A61"><v>1</v></c></row>', "a cell 'A61' stands in row 60"),
        ('<row r="60"><c r="XFE60"><v>1</v></c></row>', "a cell 'XFE60' stands in row 60"),
        ('<row r="60"><c r="A60"><v>1e999</v></c></row>', "A60 holds a number that is not finite"),
        ('<row r="60"><c r="A60"><v>1-</v></c></row>', "is damaged or not supported"),
        ('<row r="59"><c r="A59"><v>1</v></c></row>', "cell A59 stands there twice"),
        ('<row r="2000000"><c r="A2000000"><v>1</v></c></row>', "row 2000000 does not exist"),
        ('<row r="60"><c r="A60"><v>1</v></row>', "is damaged"),
        ('<row r="60"><c r="A60"><v>1</v></c><c r="B61"/></row>', "a cell 'B61' stands in row 60"),
        ('<row r="60"><c r="A60"/><c r="XFE60"/></row>', "a cell 'XFE60' stands in row 60"),
        ('<row r="60"><c r="A60"><v>1</v></c><c r="A60"><v>1</v></c></row>', "cell A60 stands there twice"),
        ('<row r="60"><c r="A60" t="s"><v>5</v></c></row>', "text number '5', which does not exist"),
        ('<row r="60"><c r="A60" t="s"><v>-1</v></c></row>', "text number '-1', which does not exist"),
        ('<row r="60"><c r="A60"><f>1+1&nbsp;</f><v>1</v></c></row>', "is damaged"),
        ('<row r="60"><c r="A60"><f>1+1\0</f><v>1</v></c></row>', "is damaged"),
        ('<row r="60"><c r="A60"><v>nan</v></c></row>', "A60 holds a number that is not finite"),
        ('<row r="60"><c r="A60"><v>1</c><c r="B60"/></v></c></row>', "is damaged"),
        ('<row r="60" <row r="61"><c r="A61"><v>1</v></c></row>><c r="A60"><v>1</v></c></row>', "is damaged"),
    ],
)
def test_damaged_rows_among_plain_ones(row: str, reason: str, tmp_path: Path) -> None:
    rows = PLAIN.replace('<c r="A59" s="1"/>', '<c r="A59" s="1"><v>2</v></c>') + row
    with pytest.raises(WorkbookError, match=re.escape(reason)):
        sheet(tmp_path, rows)
