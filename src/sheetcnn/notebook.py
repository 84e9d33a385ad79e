"""Results as they show themselves in a notebook: tables and small pictures, in HTML without scripts."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays.array import shape_text
from .image import map_png
from .model.settings import INPUT
from .plain import plain

if TYPE_CHECKING:
    from .builder import Built
    from .checking.report import Report
    from .explaining import Explanation

MAPS = 8  # of a layer that are shown
FINDINGS = 20  # of a report
ANSWERS = 5  # of a prediction
SIDE = 64  # pixels, about, of a map's picture
LARGEST = 256  # rows or columns of a map that is shown
NEGATIVE, POSITIVE = "#93c5fd", "#fca5a5"  # of an explanation's products


def built_html(built: Built) -> str:
    """The network as a table with its maps, and what it answers."""
    network = built.network
    parts = [f"<h4>{_text(network.settings.name)}</h4>"]
    for picture, ranked in built.predictions.items():
        if network.gives_probabilities or network.settings.labels:
            told = ", ".join(f"{_text(label)} {number:.4g}" for label, number in ranked[:ANSWERS])
            parts.append(f"<p><b>{_text(picture)}</b>: {told}</p>")
    rows = [["input", "", shape_text(network.input.shape), "", _maps(_output(built, INPUT))]]
    for node in network.nodes:
        output = _output(built, node.name)
        rows.append([node.name, node.layer.type, shape_text(node.shape), node.parameter_words, _maps(output)])
    parts.append(_table(("layer", "type", "output", "parameters", "first maps"), rows, raw=(4,)))
    saved = "not saved yet: <code>.save('book.xlsx')</code>" if built.path is None else f"saved as {_text(str(built.path))}"
    return "".join([*parts, f"<p>{saved}</p>", *(f"<p>note: {_text(note)}</p>" for note in built.notes)])


def report_html(report: Report) -> str:
    """The verdict, what was compared of each layer, and the first findings."""
    verdict = "every cell is as NumPy says" if report.ok else f"{sum(one.findings for one in report.layers):,} cells differ"
    rows = [
        [
            one.layer,
            one.type,
            f"{one.cells:,}",
            f"{one.largest_difference:.2g}",
            "ok" if one.ok else f"{one.findings:,} differ",
        ]
        for one in report.layers
    ]
    table = _table(("layer", "type", "cells", "largest difference", "verdict"), rows)
    found = [[finding.cell, finding.text] for finding in report.findings[:FINDINGS]]
    more = _table(("cell", "what"), found) if found else ""
    notes = "".join(f"<p>note: {_text(note)}</p>" for note in report.notes)
    return f"<p><b>{verdict}</b> ({report.cells:,} cells, {_text(report.engine)})</p>{table}{more}{notes}"


def explanation_html(one: Explanation) -> str:
    """The windows, beside each its kernel and their products, and what becomes of them."""
    place = "map {}, row {}, column {}".format(*one.place)
    rows = []
    for number, window in enumerate(one.windows):
        cells = [str(number + 1), _numbers(window)]
        if len(one.kernels):
            cells += [_numbers(one.kernels[number]), _numbers(one.products[number], signed=True), f"{one.sums[number]:.4g}"]
        rows.append(cells)
    heads = ("channel", f"window of {one.reads}", "× kernel", "= products", "sum")[: len(rows[0])]
    table = _table(heads, rows, raw=(1, 2, 3))
    return f"<h4>{_text(one.layer)} ({_text(one.type)}): {place}</h4>{table}<p>{_text('  '.join(one.steps))}</p>"


def _output(built: Built, name: str) -> np.ndarray:
    return built.content.values[built.graph.output(name).id]


def _maps(output: np.ndarray) -> str:
    """The first maps as pictures, from the layer's least to its largest number; a vector as its first numbers."""
    if output.ndim == 1:
        more = ", …" if len(output) > MAPS else ""
        return _text(", ".join(f"{n:.4g}" for n in output[:MAPS]) + more)
    if max(output.shape[1:]) > LARGEST:
        return "too large to be shown"
    low, high = float(output.min()), float(output.max())
    style = "image-rendering:pixelated;margin:1px;border:1px solid #ccc"
    pictures = [base64.b64encode(map_png(one, low, high, SIDE)).decode() for one in output[:MAPS]]
    return "".join(f'<img alt="map {n}" style="{style}" src="data:image/png;base64,{p}">' for n, p in enumerate(pictures, 1))


def _numbers(numbers: np.ndarray, signed: bool = False) -> str:
    """A small grid of numbers; NaN is a blank cell."""
    largest = float(np.nanmax(np.abs(numbers), initial=0.0)) or 1.0
    rows = []
    for line in numbers.tolist():
        cells = []
        for n in line:
            shade = ""
            if signed and n == n and n:
                shade = f";background:color-mix(in srgb, {POSITIVE if n > 0 else NEGATIVE} {abs(n) / largest:.0%}, white)"
            cells.append(
                f'<td style="border:1px solid #ddd;padding:1px 4px;color:black{shade}">{"·" if n != n else f"{n:.4g}"}</td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return f'<table style="display:inline-table;background:white">{"".join(rows)}</table>'


def _table(heads: Iterable[str], rows: Iterable[Iterable[Any]], raw: tuple[int, ...] = ()) -> str:
    """A table of texts; the columns in `raw` are HTML already."""
    head = "".join(f'<th style="text-align:left">{_text(text)}</th>' for text in heads)
    body = "".join(
        "<tr>"
        + "".join(f'<td style="text-align:left">{text if n in raw else _text(text)}</td>' for n, text in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(text: str) -> str:
    return escape(plain(text))
