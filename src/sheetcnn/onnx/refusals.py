"""What sheetcnn cannot draw of a model, in one line."""

from __future__ import annotations

from ..errors import NetworkError
from .file import Node


class RefusedError(NetworkError):
    """Some nodes cannot be drawn; what comes before them perhaps can."""

    def __init__(self, source: str, faults: dict[Node, str]) -> None:
        many = f"{len(faults)} nodes" if len(faults) > 1 else "a node"
        super().__init__(f"{source}: has {many} that sheetcnn cannot draw: {listed(faults)}")
        self.source, self.faults = source, faults


def listed(faults: dict[Node, str]) -> str:
    """All nodes that cannot be drawn, those with one reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node, reason in faults.items():
        groups.setdefault((node.operator, reason), []).append(node.name or (node.outputs or [""])[0])
    parts = [f"{operator} ({', '.join(names)}): {reason}" for (operator, reason), names in groups.items()]
    return " ".join(printable("; ".join(parts)).split())


def printable(text: str) -> str:
    """The text without letters that cannot be seen."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
