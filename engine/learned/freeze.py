"""From a trained model to the integers that its streams depend on: part of the weights file, computed once.

`SymbolNetwork` takes these tensors; a model that is loaded from a weights file gets its entropy networks from them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from engine.errors import EngineError
from engine.learned import fixed
from engine.learned.coders import symbol_network
from engine.learned.entropy import LOG_FLOOR, LOG_ROW
from engine.learned.frequencies import coding_tables
from engine.learned.layers import ACTIVATION_STEPS, CAUSAL_TAPS, TABLE_STEPS, CausalConv, EntropyConv, weight_step
from engine.learned.model import LatentModel
from engine.learned.priors import HyperPrior, StaticPrior
from engine.learned.vector_prior import VectorPrior, frozen_books

TAIL = 2.0**-12  # of a table's mass that is left to the escape


@torch.no_grad()
def freeze(model: LatentModel) -> dict[str, np.ndarray]:
    """The integers of a model; `EngineError` if its values do not fit into the arithmetic (sums beyond 32 bits, …)."""
    tensors: dict[str, np.ndarray] = {}
    for name, layer in entropy_convolutions(model).items():
        weight = layer.looked_through
        step = weight_step(weight)
        shifts = -torch.log2(step.flatten())
        codes = torch.round(weight / step)
        if isinstance(layer, CausalConv):
            codes = codes.flatten(2)[:, :, :CAUSAL_TAPS]
        assert layer.bias is not None
        biases = torch.round(layer.bias.double() / step.flatten() * ACTIVATION_STEPS)
        if not (shifts.min() >= 0 and biases.abs().max() < 1 << 31):
            raise EngineError(f"the weights of '{name}' cannot become integers: they are too large, or no numbers")
        tensors[f"{name}.weight"] = codes.to(torch.int8).numpy()
        tensors[f"{name}.bias"] = biases.to(torch.int32).numpy()
        tensors[f"{name}.shift"] = shifts.to(torch.uint8).numpy()
    tensors["octaves"] = _steps(model.octaves())
    if isinstance(model.prior, StaticPrior):
        tensors["head"] = _steps(model.prior.head.table)
    elif isinstance(model.prior, HyperPrior):
        tensors |= _hyper(model.prior)
    tensors |= frozen_books(model.prior) if isinstance(model.prior, VectorPrior) else scale_tables()
    symbol_network(model.recipe, tensors)
    return tensors


def _hyper(prior: HyperPrior) -> dict[str, np.ndarray]:
    hyper = prior.hyper_latent
    tables = {"hyper_octaves": hyper.octaves(), "hyper_offsets": hyper.offset.table, "hyper_rows": hyper.rows()}
    scales = {f"slices.{number}.scale": context.scale.table for number, context in enumerate(prior.contexts())}
    return {name: _steps(table) for name, table in {**tables, **scales}.items()}


def entropy_convolutions(model: LatentModel) -> dict[str, EntropyConv]:
    """By name within the prior, those on whose output both ends of a stream agree."""
    return {name: module for name, module in model.prior.named_modules() if isinstance(module, EntropyConv)}


def thaw(tensors: Mapping[str, np.ndarray], name: str) -> dict[str, Tensor]:
    """Weight and bias of a convolution, as a model's state has them, from its integers."""
    unit = torch.exp2(-torch.tensor(tensors[f"{name}.shift"]).float())
    codes = torch.tensor(tensors[f"{name}.weight"])
    if codes.dim() == 3:  # what a `CausalConv` looks through
        codes = F.pad(codes, (0, 25 - CAUSAL_TAPS)).unflatten(2, (5, 5))
    weight = codes.float() * unit[:, None, None, None]
    bias = torch.tensor(tensors[f"{name}.bias"]).double() * unit.double() / ACTIVATION_STEPS
    return {f"{name}.weight": weight, f"{name}.bias": bias.float()}


def _steps(table: Tensor) -> np.ndarray:
    """points×C in whole steps of 2⁻¹⁶, halves up, as `interpolate_in_steps` takes them."""
    steps = torch.floor(table.double() * TABLE_STEPS + 0.5)
    if not steps.abs().max() < 1 << 31:
        raise EngineError("a table over the rates holds values that cannot become integers")
    return steps.to(torch.int32).numpy()


def scale_tables() -> dict[str, np.ndarray]:
    """Logistic densities around zero, a row for each scale."""
    return coding_tables([_logistic(math.exp(LOG_FLOOR + row * LOG_ROW)) for row in range(fixed.SCALE_ROWS)])


def _logistic(scale: float) -> tuple[np.ndarray, int]:
    """Masses of the whole numbers from -n to n and of all others; and -n."""
    reach = max(1, math.ceil(scale * math.log(2 / TAIL)))
    below = 0.5 + 0.5 * np.tanh((np.arange(-reach, reach + 2) - 0.5) / scale / 2)
    return np.append(np.diff(below), 2 * below[0]), -reach
