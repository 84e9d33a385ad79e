"""What the hidden sheets of the network after a step are called."""

from __future__ import annotations

import re

_STEP = re.compile(r"step_(\d+)")


def is_step(page: str) -> bool:
    """Whether a page of the backward pass is a hidden one, of the network after a step."""
    return _STEP.fullmatch(page) is not None


def step_sheet_name(page: str) -> str:
    """The sheet of such a page."""
    return f"_{page}"
