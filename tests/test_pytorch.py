"""Models that PyTorch's own exporters write, through importer and workbook, against PyTorch's own output."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import Office

import sheetcnn

pytestmark = pytest.mark.torch
EXPORTERS = {"new": True, "legacy": False}


@dataclass
class Exported:
    """A model's file, its input, and what PyTorch makes of it."""

    path: Path
    pixels: Path
    want: np.ndarray


def export(module: Any, x: Any, path: Path, new: bool, **options: Any) -> None:
    """Let PyTorch write the model, its warnings about itself left out."""
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)
        warnings.filterwarnings("ignore", "Constant folding|ONNX export mode is set", UserWarning)
        torch.onnx.export(module, (x,), path, dynamo=new, verbose=False, **options)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Exported]:
    """All models, by both exporters."""
    import architectures
    import torch

    folder = tmp_path_factory.mktemp("torch")
    found = {}
    for n, (name, (_, shape)) in enumerate(architectures.MODELS.items()):
        module = architectures.model(name)
        x = torch.randn(1, *shape, generator=torch.Generator().manual_seed(n))
        np.save(folder / f"{n}.npy", x[0].numpy().astype(float))
        with torch.no_grad():
            want = module(x)[0].numpy().astype(float)
        for exporter, new in EXPORTERS.items():
            path = folder / f"{exporter}_{n}.onnx"
            export(module, x, path, new)
            found[f"{name} ({exporter})"] = Exported(path, folder / f"{n}.npy", want)
    return found


def close(have: np.ndarray, want: np.ndarray, name: str) -> None:
    np.testing.assert_allclose(have.reshape(want.shape), want, rtol=1e-5, atol=1e-5, err_msg=name)


def test_in_the_workbook(exported: dict[str, Exported], tmp_path: Path, office_if_there: Office | None) -> None:
    assert len(exported) >= 2 * 10
    for name, one in exported.items():
        built = sheetcnn.build(one.path, one.pixels, tmp_path / "book.xlsx", gallery=False, inspector=False)
        close(list(built.values.values())[-1]["output"], one.want, name)
        report = sheetcnn.check(built.path)
        assert report.ok, (name, report.findings[:3])
        if office_if_there is not None:
            close(office_if_there.output(built), one.want, name)


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_layers_are_what_people_wrote(exported: dict[str, Exported], exporter: str, tmp_path: Path) -> None:
    """Activations in pieces are put together, batch norm is folded by the exporter or kept, shuffles are found."""

    def kinds(name: str) -> list[str]:
        network = sheetcnn.build(
            exported[f"{name} ({exporter})"].path, exported[f"{name} ({exporter})"].pixels, tmp_path / "b.xlsx"
        ).network
        activations = [getattr(node.layer, "activation", None) for node in network.nodes]
        return [node.layer.type for node in network.nodes] + [one.type for one in activations if one is not None]

    assert {"group_norm", "gelu", "instance_norm2d", "mish", "hard_sigmoid", "upsample", "pad"} <= set(
        kinds("group norm, smooth activations")
    )
    assert kinds("strided").count("silu") == 2
    assert kinds("residual, batch norm kept").count("batch_norm2d") == 2
    assert "batch_norm2d" not in kinds("batch norm folded")
    assert kinds("shuffles") == ["conv2d", "channel_shuffle", "pixel_shuffle"]
    assert {"relu6", "hard_swish", "global_avg_pool2d"} <= set(kinds("depthwise separable"))


def test_names_are_those_of_the_modules(exported: dict[str, Exported], tmp_path: Path) -> None:
    one = exported["residual, batch norm kept (new)"]
    written = sheetcnn.import_onnx(one.path, tmp_path / "out")
    names = [node.name for node in written.network.nodes]
    assert {"stem", "norm1", "conv1", "norm2", "conv2", "shortcut", "fc"} <= set(names)
    built = sheetcnn.build(written.paths[0], one.pixels, tmp_path / "book.xlsx")
    close(list(built.values.values())[-1]["output"], one.want, "imported")


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_size_that_is_free(exporter: str, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    ).eval()
    free: dict[str, Any] = {"dynamic_axes": {"x": {0: "n", 2: "h", 3: "w"}}, "input_names": ["x"]}
    if EXPORTERS[exporter]:
        size = torch.export.Dim.DYNAMIC
        free = {"dynamic_shapes": ({0: size, 2: size, 3: size},)}
    export(module, torch.randn(2, 1, 8, 8), tmp_path / "m.onnx", EXPORTERS[exporter], **free)
    x = torch.randn(1, 1, 6, 9)
    np.save(tmp_path / "x.npy", x[0].numpy().astype(float))
    with pytest.raises(sheetcnn.SheetcnnError, match=r"leaves the size of its input free; give it with --size ROWSxCOLUMNS"):
        sheetcnn.build(tmp_path / "m.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx")
    built = sheetcnn.build(tmp_path / "m.onnx", tmp_path / "x.npy", tmp_path / "book.xlsx", size=(6, 9))
    with torch.no_grad():
        close(list(built.values.values())[-1]["output"], module(x)[0].numpy(), "free size")
