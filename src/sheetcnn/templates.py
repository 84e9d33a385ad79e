"""The networks and pictures that come with sheetcnn, found by name."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import SheetcnnError
from .files import write_bytes
from .reading import shown

EXERCISE = ".exercise.toml"
PICTURES = (".png", ".jpg", ".jpeg", ".npy", ".csv")


def _folder(name: str) -> Path:
    """A shipped folder: beside this file in an installed package, at the top of the repository in a checkout."""
    installed = Path(__file__).parent / name
    return installed if installed.is_dir() else Path(__file__).parents[2] / name


def templates() -> dict[str, Path]:
    """The shipped network files by name."""
    return {path.stem: path for path in sorted(_folder("templates").glob("*.toml")) if EXERCISE not in path.name}


def exercises() -> dict[str, Path]:
    """The shipped exercises by the name of the network that they are for."""
    found = sorted(_folder("templates").glob(f"*{EXERCISE}"))
    return {path.name.removesuffix(EXERCISE): path for path in found}


def exercise_path(given: str) -> Path:
    """The exercise file that a path, or the name of a shipped one, stands for."""
    return _file_or_shipped(given, exercises())


def samples() -> dict[str, Path]:
    """The shipped pictures by name."""
    return {path.stem: path for path in sorted(_folder("samples").glob("*")) if path.suffix in PICTURES}


def network_path(given: str) -> Path:
    """The network file that a path, or a template's name, stands for."""
    path = _file_or_shipped(given, templates())
    if not os.path.lexists(path) and not path.suffix:
        raise SheetcnnError(f"{shown(path)}: is no network file and no template; there are {', '.join(templates())}")
    return path


def picture_path(given: str) -> Path:
    """The picture that a path or a sample's name stands for."""
    return _file_or_shipped(given, samples())


def _file_or_shipped(given: str, shipped: dict[str, Path]) -> Path:
    """A file wins over what is shipped by its name; a folder of that name, which `new` makes, does not."""
    path = Path(given)
    return shipped[given] if not os.path.isfile(path) and given in shipped else path


def copy_template(name: str, folder: Path) -> list[Path]:
    """Copy a template's files into a folder, to be edited; nothing that exists is overwritten.

    Raises SheetcnnError where the template is unknown or a file is in the way.
    """
    if name not in templates():
        raise SheetcnnError(f"{name}: is no template; there are {', '.join(templates())}")
    sources = sorted(templates()[name].parent.glob(f"{name}.*"))
    targets = [folder / path.name for path in sources]
    for target in targets:
        if os.path.lexists(target):
            raise SheetcnnError(f"{target}: exists already; give another folder, or move it away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SheetcnnError(f"{shown(folder)}: cannot be made ({reason}); give another folder") from None
    for source, target in zip(sources, targets, strict=True):
        write_bytes(target, source.read_bytes())
    return targets
