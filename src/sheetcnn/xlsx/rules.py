"""Rules of conditional formatting, which openpyxl would take a millisecond to write for each dozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element as XmlElement

from openpyxl.styles.differential import DifferentialStyle
from openpyxl.xml.functions import Element, SubElement

from ..a1 import NUMBER

End = tuple[str, str | float, str]  # of a colour scale: the type of what follows, a number or formula, and its colour


@dataclass(frozen=True, slots=True)
class Rule:
    """What cells look like where a test holds, or, on a colour scale, by their numbers."""

    kind: str  # as the file has it
    formulas: tuple[str, ...] = ()
    operator: str | None = None
    looks: DifferentialStyle | None = None
    ends: tuple[End, ...] = ()

    def element(self, parent: XmlElement, priority: int, style: int | None) -> None:
        """Put it into the XML of its ranges; `style` is the number of its looks."""
        attributes = {"type": self.kind, "priority": str(priority)}
        if self.operator is not None:
            attributes["operator"] = self.operator
        if style is not None:
            attributes["dxfId"] = str(style)
        rule = SubElement(parent, "cfRule", attributes)
        for formula in self.formulas:
            SubElement(rule, "formula").text = formula
        if self.ends:
            scale = SubElement(rule, "colorScale")
            for kind, value, _ in self.ends:
                SubElement(scale, "cfvo", {"type": kind, "val": value if isinstance(value, str) else f"{value:.16g}"})
            for *_, colour in self.ends:
                SubElement(scale, "color", {"rgb": f"FF{colour}"})


def where(test: str, **looks: Any) -> Rule:
    """Fonts, fills and borders for cells where a formula holds, which is written for the first one."""
    return Rule("expression", (test,), looks=DifferentialStyle(**looks))


def compared(operator: str, limits: Sequence[str], **looks: Any) -> Rule:
    """Fonts, fills and borders for cells whose own values compare so: "equal", "lessThan", "between" and the like."""
    return Rule("cellIs", tuple(limits), operator, DifferentialStyle(**looks))


def areas_with_rules(rules: Iterable[tuple[str, Rule]], styles: Any) -> Iterable[XmlElement]:
    """The XML of the rules of a sheet, those that are asked first before the others; `styles` numbers their looks."""
    found: dict[str, XmlElement] = {}
    for priority, (ranges, rule) in enumerate(rules, start=1):
        area = _sorted(ranges)
        if area not in found:
            found[area] = Element("conditionalFormatting", {"sqref": area})
        rule.element(found[area], priority, None if rule.looks is None else styles.add(rule.looks))
    return found.values()


def _sorted(ranges: str) -> str:
    """Ranges by their first columns, then rows: programs take the first one's corner for what formulas are written for."""
    pairs = [part.partition(":")[::2] for part in ranges.split(" ")]
    return " ".join([first if last in ("", first) else f"{first}:{last}" for first, last in sorted(pairs, key=_place)])


def _place(pair: tuple[str, str]) -> tuple[int, int]:
    letters = pair[0].rstrip("0123456789")
    return NUMBER[letters], int(pair[0][len(letters) :])
