"""See and touch a convolutional network in a spreadsheet."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .errors import SheetcnnError
from .version import VERSION

if TYPE_CHECKING:
    from .builder import Built, build, explain
    from .checking.check import check
    from .checking.report import Report
    from .explainer import explain_cell
    from .explaining import CellExplanation, Explanation
    from .exporter import export
    from .handout.grader import Grade, grade
    from .handout.writer import HandedOut, hand_out
    from .importer import Written, import_onnx
    from .training.trainer import Trained, train

__version__ = VERSION
__all__ = [
    "Built", "CellExplanation", "Explanation", "Grade", "HandedOut", "Report", "SheetcnnError", "Trained", "Written",
    "__version__", "build", "check", "explain", "explain_cell", "export", "grade", "hand_out", "import_onnx", "train",
]  # fmt: skip

_HOMES = {
    "build": "builder",
    "Built": "builder",
    "explain": "builder",
    "explain_cell": "explainer",
    "Explanation": "explaining",
    "CellExplanation": "explaining",
    "check": "checking.check",
    "Report": "checking.report",
    "export": "exporter",
    "import_onnx": "importer",
    "Written": "importer",
    "train": "training.trainer",
    "Trained": "training.trainer",
    "grade": "handout.grader",
    "Grade": "handout.grader",
    "hand_out": "handout.writer",
    "HandedOut": "handout.writer",
}


def __getattr__(name: str) -> Any:
    # Imported when first used, so that `sheetcnn --help` does not wait for NumPy and openpyxl.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
