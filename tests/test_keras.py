"""Models that Keras exports, by each backend that is installed, through importer and workbook, against Keras's own output."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from keras_models import MODELS

import sheetcnn

pytestmark = pytest.mark.torch
BACKENDS = {"torch": "torch", "tensorflow": "tf2onnx"}  # and the package that exports from it
# What the exporters do not write, or not as ONNX: operators of their own, a second input.
NOT_WRITTEN = {"torch": {"layer_norm"}, "tensorflow": {"activations", "grouped", "normalized"}}


@pytest.mark.parametrize("backend", BACKENDS)
def test_models_of_keras(backend: str, tmp_path: Path) -> None:
    if find_spec(backend) is None or find_spec(BACKENDS[backend]) is None:
        pytest.skip(f"{backend} and {BACKENDS[backend]} are not installed")
    command = [sys.executable, str(Path(__file__).with_name("keras_models.py")), str(tmp_path)]
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run(command, check=True, capture_output=True, timeout=600, env=environment)
    written = MODELS.keys() - NOT_WRITTEN[backend]
    assert len(written) >= 45
    for name in written:
        want = np.load(tmp_path / f"{name}.y.npy")
        built = sheetcnn.build(
            tmp_path / f"{name}.onnx", tmp_path / f"{name}.x.npy", tmp_path / "book.xlsx", gallery=False, inspector=False
        )
        have = list(built.values.values())[-1]["output"]
        want = np.moveaxis(want, -1, 0) if want.ndim > 1 else want  # maps are shown as maps
        np.testing.assert_allclose(have.reshape(want.shape), want, rtol=1e-5, atol=1e-5, err_msg=name)
        report = sheetcnn.check(built.path)
        assert report.ok, (name, report.findings[:3])
