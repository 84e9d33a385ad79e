"""formualizer, an engine written in Rust that runs in this process: https://formualizer.dev"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from ...stopping import Stopped
from ..functions import FUNCTIONS
from ..parser import ARRAY
from .engine import TIME, Answer, Place

_KINDS = {"Div": "#DIV/0!", "Value": "#VALUE!", "Ref": "#REF!", "Num": "#NUM!", "Na": "#N/A", "Null": "#NULL!"}


class Formualizer:
    """formualizer; what it refuses, panics of or takes too long for is not known to it."""

    name = "formualizer"

    def compute(self, books: Sequence[bytes], cells: Mapping[Place, str]) -> list[dict[Place, Answer]]:
        """The values of cells in each workbook."""
        asked = [place for place, text in cells.items() if not _crosses(text)]
        try:
            return [_computed(data, asked) for data in books]
        except (KeyboardInterrupt, SystemExit, MemoryError, Stopped):
            raise
        except BaseException:  # its panics are no Exceptions
            return []


def _computed(data: bytes, asked: list[Place]) -> dict[Place, Answer]:
    """The values of cells in one workbook."""
    import formualizer

    limits = formualizer.EvaluationConfig()
    limits.enable_parallel = False
    limits.max_eval_time_ms = int(1000 * TIME)
    book = formualizer.Workbook.from_bytes(data, config=formualizer.WorkbookConfig(eval_config=limits))
    book.set_temporal_egress("serial")  # dates as numbers, as cells have them
    try:
        found = dict(zip(asked, book.evaluate_cells(list(asked)), strict=True))
    except Exception:  # one cell that it refuses, a link to another file perhaps: the others may be asked singly
        found, end = {}, time.monotonic() + TIME
        for place in asked:
            with suppress(Exception):
                found[place] = book.evaluate_cell(*place)
            if time.monotonic() > end:
                break
    answers = {place: _answer(value) for place, value in found.items()}
    return {place: answer for place, answer in answers.items() if answer is not None}


def _answer(value: Any) -> Answer | None:
    """A value as formualizer gives it; None for what it does not know."""
    if isinstance(value, dict):
        return _KINDS.get(str(value.get("kind")))
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return float(value) if np.isfinite(value) else "#NUM!"
    return 0.0 if value is None else None


_WHOLE = {"SUMPRODUCT", "MMULT", "SUMX2MY2", "SUMX2PY2", "SUMXMY2", "LOOKUP", "FREQUENCY", "MDETERM"}  # take arrays anyway
_SCALAR = {"POWER", "SIGN", "MOD", "TRUNC", "LOG", "LOG10"}  # take one number, as do those of ours that `of_numbers` says
_SCALAR |= {name for name, function in FUNCTIONS.items() if function.of_numbers}


def _crosses(formula: str) -> bool:
    """Whether formualizer would mean something else: a formula that is no array formula, but computes with ranges.

    Other programs then take a single cell of each range or give #VALUE!, formualizer takes the whole of it.
    """
    import formualizer

    if not formula or formula.startswith(ARRAY):
        return False
    try:
        trees = [(formualizer.parse(f"={formula}"), True)]
    except formualizer.ParserError:
        return True
    while trees:
        tree, computes = trees.pop()
        kind, name = tree.node_type(), (tree.get_function_name() or "").upper().removeprefix("_XLFN.")
        if computes and kind == "Reference" and ":" in str(tree.get_reference_string() or ""):
            return True
        if computes and kind == "Function" and name == "OFFSET" and len(tree.children()) > 3:
            return True
        if computes and tree.get_operator() == ":":
            return True
        if kind == "Function" and name in _WHOLE:
            continue
        inside = (kind in ("BinaryOp", "UnaryOp") and tree.get_operator() not in (":", "@")) or name in _SCALAR
        trees += [(part, inside) for part in tree.children()]
    return False
