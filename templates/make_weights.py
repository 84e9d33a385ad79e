"""Make the weights of the templates that carry an .npz file: colour filters of 5×5 that mean something to the eye.

Run:  python templates/make_weights.py
"""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def colour_filters() -> np.ndarray:
    """Six filters over R, G and B, (6, 3, 5, 5): three edges in grey, a spot in grey, and two pairs of opponent colours."""
    y, x = np.mgrid[-2:3, -2:3].astype(float)
    bell = np.exp(-(x**2 + y**2) / 2)
    spot = np.exp(-(x**2 + y**2) / 1.2) / 3 - np.exp(-(x**2 + y**2) / 4) / 10
    grey, red_green, blue_yellow = np.array([[1, 1, 1], [1.5, -1.5, 0], [-0.75, -0.75, 1.5]])
    planes = [
        (x * bell, grey),
        (y * bell, grey),
        ((x + y) * bell, grey),
        (spot, grey),
        (bell, red_green),
        (bell, blue_yellow),
    ]
    filters = np.stack([colour[:, None, None] * plane for plane, colour in planes])
    return np.round(filters / np.abs(filters).max(axis=(1, 2, 3), keepdims=True), 2)


if __name__ == "__main__":
    weight, bias = colour_filters(), np.zeros(6)
    np.savez_compressed(
        HERE / "rgb-filters.npz",
        **{"conv.weight": weight, "conv.bias": bias, "conv_stride2.weight": weight, "conv_stride2.bias": bias},
    )
