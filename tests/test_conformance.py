"""ONNX's own conformance cases through importer and workbook, in our evaluator and in LibreOffice.

The cases ship inside the package onnx: single operators, and models converted from PyTorch, each with inputs and the outputs
that must come of them. Of a batch, each item is a picture of its own. Inputs beside the picture become weights; where
an operator joins several pictures, they stand on one canvas, and convolutions pick each out of it again.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnx
import pytest
from engines import Office
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

import sheetcnn
from sheetcnn.errors import NetworkError, SheetcnnError
from sheetcnn.onnx import read_onnx

# Every operator that a layer does, and what exporters put around them.
OPERATORS = [
    "Conv",
    "ConvTranspose",
    "MaxPool",
    "AveragePool",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceSum",
    "LayerNormalization",
    "Max",
    "Min",
    "BatchNormalization",
    "InstanceNormalization",
    "GroupNormalization",
    "LRN",
    "Relu",
    "Clip",
    "LeakyRelu",
    "PRelu",
    "Elu",
    "Celu",
    "Shrink",
    "Selu",
    "Gelu",
    "Swish",
    "Mish",
    "Softplus",
    "Softsign",
    "Sigmoid",
    "HardSigmoid",
    "HardSwish",
    "Tanh",
    "Softmax",
    "LogSoftmax",
    "Add",
    "Sum",
    "Sub",
    "Mul",
    "Concat",
    "Pad",
    "Resize",
    "Upsample",
    "DepthToSpace",
    "SpaceToDepth",
    "Slice",
    "Split",
    "Gather",
    "GatherND",
    "GatherElements",
    "Tile",
    "Expand",
    "Flatten",
    "Gemm",
    "MatMul",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Identity",
    "Dropout",
]
JOINTS = ("Add", "Sum", "Sub", "Mul", "Max", "Min", "Concat")
RECORDED = 500  # how many cases ran when this was written
TOLERANCE = 1e-5
# Stored answers of four decimals, and in half precision.
ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-4}
ROUNDED |= {"test_celu_float16": 1e-3, "test_celu_float16_expanded": 1e-3}


@dataclass
class Case:
    """A model and its stored answer; `models` has, for each picture, the model of one input and its pixels."""

    name: str
    operator: str
    models: list[tuple[onnx.ModelProto, np.ndarray]]
    want: np.ndarray


def stored(kind: str) -> list[tuple[str, onnx.ModelProto, list[np.ndarray], list[np.ndarray]]]:
    """The cases that lie in files."""
    found = []
    for folder in sorted((Path(onnx.__file__).parent / "backend" / "test" / "data" / kind).iterdir()):
        if not (folder / "test_data_set_0" / "output_0.pb").exists():
            continue
        arrays = {}
        for what in ("input", "output"):
            paths = sorted((folder / "test_data_set_0").glob(f"{what}_*.pb"), key=lambda path: int(path.stem.split("_")[1]))
            try:
                arrays[what] = [numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes())) for path in paths]
            except Exception:  # sequences and texts, of operators that no layer does
                arrays[what] = []
        found.append((folder.name, onnx.load(folder / "model.onnx"), arrays["input"], arrays["output"]))
    return found


@cache
def collected() -> tuple[list[Case], dict[str, str]]:
    """The cases that can run, and why others cannot."""
    cases, skipped = [], {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # making the cases overflows here and there
        made = collect_testcases(None)
    given = [
        (
            case.name,
            case.model,
            *([np.asarray(one) if np.isscalar(one) else one for one in side] for side in case.data_sets[0]),
        )
        for case in made
    ]
    # A case of a function comes twice: the operator, and the same written out in others.
    mine = {
        name
        for name, model, *_ in given
        if {node.op_type for node in model.graph.node} & set(OPERATORS) and len(model.graph.node) == 1
    }
    chosen = [one for one in given if one[0] in mine or one[0].removesuffix("_expanded") in mine]
    for kind in ("pytorch-converted", "simple"):
        chosen += [one for one in stored(kind) if {node.op_type for node in one[1].graph.node} & set(OPERATORS)]
    for name, model, inputs, outputs in chosen:
        base = next((one for one in given if one[0] == name.removesuffix("_expanded")), None)
        operator = next(n.op_type for n in (base[1] if base else model).graph.node if n.op_type in OPERATORS)
        if reason := unfit(model, operator, inputs, outputs):
            skipped[name] = reason
            continue
        for batch in (False, True) if operator not in ("Transpose", "Tile") else (False,):  # which mix a batch
            try:
                models = prepared(model, operator, inputs, batch)
                cases.append(Case(name, operator, models, outputs[0]))
                skipped.pop(name, None)
                break
            except SheetcnnError as error:
                skipped[name] = str(error).partition(": ")[2]
    return cases, skipped


def unfit(model: onnx.ModelProto, operator: str, inputs: list, outputs: list) -> str | None:
    """Why a case is none of one picture through a network in inference."""
    if not inputs or not all(isinstance(array, np.ndarray) for array in (*inputs, *outputs)):
        return "its values are no arrays"
    if not inputs[0].size:
        return "its input is empty"
    if inputs[0].dtype.kind not in "fiu" or outputs[0].dtype.kind not in "fiu":
        return f"its numbers are {inputs[0].dtype}"
    if inputs[0].dtype.kind in "iu" and operator in JOINTS and operator not in ("Max", "Min"):
        return "whole numbers, which wrap around"
    return None


def prepared(model: onnx.ModelProto, operator: str, inputs: list[np.ndarray], batch: bool) -> list:
    """The models with one picture each. Raises NetworkError where the importer refuses one."""
    held = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in held]
    pictures = len(inputs) if operator in JOINTS else 1
    axis = int(operator == "Gemm" and any(one.name == "transA" and one.i for one in model.graph.node[0].attribute))
    count = inputs[0].shape[axis] if batch and inputs[0].ndim else 1
    models = []
    for item in range(count):
        arrays = list(inputs)
        for n, array in enumerate(inputs):  # of a batch one item: of each picture, and of what Gemm adds to each
            if (
                batch
                and (n < pictures or (operator == "Gemm" and n == 2))
                and array.ndim
                and array.shape[axis * (n == 0)] == count
            ):
                arrays[n] = np.take(array, [item], axis=axis * (n == 0))
        models.append(one_picture(model, names, arrays[:pictures], arrays[pictures:]))
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(models[0][0], Path(folder) / "ask.onnx")
        about = read_onnx(Path(folder) / "ask.onnx").description.get("about", "")
    if "read for one" in about and not batch:
        raise NetworkError("case: several pictures at once")
    return models


def one_picture(
    model: onnx.ModelProto, names: list[str], pictures: list[np.ndarray], weights: list[np.ndarray]
) -> tuple[onnx.ModelProto, np.ndarray]:
    """The model with one input and all other inputs as weights, and the pixels for it."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    del graph.output[1:]  # masks and places, which networks have no use for
    kept = [value for value in graph.input if value.name not in names]
    del graph.input[:]
    graph.input.extend(kept)
    graph.initializer.extend(
        numpy_helper.from_array(array, name) for name, array in zip(names[len(pictures) :], weights, strict=True)
    )
    if len(pictures) == 1:
        x = pictures[0]
        graph.input.append(helper.make_tensor_value_info(names[0], TensorProto.FLOAT, x.shape))
        return made, as_maps(x)
    maps = [as_maps(x) for x in pictures]
    rows, columns = (max(x.shape[axis] for x in maps) for axis in (1, 2))
    canvas = np.concatenate([np.pad(x, ((0, 0), (0, rows - x.shape[1]), (0, columns - x.shape[2]))) for x in maps])
    graph.input.append(helper.make_tensor_value_info("canvas", TensorProto.FLOAT, (1, *canvas.shape)))
    first, picks = 0, []
    for n, (x, whole) in enumerate(zip(maps, pictures, strict=True)):
        size = [rows - x.shape[1] + 1, columns - x.shape[2] + 1]
        weight = np.zeros((len(x), len(canvas), *size), np.float32)
        weight[range(len(x)), range(first, first + len(x)), 0, 0] = 1
        first += len(x)
        graph.initializer.append(numpy_helper.from_array(weight, f"pick{n}"))
        graph.initializer.append(numpy_helper.from_array(np.array(whole.shape or (1,), np.int64), f"shape{n}"))
        picks.append(helper.make_node("Conv", ["canvas", f"pick{n}"], [f"picked{n}"], kernel_shape=size))
        reshape = helper.make_node("Reshape", [f"picked{n}", f"shape{n}"], [names[n]])
        if made.opset_import[0].version < 5:
            raise NetworkError("case: its opset has no Reshape with a shape")
        picks.append(reshape)
    nodes = [*picks, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    return made, canvas


def as_maps(x: np.ndarray) -> np.ndarray:
    """An array as the network's input has it: channels, rows, columns."""
    shape = x.shape[1:] if x.ndim > 1 and x.shape[0] == 1 else x.shape
    shape = (1, 1, 1, *shape)[-3:] if len(shape) <= 3 else (int(np.prod(shape[:-2])), *shape[-2:])
    return x.reshape(shape)


CASES, SKIPPED = collected()


def build(case: Case, folder: Path, detail: str) -> list[sheetcnn.Built]:
    """The workbooks of a case, one for each picture."""
    built = []
    for n, (model, x) in enumerate(case.models):
        onnx.save(model, folder / f"{case.name}_{n}.onnx")
        picture = read_onnx(folder / f"{case.name}_{n}.onnx").description["input"]
        shape = [picture[key] for key in ("channels", "height", "width")]  # of one dimension: maps of one row
        np.save(folder / f"{case.name}_{n}.npy", x.astype(float).reshape(shape))
        paths = (folder / f"{case.name}_{n}{suffix}" for suffix in (".onnx", ".npy", ".xlsx"))
        built.append(sheetcnn.build(*paths, detail=detail, gallery=False, inspector=False))
    return built


def close(have: list[np.ndarray], want: np.ndarray, name: str) -> None:
    """All pictures' outputs, one after the other, against the stored answer; what came last there may be maps here."""
    if want.ndim == 4 and len(have) == want.shape[0] and have[0].ndim == 3 and have[0].shape != want.shape[1:]:
        last = [one.transpose(1, 2, 0) for one in have]
        have = last if last[0].shape == want.shape[1:] else have
    flat = np.concatenate([array.reshape(-1) for array in have])
    np.testing.assert_allclose(
        flat, want.reshape(-1).astype(float), rtol=TOLERANCE, atol=ROUNDED.get(name, TOLERANCE), err_msg=name
    )


def test_enough_cases_run(record_property: Callable[[str, object], None]) -> None:
    counts = Counter(case.operator for case in CASES)
    ran = ", ".join(f"{operator} {counts[operator]}" for operator in OPERATORS)
    lines = [f"{len(CASES)} cases with {sum(len(case.models) for case in CASES)} pictures: {ran}"]
    lines += [f"skipped {name}: {reason}" for name, reason in sorted(SKIPPED.items())]
    record_property("summary", "\n".join(lines))
    assert len(CASES) >= RECORDED
    assert all(counts[operator] for operator in OPERATORS)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: CASES[number].name)
def test_case(number: int, tmp_path: Path, office_if_there: Office | None) -> None:
    case = CASES[number]
    built = build(case, tmp_path, ("compact", "steps")[number % 2])
    close([list(one.values.values())[-1]["output"] for one in built], case.want, case.name)
    for one in built:
        report = sheetcnn.check(one.path)
        assert report.ok, report.findings[:3]
    if office_if_there is not None:
        close([office_if_there.output(one) for one in built], case.want, case.name)
