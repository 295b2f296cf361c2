"""One step of training: what is computed from a batch, on the CPU as it stands, on a CUDA card compiled and captured.

The networks are small: on a card, launching their few hundred kernels takes longer than running them. So the step is
compiled, which fuses what is elementwise, and recorded as a CUDA graph, which one call replays.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import torch
from torch import Tensor

from engine.learned.layers import precision
from engine.learned.loss import Cost, rate_distortion
from engine.learned.model import LatentModel
from engine.learned.optimiser import Optimiser

LOSS_MEMORY = 0.99
EAGER_STEPS = 3  # before a capture: libraries choose their kernels in them


class TrainingStep:
    """Takes steps with a model and its optimiser; `renew` after a change of what takes part in them."""

    def __init__(self, model: LatentModel, optimiser: Optimiser, device: torch.device, cost: Cost) -> None:
        self._model, self._optimiser, self._device, self._cost = model, optimiser, device, cost
        self._loss = torch.full((), math.nan, device=device)
        on_card = device.type == "cuda"
        self._compiled = torch.compile(training_loss, dynamic=False) if on_card else training_loss
        self._stream = torch.cuda.Stream(device) if on_card else None
        if on_card:
            torch.backends.cudnn.benchmark = True  # shapes stay the same for thousands of steps
            # What is in single precision is so on purpose.
            warnings.filterwarnings("ignore", "TensorFloat32 tensor cores", UserWarning)
        self.renew()

    @property
    def loss(self) -> float | None:
        """Running mean of the loss, None before the first step that was taken."""
        loss = float(self._loss)
        return None if math.isnan(loss) else loss

    @loss.setter
    def loss(self, loss: float | None) -> None:
        self._loss.fill_(math.nan if loss is None else loss)

    def state(self) -> dict[str, Any]:
        """What has to be known to go on, beside model, optimiser and loss."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""

    def follow(self, loss: Tensor, taken: Tensor) -> None:
        """Count a loss in, if its step was taken (1.0)."""
        value = loss.detach()
        mean = torch.where(torch.isnan(self._loss), value, LOSS_MEMORY * self._loss + (1 - LOSS_MEMORY) * value)
        self._loss.copy_(torch.where(taken > 0, mean, self._loss))

    def renew(self) -> None:
        """Look at the model anew: its arithmetic or what it trains has changed."""
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, Tensor] | None = None
        self._eager_left = EAGER_STEPS

    def take(self, pictures: Tensor, rates: Tensor) -> None:
        """One step on B×C×H×W pictures, as `training_loss` takes them, at B rates, both on the device."""
        if self._stream is None:
            self._take(pictures, rates)
            return
        if self._inputs is None or self._inputs[0].shape != pictures.shape:
            self.renew()
            self._inputs = pictures.clone(), rates.clone()
        for held, given in zip(self._inputs, (pictures, rates), strict=True):
            held.copy_(given)
        self._take_on_card(self._stream, self._inputs)

    def _take_on_card(self, stream: torch.cuda.Stream, inputs: tuple[Tensor, Tensor]) -> None:
        if self._graph is None and self._eager_left == 0:
            torch.cuda.synchronize(self._device)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=stream):
                self._take(*inputs)
        if self._graph is not None:
            self._graph.replay()
            return
        self._eager_left -= 1
        stream.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(stream):
            self._take(*inputs)
        torch.cuda.current_stream(self._device).wait_stream(stream)

    def _take(self, pictures: Tensor, rates: Tensor) -> None:
        # The integers' arithmetic is the short last part of a run: compiling it takes longer than it saves.
        compute = training_loss if self._model.quantised else self._compiled
        loss = compute(self._model, pictures, rates, self._cost)
        self.follow(loss, self._optimiser.step(loss))


def training_loss(model: LatentModel, pictures: Tensor, rates: Tensor, cost: Cost = rate_distortion) -> Tensor:
    """What one step goes down from: noisy rounding, networks in half the bits. The first three channels of pictures are
    what the model takes, in 0…1; the others are for the cost."""
    with precision(pictures.device, half=True):
        coded = model(pictures[:, :3], rates, noisy=True)
    return cost(coded, pictures, model.lambda_of(rates))
