"""What kind of model a file holds, by its content and its name; for the kinds that are not read, how they become one that is."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from ..errors import NetworkError
from ..model.archives import state_dict
from ..reading import open_regular, open_zip, shown

Kind = Literal["network", "onnx", "keras"]

GIVE = "give a network file, a template's name, an .onnx model or a .keras model"
_HEAD = 16  # bytes, in which most kinds are told apart
_PICKLED = (
    "holds pickled Python objects, which can do anything when they are loaded, so sheetcnn never loads them; in Python"
)
# Ends of sentences that begin with a file's name; {onnx} and the like are what it could become, as Python writes names.
HOW = {
    "torch": _PICKLED + ", with a whole model:  torch.onnx.export(torch.load({path}, weights_only=False).eval(), "
    "(torch.zeros(1, CHANNELS, ROWS, COLUMNS),), {onnx})  and with a state dict, for a network file beside it:  "
    "{state_dict}",
    "torchscript": _PICKLED + ":  torch.onnx.export(torch.jit.load({path}).eval(), "
    "(torch.zeros(1, CHANNELS, ROWS, COLUMNS),), {onnx}, dynamo=False)",
    "pt2": _PICKLED + ":  torch.onnx.export(torch.export.load({path}), (), {onnx})",
    "pickle": _PICKLED + ": load it there, and export the model to ONNX, or its weights with  numpy.savez",
    "tflite": "is a model of TensorFlow Lite; export it to ONNX:  "
    "pip install tf2onnx  and  python -m tf2onnx.convert --tflite {path} --output {onnx}",
    "weights": "holds weights only, not the layers that they are for; write a network file beside it that says  weights = {name!r}",
    "keras weights": "holds weights only, not the layers that they are for; in Python, with your model:  "
    "model.load_weights({path}); model.save({keras})",
    "no keras": "is no model that Keras has saved, or is damaged; in Python, with your model:  model.save({keras})",
}  # fmt: skip
_SUFFIXES = {
    ".pt": "torch", ".pth": "torch", ".ckpt": "torch", ".pt2": "pt2", ".pkl": "pickle", ".tflite": "tflite", ".npz": "weights",
    ".safetensors": "weights", ".keras": "no keras", ".h5": "no keras", ".hdf5": "no keras",
}  # fmt: skip


def kind_of(path: Path) -> Kind:
    """Who reads a file. Raises NetworkError where nobody here does, with one line that says how it becomes one that is read."""
    suffix = path.suffix.lower()
    if suffix in (".toml", ".json"):
        return "network"
    kind = _by_content(path) or _SUFFIXES.get(suffix, "onnx" if suffix == ".onnx" else "network")
    if kind == "keras" and path.name.lower().endswith(".weights.h5"):
        kind = "keras weights"
    if kind in HOW:
        raise NetworkError(f"{shown(path)}: {how(kind, path)}")
    return kind  # type: ignore[return-value]


def how(kind: str, path: Path) -> str:
    """What a file of a kind holds that is not read, and how it becomes what is."""
    names = {end: repr(f"{path.stem}.{end}") for end in ("onnx", "keras")}
    return HOW[kind].format(path=repr(str(path)), name=path.name, state_dict=state_dict(path), **names)


def _by_content(path: Path) -> str | None:
    """The kind of a file, where its first bytes or, of a zip file, the names of its parts tell."""
    with open_regular(path, NetworkError, GIVE) as stream:
        try:
            head = stream.read(_HEAD)
        except OSError as failed:
            raise NetworkError(f"{shown(path)}: cannot be read ({failed.strerror}); {GIVE}") from None
    if head.startswith(b"PK\x03\x04"):
        return _by_parts(path)
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras"
    if head[4:8] == b"TFL3":
        return "tflite"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):  # of pickles
        return "torch" if path.suffix.lower() in (".pt", ".pth", ".ckpt") else "pickle"
    return "weights" if head[6:10] == b'\0\0{"' else None  # safetensors: a length of 8 bytes, and JSON


def _by_parts(path: Path) -> str | None:
    """The kind of a zip file."""
    try:
        with open_zip(path, NetworkError, GIVE) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return None
    ends = {name.rpartition("/")[2] for name in names}
    if {"config.json", "metadata.json"} <= {*names}:
        return "keras"
    if "archive_format" in ends or "serialized_exported_program.json" in ends:
        return "pt2"
    if "data.pkl" in ends:
        return "torchscript" if "constants.pkl" in ends else "torch"
    return "weights" if names and all(name.endswith(".npy") for name in names) else None
