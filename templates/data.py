"""The pictures that the trained templates learn from and are measured on: handwritten digits, and drawn shapes.

Digits: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998,
https://doi.org/10.24432/C50P49, licence CC BY 4.0, as scikit-learn ships them (1,797 pictures of 8×8).
"""

import numpy as np
from sklearn.datasets import load_digits

# The data set is 14 filled-in forms, one after the other, known by the text of digits that begins anew in each.
# Networks learn from the first 11; the last 3 are held out, so no form (and, as far as one can tell, no writer) is in both.
HELD_OUT = 1415
SHAPES = ("red disc", "red triangle", "green square", "green triangle", "blue disc", "blue square")


def learned_from(template: str) -> tuple[np.ndarray, np.ndarray]:
    """The pictures that a template learned from, and their classes."""
    return shapes(8000, seed=1) if template == "shapes-rgb" else tuple(part[:HELD_OUT] for part in digits())


def held_out(template: str) -> tuple[np.ndarray, np.ndarray]:
    """The pictures that a template was measured on, and their classes; they had no part in training it."""
    return shapes(2000, seed=2) if template == "shapes-rgb" else tuple(part[HELD_OUT:] for part in digits())


def digits() -> tuple[np.ndarray, np.ndarray]:
    """All digits in their order as dark ink on white paper, 0 to 255 (n, 8, 8), and what each one is."""
    data = load_digits()
    return 255 - np.rint(data.images * (255 / 16)).astype(np.uint8), data.target


def shapes(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Drawn shapes, 0 to 255 (count, 16, 16, 3), and the number of each one's name in SHAPES.

    Two shapes for each colour and two colours for each shape: neither alone tells the class.
    """
    rng = np.random.default_rng(seed)
    classes = rng.integers(len(SHAPES), size=count)
    return np.stack([_shape(rng, *SHAPES[n].split()) for n in classes]), classes


def _shape(rng: np.random.Generator, colour: str, shape: str) -> np.ndarray:
    """One shape of any place, size and turn, on a plain, slightly tinted and unevenly lit background, with noise."""
    y, x = (np.mgrid[:64, :64] + 0.5) / 4  # 4×4 points in each pixel make smooth edges
    size = rng.uniform(3.5, 6)
    row, column = rng.uniform(size, 16 - size, 2)
    turn = rng.uniform(-0.25, 0.25)
    across = (x - column) * np.cos(turn) + (y - row) * np.sin(turn)
    down = (y - row) * np.cos(turn) - (x - column) * np.sin(turn)
    if shape == "disc":
        inside = across**2 + down**2 < size**2
    elif shape == "square":
        inside = np.maximum(abs(across), abs(down)) < 0.85 * size
    else:
        inside = (down < 0.75 * size) & (2 * abs(across) < down + 1.1 * size)
    part = inside.reshape(16, 4, 16, 4).mean((1, 3))[..., None]
    paint = rng.uniform(0, 90, 3)
    paint[["red", "green", "blue"].index(colour)] = rng.uniform(150, 255)
    light = rng.uniform(-40, 40, 2)
    yy, xx = np.mgrid[-1:1:16j, -1:1:16j]
    ground = rng.uniform(20, 235) + rng.uniform(-25, 25, 3) + (light[0] * yy + light[1] * xx)[..., None]
    picture = part * paint + (1 - part) * ground + rng.normal(0, 8, (16, 16, 3))
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
