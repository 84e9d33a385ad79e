"""How one cell comes about: a layer's by its windows and kernels, any other by what its formula adds up."""

from .forward import Explanation, explanation
from .written import CellExplanation, explained_cell, names_a_cell

__all__ = ["CellExplanation", "Explanation", "explained_cell", "explanation", "names_a_cell"]
