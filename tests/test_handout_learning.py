"""Exercises of gradients and of a step: what students fill in, what is planted, and the points that they get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from test_handout import saved_values_agree

from sheetcnn.a1 import cell_name
from sheetcnn.errors import ExerciseError, SheetcnnError
from sheetcnn.formula import read_book
from sheetcnn.handout.grader import Grade, Grader
from sheetcnn.handout.learning_mistakes import LEARNING_MISTAKES
from sheetcnn.handout.writer import HandedOut, hand_out

NETWORK = """
name = "learning"
labels = ["one", "two", "three"]
[input]
channels = 2
height = 6
width = 6
[training]
rate = 0.3
answers = ["two"]
[[layers]]
type = "conv2d"
name = "conv"
out_channels = 2
kernel_size = 3
activation = "relu"
seed = 3
[[layers]]
type = "max_pool2d"
name = "pool"
kernel_size = 2
[[layers]]
type = "conv2d"
name = "last"
out_channels = 3
kernel_size = 2
seed = 4
[[layers]]
type = "flatten"
[[layers]]
type = "linear"
name = "fc"
out_features = 3
activation = "softmax"
seed = 5
"""
GRADIENT = '[[tasks]]\nkind = "fill"\nlayer = "last"\nwhat = "gradient"\nmap = 1\nchannel = 2\npoints = 4\n'
AFTER = '[[tasks]]\nkind = "fill"\nlayer = "last"\nwhat = "after"\nmap = 1\nchannel = 2\npoints = 4\n'
GATE = '[[tasks]]\nkind = "fill"\nlayer = "conv"\nwhat = "gradient"\nof = "map"\nmap = 1\npoints = 4\n'
BIAS = '[[tasks]]\nkind = "fill"\nlayer = "conv"\nwhat = "gradient"\nof = "bias"\npoints = 4\n'
PIXELS = np.random.default_rng(0).normal(size=(2, 6, 6))
Give = Callable[..., HandedOut]


@pytest.fixture
def give(tmp_path: Path) -> Give:
    def write(tasks: str, network: str = NETWORK, **more: Any) -> HandedOut:
        (tmp_path / "net.toml").write_text(network, encoding="utf-8")
        (tmp_path / "net.exercise.toml").write_text(f'title = "Exercise"\n{tasks}', encoding="utf-8")
        np.save(tmp_path / "net.npy", PIXELS)
        return hand_out(tmp_path / "net.toml", tmp_path / "net.npy", tmp_path / "out", overwrite=True, **more)

    return write


class Places:
    """The cells of a workbook's grids by their names, as the student sees them."""

    def __init__(self, book: Path) -> None:
        self.names = read_book(book).names

    def __call__(self, name: str, i: int = 0, j: int = 0, rows: int = 1, columns: int = 1) -> str:
        sheet, top, left, *_ = self.names[name]
        first = cell_name(top + i, left + j)
        last = "" if rows == columns == 1 else f":{cell_name(top + i + rows - 1, left + j + columns - 1)}"
        return f"{sheet}!{first}{last}"


def fill(made: HandedOut, answers: dict[str, Any]) -> Path:
    """A student's workbook with answers by cell."""
    opened = openpyxl.load_workbook(made.workbooks[0])
    for where, value in answers.items():
        sheet, _, at = where.partition("!")
        opened[sheet][at] = value
    path = made.key.parent / "student.xlsx"
    opened.save(path)
    return path


def grade(made: HandedOut, path: Path) -> Grade:
    return Grader(made.key).grade(path, path.name)


def kernel(
    write: Callable[[Places, int, int], Any], name: str = "last_grad_kernel_1_2"
) -> Callable[[Places], dict[str, Any]]:
    """Answers to each cell of a kernel of 2×2."""
    return lambda at: {at(name, i, j): write(at, i, j) for i in (0, 1) for j in (0, 1)}


def products(at: Places, i: int, j: int) -> str:
    """Every product by itself, of the pool's map and the gradient at the last layer's maps of one cell."""
    return "=" + "+".join([f"{at('pool_map_2', i, j)}*{at('last_grad_map_1')}"])


