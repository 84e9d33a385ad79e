"""A picture, or an array of numbers, becomes the network's input. The only file that knows Pillow."""

from __future__ import annotations

import io
import logging
import math
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from .arrays.array import shape_text
from .errors import PictureError, located
from .model.settings import InputSettings
from .reading import Source, open_regular, read_bytes, read_header, read_text

SHOWN = 6  # pictures that are shown each by itself on the Overview
MOST_SHOWN = 48  # that are shown together
CAPTION = 26  # pixels: the height of a name below a small picture, which is shown at half its size
PIXELS = (0.0, 255.0)  # the darkest and the lightest of a picture
NUMBERS = (".npy", ".csv")  # files of numbers, which are taken as they are
MAX_PIXELS = 50_000_000
MAX_BYTES = 400_000_000  # of a picture's file: 8 for each of these pixels
MAX_SCANS = 100  # of a JPEG; progressive ones have about ten
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")  # Pillow knows others, and starts Ghostscript for one of them
_MARKER = re.compile(rb"\xff([^\x00\xff])", re.DOTALL)  # of a JPEG; what follows 255 in its data is 0
_SCAN, _END, _ALONE = 0xDA, 0xD9, (0x01, *range(0xD0, 0xD9))  # the last stand without a length
_STDERR = 2  # the number of that stream, whatever sys.stderr is
MOST_LETTERS = 64  # that a number in a file may take; 25 show a double exactly

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its complaints go to standard error


Given = Source | np.ndarray | Image.Image


def load_input(path: Given, settings: InputSettings, name: str = "the picture") -> np.ndarray:
    """The input C×H×W of a picture (values 0 to 255, resized), or of an array, .npy or .csv file (values taken as they are).

    Raises PictureError with one line that names the file (or what is none, by its `name`) and the rule.
    """
    with located(file=name if isinstance(path, np.ndarray | Image.Image) else path):
        return _loaded(path, settings, name)


def value_range(given: Sequence[Given], arrays: Iterable[np.ndarray]) -> tuple[float, float]:
    """The numbers that are darkest and lightest in inputs shown together, which `arrays` are when loaded.

    In pictures they are 0 and 255, whatever is in them: a dark picture stays dark. Numbers are dark and light beside each
    other only: small integers would all be black beside 255.
    """
    pixels = [not _are_numbers(one) for one in given]
    if all(pixels):
        return PIXELS
    ends = [end for array in arrays for end in (float(array.min()), float(array.max()))]
    low, high = min(ends), max(ends)
    if any(pixels):
        low, high = min(low, PIXELS[0]), max(high, PIXELS[1])
    return low, high if high > low else low + 1


def _are_numbers(given: Given) -> bool:
    """Whether an input is numbers of any size; arrays of bytes are pictures, as Pillow and OpenCV give them."""
    if isinstance(given, np.ndarray):
        return given.dtype != np.uint8
    return not isinstance(given, Image.Image) and given.suffix.lower() in NUMBERS


def _loaded(path: Given, settings: InputSettings, name: str) -> np.ndarray:
    if isinstance(path, np.ndarray):
        if path.dtype.kind not in "fiub":
            raise PictureError(f"{name}: has the type {str(path.dtype)[:80]}; give real numbers")
        _check_shape(path.shape, name, settings)
        return _finite(path, name, settings)
    if isinstance(path, Image.Image):
        return _of_picture(path, name, settings)
    if path.suffix.lower() in NUMBERS:
        return _numbers(path, settings)
    return _pixels(path, settings)


def _numbers(path: Source, settings: InputSettings) -> np.ndarray:
    give = f"give an array of {shape_text(settings.shape)}"
    try:
        if path.suffix.lower() == ".npy":
            with open_regular(path, PictureError, give) as stream:
                array = _npy(stream, path, settings)
        else:
            most = MOST_LETTERS * (math.prod(settings.shape) + 1)
            text = read_text(path, most, PictureError, give, else_="a .csv file holds numbers with commas between them")
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # an empty file is only a warning to NumPy
                array = np.loadtxt(io.StringIO(text, newline=None), delimiter=",", ndmin=2, comments=None)
            _check_shape(array.shape, path, settings)
    except OSError as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror or error}); {give}") from None
    except PictureError:
        raise
    except Exception as error:  # whatever NumPy finds wrong with a file from outside
        raise PictureError(f"{path}: is no array of numbers ({(str(error) or repr(error)).splitlines()[0]})") from None
    return _finite(array, path, settings)


