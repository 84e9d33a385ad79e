"""Where the bank of pictures has its grids."""

from __future__ import annotations

import numpy as np

from ...arrays.array import Array
from ...errors import LimitError
from ...model.limits import MAX_CELLS
from ...model.network import Network
from ...model.settings import INPUT
from ..page import GAP, HEADER, LEFT, Page, Pen, refuse_too_large

MOST_PICTURES = 254  # arguments of CHOOSE after the first


def pictures_page(network: Network, count: int) -> Page:
    """The bank of several pictures: side by side, their channels one below the other.

    Raises LimitError where they are too many for a formula that chooses among them, or for a sheet.
    """
    if count > MOST_PICTURES:
        raise LimitError(f"{network.source}: {count} pictures are too many; a formula can choose among {MOST_PICTURES}")
    page = Page("_pictures", None)
    pen = Pen(page)
    channels, rows, columns = network.input.shape
    if count * channels * rows * columns > MAX_CELLS:
        raise LimitError(
            f"{network.source}: {count} pictures have {count * channels * rows * columns:,} pixels; a spreadsheet takes "
            f"{MAX_CELLS:,}; give fewer, or a smaller input"
        )
    array = Array("picture", (count, channels, rows, columns), owner=INPUT, role="bank", grid_axes=2)
    for p, c in np.ndindex(count, channels):
        pen.put(array, (p, c), HEADER + 2 + c * (rows + 2), LEFT + p * (columns + GAP), "")
    refuse_too_large(network, "the pictures", page)
    return pen.finish()
