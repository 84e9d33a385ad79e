"""What a check says of a workbook."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

SHOWN = 20  # findings in a notebook

Value = float | str | bool | None  # of a cell

Kind = Literal[
    "overwritten",  # a number or text where a formula was
    "changed",  # a formula that no longer reads like its neighbours, or a constant that is another
    "value",  # differs from NumPy
    "saved",  # the saved value differs from the formula's
    "input",  # no number where one is needed, or a choice that is none
    "stray",  # a number in padding, or in a hole of a dilated kernel
    "missing",  # a layer that has no grid left
    "network",  # of another network than the one that was given
]


@dataclass(frozen=True)
class Finding:
    """One cell that is not as it should be."""

    layer: str
    kind: Kind
    cell: str
    text: str
    value: Value = None
    expected: Value = None
    formula: str | None = None


@dataclass
class LayerReport:
    """What was compared of one layer."""

    layer: str
    type: str
    grids: int = 0
    cells: int = 0
    largest_difference: float = 0.0
    largest_saved_difference: float | None = None
    findings: int = 0
    follow: int = 0  # cells that show an error because a number that is typed is one: they are no findings

    @property
    def ok(self) -> bool:
        return self.findings == 0


@dataclass
class Report:
    """The verdict on a workbook."""

    book: str
    engine: str
    network: str
    layers: list[LayerReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every cell is as it should be."""
        return all(layer.ok for layer in self.layers)

    @property
    def cells(self) -> int:
        return sum(layer.cells for layer in self.layers)

    def _repr_html_(self) -> str:
        from ..notebook import table, text  # only notebooks ask

        differ = sum(one.findings for one in self.layers)
        verdict = "every cell is as NumPy says" if self.ok else f"{differ:,} cells differ"
        rows = [
            [
                one.layer,
                one.type,
                f"{one.cells:,}",
                f"{one.largest_difference:.2g}",
                "ok" if one.ok else f"{one.findings:,} differ",
            ]
            for one in self.layers
        ]
        found = [[finding.cell, finding.text] for finding in self.findings[:SHOWN]]
        parts = [f"<p><b>{verdict}</b> ({self.cells:,} cells, {text(self.engine)})</p>"]
        parts.append(table(("layer", "type", "cells", "largest difference", "verdict"), rows))
        parts += [table(("cell", "what"), found)] if found else []
        return "".join([*parts, *(f"<p>note: {text(note)}</p>" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data, as `check --json` prints it."""
        return {"ok": self.ok, "cells": self.cells} | asdict(self)
