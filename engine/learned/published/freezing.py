"""The integers that streams of an imported model depend on, from its floats: made once, when it is imported."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.learned.frequencies import coding_tables
from engine.learned.published import tables
from engine.learned.published.architecture import Shape
from engine.learned.published.exact import LIMIT, STEPS, codes_of
from engine.learned.published.symbols import SymbolCoder, parameter_stages, synthesis_stages


def freeze(shape: Shape, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What `SymbolCoder` takes, from f32 by the names of checkpoints; `EngineError` where values do not fit."""
    integers: dict[str, np.ndarray] = {}
    density = {
        part: [weights[name] for name in _numbered(weights, f"entropy_bottleneck.{part}.")]
        for part in ("matrices", "biases", "factors")
    }
    quantiles = weights["entropy_bottleneck.quantiles"][:, 0, 1].astype(np.float64)
    medians = np.rint(quantiles * STEPS).clip(-LIMIT, LIMIT)
    densities = tables.factorised(**density, medians=medians / STEPS)
    if shape.architecture.hyper:
        for stage in synthesis_stages(shape):
            integers |= codes_of(stage.name, *_layer(weights, stage.name, turned=stage.doubling))
        densities += [tables.gaussian(scale) for scale in tables.SCALES]
        integers["scale_steps"] = tables.scale_steps()
    if shape.architecture.context:
        weight, bias = _layer(weights, "context_prediction")
        seen = np.ones((5, 5))
        seen[2, 2:] = 0
        seen[3:] = 0
        integers |= codes_of("context_prediction", weight * seen, bias)
        for stage in parameter_stages(shape):
            integers |= codes_of(stage.name, *_layer(weights, stage.name))
    integers |= coding_tables(densities)
    integers["medians"] = medians.astype(np.int32)
    SymbolCoder(shape, integers)
    return integers


def _layer(weights: Mapping[str, np.ndarray], name: str, *, turned: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Weights as outputs×inputs×k×k, and biases; those of transposed convolutions are stored the other way round."""
    weight = weights[f"{name}.weight"]
    return (weight.swapaxes(0, 1) if turned else weight), weights[f"{name}.bias"]


def _numbered(weights: Mapping[str, np.ndarray], start: str) -> list[str]:
    return sorted(name for name in weights if name.startswith(start))