RIGHT: dict[str, tuple[str, Callable[[Places], dict[str, Any]]]] = {
    "one sumproduct": (
        GRADIENT, kernel(lambda at, i, j: f"=SUMPRODUCT({at('pool_map_2', i, j)},{at('last_grad_map_1')})"),
    ),
    "products": (GRADIENT, kernel(products)),
    "by names": (GRADIENT, kernel(lambda at, i, j: f"=INDEX(pool_map_2,{i + 1},{j + 1})*last_grad_map_1")),
    "a step": (
        AFTER,
        kernel(
            lambda at, i, j: f"={at('last_kernel_1_2', i, j)}-{at('loss_rate')}*{at('last_grad_kernel_1_2', i, j)}",
            "last_after_kernel_1_2",
        ),
    ),
    "a step, turned round": (
        AFTER,
        kernel(
            lambda at, i, j: f"=-({at('last_grad_kernel_1_2', i, j)}*loss_rate-{at('last_kernel_1_2', i, j)})",
            "last_after_kernel_1_2",
        ),
    ),
    "a sum": (BIAS, lambda at: {at(f"conv_grad_bias_{k}"): f"=SUM({at(f'conv_grad_sum_{k}', 0, 0, 4, 4)})" for k in (1, 2)}),
    "a sum by the cell": (
        BIAS,
        lambda at: {
            at(f"conv_grad_bias_{k}"): "=" + "+".join(at(f"conv_grad_sum_{k}", i, j) for i in range(4) for j in range(4))
            for k in (1, 2)
        },
    ),
    "through a gate": (
        GATE,
        lambda at: {
            at("conv_grad_sum_1", i, j): f"=({at('conv_map_1', i, j)}>0)*({at('conv_map_1', i, j)}={at('pool_map_1', i // 2, j // 2)})"
            f"*{at('pool_grad_map_1', i // 2, j // 2)}"
            for i in range(4)
            for j in range(4)
        },
    ),
}  # fmt: skip
WRONG: dict[str, tuple[str, Callable[[Places], dict[str, Any]], str]] = {
    "the rate is typed": (
        AFTER,
        kernel(
            lambda at, i, j: f"={at('last_kernel_1_2', i, j)}-0.3*{at('last_grad_kernel_1_2', i, j)}", "last_after_kernel_1_2"
        ),
        "right for this picture only",
    ),
    "the kernel as it was": (
        AFTER, kernel(lambda at, i, j: f"={at('last_kernel_1_2', i, j)}", "last_after_kernel_1_2"), "wrong",
    ),
    "uphill": (
        AFTER,
        kernel(
            lambda at, i, j: f"={at('last_kernel_1_2', i, j)}+{at('loss_rate')}*{at('last_grad_kernel_1_2', i, j)}",
            "last_after_kernel_1_2",
        ),
        "wrong",
    ),
    "another channel": (
        GRADIENT, kernel(lambda at, i, j: f"={at('pool_map_1', i, j)}*{at('last_grad_map_1')}"), "wrong",
    ),
    "turned": (GRADIENT, kernel(lambda at, i, j: f"={at('pool_map_2', 1 - i, 1 - j)}*{at('last_grad_map_1')}"), "wrong"),
}  # fmt: skip


@pytest.mark.parametrize("way", RIGHT)
def test_right_formulas_get_all_points(way: str, give: Give) -> None:
    tasks, write = RIGHT[way]
    made = give(tasks)
    result = grade(made, fill(made, write(Places(made.workbooks[0]))))
    assert (result.points, result.tasks[0].remarks) == (4.0, [])


@pytest.mark.parametrize("way", WRONG)
def test_wrong_formulas_get_none(way: str, give: Give) -> None:
    tasks, write, reason = WRONG[way]
    made = give(tasks)
    result = grade(made, fill(made, write(Places(made.workbooks[0]))))
    assert result.points == 0.0
    assert reason in result.tasks[0].remarks[0]


def test_numbers_computed_by_hand(give: Give) -> None:
    """Typed numbers may be off by a part of the largest gradient, however small all are."""
    made = give(GRADIENT.replace('"fill"', '"compute"').replace("channel = 2", "channel = 2\nrows = 1"))
    values = made.handout.variant(0).values["last.grad_weight"]
    right, largest = values[0, 1, 0], np.abs(values).max()
    at = Places(made.workbooks[0])
    for off, points in ((0.004, 4.0), (0.02, 0.0)):
        answers = {at("last_grad_kernel_1_2", 0, j): float(right[j] + off * min(1.0, largest)) for j in (0, 1)}
        assert grade(made, fill(made, answers)).points == points


