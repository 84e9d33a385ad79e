"""Make the sample pictures: photographs cropped from scikit-image's data, held-out pictures of the trained templates,
the others drawn here.

Run:  pip install scikit-image==0.26.0 scikit-learn && python samples/make.py
"""

import runpy
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageDraw

HERE = Path(__file__).parent
SIZE = 256
DATA = runpy.run_path(str(HERE.parent / "templates" / "data.py"))

# Held-out pictures by their number: the first of each class, and some that a template gets wrong.
# Of the digits, the hard ones are all that `digits` or `lenet5` gets wrong.
DIGITS = {f"digit-{n}": n for n in range(10)} | {
    "digit-3-hard": 314,
    "digit-9-hard": 247,
    "digit-9-harder": 243,
}
SHAPES = {
    "red-disc": 2,
    "red-triangle": 1,
    "green-square": 4,
    "green-triangle": 9,
    "blue-disc": 5,
    "blue-square": 0,
    "red-triangle-hard": 1385,
    "blue-disc-hard": 1191,
}
# Numbers of the lessons on learning, a string for each row.
LESSONS = {
    "by-hand": ("1,0,2", "0,1,1"),
    "quarters": ("100,200,10,20", "300,400,30,40", "1,2,0,0", "3,4,0,0"),
    "gate": ("1,0,3", "2,3,1", "0,2,5"),
    "winners": ("3,7,1,2", "2,0,8,4", "6,1,5,0", "7,4,3,5"),
    "two-ways": ("1,2", "3,4"),
}


def photograph(name: str, source: str, box: tuple[int, int, int, int]) -> None:
    """A square part of a photograph."""
    picture = Image.fromarray(getattr(skimage.data, source)()).crop(box)
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(HERE / f"{name}.jpg", quality=90)


def shapes() -> None:
    """A red disc, a green square and a blue triangle on white."""
    picture = Image.new("RGB", (4 * SIZE, 4 * SIZE), "white")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((80, 80, 500, 500), fill=(220, 40, 40))
    draw.rectangle((560, 120, 940, 500), fill=(40, 160, 60))
    draw.polygon([(512, 540), (820, 960), (204, 960)], fill=(40, 70, 210))
    picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(HERE / "shapes.png", optimize=True)


def cross() -> None:
    """A dark diagonal cross on white, of 9×9 pixels: the letter X of many introductions."""
    picture = Image.new("L", (9, 9), 255)
    for n in range(1, 8):
        picture.putpixel((n, n), 0)
        picture.putpixel((8 - n, n), 0)
    picture.save(HERE / "cross.png")


def stripes() -> None:
    """Vertical, horizontal and diagonal stripes, and a flat grey, a quarter each.

    At 16×16 a stripe is two pixels wide: wide enough for a pooling window that holds nothing but a falling edge.
    """
    picture = Image.new("L", (64, 64), 128)
    for y in range(64):
        for x in range(64):
            if x < 32 and y < 32:
                picture.putpixel((x, y), 255 * (x // 8 % 2))
            elif y < 32:
                picture.putpixel((x, y), 255 * (y // 8 % 2))
            elif x < 32:
                picture.putpixel((x, y), 255 * ((x + y) // 8 % 2))
    picture.save(HERE / "stripes.png", optimize=True)


def cs231n() -> None:
    """The 5×5×3 input of the convolution demo in the CS231n course notes, as numbers."""
    channels = [
        ["00102", "10201", "10220", "20020", "21220"],
        ["21211", "21201", "02101", "12222", "01201"],
        ["21120", "10010", "01000", "10210", "22111"],
    ]
    np.save(HERE / "cs231n.npy", np.array([[[int(n) for n in row] for row in channel] for channel in channels], dtype=float))


def lessons() -> None:
    """Numbers so small that they can be worked out by hand."""
    for name, rows in LESSONS.items():
        (HERE / f"{name}.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def held_out(template: str, numbers: dict[str, int]) -> None:
    """Pictures that a trained template was measured on, as they are."""
    pictures, _ = DATA["held_out"](template)
    for name, number in numbers.items():
        Image.fromarray(pictures[number]).save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    photograph("cat", "chelsea", (96, 20, 346, 270))
    photograph("coffee", "coffee", (100, 0, 500, 400))
    photograph("astronaut", "astronaut", (90, 0, 370, 280))
    shapes()
    cross()
    stripes()
    cs231n()
    lessons()
    held_out("digits", DIGITS)
    held_out("shapes-rgb", SHAPES)
