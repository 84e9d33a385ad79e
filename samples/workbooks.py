"""Make the ready workbooks in samples/workbooks, for people who want to open one before they install anything.

Run:  python samples/workbooks.py
"""

from pathlib import Path

import sheetcnn

TARGET = Path(__file__).parent / "workbooks"
BOOKS = {
    "edges": ["cat", "coffee", "astronaut"],
    "digits": [*(f"digit-{n}" for n in (3, 0, 1, 2, 4, 5, 6, 7, 8, 9)), "digit-3-hard", "digit-9-hard", "digit-9-harder"],
    "relu-placement": ["shapes"],
    "cs231n": ["cs231n"],
    "conv-types": ["cross"],
    "pool-order": ["stripes"],
    "rgb-filters": ["shapes"],
    "shapes-rgb": [
        "red-disc",
        "red-triangle",
        "green-square",
        "green-triangle",
        "blue-disc",
        "blue-square",
        "blue-disc-hard",
    ],
    "lenet5": [f"digit-{n}" for n in (3, 5, 8)],
    "resnet-block": ["cat"],
    "mobilenet-block": ["cat"],
    "unet-tiny": ["shapes"],
}


def make(folder: Path) -> None:
    """Build each workbook into a folder."""
    folder.mkdir(exist_ok=True)
    for template, pictures in BOOKS.items():
        sheetcnn.build(template, pictures, folder / f"{template}.xlsx")


if __name__ == "__main__":
    make(TARGET)