@pytest.mark.parametrize("kind", LEARNING_MISTAKES)
def test_every_mistake(kind: str, give: Give) -> None:
    """It can be seen, what is saved is what the formulas give, and who names and mends it gets all points."""
    made = give(f'[[tasks]]\nkind = "mistake"\nmistake = "{kind}"\npoints = 4\n')
    variant = made.handout.variant(0)
    planted = variant.planted[1]
    wrong, right = variant.filled_in()[planted.id], variant.values[planted.id]
    assert np.abs(wrong - right)[planted.mask].max() > 1e-3 * np.abs(right).max()
    np.testing.assert_array_equal(wrong[~planted.mask], right[~planted.mask])
    saved_values_agree(made.workbooks[0])
    untouched = grade(made, made.workbooks[0])
    assert untouched.tasks[0].points == 0.0
    assert LEARNING_MISTAKES[kind].words in untouched.tasks[0].remarks[0]
    book, key = read_book(made.workbooks[0]), read_book(made.key)
    [page] = {key.names[name][0] for name in key.names if name.startswith(f"{planted.wrong.name()}")}
    mended = {
        f"{page}!{cell_name(row, column)}": f"={key.sheets[page].formula(row, column)}"
        for row in range(1, 120)
        for column in range(1, 120)
        if key.sheets[page].formula(row, column) != book.sheets[page].formula(row, column)
    }
    assert 0 < len(mended) <= planted.mask.sum()
    sheet, row, *_ = book.names["task_1_cell"]
    named = {f"{sheet}!D{row}": next(iter(mended))}
    assert grade(made, fill(made, mended)).points == pytest.approx(2.0, abs=0.02)
    assert grade(made, fill(made, named)).points == 2.0
    assert grade(made, fill(made, mended | named)).points == 4.0
    assert grade(made, fill(made, mended | {f"{sheet}!D{row}": "Loss!A1"})).points < 3.0


def test_variants_have_gradients_of_their_own(give: Give, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("Anna Schmidt\nBob Jones\n", encoding="utf-8")
    made = give(GRADIENT + AFTER, students=tmp_path / "roster.csv")
    one, two = (made.handout.variant(number).values["last.grad_weight"] for number in (1, 2))
    assert not np.allclose(one, two)
    key = read_book(made.key)
    for book in made.workbooks:
        saved_values_agree(book)
        at = Places(book)
        answers = {
            at(name, i, j): f"={key.sheets['last_back'].formula(key.names[name][1] + i, key.names[name][2] + j)}"
            for name in ("last_grad_kernel_1_2", "last_after_kernel_1_2")
            for i in (0, 1)
            for j in (0, 1)
        }
        opened = openpyxl.load_workbook(book)
        for where, value in answers.items():
            sheet, _, cell = where.partition("!")
            opened[sheet][cell] = value
        opened.save(book)
        assert grade(made, book).points == 8.0


def test_forward_tasks_beside_them(give: Give) -> None:
    """The key gets full points; blanks of the forward pass leave gradients without saved values."""
    made = give('[[tasks]]\nkind = "fill"\nlayer = "conv"\nmap = 1\n' + GRADIENT + GATE + BIAS)
    assert [task.points for task in grade(made, made.key).tasks] == [1.0, 4.0, 4.0, 4.0]
    for book in (made.key, made.workbooks[0]):
        saved_values_agree(book)
    assert [task.points for task in grade(made, made.workbooks[0]).tasks] == [0.0] * 4


@pytest.mark.libreoffice
def test_live_feedback_in_libreoffice(give: Give, office: Callable) -> None:
    made = give('feedback = "live"\n' + GRADIENT + AFTER)
    at, read = Places(made.workbooks[0]), [["Exercise", "F9"], ["Exercise", "F10"]]
    right = RIGHT["products"][1](at) | RIGHT["a step"][1](at)
    wrong = WRONG["turned"][1](at) | WRONG["uphill"][1](at)
    jobs = []
    for answers in (right, wrong, {}):
        edits = [[*where.split("!"), value.replace("!", ".").replace(",", ";")] for where, value in answers.items()]
        jobs.append({"book": str(made.workbooks[0]), "edits": edits, "read": read})
    found = [[cells[0][0] for cells in answer["read"]] for answer in office(jobs)]
    assert found == [[4.0, 4.0], [0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("task", "line"),
    [
        ('layer = "pool"\nwhat = "after"', 'choose of = "kernel" or "bias"'),
        ('layer = "pool"\nwhat = "gradient"\nof = "kernel"', "has no kernel of its own"),
        ('layer = "last"\nwhat = "gradient"\nchannel = 3', "it has 2 channels"),
        ('layer = "last"\nof = "bias"', 'goes with what = "gradient"'),
        ('layer = "fc"\nwhat = "gradient"\nchannel = 1', "there is none to choose from"),
        ('layer = "fc"\nwhat = "slope"', "what"),
    ],
)
def test_refused(task: str, line: str, give: Give) -> None:
    with pytest.raises(ExerciseError, match=line) as error:
        give(f'[[tasks]]\nkind = "fill"\n{task}\n')
    assert "\n" not in str(error.value)


def test_refused_where_nothing_can_be_trained(give: Give) -> None:
    with pytest.raises(SheetcnnError, match="right answer is not known"):
        give(GRADIENT, NETWORK.replace('answers = ["two"]', ""))
    with pytest.raises(SheetcnnError, match="no place for it"):
        give('[[tasks]]\nkind = "mistake"\nmistake = "pool_to_all"\nlayer = "fc"\n')
