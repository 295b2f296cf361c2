"""Which entropy model a recipe asks for."""

from __future__ import annotations

from engine.learned.priors import HyperPrior, Prior, StaticPrior, VariationalPrior
from engine.learned.recipe import HYPER, STATIC, VARIATIONAL, VECTORS, ModelRecipe
from engine.learned.vector_prior import VectorPrior

_KINDS: dict[str, type[StaticPrior] | type[HyperPrior] | type[VectorPrior]] = {
    STATIC: StaticPrior,
    VARIATIONAL: VariationalPrior,
    HYPER: HyperPrior,
    VECTORS: VectorPrior,
}


def prior_of(recipe: ModelRecipe, points: int) -> Prior:
    return _KINDS[recipe.prior](recipe, points)
