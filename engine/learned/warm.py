"""How a run begins: from statistics, from trained weights, or from those of a model within this one.

A model of light may begin as one of photographs: the networks that it has in common with the other are copied, with
tables over the rates read at the same λ; what the other does not have begins as always. The transform's statistics are
taken anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from engine.errors import UsageError
from engine.learned.export import OF_PRIOR, in_place, tensors_of
from engine.learned.model import LAMBDA_AT_UNIT_STEP, LatentModel
from engine.learned.recipe import RateRecipe
from engine.learned.stored import Stored
from engine.learned.transform import block_basis

_GAINS = "log_gain.table"


@torch.no_grad()
def begin(model: LatentModel, weights: Stored | None, pictures: Callable[[], Tensor]) -> bool:
    """Prepare a new model (on the CPU); whether its entropy model has something to learn before anything else moves.

    pictures: gives patches as the model takes them. `UsageError` if the weights have nothing in common with it.
    """
    if weights is None:
        model.fit(pictures())
        return True
    tensors = in_place(tensors_of(weights), model)
    if (weights.model, weights.rate) == (model.recipe, model.rate):
        model.load_state_dict(tensors)
        return False
    if (weights.model.lapped_scale, weights.model.hyper_width) != (model.recipe.lapped_scale, model.recipe.hyper_width):
        raise UsageError("these weights are of another model, and not of one within this one", path=weights.path)
    model.fit(pictures(), first=_order(tensors["transform.analysis_matrix"])[: model.recipe.channels])
    own = model.state_dict()
    for name, tensor in tensors.items():
        if name.startswith("transform.") or name not in own:
            continue
        if name == _GAINS:
            learned = _at_same_lambda(tensor - _start(weights.rate), weights.rate, model)
            own[name][:, : tensor.shape[1]] = _start(model.rate) + learned
        elif name.endswith(".table") and tensor.shape[1:] == own[name].shape[1:]:
            own[name].copy_(_at_same_lambda(tensor, weights.rate, model))
        elif tensor.shape == own[name].shape:
            own[name].copy_(tensor)
    return True


@torch.no_grad()
def build_on(model: LatentModel, backbone: Stored) -> None:
    """Take over transform, gains and decoder, and what both priors have in common; a second decoder begins as
    the first. `UsageError` if they do not fit.

    The decoder's network may have more blocks, and attention, which change nothing at first. Where the backbone knows
    half of a slice's positions and the model those before, its second pass is begun with; of heads that say more than
    the backbone's, what these say.
    """
    own = model.state_dict()
    tensors = _before_from_half(_of_parts(tensors_of(backbone)))
    for name, tensor in own.items():
        given = tensors.get(name)
        if given is not None and given.shape == tensor.shape:
            tensor.copy_(given)
        elif given is not None and "_head." in name and given.shape[1:] == tensor.shape[1:]:
            tensor[: len(given)] = given[: len(tensor)]
        elif _is_further_block(name, tensors):
            if ".outer." in name:
                tensor.zero_()  # as if it were not there, at first
        elif not name.startswith((OF_PRIOR, "synthesis.attention", "plausible.", "shrinkage.")):
            raise UsageError(f"these weights cannot be the backbone: '{name}' is of another shape", path=backbone.path)
    model.start_plausible()


def _is_further_block(name: str, tensors: dict[str, Tensor]) -> bool:
    """Whether it is of a block of the decoder's network that the backbone does not have."""
    return name.startswith("synthesis.blocks") and name not in tensors


def _of_parts(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """By the names that any model has for them."""
    shared = ("transform.", "log_gain.", "synthesis.")
    return {name if name.startswith(shared) else OF_PRIOR + name: tensor for name, tensor in tensors.items()}


def _before_from_half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """With what a checkerboard's second pass (four neighbours, all around) says of the positions before."""
    found = dict(tensors)
    for name, tensor in tensors.items():
        found.setdefault(name.replace(".second_", "."), tensor)
        if name.endswith(".anchors.weight"):
            kernel = torch.zeros(*tensor.shape[:2], 5, 5)
            kernel[:, :, 1, 2], kernel[:, :, 2, 1] = tensor[:, :, 0, 1], tensor[:, :, 1, 0]
            found[name.replace(".anchors.", ".before.")] = kernel
        elif name.endswith(".anchors.bias"):
            found[name.replace(".anchors.", ".before.")] = tensor
    return found


def _order(analysis: Tensor) -> list[int]:
    """Which basis functions the rows of a transform began as, each once."""
    likeness = (analysis @ torch.tensor(block_basis(), dtype=torch.float32).T).abs()
    order: list[int] = []
    for row in likeness:
        row[order] = -1
        order.append(int(row.argmax()))
    return order


def _lambdas(rate: RateRecipe) -> Tensor:
    return rate.lambda_low * (rate.lambda_high / rate.lambda_low) ** torch.linspace(0, 1, rate.points)


def _start(rate: RateRecipe) -> Tensor:
    """The gains that a model begins with, but for the norms of its transform, points×1."""
    return 0.5 * torch.log(_lambdas(rate) / LAMBDA_AT_UNIT_STEP)[:, None]


def _at_same_lambda(table: Tensor, rate: RateRecipe, model: LatentModel) -> Tensor:
    """A table over one range of rates, read at the λ of the model's points; beyond its ends as there."""
    step = math.log(rate.lambda_high / rate.lambda_low) / (rate.points - 1)
    places = (torch.log(_lambdas(model.rate) / rate.lambda_low) / step).clamp(0, rate.points - 1)
    low = places.floor().long().clamp_max(rate.points - 2)
    part = (places - low)[:, None]
    return table[low] * (1 - part) + table[low + 1] * part
