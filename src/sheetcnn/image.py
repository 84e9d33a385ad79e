"""A picture, or an array of numbers, becomes the network's input. The only file that knows Pillow."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import PictureError
from .layers.base import shape_text
from .network import InputSettings

MAX_PIXELS = 50_000_000
MOST_LETTERS = 64  # that a number in a file may take; 25 show a double exactly


def load_input(path: Path, settings: InputSettings) -> np.ndarray:
    """The input C×H×W of a picture (values 0 to 255, resized) or of an .npy or .csv file (values taken as they are).

    Raises PictureError with one line that names the file and the rule.
    """
    if path.suffix.lower() in (".npy", ".csv"):
        return _numbers(path, settings)
    return _pixels(path, settings)


def _numbers(path: Path, settings: InputSettings) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npy":
            # Mapped, not read: a header that claims more than the file holds is refused before any memory is taken.
            array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
        else:
            most = MOST_LETTERS * (math.prod(settings.shape) + 1)
            if path.stat().st_size > most:
                raise PictureError(f"{path}: is larger than {most:,} bytes; give an array of {shape_text(settings.shape)}")
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # an empty file is only a warning to NumPy
                array = np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8-sig", comments=None)
    except OSError as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror or error})") from None
    except PictureError:
        raise
    except Exception as error:  # whatever NumPy finds wrong with a file from outside
        raise PictureError(f"{path}: is no array of numbers ({(str(error) or repr(error)).splitlines()[0]})") from None
    if array.dtype.kind not in "fiub":
        raise PictureError(f"{path}: has the type {array.dtype}; save real numbers")
    if array.shape not in (settings.shape, settings.shape[1:] if settings.channels == 1 else settings.shape):
        raise PictureError(
            f"{path}: has the shape {shape_text(array.shape)}, the network reads {shape_text(settings.shape)}; "
            "numbers are not resized"
        )
    values = np.array(array, dtype=float).reshape(settings.shape)
    if not np.isfinite(values).all():
        raise PictureError(f"{path}: holds NaN or infinity; a workbook can hold finite numbers only")
    return values


def _pixels(path: Path, settings: InputSettings) -> np.ndarray:
    if settings.channels not in (1, 3):
        raise PictureError(
            f"{path}: a picture has 1 or 3 channels, the network reads {settings.channels}; give an .npy file of "
            f"{shape_text(settings.shape)}"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                if opened.width * opened.height > MAX_PIXELS:
                    raise PictureError(
                        f"{path}: has {opened.width}×{opened.height} pixels, more than {MAX_PIXELS:,}; make it smaller first"
                    )
                picture = _on_white(ImageOps.exif_transpose(opened))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise PictureError(f"{path}: cannot be read ({error.strerror}); give a picture, .npy or .csv") from None
    except UnidentifiedImageError:
        raise PictureError(f"{path}: is no picture that Pillow can read; give a PNG or JPEG, or .npy or .csv") from None
    except PictureError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever they like on a broken file
        raise PictureError(f"{path}: is broken or no picture ({(str(error) or repr(error)).splitlines()[0]})") from None
    picture = _fitted(picture.convert("L" if settings.channels == 1 else "RGB"), settings)
    values = np.asarray(picture, dtype=float).reshape(settings.height, settings.width, settings.channels).transpose(2, 0, 1)
    return 255 - values if settings.invert else values.copy()


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


def enlarged_png(pixels: np.ndarray, size: int) -> bytes:
    """A PNG of the input as the network reads it, enlarged to about `size` pixels a side, each pixel a square."""
    values = pixels if len(pixels) == 3 else pixels[:1]
    low, high = (
        (0.0, 255.0) if values.min() >= 0 and values.max() > 1 and values.max() <= 255 else (values.min(), values.max())
    )
    scaled = np.rint((values - low) / ((high - low) or 1) * 255).astype(np.uint8)
    picture = Image.fromarray(scaled[0] if len(scaled) == 1 else scaled.transpose(1, 2, 0))
    factor = max(1, size // max(picture.size))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
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