def _finite(array: np.ndarray, path: Source | str, settings: InputSettings) -> np.ndarray:
    values = np.array(array, dtype=float).reshape(settings.shape)
    if not np.isfinite(values).all():
        raise PictureError(f"{path}: holds NaN or infinity; a workbook can hold finite numbers only")
    return values


def _npy(stream: BinaryIO, path: Source, settings: InputSettings) -> np.ndarray:
    """The numbers of an .npy file, none of which is read before they are known to be the right ones."""
    shape, fortran, dtype = read_header(stream)
    if dtype.kind not in "fiub":
        raise PictureError(f"{path}: has the type {str(dtype)[:80]}; save real numbers")
    _check_shape(shape, path, settings)
    data = np.frombuffer(stream.read(math.prod(shape) * dtype.itemsize), dtype)
    return data.reshape(shape, order="F" if fortran else "C")


def _check_shape(shape: tuple[int, ...], path: Source | str, settings: InputSettings) -> None:
    if shape not in (settings.shape, settings.shape[1:] if settings.channels == 1 else settings.shape):
        raise PictureError(
            f"{path}: has the shape {shape_text(shape)[:80]}, the network reads {shape_text(settings.shape)}; "
            "numbers are not resized"
        )


def _pixels(path: Source, settings: InputSettings) -> np.ndarray:
    _refuse_channels(path, settings)
    data = read_bytes(
        path, MAX_BYTES, PictureError, "give a picture, .npy or .csv", instead="make the picture smaller first"
    )
    try:
        with warnings.catch_warnings(), _nobody_else_speaking(data):
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
                _refuse_large(opened, path)
                if (scans := _scans(data)) > MAX_SCANS:
                    raise PictureError(
                        f"{path}: comes in {scans:,} layers, more than {MAX_SCANS}; save it as a JPEG that is not progressive"
                    )
                picture = _on_white(ImageOps.exif_transpose(opened))
    except UnidentifiedImageError:
        raise PictureError(
            f"{path}: is no picture of a kind that is read; give a PNG, JPEG, GIF, BMP, TIFF or WebP, or .npy or .csv"
        ) from None
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they like on a broken file
        raise PictureError(f"{path}: is broken or no picture ({(str(error) or repr(error)).splitlines()[0]})") from None
    return _values(picture, settings)


def _of_picture(given: Image.Image, name: str, settings: InputSettings) -> np.ndarray:
    """The input of a picture that Pillow holds."""
    _refuse_channels(name, settings)
    _refuse_large(given, name)
    try:
        return _values(_on_white(ImageOps.exif_transpose(given)), settings)
    except Exception as error:  # it is decoded only now, and may come from a broken file
        raise PictureError(f"{name}: is broken ({(str(error) or repr(error)).splitlines()[0]})") from None


def _refuse_channels(path: Source | str, settings: InputSettings) -> None:
    if settings.channels not in (1, 3):
        raise PictureError(
            f"{path}: a picture has 1 or 3 channels, the network reads {settings.channels}; give an .npy file of "
            f"{shape_text(settings.shape)}"
        )


def _refuse_large(picture: Image.Image, path: Source | str) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise PictureError(
            f"{path}: has {picture.width}×{picture.height} pixels, more than {MAX_PIXELS:,}; make it smaller first"
        )


def _values(picture: Image.Image, settings: InputSettings) -> np.ndarray:
    picture = _fitted(picture.convert("L" if settings.channels == 1 else "RGB"), settings)
    values = np.asarray(picture, dtype=float).reshape(settings.height, settings.width, settings.channels).transpose(2, 0, 1)
    return 255 - values if settings.invert else values.copy()


@contextmanager
def _nobody_else_speaking(data: bytes) -> Iterator[None]:
    """Keep libtiff from writing to the process's standard error by itself, past Python; the other libraries do not."""
    kept = None
    if data.startswith((b"II", b"MM")):
        with suppress(OSError):  # it is closed
            kept = os.dup(_STDERR)
    if kept is None:
        yield
        return
    try:
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, _STDERR)
        os.close(nothing)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def _scans(data: bytes) -> int:
    """How often a decoder goes over a JPEG: each scan costs the time of the whole picture, and there may be thousands."""
    count, at = 0, 2
    while data.startswith(b"\xff\xd8") and (found := _MARKER.search(data, at)):
        marker, at = found[1][0], found.end()
        if marker == _END:
            break
        count += marker == _SCAN
        at += int.from_bytes(data[at : at + 2], "big") if marker not in _ALONE else 0
    return count


