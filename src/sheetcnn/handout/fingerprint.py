"""Fingerprints of right numbers: a cell can be compared with one, but the number cannot be read off it.

A number x becomes the whole number q = ROUND((x − offset)/width, 0), the offset being chosen so that the right number
lies in the middle of a step. Its fingerprint is (q + salt)² mod P.
"""

from __future__ import annotations

import numpy as np

PRIME = 999_983  # every square below stays far under 2⁵³, so that all programs compute it exactly
SALTS = (1_000_000, 4_000_000)


def fingerprints(
    right: np.ndarray, tolerance: float, rng: np.random.Generator, *, centred: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The offset, the salt and the fingerprint of each right number; what lies within the tolerance has the same.

    Where the tolerance need not be kept to the last digit, a number lies anywhere in the middle of its step: so equal
    numbers, such as zeros, look different.
    """
    width = 2 * tolerance
    steps = np.rint(right / width)
    offsets = right - width * steps
    if not centred:
        offsets += width * rng.uniform(-0.3, 0.3, right.shape)
    salts = rng.integers(*SALTS, right.shape)
    return offsets, salts, (steps + salts) ** 2 % PRIME


def status(cell: str, width: str, offset: str, salt: str, fingerprint: str) -> str:
    """The formula that is 1 where a cell's number is right, else 0."""
    step = f"(ROUND(({cell}-{offset})/{width},0)+{salt})"
    square = f"{step}*{step}"
    return f"IF(ISNUMBER({cell}),IF({square}-{PRIME}*INT({square}/{PRIME})={fingerprint},1,0),0)"
