"""Pictures to learn from: a folder with a sub-folder for each label, or an .npz file with images and labels."""

from __future__ import annotations

import math
import os
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays.array import shape_text
from ..errors import PictureError
from ..image import load_input
from ..model.settings import MAX_LABEL, InputSettings
from ..progress import Progress
from ..reading import open_archive, read_header, shown

MAX_PICTURES = 100_000
MAX_NUMBERS = 50_000_000  # in all of them together, as the network reads them: MNIST has 47 million
MAX_LABELS = 1_000
MAX_BYTES = 4_000_000_000  # of all files together
NO_PICTURES = ("thumbs.db", "desktop.ini")  # what Windows puts beside pictures; others do with a dot before the name
GIVE = "give a folder with a sub-folder of pictures for each label, or an .npz file with images and labels"


@dataclass(frozen=True)
class Sorted:
    """Pictures as the network reads them (N×C×H×W), the number of each one's label, and the labels in their order."""

    pictures: np.ndarray
    classes: np.ndarray
    labels: tuple[str, ...]


def read_pictures(
    path: Path, settings: InputSettings, names: tuple[str, ...] | None = None, progress: Progress | None = None
) -> Sorted:
    """All pictures, read as `build` reads them. Raises SheetcnnError with one line that names the file and the rule.

    Labels are in the order of `names` where these are the same, else in that of their numbers and letters.
    """
    archive = path.suffix.lower() == ".npz" and not path.is_dir()
    pictures, texts = _of_archive(path, settings) if archive else _of_folder(path, settings, progress)
    labels = _ordered(path, {*texts}, names)
    for label, count in Counter(texts).items():
        if count < 2:
            raise PictureError(
                f"{shown(path)}: has one picture of {label} only; give two at least, one to learn from and one to be held out"
            )
    numbers = {label: n for n, label in enumerate(labels)}
    return Sorted(pictures, np.array([numbers[text] for text in texts]), labels)