def _on_white(picture: Image.Image) -> Image.Image:
    """The picture with 8 bits a channel, transparency laid on white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        deep = np.nan_to_num(np.array(picture, dtype=np.float32), copy=False)
        # 16 bits fill 0 to 65,535; numbers with a point are taken as 0 to 1 where none is larger, else as 0 to 255.
        full = (1.0 if deep.max() <= 1 else 255.0) if picture.mode == "F" else (65_535.0 if deep.max() > 255 else 255.0)
        if picture.mode.startswith("I;16"):
            full = 65_535.0
        deep *= 255 / full
        return Image.fromarray(np.rint(np.clip(deep, 0, 255, out=deep), out=deep).astype(np.uint8))
    if "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        white = Image.new("RGB", layer.size, (255, 255, 255))
        white.paste(layer, mask=layer)
        return white
    return picture.convert("L" if picture.mode in ("1", "L") else "RGB")


def _fitted(picture: Image.Image, settings: InputSettings) -> Image.Image:
    """The picture at the network's size: whole with white bars, filling it with the edges cut, or stretched."""
    size = (settings.width, settings.height)
    if picture.size == size:
        return picture
    method = Image.Resampling.LANCZOS
    if settings.fit == "stretch":
        return picture.resize(size, method)
    if settings.fit == "cover":
        return ImageOps.fit(picture, size, method)
    white = 255 if picture.mode == "L" else (255, 255, 255)
    return ImageOps.pad(picture, size, method, color=white)


def contact_sheet(pictures: dict[str, np.ndarray], between: tuple[float, float], size: tuple[int, int]) -> bytes:
    """A PNG of pictures side by side, each with its name below, all together no larger than `size` (width, height)."""
    width, height = size
    rows, columns = next(iter(pictures.values())).shape[1:]

    def factor(across: int) -> float:
        """How much larger each pixel can be with so many pictures in a row."""
        down = -(-len(pictures) // across)
        return min((width // across - 12) / columns, (height // down - CAPTION - 6) / rows)

    across = max(range(1, len(pictures) + 1), key=factor)
    scale = max(factor(across), 1 / max(rows, columns))
    scale = float(math.floor(scale)) if scale >= 1 else scale
    tall, wide = max(1, int(rows * scale)), max(1, int(columns * scale))
    pitch = (width // across, tall + CAPTION + 6)
    sheet = Image.new("RGB", (width, pitch[1] * -(-len(pictures) // across)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(CAPTION - 8)
    for n, (name, pixels) in enumerate(pictures.items()):
        left, top = n % across * pitch[0], n // across * pitch[1]
        with Image.open(io.BytesIO(enlarged_png(pixels, between, 1))) as small:
            sheet.paste(small.convert("RGB").resize((wide, tall), Image.Resampling.NEAREST), (left, top))
        while len(name) > 1 and font.getlength(name) > pitch[0] - 3:
            name = name.rstrip("…")[:-1] + "…"
        draw.text((left + 1, top + tall), name, fill=(75, 85, 99), font=font)
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    return stream.getvalue()


def enlarged_png(pixels: np.ndarray, between: tuple[float, float], size: int) -> bytes:
    """A PNG of the input as the network reads it, dark and light as `value_range` says, enlarged to about `size` pixels a side."""
    (low, high), values = between, pixels if len(pixels) == 3 else pixels[:1]
    scaled = np.rint((values - low) / ((high - low) or 1) * 255).astype(np.uint8)
    picture = Image.fromarray(scaled[0] if len(scaled) == 1 else scaled.transpose(1, 2, 0))
    factor = max(1, size // max(picture.size))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=5)  # as small as with 6, in half the time
    return stream.getvalue()


def exact_png(pixels: np.ndarray) -> bytes:
    """A PNG of the pixels, one for each cell.

    Raises PictureError where a PNG cannot hold them: it has 1 or 3 channels of numbers from 0 to 255 (fractions are rounded).
    """
    if len(pixels) not in (1, 3):
        raise PictureError(f"the input has {len(pixels)} channels; a PNG has 1 or 3; read the numbers from the sheet Input")
    if pixels.min() < 0 or pixels.max() > 255 or (pixels.max() <= 1 and (pixels % 1).any()):
        raise PictureError(
            f"the pixels run from {pixels.min():.4g} to {pixels.max():.4g}; a PNG holds 0 to 255; read the numbers from the sheet Input"
        )
    values = np.rint(pixels).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(values[0] if len(values) == 1 else values.transpose(1, 2, 0)).save(stream, "PNG")
    return stream.getvalue()
