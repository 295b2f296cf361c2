"""Which of the integer networks a model's symbols are coded by."""

from __future__ import annotations

from engine.learned.integers import Tensors
from engine.learned.recipe import HYPER, STATIC, VARIATIONAL, VECTORS, ModelRecipe
from engine.learned.symbols import HyperSymbols, StaticSymbols, SymbolNetwork
from engine.learned.vectors import VectorSymbols

_KINDS: dict[str, type[SymbolNetwork]] = {
    STATIC: StaticSymbols,
    VARIATIONAL: StaticSymbols,
    HYPER: HyperSymbols,
    VECTORS: VectorSymbols,
}


def symbol_network(recipe: ModelRecipe, tensors: Tensors) -> SymbolNetwork:
    """That of the recipe's prior; `CorruptStream` as the class."""
    return _KINDS[recipe.prior](recipe, tensors)
