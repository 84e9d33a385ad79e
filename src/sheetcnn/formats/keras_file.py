"""A file that Keras has saved, exported to ONNX by Keras itself, in a process of its own.

The file comes from anywhere. Before Keras sees it, its description is looked through: it may name layers that Keras has and that
run no code of the file's, and nothing else. Keras then loads it in its safe mode, in a process with little memory and time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import NetworkError
from ..frameworks import export_keras, quiet
from ..reading import Held, open_archive, read_bytes, shown
from ..temporary import temporary_folder
from .kinds import how

MAX_CONFIG = 16_000_000  # bytes
MAX_WEIGHTS = 400_000_000
MEMORY = 12_000_000_000  # bytes of addresses; TensorFlow asks for many that it does not use
SECONDS = 300.0
GIVE = "give a .keras model"
AGAIN = "save it again with  model.save('model.keras')"
CODE = "from sheetcnn.formats.keras_file import export_here; export_here()"
EXPORTERS = {"tensorflow": "tf2onnx", "torch": "onnxscript"}  # the backends of Keras that export to ONNX, and what they need

# What a description may name: models, the layers of networks that look at pictures, and the settings of these.
KNOWN = {
    "Functional", "Model", "Sequential", "InputLayer", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose",
    "SeparableConv1D", "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D", "Dense", "EinsumDense", "Flatten", "Reshape",
    "Permute", "RepeatVector", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "UnitNormalization", "RMSNormalization", "Normalization",
    "Rescaling", "Resizing", "CenterCrop", "Cropping1D", "Cropping2D", "ZeroPadding1D", "ZeroPadding2D", "UpSampling1D",
    "UpSampling2D", "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "ThresholdedReLU", "Identity", "Add",
    "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "Dropout", "SpatialDropout1D",
    "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization", "Attention",
    "MultiHeadAttention", "RandomFlip", "RandomRotation", "RandomZoom", "RandomTranslation", "RandomContrast",
    "RandomBrightness", "RandomCrop", "RandomHeight", "RandomWidth", "DTypePolicy", "Policy", "FloatDTypePolicy",
}  # fmt: skip
SETTINGS = ("keras.initializers", "keras.regularizers", "keras.constraints")  # modules of which anything may be named
PLAIN = {"__keras_tensor__", "__tuple__", "__numpy__", "__tensor__"}  # values, not objects


def exported_file(path: Path, size: tuple[int, int] | None) -> Held:
    """A model that Keras has saved, as the bytes of an .onnx model; `size` is the picture's, where the model leaves it free.

    Raises NetworkError where it is none, names what may run code, or cannot be exported.
    """
    if find_spec("keras") is None:
        raise NetworkError(
            f"{shown(path)}: is a model of Keras, which is not installed here: install keras with tensorflow and tf2onnx, or "
            "with torch and onnxscript; or export it where it is:  "
            f"keras.saving.load_model({shown(path)!r}).export({path.stem + '.onnx'!r}, format='onnx')"
        )
    backend = _backend(path)
    with temporary_folder(NetworkError) as folder:
        environment = os.environ | {
            "KERAS_BACKEND": backend,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
        }
        command = [sys.executable, "-P", "-c", CODE, os.path.abspath(path), str(folder), *map(str, size or ())]
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=folder,
                env=environment,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise NetworkError(
                f"{shown(path)}: Keras has not exported it within {SECONDS:.0f} seconds; {_yourself(path)}"
            ) from None
        except OSError as error:
            raise NetworkError(f"{shown(path)}: no Python process for Keras could be started ({error.strerror})") from None
        if (said := folder / "error.txt").is_file():
            raise NetworkError(read_bytes(said, 10_000, NetworkError, AGAIN).decode("utf-8", "replace"))
        if not (made := folder / "model.onnx").is_file():
            last = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit code {done.returncode}"])[-1]
            raise NetworkError(f"{shown(path)}: Keras did not export it ({last[:200]}); {_yourself(path)}")
        return Held(read_bytes(made, MAX_WEIGHTS + MAX_CONFIG, NetworkError, _yourself(path)), str(path))


def _yourself(path: Path) -> str:
    return f"export it yourself:  keras.saving.load_model({shown(path)!r}).export({path.stem + '.onnx'!r}, format='onnx')"


def _backend(path: Path) -> str:
    """The backend that is asked for by KERAS_BACKEND, or the first that is installed with what it needs to export."""
    asked = os.environ.get("KERAS_BACKEND")
    if asked in EXPORTERS:
        return asked
    for name, needed in EXPORTERS.items():
        if find_spec(name) and find_spec(needed):
            return name
    raise NetworkError(
        f"{shown(path)}: to export it Keras needs tensorflow and tf2onnx, or torch and onnxscript; install two of these"
    )


# -- in the process of its own -------------------------------------------------------------------------------------------


def export_here() -> None:
    """Export the file that the first argument names, at the size of the last, into the folder of the second; or say there what is wrong."""
    path, folder, size = Path(sys.argv[1]), Path(sys.argv[2]), tuple(map(int, sys.argv[3:])) or None
    _limit()
    try:
        with quiet():
            _export(path, folder, size)
    except NetworkError as error:
        (folder / "error.txt").write_text(str(error), encoding="utf-8")
    except BaseException as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        said = f"{shown(path)}: Keras could not export it ({type(error).__name__}: {lines[0][:200]}); {_yourself(path)}"
        (folder / "error.txt").write_text(said, encoding="utf-8")


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):  # not every system has or keeps it
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))


def _export(path: Path, folder: Path, size: tuple[int, ...] | None) -> None:
    legacy = not zipfile.is_zipfile(path)
    refuse_objects(_config_of_h5(path) if legacy else _config_of_zip(path, folder), path)
    copy = folder / ("copy.h5" if legacy else "copy.keras")  # which nobody changes meanwhile
    copy.write_bytes(read_bytes(path, MAX_WEIGHTS, NetworkError, GIVE))
    import keras

    model = keras.saving.load_model(copy, compile=False, safe_mode=True)
    export_keras(model, folder / "written.onnx", size, shown(path))
    os.replace(folder / "written.onnx", folder / "model.onnx")


def _config_of_zip(path: Path, folder: Path) -> Any:
    """The description in a .keras file, whose weights are looked at too."""
    try:
        with open_archive(path, NetworkError, GIVE, again=AGAIN) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_WEIGHTS + MAX_CONFIG:
                raise NetworkError(
                    f"{shown(path)}: holds more than {MAX_WEIGHTS:,} bytes; no workbook could hold its weights"
                )
            with archive.open("config.json") as stream:
                text = stream.read(MAX_CONFIG + 1)
            weights = next((name for name in archive.namelist() if name.endswith(".h5")), None)
            if weights is not None:
                with archive.open(weights) as stream:
                    (folder / "weights.h5").write_bytes(stream.read(MAX_WEIGHTS))
        if weights is not None:
            _config_of_h5(folder / "weights.h5", path)
            os.remove(folder / "weights.h5")
        return json.loads(text)
    except (zipfile.BadZipFile, KeyError, ValueError, RecursionError, EOFError):
        raise NetworkError(f"{shown(path)}: {how('no keras', path)}") from None


def _config_of_h5(given: Path, called: Path | None = None) -> Any:
    """The description in an .h5 file, all of whose numbers must stand in itself; of one `called` otherwise only that is asked."""
    import h5py

    path = called or given
    try:
        with h5py.File(given, "r") as file:
            for place in _elsewhere(file):
                raise NetworkError(f"{shown(path)}: {place!r:.80} stands in another file; {AGAIN}")
            text = file.attrs.get("model_config")
    except (OSError, RuntimeError, KeyError, ValueError):
        raise NetworkError(f"{shown(path)}: {how('no keras', path)}") from None
    if called is not None:
        return None
    if text is None:
        raise NetworkError(f"{shown(path)}: {how('keras weights', path)}")
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise NetworkError(f"{shown(path)}: {how('no keras', path)}") from None


def _elsewhere(file: Any) -> Iterator[str]:
    """What an .h5 file says of other files."""
    import h5py

    waiting, seen = [file], 0
    while waiting:
        group = waiting.pop()
        for name in group:
            seen += 1
            if seen > 100_000 or isinstance(group.get(name, getlink=True), h5py.ExternalLink | h5py.SoftLink):
                yield name
                return
            one = group[name]
            if isinstance(one, h5py.Group):
                waiting.append(one)
            elif isinstance(one, h5py.Dataset) and (one.external or one.is_virtual):
                yield one.name


def refuse_objects(config: Any, path: Path) -> None:
    """Raise NetworkError where a description names anything but what Keras itself has and what only computes."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        if not isinstance(one, dict):
            continue
        waiting += [value for key, value in one.items() if key not in ("compile_config", "training_config")]
        if "class_name" not in one:
            continue
        name, module, registered = one["class_name"], one.get("module"), one.get("registered_name")
        if isinstance(name, str) and name in PLAIN:
            continue
        own = module is None or module == "keras" or (isinstance(module, str) and module.startswith("keras."))
        plain = isinstance(name, str) and (name in KNOWN or (isinstance(module, str) and module.startswith(SETTINGS)))
        if not own or not plain or registered not in (None, name):
            what = registered if isinstance(registered, str) and registered != name else name
            raise NetworkError(
                f"{shown(path)}: has {what!r:.80}, which is code that sheetcnn does not run from a file (a layer of somebody's own, "
                f"a function or a lambda), or no layer of networks that look at pictures; where that code is:  "
                f"model.export({path.stem + '.onnx'!r}, format='onnx')"
            )
