"""The optimiser: Adam with a learning rate for each kind of parameter, and no step that could do harm.

Nothing here waits for the device: what a step depends on stays in tensors there, so that steps can be queued ahead of
it, or be captured as a CUDA graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.learned.model import LatentModel
from engine.learned.recipe import TrainingRecipe

CLIP = 2.0  # gradients are shortened to this many times their running norm …
REFUSE = 20.0  # … and a step is skipped beyond this
FORGIVE = 1.1  # each time, the norm rises by this: a lasting change is not refused for ever
SURPRISE = 3.0  # what a single step's norm can count for at most, in running norms
NORM_MEMORY = 0.98


class _Adam(torch.optim.Adam):
    """With torch's own means for mixed precision, which its fused kernels read: what gradients are divided by, and
    whether (1.0) to leave everything as it is."""

    grad_scale: Tensor
    found_inf: Tensor


Group = tuple[list[nn.Parameter], float]
"""Parameters, and the learning rate that they have at the peak."""


def groups_of(model: LatentModel, recipe: TrainingRecipe) -> list[Group]:
    """Convolutions, tables and biases, and the linear transform have rates of their own."""
    transform = list(model.transform.parameters())
    fixed = {id(parameter) for parameter in transform}
    others = [parameter for parameter in model.parameters() if id(parameter) not in fixed]
    return [
        ([parameter for parameter in others if parameter.dim() == 4], recipe.learning_rate),
        ([parameter for parameter in others if parameter.dim() != 4], recipe.table_rate),
        (transform, recipe.transform_rate),
    ]


class Optimiser:
    """A step whose loss or gradient is not finite, or is far out, is skipped and counted."""

    def __init__(self, groups: Sequence[Group], betas: tuple[float, float] = (0.9, 0.98)) -> None:
        groups = [(members, rate) for members, rate in groups if members]
        device = groups[0][0][0].device
        self._peaks = [rate for _, rate in groups]
        self._parameters: list[nn.Parameter] = [parameter for members, _ in groups for parameter in members]
        on_card = device.type == "cuda"
        self._adam = _Adam(
            [{"params": members, "lr": torch.tensor(rate, device=device)} for members, rate in groups],
            betas=betas,
            fused=True,
            capturable=on_card,
        )
        self._norm = torch.full((), math.inf, device=device)
        self._skipped = torch.zeros((), device=device)

    @property
    def norm(self) -> float | None:
        """Running norm of the gradient, None before the first step and after a change."""
        norm = float(self._norm)
        return norm if math.isfinite(norm) else None

    @property
    def skipped(self) -> int:
        return int(self._skipped)

    def set_rates(self, factor: float) -> None:
        """Learn at `factor` times the peak rates from now on."""
        for group, peak in zip(self._adam.param_groups, self._peaks, strict=True):
            group["lr"].fill_(peak * factor)

    def step(self, loss: Tensor) -> Tensor:
        """One step down from `loss`. Returns whether it was taken: 1.0, or 0.0 if it was skipped."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.get_total_norm([p.grad for p in self._parameters if p.grad is not None])
        usable = torch.isfinite(norm) & torch.isfinite(loss.detach())
        taken = usable & (norm <= REFUSE * self._norm)
        self._adam.grad_scale = (norm / (CLIP * self._norm)).clamp_min(1)
        self._adam.found_inf = 1 - taken.float()
        self._adam.step()
        shortened = torch.minimum(norm, SURPRISE * self._norm)
        followed = torch.where(
            torch.isinf(self._norm), shortened, NORM_MEMORY * self._norm + (1 - NORM_MEMORY) * shortened
        )
        self._norm.copy_(torch.where(taken, followed, torch.where(usable, FORGIVE * self._norm, self._norm)))
        self._skipped += 1 - taken.float()
        return taken.float()

    def expect_change(self) -> None:
        """Forget what gradients are usual: other parameters take part from now on."""
        self._norm.fill_(math.inf)

    def state(self) -> dict[str, Any]:
        return {"adam": self._adam.state_dict(), "norm": self.norm, "skipped": self.skipped}

    def restore(self, state: dict[str, Any]) -> None:
        rates = [group["lr"] for group in self._adam.param_groups]
        capturable = self._adam.defaults["capturable"]
        self._adam.load_state_dict(state["adam"])
        for group, rate in zip(self._adam.param_groups, rates, strict=True):
            group["lr"], group["capturable"] = rate, capturable  # whatever device the checkpoint is from
        self._norm.fill_(math.inf if state["norm"] is None else state["norm"])
        self._skipped.fill_(state["skipped"])
