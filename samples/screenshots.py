"""Make README's pictures: sheets of a real workbook as LibreOffice shows them.

Run:  python samples/screenshots.py        (needs LibreOffice and pdftoppm)
"""

import re
import subprocess
import tempfile
import zipfile
from pathlib import Path

import onnx
from PIL import Image, ImageChops

import sheetcnn
from sheetcnn.office.libreoffice import find_libreoffice, write_profile

LANDSCAPE = b'landscape" paperSize="9" fitToHeight="1"'
TARGET = Path(__file__).parent / "screenshots"
LESSONS = {  # the picture, the sheet that answers, and how much of it from its top
    "learn-by-hand": ("by-hand", "conv_back", 1.0),
    "learn-sharing": ("quarters", "conv_back", 1.0),
    "learn-relu-gate": ("gate", "conv_back", 1.0),
    "learn-pool-winner": ("winners", "conv_back", 1.0),
    "learn-skip": ("two-ways", "stem_back", 1.0),
    "learn-edge": ("cat", "Steps", 0.4),  # below stands a table
    "learn-vanishing": ("digit-3", "Loss", 1.0),
    "learn-twins": ("gate", "conv_back", 1.0),
    "learn-by-heart": ("digit-3", "Loss", 1.0),
}


def pages(book: Path, folder: Path, dpi: int, only: str = "") -> list[Image.Image]:
    """Every visible sheet of a workbook on one page each; or last of all one sheet, with the values as they are saved."""
    whole = folder / "whole.xlsx"
    with zipfile.ZipFile(book) as source, zipfile.ZipFile(whole, "w") as target:
        for name in source.namelist():
            data = source.read(name).replace(b'fitToHeight="0"', b'fitToHeight="1"')
            data = re.sub(rb'(portrait|landscape)" paperSize="9" scale="\d+"', LANDSCAPE, data)
            data = re.sub(rb"<(row|col)Breaks.*?</\1Breaks>", b"", data.replace(b'fitToPage="0"', b'fitToPage="1"'))
            data = re.sub(rb'<definedName name="_xlnm.Print_Area"[^>]*>[^_<]*</definedName>', b"", data)
            if only and name == "xl/workbook.xml":
                hidden = rb'<sheet (?![^>]*name="%s")([^>]*?)state="visible"' % only.encode()
                data = re.sub(hidden, rb'<sheet \1state="hidden"', data)
            target.writestr(name, re.sub(rb"<headerFooter>.*?</headerFooter>", b"", data, flags=re.S))
    if not only:
        write_profile(folder / "profile")
    office = [str(find_libreoffice()), f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless"]
    subprocess.run([*office, "--convert-to", "pdf", "--outdir", str(folder), str(whole)], check=True, capture_output=True)
    subprocess.run(["pdftoppm", "-r", str(dpi), "-png", str(folder / "whole.pdf"), str(folder / "page")], check=True)
    return [Image.open(path).convert("RGB") for path in sorted(folder.glob("page-*.png"))]


def trimmed(picture: Image.Image, part: tuple[float, float] = (1, 1)) -> Image.Image:
    """A page without its white edges, and of it the upper left part."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, "white")).getbbox()
    assert box is not None
    left, top, right, bottom = box
    return picture.crop(
        (left - 8, top - 8, left + int((right - left) * part[0]) + 8, top + int((bottom - top) * part[1]) + 8)
    )


def save(picture: Image.Image, name: str) -> None:
    """Few colours, so that the repository stays small, the rare ones kept."""
    picture.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(TARGET / f"{name}.png", optimize=True)


def lessons() -> None:
    """The sheet of each lesson that answers its question, without what is below the answer."""
    for name, (picture, sheet, part) in LESSONS.items():
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            all_pages = pages(sheetcnn.build(name, picture, folder / "book.xlsx", train=True).path, folder, 200)
            text = subprocess.run(["pdftotext", str(folder / "whole.pdf"), "-"], check=True, capture_output=True, text=True)
            titles = [page.split("\n", 1)[0] for page in text.stdout.split("\f")]  # some sheets are not printed
            number = next(n for n, title in enumerate(titles) if title.split(" ")[0] == sheet)
            small = trimmed(all_pages[number], (1, part))
            save(small.resize((1300, 1300 * small.height // small.width)), name)


if __name__ == "__main__":
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        book = sheetcnn.build("edges", "cat", folder / "edges.xlsx").path
        overview, gallery, inspector, pixels, layer, *_ = pages(book, folder, 500)
        save(trimmed(overview).resize((1300, 1300 * trimmed(overview).height // trimmed(overview).width)), "overview")
        small = trimmed(gallery)
        save(small.resize((small.width * 800 // small.height, 800)), "gallery")
        apart = trimmed(inspector)
        save(apart.resize((1300, 1300 * apart.height // apart.width)), "inspector")
        save(trimmed(pixels, (1, 0.36)), "input")
        save(trimmed(layer, (1, 0.285)), "layer")
    lessons()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        [model] = Path(onnx.__file__).parent.rglob("light_squeezenet.onnx")
        *_, gallery = pages(sheetcnn.build(model, "cat", folder / "squeezenet.xlsx").path, folder, 500, "Gallery")
        small = trimmed(gallery, (0.5, 1))
        save(small.resize((1300, 1300 * small.height // small.width)), "squeezenet")
