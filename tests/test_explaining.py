"""Cells of gradients, of steps and of the loss explained: by hand, and every one of them by its own parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from engines import check_with
from openpyxl import load_workbook
from test_training import BY_HAND, PICTURE

import sheetcnn
from sheetcnn.arrays.terms import taken_apart
from sheetcnn.cli import app
from sheetcnn.errors import SheetcnnError
from sheetcnn.explaining import CellExplanation
from sheetcnn.formula import evaluate, group_formulas, read_book

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
            {
                "type": "conv2d",
                "name": "conv",
                "out_channels": 1,
                "kernel_size": 1,
                "weight": [[[[1]]]],
                "activation": "relu",
            },
            {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
            {"type": "flatten"},
        ],
    }
    built = sheetcnn.build(network, np.array([[[3.0, 1, -1, -2], [3, 2, 0, -3]]]), train=True)
    words = [
        str(built.explain("conv_grad_sum_1", row=row, column=column)) for row, column in ((1, 1), (2, 1), (1, 2), (2, 3))
    ]
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


# -- the sheet Inspector_back --------------------------------------------------------------------------------------------

# Two channels, a stride, padding, dilation and two groups; a pool behind a gate; a bias, and weights.
LAYERS: dict[str, Any] = {
    "name": "n",
    "input": {"channels": 2, "height": 8, "width": 8},
    "layers": [
        {"type": "conv2d", "name": "first", "out_channels": 4, "kernel_size": 3, "padding": 1, "groups": 2, "dilation": 1,
         "activation": "relu"},
        {"type": "max_pool2d", "name": "pool", "kernel_size": 2},
        {"type": "conv2d", "name": "second", "out_channels": 2, "kernel_size": 2, "stride": 2, "dilation": 2, "padding": 1},
        {"type": "flatten", "name": "flat"},
        {"type": "linear", "name": "fc", "out_features": 3, "activation": "sigmoid"},
    ],
}  # fmt: skip
NUMBERS = ("window", "times", "product", "sum")


def shown_of(path: Path, to: Path, *choice: Any) -> tuple[dict[str, list[Any]], str]:
    """What the sheet shows of a choice, computed by our evaluator; the cells agree with NumPy."""
    book = load_workbook(path)

    def place(name: str) -> tuple[Any, str]:
        sheet, _, cells = book.defined_names[f"inspector_back_{name}"].attr_text.partition("!")
        return book[sheet.strip("'")], cells.replace("$", "")

    for name, value in zip(("gradient", "filter", "channel", "row", "column"), choice, strict=True):
        sheet, cell = place(name)
        sheet[cell].value = value
    book.save(to)
    report = sheetcnn.check(to)
    assert [one for one in report.findings if one.kind != "saved"] == []
    assert not any("not checked" in note for note in report.notes)
    opened = read_book(to)
    groups = group_formulas(opened)
    evaluate(opened, groups)
    found = {}
    for name in (*NUMBERS, "says", "step", "tick"):
        sheet, top, left, bottom, right = opened.names[f"inspector_back_{name}"]
        cells = opened.sheets[sheet]
        rows = [[cells.value(i, j) for j in range(left, right + 1)] for i in range(top, bottom + 1)]
        found[name] = [kept for row in rows if (kept := [one for one in row if one not in ("", None)])]
    return found, found["tick"][0][0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    path = tmp_path_factory.mktemp("inspected") / "b.xlsx"
    pixels = np.random.default_rng(0).normal(size=(2, 8, 8))
    return sheetcnn.build(LAYERS, pixels, path, train=True, answer="2"), path


def test_a_kernels_gradient_on_the_sheet(trained: tuple[Any, Path], tmp_path: Path) -> None:
    """Filter 2's kernel, channel 3, cell (1, 2) met every second cell of the padded pool's third map, from (0, 2) on."""
    built, path = trained
    found, tick = shown_of(path, tmp_path / "c.xlsx", "second kernel", 2, 3, 1, 2)
    values = built.content.values
    padded = np.pad(values["pool.output"][2], 1)
    met, grad = padded[0:3:2, 2:5:2], values["second.grad_map"][1]
    assert tick == "✓ as on its sheet"
    # The gradient is drawn with the stride between its cells: "·" are the blank ones, and those of the padding.
    given = [[one for one in row if isinstance(one, float)] for row in found["times"]]
    assert np.allclose([row for row in given if row], grad)
    assert found["sum"][0][0] == pytest.approx((met * grad).sum(), abs=1e-12)
    assert found["sum"][0][0] == pytest.approx(values["second.grad_weight"][1, 2, 0, 1], abs=1e-12)


def test_gates_winners_and_what_goes_back_on_the_sheet(trained: tuple[Any, Path], tmp_path: Path) -> None:
    built, path = trained
    values = built.content.values
    y, pooled = values["first.output"], values["pool.output"]
    for n, (m, i, j) in enumerate(((0, 0, 0), (1, 3, 2))):
        found, tick = shown_of(path, tmp_path / f"{n}.xlsx", "first sum", m + 1, 1, i + 1, j + 1)
        window = y[m, i // 2 * 2 : i // 2 * 2 + 2, j // 2 * 2 : j // 2 * 2 + 2]
        assert np.allclose(found["window"], window)
        won = y[m, i, j] == pooled[m, i // 2, j // 2] and window.reshape(-1).argmax() == i % 2 * 2 + j % 2
        assert ("it won, and gets all" in found["says"][0]) == won
        assert ("the gate is open" in found["says"][0]) == (y[m, i, j] > 0)
        assert tick == "✓ as on its sheet"
    found, tick = shown_of(path, tmp_path / "d.xlsx", "input channel", 2, 1, 4, 5)
    grad, weight = values["first.grad_sum"], values["first.weight"]
    sums = [(grad[k, 2:5, 3:6] * weight[k, 0, ::-1, ::-1]).sum() for k in (2, 3)]  # the second group's filters
    assert (tick, [row[0] for row in found["sum"]]) == ("✓ as on its sheet", pytest.approx(sums))


def test_other_choices(trained: tuple[Any, Path], tmp_path: Path) -> None:
    """Every other gradient agrees with NumPy; what is not there is refused; a cell that is overwritten is found."""
    _, path = trained
    assert shown_of(path, tmp_path / "f.xlsx", "fc sum", 1, 1, 2, 1)[1] == "✓ as on its sheet"
    assert shown_of(path, tmp_path / "n.xlsx", "fc weight", 1, 1, 9, 1)[1] == "✗ not the cell that was chosen"
    book = load_workbook(path)
    sheet, _, cells = book.defined_names["inspector_back_window"].attr_text.partition("!")
    book[sheet][cells.split(":")[0].replace("$", "")].value = 7
    book.save(tmp_path / "o.xlsx")
    assert [one.layer for one in sheetcnn.check(tmp_path / "o.xlsx").findings if one.kind == "overwritten"] == [
        "inspector_back"
    ]


@pytest.mark.libreoffice
def test_the_sheet_in_libreoffice(trained: tuple[Any, Path], tmp_path: Path, office: Any) -> None:
    shown_of(trained[1], tmp_path / "c.xlsx", "first sum", 2, 1, 4, 3)
    assert check_with(office.recalculated, tmp_path / "c.xlsx").findings == []
