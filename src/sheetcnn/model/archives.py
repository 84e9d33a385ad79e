"""Files of weights: .npz as NumPy writes them, .safetensors, or arrays in memory; each array is read where it is needed, at its shape."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..arrays.array import Shape, Values
from ..arrays.lazy import as_float
from ..errors import NetworkError
from ..reading import open_archive, open_regular, read_header
from .network import Network
from .network_file import parse_json

GIVE = "give an .npz or a .safetensors file"
AGAIN = "write it with numpy.savez"
SAVE = "save it again with safetensors"
MAX_HEADER = 16_000_000  # bytes of a .safetensors file's list of arrays
# The types of .safetensors that are read, as NumPy has them; the halves of single precision are read as whole numbers first.
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
         "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1"}  # fmt: skip
BITS = {"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C64": 64} | dict.fromkeys(
    ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8
)  # of types that a file may have beside these
BITS |= {name: 8 * np.dtype(kind).itemsize for name, kind in TYPES.items()}


def state_dict(path: Path) -> str:
    """The line of Python that writes a state dict of PyTorch as .npz."""
    new = f"{path.stem}.npz"
    return (
        f"numpy.savez({new!r}, **{{k: v.float().numpy() for k, v in torch.load({str(path)!r}, weights_only=True).items()}})"
    )


class Arrays:
    """Arrays by name, of which it is kept in mind which were read."""

    path: Path | None = None  # of their file

    def __init__(self, where: str, names: Collection[str]) -> None:
        """`where` is what messages call them."""
        self.where, self.names = where, names
        self.taken: set[str] = set()

    def has(self, prefix: str) -> bool:
        """Whether there is any array of a layer."""
        return any(name.startswith(f"{prefix}.") for name in self.names)

    def shape(self, name: str) -> Shape | None:
        """The shape of an array; None where it cannot be told."""
        raise NotImplementedError

    def read(self, name: str, shape: Shape) -> np.ndarray:
        """The numbers of an array. Raises NetworkError where it has another shape, or cannot be read."""
        raise NotImplementedError

    def unused(self) -> list[str]:
        """The arrays of the file that nobody has taken; that batches were counted is no loss."""
        if self.path is None:
            return []
        return sorted(name for name in {*self.names} - self.taken if not name.endswith("num_batches_tracked"))


def open_arrays(network: Network, folder: Path, arrays: Values | None = None) -> Arrays:
    """The arrays that a network's weights come from: those given, its file's, or none. Raises NetworkError."""
    if arrays is not None:
        return _Held(network.source, arrays)
    if network.settings.weights is None:
        return _Held(network.source, {})
    return open_file(network, folder, "weights", network.settings.weights)


def open_file(network: Network, folder: Path, setting: str, name: str) -> Arrays:
    """The arrays of a file that a network file names in a setting; it lies beside that one. Raises NetworkError."""
    where = f"{network.source}: {setting} {name!r}"
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle
        raise NetworkError(f"{where}: cannot be read ({str(error)[:120]}); {GIVE}") from None
    if not inside:
        raise NetworkError(f"{where}: leaves the network file's folder; put the file next to it")
    return (_Safetensors if path.suffix.lower() == ".safetensors" else _Npz)(path, where)


class _Held(Arrays):
    """Arrays that are in memory already, those of an imported model."""

    def __init__(self, where: str, arrays: Values) -> None:
        super().__init__(where, arrays)
        self._arrays = arrays

    def shape(self, name: str) -> Shape | None:
        return np.shape(self._arrays[name])

    def read(self, name: str, shape: Shape) -> np.ndarray:
        numbers = np.asarray(self._arrays[name])
        return numbers if numbers.dtype == float else as_float(numbers)


class _Npz(Arrays):
    def __init__(self, path: Path, where: str) -> None:
        try:
            with open_archive(path, NetworkError, GIVE, where=where, again=AGAIN) as archive:
                names = {name.removesuffix(".npy") for name in archive.namelist()}
        except OSError as error:
            raise NetworkError(f"{where}: cannot be read ({error.strerror}); {GIVE}") from None
        except (zipfile.BadZipFile, NotImplementedError, ValueError):
            raise NetworkError(f"{where}: is no .npz file; {AGAIN}") from None
        if any(name.rpartition("/")[2] == "data.pkl" for name in names):
            raise NetworkError(
                f"{where}: holds pickled Python objects, which are never loaded; in Python:  {state_dict(path)}"
            )
        super().__init__(str(path), names)
        self.path: Path = path

    def shape(self, name: str) -> Shape | None:
        try:
            with (
                open_archive(self.path, NetworkError, GIVE, again=AGAIN) as archive,
                archive.open(f"{name}.npy") as stream,
            ):
                return read_header(stream)[0]
        except Exception:  # it is asked for a proposal only
            return None

    def read(self, name: str, shape: Shape) -> np.ndarray:
        self.taken.add(name)
        where = f"{self.path}: {name}"
        try:
            with (
                open_archive(self.path, NetworkError, GIVE, where=where, again=AGAIN) as archive,
                archive.open(f"{name}.npy") as stream,
            ):
                found, fortran, dtype = read_header(stream)
                if dtype.kind not in "fiu" or dtype.itemsize > 8:
                    raise NetworkError(f"{where}: has the type {dtype}; save real numbers (no objects, no pickles)")
                if found != shape:
                    raise NetworkError(f"{where}: has the shape {list(found)}, the layer needs {list(shape)}")
                data = np.frombuffer(stream.read(int(np.prod(shape)) * dtype.itemsize), dtype)
                return data.reshape(shape, order="F" if fortran else "C").astype(float)
        except NetworkError:
            raise
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise NetworkError(f"{where}: cannot be read ({error}); {AGAIN}") from None
        except Exception as error:  # zlib.error and the like from a damaged file
            raise NetworkError(f"{where}: is damaged ({error})") from None


class _Safetensors(Arrays):
    """A length of 8 bytes, so much JSON that lists the arrays, and their numbers one after the other, with nothing between."""

    def __init__(self, path: Path, where: str) -> None:
        with open_regular(path, NetworkError, GIVE, where=where) as stream:
            try:
                length = int.from_bytes(stream.read(8), "little")
                text = stream.read(length) if 2 <= length <= MAX_HEADER else b""
                size = stream.seek(0, 2)
            except OSError as error:
                raise NetworkError(f"{where}: cannot be read ({error.strerror}); {GIVE}") from None
        self._start = 8 + length
        try:
            self._list = _checked(parse_json(text.decode("utf-8")), size - self._start)
        except (ValueError, RecursionError) as error:
            said = "is no .safetensors file" if isinstance(error, json.JSONDecodeError | UnicodeDecodeError) else str(error)
            raise NetworkError(f"{where}: {said}; {SAVE}") from None
        super().__init__(str(path), self._list)
        self.path: Path = path

    def shape(self, name: str) -> Shape | None:
        return self._list[name][1]

    def read(self, name: str, shape: Shape) -> np.ndarray:
        self.taken.add(name)
        where = f"{self.path}: {name}"
        kind, found, begin, end = self._list[name]
        if kind not in TYPES:
            raise NetworkError(f"{where}: has the type {kind}; save it as F32")
        if found != shape:
            raise NetworkError(f"{where}: has the shape {list(found)}, the layer needs {list(shape)}")
        with open_regular(self.path, NetworkError, GIVE, where=where) as stream:
            try:
                stream.seek(self._start + begin)
                numbers = np.frombuffer(stream.read(end - begin), TYPES[kind])
                if kind == "BF16":
                    numbers = (numbers.astype("<u4") << 16).view("<f4")
                return numbers.reshape(shape).astype(float)
            except (OSError, ValueError) as error:  # another has written to it meanwhile
                raise NetworkError(f"{where}: cannot be read ({error}); {SAVE}") from None


def _checked(header: object, size: int) -> dict[str, tuple[str, Shape, int, int]]:
    """Type, shape, begin and end of each array in so many bytes, which they fill. Raises ValueError where the list says otherwise."""
    if not isinstance(header, dict):
        raise ValueError("is no .safetensors file")
    found: dict[str, tuple[str, Shape, int, int]] = {}
    for name, told in header.items():
        if name == "__metadata__":
            continue
        told = told if isinstance(told, dict) else {}
        kind, shape, place = told.get("dtype"), _sizes(told.get("shape")), _sizes(told.get("data_offsets"))
        if not isinstance(kind, str) or kind not in BITS:
            raise ValueError(f"{name!r:.80} has the type {kind!r:.40}, which no .safetensors file has")
        if shape is None or place is None or len(place) != 2:
            raise ValueError(f"{name!r:.80} has no shape or no place")
        bits = BITS[kind]
        for side in shape:
            bits *= side
        if place[1] - place[0] != -(-bits // 8):
            raise ValueError(
                f"{name!r:.80} takes {place[1] - place[0]:,} bytes, which {list(shape)!r:.80} of {kind} does not need"
            )
        found[name] = (kind, shape, *place)
    at = 0
    for name, (_, _, begin, end) in sorted(found.items(), key=lambda one: one[1][2:]):
        if begin != at:
            raise ValueError(f"{name!r:.80} begins at {begin:,}, where the numbers before it end at {at:,}")
        at = end
    if at != size:
        raise ValueError(f"its arrays take {at:,} bytes, and it has {size:,}")
    return found


def _sizes(numbers: object) -> tuple[int, ...] | None:
    """Whole numbers from 0 on, none of which is larger than any file; None where they are something else."""
    if not isinstance(numbers, list) or len(numbers) > 64 or not all(type(n) is int and 0 <= n < 1 << 63 for n in numbers):
        return None
    return tuple(numbers)
