"""The ready workbooks in samples/ are what today's code makes, and agree with NumPy."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

import sheetcnn
from sheetcnn.formula import read_book
from sheetcnn.model.network_file import network_toml, read_network

SAMPLES = Path(__file__).parents[1] / "samples"
MODULE = runpy.run_path(str(SAMPLES / "workbooks.py"))
MobileNet = runpy.run_path(str(SAMPLES / "mobilenet.py"))["MobileNet"]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    MODULE["make"](folder)
    return folder


def test_all_are_there() -> None:
    assert {path.stem for path in (SAMPLES / "workbooks").glob("*.xlsx")} == set(MODULE["BOOKS"])


@pytest.mark.parametrize("name", MODULE["BOOKS"])
def test_not_stale(name: str, fresh: Path) -> None:
    """Run `make samples` where this fails."""
    kept, made = (read_book(folder / f"{name}.xlsx") for folder in (SAMPLES / "workbooks", fresh))
    assert kept.names == made.names
    assert list(kept.sheets) == list(made.sheets)
    for sheet, other in zip(kept.sheets.values(), made.sheets.values(), strict=True):
        assert sheet.formulas == other.formulas, sheet.name
        assert sheet.texts == other.texts, sheet.name
        np.testing.assert_allclose(sheet.number, other.number, atol=1e-9, err_msg=sheet.name)
        np.testing.assert_allclose(sheet.saved, other.saved, atol=1e-9, err_msg=sheet.name)


@pytest.mark.parametrize("name", MODULE["BOOKS"])
def test_small_and_right(name: str) -> None:
    path = SAMPLES / "workbooks" / f"{name}.xlsx"
    assert path.stat().st_size < 1_000_000
    assert sheetcnn.check(path).ok


def test_mobilenet_has_the_published_size() -> None:
    """As torchvision and the paper say: 3,504,872 parameters, 300.8 million multiply-adds. Run `make samples` where the file is stale."""
    path = SAMPLES / "mobilenet-v2.toml"
    assert path.read_text(encoding="utf-8") == network_toml(MobileNet().network)
    network = read_network(path)
    assert sum(node.parameter_count for node in network.nodes) == 3_504_872
    weighted = [node for node in network.nodes if node.layer.type in ("conv2d", "linear")]
    assert sum(node.layer.multiplications(*node.in_shapes) for node in weighted) == 300_774_272
    assert [node.shape for node in network.nodes if node.name in ("features_6_add", "features_18_1")] == [
        (32, 28, 28),
        (1280, 7, 7),
    ]


@pytest.mark.torch
def test_mobilenet_computes_what_pytorch_does(tmp_path: Path) -> None:
    """From weights with torchvision's names, at a small size and with fewer channels."""
    import torch
    from torch import nn

    def normalised(before: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
        conv = nn.Conv2d(before, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out)]

    class Block(nn.Module):
        def __init__(self, before: int, out: int, times: int, stride: int) -> None:
            super().__init__()
            inside = before * times
            wide = [nn.Sequential(*normalised(before, inside, 1), nn.ReLU6())] if times > 1 else []
            each = nn.Sequential(*normalised(inside, inside, 3, stride, inside), nn.ReLU6())
            self.conv = nn.Sequential(*wide, each, *normalised(inside, out, 1))
            self.adds = stride == 1 and before == out

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.conv(x) if self.adds else self.conv(x)

    torch.manual_seed(0)
    blocks, now = [nn.Sequential(*normalised(3, 8, 3, 2), nn.ReLU6())], 8
    for times, out, count, stride in (
        (1, 8, 1, 1),
        (6, 8, 2, 2),
        (6, 8, 3, 2),
        (6, 16, 4, 2),
        (6, 24, 3, 1),
        (6, 40, 3, 2),
        (6, 80, 1, 1),
    ):
        for n in range(count):
            blocks.append(Block(now, out, times, stride if n == 0 else 1))
            now = out
    blocks.append(nn.Sequential(*normalised(now, 1280, 1), nn.ReLU6()))
    model = nn.Module()
    model.features, model.classifier = nn.Sequential(*blocks), nn.Sequential(nn.Dropout(), nn.Linear(1280, 5))
    model.eval()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean, 0, 0.2)
            nn.init.uniform_(part.running_var, 0.5, 1.5)
    np.savez(tmp_path / "w.npz", **{name: array.numpy() for name, array in model.state_dict().items()})
    (tmp_path / "n.toml").write_text(network_toml(MobileNet(32, 0.25, 5, "w.npz").network))
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32)).astype(float)
    built = sheetcnn.build(tmp_path / "n.toml", pixels, until="classifier_1", gallery=False, inspector=False)
    assert built.notes == ()
    x = (pixels / 255 - np.array([0.485, 0.456, 0.406])[:, None, None]) / np.array([0.229, 0.224, 0.225])[:, None, None]
    with torch.no_grad():
        wanted = model.classifier(model.features(torch.tensor(x[None], dtype=torch.float32)).mean((2, 3)))[0].numpy()
    np.testing.assert_allclose(built.values["classifier_1"]["output"], wanted, rtol=1e-3, atol=1e-4)
