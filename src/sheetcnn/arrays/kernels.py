"""Classic 3×3 image-processing kernels, by name."""

from fractions import Fraction

import numpy as np


def _kernel(*rows: str, over: int = 1) -> np.ndarray:
    return np.array([[float(Fraction(int(n), over)) for n in row.split()] for row in rows])


def in_the_middle(name: str, rows: int, columns: int) -> np.ndarray:
    """A classic kernel in the middle of a larger one, whose other numbers are 0."""
    numbers = np.zeros((rows, columns))
    top, left = (rows - 3) // 2, (columns - 3) // 2
    numbers[top : top + 3, left : left + 3] = KERNELS[name]
    return numbers


KERNELS: dict[str, np.ndarray] = {
    "identity": _kernel("0 0 0", "0 1 0", "0 0 0"),
    "blur": _kernel("1 1 1", "1 1 1", "1 1 1", over=9),
    "gaussian": _kernel("1 2 1", "2 4 2", "1 2 1", over=16),
    "sharpen": _kernel("0 -1 0", "-1 5 -1", "0 -1 0"),
    "sobel_x": _kernel("-1 0 1", "-2 0 2", "-1 0 1"),
    "sobel_y": _kernel("-1 -2 -1", "0 0 0", "1 2 1"),
    "prewitt_x": _kernel("-1 0 1", "-1 0 1", "-1 0 1"),
    "prewitt_y": _kernel("-1 -1 -1", "0 0 0", "1 1 1"),
    "laplacian": _kernel("0 1 0", "1 -4 1", "0 1 0"),
    "emboss": _kernel("-2 -1 0", "-1 1 1", "0 1 2"),
    "outline": _kernel("-1 -1 -1", "-1 8 -1", "-1 -1 -1"),
}
