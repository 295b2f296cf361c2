"""The optimiser: Adam with a learning rate for each kind of parameter, and no step that could do harm."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from engine.learned.model import HyperpriorModel
from engine.learned.recipe import TrainingRecipe

CLIP = 2.0  # gradients are shortened to this many times their running norm …
REFUSE = 20.0  # … and a step is skipped beyond this
FORGIVE = 1.1  # each time, the norm rises by this: a lasting change is not refused for ever
NORM_MEMORY = 0.98


class Optimiser:
    """Convolutions, tables and biases, and the linear transform have rates of their own.

    A step whose loss or gradient is not finite, or is far out, is skipped and counted.
    """

    def __init__(self, model: HyperpriorModel, recipe: TrainingRecipe) -> None:
        transform = list(model.transform.parameters())
        fixed = {id(parameter) for parameter in transform}
        others = [parameter for parameter in model.parameters() if id(parameter) not in fixed]
        groups = [
            ([parameter for parameter in others if parameter.dim() == 4], recipe.learning_rate),
            ([parameter for parameter in others if parameter.dim() != 4], recipe.table_rate),
            (transform, recipe.transform_rate),
        ]
        self._peaks = [rate for _, rate in groups]
        self._parameters: list[nn.Parameter] = [parameter for members, _ in groups for parameter in members]
        self._adam = torch.optim.Adam(
            [{"params": members, "lr": rate} for members, rate in groups], betas=(0.9, 0.98), fused=True
        )
        self.norm: float | None = None
        """Running norm of the gradient."""
        self.skipped = 0

    def step(self, loss: Tensor, factor: float) -> bool:
        """One step down from `loss`, at `factor` times the peak rates. False if it was skipped."""
        self._adam.zero_grad(set_to_none=True)
        taken = bool(torch.isfinite(loss))
        if taken:
            loss.backward()
            taken = self._clip()
        if not taken:
            self.skipped += 1
            return False
        for group, peak in zip(self._adam.param_groups, self._peaks, strict=True):
            group["lr"] = peak * factor
        self._adam.step()
        return True

    def expect_change(self) -> None:
        """Forget what gradients are usual: other parameters take part from now on."""
        self.norm = None

    def _clip(self) -> bool:
        """Shorten the gradient to what is usual; False if it is beyond use."""
        gradients = [parameter for parameter in self._parameters if parameter.grad is not None]
        limit = math.inf if self.norm is None else CLIP * self.norm
        norm = float(nn.utils.clip_grad_norm_(gradients, limit))
        if not math.isfinite(norm):
            return False
        if self.norm is not None and norm > REFUSE * self.norm:
            self.norm *= FORGIVE
            return False
        shortened = min(norm, 3 * self.norm) if self.norm is not None else norm
        self.norm = shortened if self.norm is None else NORM_MEMORY * self.norm + (1 - NORM_MEMORY) * shortened
        return True

    def state(self) -> dict[str, Any]:
        return {"adam": self._adam.state_dict(), "norm": self.norm, "skipped": self.skipped}

    def restore(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(state["adam"])
        self.norm, self.skipped = state["norm"], state["skipped"]
