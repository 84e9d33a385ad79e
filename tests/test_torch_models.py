"""Random PyTorch models, by both of PyTorch's exporters: the workbook's numbers are PyTorch's, and what is refused is told in docs.

A few in each run of the tests, always the same; `make fuzz` looks at 200 others. MODELS and SEED say how many and which.
"""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator
from test_pytorch import EXPORTERS, export

import sheetcnn
from sheetcnn.errors import SheetcnnError
from sheetcnn.onnx import read_onnx

pytestmark = pytest.mark.torch
MODELS = int(os.environ.get("MODELS", "8"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 4
# What the messages say, and what docs/models.md says of it.
REFUSED = {
    "a function of one number that is no activation of sheetcnn's": "Activations in pieces that sheetcnn does not have",
    "SplitToSequence": "Sequences of tensors",
    "a mean of cells that lie apart": "Average pooling with dilation",
}
SLOW = 1.0  # seconds after which nothing is refused any more


def test_reasons_are_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "models.md").read_text(encoding="utf-8")
    for words in REFUSED.values():
        assert words in page


@pytest.mark.parametrize("part", range(PARTS))
def test_random_models(part: int, tmp_path: Path, record_property: Any) -> None:
    import torch_models

    logging.getLogger("torch.onnx").setLevel(logging.CRITICAL)
    ended: Counter[str] = Counter()
    for number in range(part, MODELS, PARTS):
        seed = SEED * 1_000_000 + number
        module, x = torch_models.model(seed)
        for exporter, new in EXPORTERS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    export(module, x, tmp_path / "model.onnx", new)
                except Exception:  # what PyTorch does not export
                    ended["not exported"] += 1
                    continue
            ended[tried(module, x, tmp_path, f"model {seed} ({exporter}): {module}")] += 1
    record_property("summary", ", ".join(f"{count} {how}" for how, count in sorted(ended.items())))
    assert ended["equal"] > sum(ended.values()) / 2


# What random models have found: LocalResponseNorm of maps of one cell, which the newer exporter writes in pieces.
FOUND = [1_000_058, 1_000_120]


@pytest.mark.parametrize("seed", FOUND)
def test_what_was_found(seed: int, tmp_path: Path) -> None:
    import torch_models

    module, x = torch_models.model(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        export(module, x, tmp_path / "model.onnx", new=True)
    assert tried(module, x, tmp_path, str(module)) == "equal"


def tried(module: Any, x: Any, folder: Path, told: str) -> str:
    """Build and check a model's workbook, unless it is refused: then soon, and for a reason that is documented."""
    started, refusal, built = time.process_time(), "", None
    try:
        picture = read_onnx(folder / "model.onnx").description["input"]
        np.save(folder / "x.npy", as_maps(x.numpy(), [picture[key] for key in ("channels", "height", "width")]))
        built = sheetcnn.build(folder / "model.onnx", folder / "x.npy", folder / "book.xlsx", gallery=False, inspector=False)
    except SheetcnnError as error:
        refusal = str(error)
    if built is None:
        assert any(reason in refusal for reason in REFUSED), f"{told}: {refusal}"
        assert "CI" in os.environ or time.process_time() - started < SLOW, told  # of a long run, not of a gate
        return "refused"
    report = sheetcnn.check(built.path)
    assert report.ok, (told, report.findings[:3])
    import torch

    with torch.no_grad():
        wanted = module(x).numpy()
    have = list(built.values.values())[-1]["output"]
    if equal(have, wanted):
        return "equal"
    with np.errstate(all="ignore"):
        results: Any = ReferenceEvaluator(str(folder / "model.onnx")).run(None, {x_name(folder): x.numpy()})
    assert equal(have, results[0]), f"{told}: {have.reshape(-1)[:5]}, not {wanted.reshape(-1)[:5]}"
    return "equal, but exported as something else"


def x_name(folder: Path) -> str:
    return str(onnx.load(folder / "model.onnx").graph.input[0].name)


def as_maps(x: np.ndarray, sizes: list[int]) -> np.ndarray:
    """The picture as channels, rows and columns; channels may come last in the model."""
    x = x[0].astype(float)
    first = x[:, None] if x.ndim == 2 else x.reshape(-1, *x.shape[-2:])
    last = np.moveaxis(x[None] if x.ndim == 2 else x, -1, 0)
    one = next(maps for maps in (first, last, x[None]) if list(maps.shape) == sizes)
    return one


def equal(have: np.ndarray, want: np.ndarray) -> bool:
    """Whether two outputs are the same, the channels of one of which may come last."""
    want = np.asarray(want)[0].astype(float)
    if have.ndim == 3 and have.shape != want.shape == (*have.shape[1:], have.shape[0]):
        have = have.transpose(1, 2, 0)
    return have.size == want.size and np.allclose(have.reshape(want.shape), want, rtol=1e-4, atol=1e-4)
