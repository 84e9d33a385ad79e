"""Cells of gradients, of steps and of the loss explained: by hand, and every one of them by its own parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_training import BY_HAND, PICTURE

import sheetcnn
from sheetcnn.arrays.terms import taken_apart
from sheetcnn.cli import app
from sheetcnn.errors import SheetcnnError
from sheetcnn.explaining import CellExplanation

NETWORK = BY_HAND | {"training": {"loss": "mse", "rate": 0.5, "answers": [[3.0, 9.0]]}}  # g = 1 and −2


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explained") / "b.xlsx"
    sheetcnn.build(NETWORK, PICTURE, path, train=True)
    return path


def test_a_kernels_gradient_by_hand(book: Path) -> None:
    """Its cell (1, 2) met 2 and 3: 1·2 − 2·3."""
    one = sheetcnn.explain_cell(book, "conv_grad_kernel_1_1", 1, 2)
    assert isinstance(one, CellExplanation)
    (term,) = one.terms
    assert [numbers.tolist() for numbers in term.numbers] == [[[2, 3]], [[1, -2]]]
    assert (term.products.tolist(), term.value, one.value) == ([[2, -6]], -4, -4)
    assert one.lines[0].startswith("conv_grad_kernel_1_1, row 1, column 2 (conv_back!")
    assert "× conv_back!" in one.lines[3]
    assert one.lines[-1] == "= -4"
    assert "how much the loss grows" in str(one)
    assert str(sheetcnn.explain_cell(book, one.cell)) == str(one)  # the same by its cell


def test_what_goes_back_and_a_step_by_hand(book: Path) -> None:
    """The pixel (2, 3) lay under the kernel's 2 once: −2·2; the window of g has blank cells around it."""
    one = sheetcnn.explain_cell(book, "input_grad_channel_1", 2, 3)
    assert isinstance(one, CellExplanation)
    window, turned = one.terms[0].numbers
    assert np.isnan(window).sum() == 3
    assert (window[0, 0], turned.tolist(), one.value) == (-2, [[2, 0], [0, 1]], -4)
    assert sheetcnn.explain_cell(book, "conv_after_kernel_1_1").lines[-1] == "= 2.5"  # type: ignore[union-attr]
    after = str(sheetcnn.explain_cell(book, "step_1_conv_map_1"))  # 1·2.5 + 2·2 + 0·1 + 1·3.5 + 1.5
    assert after.splitlines()[-1] == "sum 10 + bias 1.5 = 11.5"


def test_gates_and_winners() -> None:
    """A sum of 0 opens no gate; of two as large the first wins."""
    network: dict[str, Any] = {
        "name": "n",
        "input": {"channels": 1, "height": 2, "width": 4},
        "training": {"loss": "mse", "rate": 1.0, "answers": [[0.0, 0.0]]},
        "layers": [
            {"type": "conv2d", "name": "conv", "out_channels": 1, "kernel_size": 1, "weight": [[[[1]]]], "activation": "relu"},
            {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
            {"type": "flatten"},
        ],
    }
    built = sheetcnn.build(network, np.array([[[3.0, 1, -1, -2], [3, 2, 0, -3]]]), train=True)
    words = [str(built.explain("conv_grad_sum_1", row=row, column=column)) for row, column in ((1, 1), (2, 1), (1, 2), (2, 3))]
    assert "above 0: the gate is open" in words[0]
    assert "it won, and gets all of pool_back" in words[0]
    assert words[0].endswith("= 3")  # (3 − 0) · 2 / 2
    assert "a cell before it is as large and won" in words[1]
    assert "another cell won, and this one gets nothing" in words[2]
    assert "not above 0: the gate is closed, and nothing passes" in words[3]
    assert words[3].endswith("= 0, since a gate is closed")


@pytest.mark.parametrize("name", ["digits", "unet-tiny", "mobilenet-block", "inception-block"])
def test_the_parts_make_the_cell(name: str) -> None:
    """What is said to be added up, let through or not, is what NumPy has, in the first and the last cell of every gradient."""
    built = sheetcnn.build(name, "digit-9-hard" if name == "digits" else "cat", train=True, inspector=False, gallery=False)
    assert built.graph.learning is not None
    seen = 0
    for page in built.graph.learning.pages.values():
        for array in page:
            if not array.key.startswith(("grad_", "after_")) or array.owner.startswith("step_"):
                continue
            for index, place in ((next(array.indexes()), (1, 1)), (list(array.indexes())[-1], array.size)):
                one = built.explain(array.name(index), row=place[0], column=place[1])
                assert isinstance(one, CellExplanation)
                values = [term.value for term in one.terms]
                if one.factor or None in values:
                    continue
                total = sum(values) if one.open else 0.0  # type: ignore[arg-type]
                assert total == pytest.approx(one.value, rel=1e-9, abs=1e-12), one
                seen += 1
    assert seen > 20


def test_formulas_taken_apart() -> None:
    taken = taken_apart("IF('a b'!B2>0.000000001,(SUMPRODUCT(C3:D4,$A$1:$B$2)+x!A1)*0.5/SQRT($Z$1+1E-05),0)", "s")
    assert [(gate.area, gate.sign, gate.limit) for gate in taken.gates] == [(("a b", 2, 2, 1, 1), ">", 1e-9)]
    assert [(term.kind, [str(area) for area in term.areas]) for term in taken.terms] == [
        ("products", ["s!C3:D4", "s!A1:B2"]),
        ("cell", ["x!A1"]),
    ]
    assert taken.factor == "*0.5/SQRT($Z$1+1E-05)"
    less = taken_apart("A1-B1*C1", "s")
    assert [(term.sign, term.kind) for term in less.terms] == [("+", "cell"), ("-", "products")]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("conv_grad_kernl_1_1", "no grid is called 'conv_grad_kernl_1_1' (did you mean 'conv_grad_kernel_1_1'?)"),
        ("Overview!A1", "no cell of a layer, a gradient, a step or the loss"),
        ("conv_kernel_1_1", "conv_kernel_1_1, row 1, column 1, is typed: 1; nothing computes it"),
        ("conv!A1:B2", "no cell of"),
    ],
)
def test_what_is_no_cell_is_refused(book: Path, place: str, words: str) -> None:
    with pytest.raises(SheetcnnError) as raised:
        sheetcnn.explain_cell(book, place)
    assert words in str(raised.value)
    with pytest.raises(SheetcnnError, match="has no row 3, column 1: it has 2 rows and 2 columns"):
        sheetcnn.explain_cell(book, "conv_grad_kernel_1_1", 3)


def test_the_command(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app(["explain", str(book), "conv_grad_bias_1"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "sum of conv_back!" in printed
    assert printed.endswith("[1 -2] = -1\n= -1\n")
