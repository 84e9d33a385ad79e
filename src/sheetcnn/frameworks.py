"""Models of PyTorch and Keras, exported to ONNX behind the scenes by their own exporters. Neither is imported here unasked."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .errors import NetworkError
from .reading import Held
from .temporary import temporary_folder

# How Keras calls what a layer learns, and what is put behind the layer's name instead.
_NAMES = {"kernel": ".weight", "depthwise_kernel": ".weight", "pointwise_kernel": "_pointwise.weight", "bias": ".bias",
          "moving_mean": ".weight", "beta": ".bias", "alpha": ".weight"}  # fmt: skip
_COLOUR = re.compile(r"\x1b\[[\d;]*m")  # with which PyTorch's exporter marks its words
GIVE = "give a network file, a template's name, plain data, or a model of PyTorch, Keras or onnx"


def exported(model: Any, size: tuple[int, int] | None, shape: tuple[int, ...] | None) -> Held:
    """A model as the bytes of an .onnx file.

    A model of PyTorch does not say how large its pictures are: `shape` is that of the numbers that it will read, if these are
    known, else `size` (rows, columns) is needed. Raises NetworkError where it is no such model, or cannot be exported.
    """
    if callable(getattr(model, "SerializeToString", None)):  # a model of the package onnx
        return Held(model.SerializeToString(), "model.onnx")
    kinds = {f"{base.__module__.split('.')[0]}.{base.__name__}" for base in type(model).__mro__}
    name = type(model).__name__
    if kinds & {
        "keras.Model",
        "tensorflow.Model",
        "tf_keras.Model",
    }:  # which is a module of PyTorch too, where that computes
        return _exported(name, lambda path: export_keras(model, path, size or (shape or ())[1:] or None, name))
    if "torch.Module" in kinds:
        return _exported(name, lambda path: _export_torch(model, _torch_shape(model, size, shape), path))
    if "torch.ExportedProgram" in kinds:  # of torch.export
        return _exported(name, lambda path: _export_program(model, path))
    raise NetworkError(f"the network is {name}; {GIVE}")


def _exported(name: str, write: Any) -> Held:
    with temporary_folder(NetworkError) as folder, quiet():
        path = folder / "model.onnx"
        try:
            write(path)
            return Held(path.read_bytes(), f"{name}.onnx")
        except ImportError as error:
            raise NetworkError(
                f"{name}: its exporter needs the package {error.name or error}; install it with pip, or export it to .onnx"
            ) from None
        except NetworkError:
            raise
        except Exception as error:  # the exporters raise whatever they like
            lines = _COLOUR.sub("", str(error)).strip().splitlines() or [type(error).__name__]
            raise NetworkError(f"{name}: could not be exported to ONNX ({lines[0][:200]}); export it yourself") from None


def _torch_shape(model: Any, size: tuple[int, int] | None, shape: tuple[int, ...] | None) -> tuple[int, ...]:
    """What the model reads, C×H×W."""
    first = next((module for module in model.modules() if hasattr(module, "in_channels")), None)
    channels = getattr(first, "in_channels", 1)
    if size is not None:
        return (channels, *size)
    if shape is not None:
        return shape
    raise NetworkError(
        f"{type(model).__name__}: does not say how large its pictures are; give size=(rows, columns), or the picture as an array"
    )


def _export_torch(model: Any, shape: tuple[int, ...], path: Path) -> None:
    import torch

    was = model.training
    like = next(model.parameters(), torch.zeros(()))
    model.eval()
    try:
        picture = torch.zeros(1, *shape, dtype=like.dtype, device=like.device)
        torch.onnx.export(model, (picture,), str(path), external_data=False, verbose=False)
    finally:
        model.train(was)


def _export_program(program: Any, path: Path) -> None:
    import torch

    torch.onnx.export(program, (), str(path), external_data=False, verbose=False)


def export_keras(model: Any, path: Path, size: tuple[int, ...] | None, called: str) -> None:
    """Write a model of Keras as an .onnx file, by Keras's own exporter; `size` is the picture's, where the model leaves it free."""
    if isinstance(model.input_shape, list | dict):
        raise NetworkError(f"{called}: has {len(model.input_shape)} inputs; sheetcnn feeds one picture to one input")
    shape = list(model.input_shape[1:])
    free = [n for n, side in enumerate(shape) if side is None]
    options: dict[str, Any] = {}
    if free:
        if size is None:
            raise NetworkError(
                f"{called}: leaves the size of its input free; give it with --size ROWSxCOLUMNS to build or import"
            )
        for n, side in zip(free, size[-len(free) :], strict=False):
            shape[n] = side
        import keras

        options["input_signature"] = [keras.InputSpec(shape=(1, *shape), dtype="float32", name="picture")]
    model(np.zeros((1, *shape)))  # one that was never called is not exported
    model.export(str(path), format="onnx", verbose=False, **options)
    from .onnx.naming import name_weights  # it needs the package onnx, as the exporters do

    name_weights(path, dict(_variables(model)))


def _variables(model: Any) -> Iterator[tuple[str, np.ndarray]]:
    """The numbers of a model's layers, each called as its layer is, with the ending that names of weights have."""
    for layer in model.layers:
        if hasattr(layer, "layers"):  # a model within
            yield from _variables(layer)
            continue
        for variable in layer.weights:
            if (given := _NAMES.get(variable.name)) is not None:
                yield f"{layer.name}{given}", np.asarray(variable.numpy())


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without what exporters say by themselves."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