def natural(text: str) -> list[tuple[int, int, str]]:
    """What texts are sorted by so that 10 comes after 9, and upper and lower case together."""
    parts = re.findall(r"[0-9]+|[^0-9]+", text.casefold())
    return [(0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts]


def _ordered(path: Path, found: set[str], names: tuple[str, ...] | None) -> tuple[str, ...]:
    if names is not None and set(names) == found:
        return names
    labels = sorted(found, key=lambda label: (natural(label), label))
    for one, other in pairwise(labels):
        if one.casefold() == other.casefold():
            raise PictureError(f"{shown(path)}: the labels {one} and {other} differ in upper and lower case only; join them")
    if len(labels) < 2:
        raise PictureError(f"{shown(path)}: has one label only, {labels[0]}; nothing is to be learned from that")
    return tuple(labels)


# -- folders ---------------------------------------------------------------------------------------------------------------
def _of_folder(path: Path, settings: InputSettings, progress: Progress | None) -> tuple[np.ndarray, list[str]]:
    files: list[tuple[Path, str]] = []
    sizes = 0
    for folder in _labelled(path):
        before = len(files)
        for entry in _listed(folder):
            if entry.is_dir():
                raise PictureError(f"{shown(folder / entry.name)}: is a folder in a label's folder; put pictures only there")
            with suppress(OSError):  # a link that leads nowhere; who reads it says so
                sizes += entry.stat().st_size
            files.append((folder / entry.name, folder.name))
            _refuse_many(path, len(files), settings)
        if len(files) == before:
            raise PictureError(f"{shown(folder)}: holds no picture; put some there, or take the folder away")
    if sizes > MAX_BYTES:
        raise PictureError(
            f"{shown(path)}: its files have {sizes:,} bytes, more than {MAX_BYTES:,}; make the pictures smaller"
        )
    pictures = np.empty((len(files), *settings.shape))
    for n, (file, _) in enumerate(files):
        pictures[n] = load_input(file, settings)
        if progress is not None:
            progress(n + 1, len(files))
    return pictures, [label for _, label in files]


def _labelled(path: Path) -> list[Path]:
    """The sub-folders, one for each label, in their order."""
    found = []
    for entry in _listed(path):
        if entry.is_dir():
            found.append(path / entry.name)
        if len(found) > MAX_LABELS:
            raise PictureError(f"{shown(path)}: has more than {MAX_LABELS:,} sub-folders; give one for each label")
    if not found:
        raise PictureError(f"{shown(path)}: has no sub-folders; {GIVE}")
    return sorted(found, key=lambda folder: (natural(folder.name), folder.name))


def _listed(folder: Path) -> Iterable[os.DirEntry[str]]:
    """What lies in a folder, without what no one has put there, in an order that does not hang on the system."""
    entries = []
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if not entry.name.startswith((".", "__MACOSX")) and entry.name.lower() not in NO_PICTURES:
                    entries.append(entry)
                if len(entries) > MAX_PICTURES:
                    raise PictureError(f"{shown(folder)}: holds more than {MAX_PICTURES:,} files; give fewer pictures")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PictureError(f"{shown(folder)}: cannot be read ({reason}); {GIVE}") from None
    return sorted(entries, key=lambda entry: (natural(entry.name), entry.name))


def _refuse_many(path: Path, count: int, settings: InputSettings) -> None:
    """Raise PictureError where so many pictures are too many."""
    if count > MAX_PICTURES:
        raise PictureError(f"{shown(path)}: has more than {MAX_PICTURES:,} pictures; give fewer")
    if count * math.prod(settings.shape) > MAX_NUMBERS:
        raise PictureError(
            f"{shown(path)}: pictures of {shape_text(settings.shape)} as the network reads them are more than "
            f"{MAX_NUMBERS:,} numbers; give {MAX_NUMBERS // math.prod(settings.shape):,} pictures at most"
        )


# -- .npz ------------------------------------------------------------------------------------------------------------------
def _of_archive(path: Path, settings: InputSettings) -> tuple[np.ndarray, list[str]]:
    """The arrays `images` (N×H×W or N×C×H×W, taken as they are) and `labels` (N) of a file."""
    with _archive(path) as archive:
        images = _array(archive, path, "images", "biuf", (3, 4), settings)
        labels = _array(archive, path, "labels", "iuU", (1,), settings)
    if len(images) != len(labels):
        raise PictureError(f"{shown(path)}: has {len(images):,} images and {len(labels):,} labels; give one for each")
    if not len(images):
        raise PictureError(f"{shown(path)}: holds no picture; {GIVE}")
    texts = [str(label) for label in labels.tolist()]
    if len({*texts}) > MAX_LABELS:
        raise PictureError(f"{shown(path)}: has more than {MAX_LABELS:,} labels")
    pictures = np.empty((len(images), *settings.shape))
    for n, image in enumerate(images):
        pictures[n] = load_input(image, settings, f"{shown(path)}: images[{n}]")
    return pictures, texts


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    again = "write it with numpy.savez"
    try:
        with open_archive(path, PictureError, GIVE, again=again) as archive:
            yield archive
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # zlib's and others' of a damaged file
        reason = (str(error) or repr(error)).splitlines()[0]
        raise PictureError(f"{shown(path)}: cannot be read as an .npz file ({reason}); {again}") from None


def _array(
    archive: zipfile.ZipFile, path: Path, name: str, kinds: str, axes: tuple[int, ...], settings: InputSettings
) -> np.ndarray[Any, Any]:
    """One array, of which nothing is read before it is known to be of a size that is wanted."""
    if f"{name}.npy" not in archive.namelist():
        raise PictureError(f"{shown(path)}: has no array {name!r}; {GIVE}")
    with archive.open(f"{name}.npy") as stream:
        shape, fortran, dtype = read_header(stream)
        if dtype.kind not in kinds or dtype.itemsize > (4 * MAX_LABEL if dtype.kind == "U" else 8):
            what = "real numbers" if name == "images" else f"whole numbers, or texts of at most {MAX_LABEL} letters"
            raise PictureError(f"{shown(path)}: {name} has the type {str(dtype)[:80]}; save {what}")
        if len(shape) not in axes:
            wanted = "N×H×W or N×C×H×W" if name == "images" else "N"
            raise PictureError(f"{shown(path)}: {name} has the shape {shape_text(shape)[:80]}; it must be {wanted}")
        _refuse_many(path, shape[0], settings)
        if name == "images" and math.prod(shape) > MAX_NUMBERS:
            raise PictureError(
                f"{shown(path)}: images has {math.prod(shape):,} numbers, more than {MAX_NUMBERS:,}; give fewer"
            )
        data = np.frombuffer(stream.read(math.prod(shape) * dtype.itemsize), dtype)
        return data.reshape(shape, order="F" if fortran else "C")
