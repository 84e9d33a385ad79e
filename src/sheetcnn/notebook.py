"""What results show themselves with in a notebook: tables, numbers and small pictures, in HTML without scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from .image import enlarged_png
from .plain import plain
from .xlsx import palette

MAPS = 8  # of a layer that are shown
SIDE = 64  # pixels, about, of a map's picture
LARGEST = 256  # rows or columns of a map that is shown


class Html(str):
    """Text that is HTML already; all other texts are escaped."""


def text(given: Any) -> Html:
    """A text from anywhere as HTML."""
    return given if isinstance(given, Html) else Html(escape(plain(str(given))))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> Html:
    """A table of texts, numbers and HTML."""

    def line(tag: str, cells: Sequence[Any]) -> str:
        return "<tr>" + "".join(f'<{tag} style="text-align:left">{text(cell)}</{tag}>' for cell in cells) + "</tr>"

    body = "".join(line("td", row) for row in rows)
    return Html(f"<table><thead>{line('th', heads)}</thead><tbody>{body}</tbody></table>")


def maps(output: np.ndarray) -> Html:
    """The first maps as pictures in the colours of a workbook's maps; a vector as its first numbers."""
    if output.ndim == 1:
        more = ", …" if len(output) > MAPS else ""
        return text(", ".join(f"{n:.4g}" for n in output[:MAPS]) + more)
    if max(output.shape[1:]) > LARGEST:
        return text("too large to be shown")
    largest = float(np.abs(output).max()) or 1.0
    style = "image-rendering:pixelated;margin:1px;border:1px solid #ccc"
    pictures = [base64.b64encode(enlarged_png(_colours(one / largest), (0, 255), SIDE)).decode() for one in output[:MAPS]]
    tags = [f'<img alt="map {n}" style="{style}" src="data:image/png;base64,{p}">' for n, p in enumerate(pictures, 1)]
    return Html("".join(tags))


def _colours(parts: np.ndarray) -> np.ndarray:
    """Red, green and blue of the parts of a largest number, from −1 to 1."""
    negative, zero, largest = (np.array(list(bytes.fromhex(shade)), float)[:, None, None] for shade in palette.MAPS)
    return zero + np.where(parts < 0, negative - zero, largest - zero) * np.abs(parts)


def numbers(given: np.ndarray, signed: bool = False) -> Html:
    """A small grid of numbers, with signs in colour where asked for; NaN is a blank cell."""
    largest = float(np.nanmax(np.abs(given), initial=0.0)) or 1.0
    rows = []
    for line in given.tolist():
        cells = []
        for n in line:
            shade = ""
            if signed and n == n and n:
                shade = f";background:color-mix(in srgb, #{palette.POSITIVE if n > 0 else palette.NEGATIVE} {abs(n) / largest:.0%}, white)"
            number = "·" if n != n else f"{n:.4g}"
            cells.append(f'<td style="border:1px solid #ddd;padding:1px 4px;color:black{shade}">{number}</td>')
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return Html(f'<table style="display:inline-table;background:white"><tbody>{"".join(rows)}</tbody></table>')
