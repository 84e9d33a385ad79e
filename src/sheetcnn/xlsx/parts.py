"""What openpyxl writes otherwise than Excel does, mended in its parts: other programs are made for Excel's files."""

from __future__ import annotations

import re
from html import escape

TEXTS = "xl/sharedStrings.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_PREFIXES = {
    "xdr": "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing",
    "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
    "r": _RELATIONS,
}
_CHART = {"c": "http://schemas.openxmlformats.org/drawingml/2006/chart"}
# What a font is made of, in the schema's order.
_FONT = ["b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign"]
_FONT += ["sz", "color", "name", "family", "charset", "scheme"]


def mended(item: str, part: bytes, descriptions: list[str]) -> bytes:
    """A part that is no sheet, as Excel writes it; `descriptions` are the alternative texts of the pictures."""
    if item.startswith("xl/drawings/drawing"):
        return _drawing(part.decode(), descriptions).encode()
    if item == "xl/styles.xml":
        styles = re.sub(r"(?<=<font>).*?(?=</font>)", _ordered, part.decode())
        return opaque(re.sub(r"<colors\s*/>", "", styles)).encode()
    if item == "xl/_rels/workbook.xml.rels":
        key = part.count(b"<Relationship ") + 1
        relation = f'<Relationship Type="{_RELATIONS}/sharedStrings" Target="/{TEXTS}" Id="rId{key}"/>'
        return part.replace(b"</Relationships>", f"{relation}</Relationships>".encode())
    if item == "[Content_Types].xml":
        return part.replace(b"</Types>", f'<Override PartName="/{TEXTS}" ContentType="{_TYPE}"/></Types>'.encode())
    return part


def opaque(xml: str) -> str:
    """Colours as Excel writes them: openpyxl's are transparent, which Excel overlooks, but not all do."""
    return re.sub(r' rgb="00(?=[0-9A-F]{6}")', ' rgb="FF', xml)


def _drawing(xml: str, descriptions: list[str]) -> str:
    """A drawing with the usual prefixes, without which ExcelJS reads none, and with its pictures' alternative texts."""
    xml = re.sub(r' xmlns(:\w+)?="[^"]*"', "", xml)
    xml = re.sub(r"<(/?)(\w+)(?=[ />])", r"<\1xdr:\2", xml)
    prefixes = _PREFIXES | (_CHART if "<c:chart" in xml else {})
    declared = "".join(f' xmlns:{prefix}="{space}"' for prefix, space in prefixes.items())
    each = iter(descriptions)
    xml = re.sub(r' descr="[^"]*"', lambda _: f" descr={_quoted(next(each))}", xml)
    return xml.replace("<xdr:wsDr", f"<xdr:wsDr{declared}", 1)


def _quoted(text: str) -> str:
    """An attribute's value."""
    text = escape(text, quote=False).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
    return f"'{text}'" if '"' in text and "'" not in text else '"' + text.replace('"', "&quot;") + '"'


def _ordered(font: re.Match[str]) -> str:
    """What a font is made of, in the order that the schema has."""
    return "".join(sorted(re.findall(r"<[^>]*>", font[0]), key=lambda tag: _FONT.index(re.findall(r"\w+", tag)[0])))


def _text(text: str) -> str:
    """A text as an element, which says where blanks at its ends count."""
    kept = ' xml:space="preserve"' if text != text.strip() else ""
    return f"<t{kept}>{escape(text, quote=False)}</t>".replace("\r", "&#13;")


class Texts:
    """The texts of all sheets, each once: Apple's programs are reported to show those inside of cells as blanks."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._uses = 0

    def number(self, text: str) -> int:
        """The number of a text, as cells have it."""
        self._uses += 1
        return self._numbers.setdefault(text, len(self._numbers))

    def part(self) -> str:
        """The table of the texts."""
        items = "".join([f"<si>{_text(text)}</si>" for text in self._numbers])
        return f'<sst xmlns="{_MAIN}" count="{self._uses}" uniqueCount="{len(self._numbers)}">{items}</sst>'
