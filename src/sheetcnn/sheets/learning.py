"""The sheets of a network that learns: the loss, the steps, the gradients, and how one of these comes about."""

from __future__ import annotations

from ..model.loss import LOSS
from ..model.training import STEPS
from ..xlsx.draft import WorkbookDraft
from .back.look import back_sheet
from .content import WorkbookContent
from .inspector_back.look import inspector_back_cells, inspector_back_of, inspector_back_sheet
from .loss.look import loss_sheet
from .loss.place import CHART, LossPage
from .step.content import is_step
from .step.look import step_sheet
from .steps.look import loss_chart, steps_sheet

__all__ = ["inspector_back_cells", "inspector_back_of", "inspector_back_sheet", "learning_sheets"]


def learning_sheets(draft: WorkbookDraft, content: WorkbookContent, last: str) -> None:
    """The loss, the steps, the sheets of gradients, and the hidden networks after each step; `last` comes behind them."""
    if not content.learning:
        return
    shown = [name for name in content.learning if not is_step(name)]
    names = [list(content.pages.values())[-1].sheet, *(content.learning[name].sheet for name in shown), last]
    for n, name in enumerate(shown):
        page, neighbours = content.learning[name], (names[n], names[n + 2])
        if isinstance(page, LossPage):
            loss_sheet(draft, content, page, neighbours)
        elif name == STEPS:
            steps_sheet(draft, content, page, neighbours)
            loss = content.learning[LOSS]
            assert isinstance(loss, LossPage)
            loss_chart(draft, page, draft.book[loss.sheet], loss.chart, CHART)
        else:
            back_sheet(draft, content, name.removesuffix("_back"), page, neighbours)
    for name in content.learning:
        if is_step(name):
            step_sheet(draft, content, name)
