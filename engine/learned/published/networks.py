"""The networks of published models, in float: what is around the coder, and all of it for comparison."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine.learned.published.architecture import Shape
from engine.learned.published.layers import (
    SLOPE,
    AttentionBlock,
    DoublingBlock,
    FactorisedDensity,
    Gdn,
    HalvingBlock,
    MaskedConvolution,
    ResidualBlock,
    convolution,
    doubling,
    shuffled,
)


@dataclass(frozen=True)
class Passed:
    """A picture that went through a model in float: latent as rounded, B×M×h×w, and picture, B×3×H×W in 0…1."""

    latent: Tensor
    picture: Tensor


class PublishedModel(nn.Module):
    """A model of `shape`; the names of its state are those of checkpoints."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        architecture, width, latent = shape.architecture, shape.width, shape.latent
        self.entropy_bottleneck = FactorisedDensity(width if architecture.hyper else latent)
        self.g_a, self.g_s = _residual(shape) if architecture.residual else _normalised(width, latent)
        if architecture.hyper:
            self.h_a, self.h_s = _hyper(shape)
        if architecture.context:
            self.context_prediction = MaskedConvolution(latent, 2 * latent)
            self.entropy_parameters = _chain(
                convolution(4 * latent, latent * 10 // 3, 1),
                convolution(latent * 10 // 3, latent * 8 // 3, 1),
                convolution(latent * 8 // 3, 2 * latent, 1),
            )

    def hyper_latent(self, latent: Tensor) -> Tensor:
        """The hyper-latent before rounding. The scale hyperprior looks at magnitudes alone."""
        return self.h_a(latent.abs() if self.shape.architecture.name == "bmshj2018-hyperprior" else latent)

    def forward(self, picture: Tensor) -> Passed:
        """Through the whole model as it was trained; B×3×H×W in 0…1, sides multiples of the cell.

        Where positions are predicted from others, the latent is rounded to whole numbers and not from the means:
        that is how such models are evaluated in training. What is coded is rounded from the means.
        """
        latent = self.g_a(picture)
        architecture = self.shape.architecture
        if not architecture.hyper:
            rounded = self.entropy_bottleneck.rounded(latent)
        elif architecture.context or architecture.name == "bmshj2018-hyperprior":
            rounded = torch.round(latent)
        else:
            _, means = self.parameters_of(latent)
            rounded = torch.round(latent - means) + means
        return Passed(rounded, self.g_s(rounded))

    def parameters_of(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Scales and means of a latent; where positions are predicted from others, as if those were whole numbers."""
        values = self.h_s(self.entropy_bottleneck.rounded(self.hyper_latent(latent)))
        if self.shape.architecture.name == "bmshj2018-hyperprior":
            return values, torch.zeros_like(values)
        if self.shape.architecture.context:
            context = self.context_prediction(torch.round(latent))
            values = self.entropy_parameters(torch.cat((values, context), 1))
        scales, means = values.chunk(2, 1)
        return scales, means


def _normalised(width: int, latent: int) -> tuple[nn.Sequential, nn.Sequential]:
    """Analysis and synthesis of 5×5 convolutions with GDN in between."""
    analysis: list[nn.Module] = []
    synthesis: list[nn.Module] = []
    for number in range(4):
        if number:
            analysis.append(Gdn(width))
            synthesis.append(Gdn(width, inverse=True))
        analysis.append(convolution(3 if number == 0 else width, latent if number == 3 else width, 5, 2))
        synthesis.append(doubling(latent if number == 0 else width, 3 if number == 3 else width))
    return nn.Sequential(*analysis), nn.Sequential(*synthesis)


def _residual(shape: Shape) -> tuple[nn.Sequential, nn.Sequential]:
    """Analysis and synthesis of residual blocks, with attention where the architecture has it."""
    width = shape.width
    attention = [AttentionBlock] if shape.architecture.attention else []
    analysis = [
        HalvingBlock(3, width),
        ResidualBlock(width),
        HalvingBlock(width, width),
        *(block(width) for block in attention),
        ResidualBlock(width),
        HalvingBlock(width, width),
        ResidualBlock(width),
        convolution(width, width, stride=2),
        *(block(width) for block in attention),
    ]
    synthesis = [
        *(block(width) for block in attention),
        ResidualBlock(width),
        DoublingBlock(width),
        ResidualBlock(width),
        DoublingBlock(width),
        *(block(width) for block in attention),
        ResidualBlock(width),
        DoublingBlock(width),
        ResidualBlock(width),
        shuffled(width, 3),
    ]
    return nn.Sequential(*analysis), nn.Sequential(*synthesis)


def _hyper(shape: Shape) -> tuple[nn.Sequential, nn.Sequential]:
    """Analysis and synthesis of the hyper-latent."""
    width, latent = shape.width, shape.latent
    if shape.architecture.residual:
        analysis = _chain(*(convolution(width, width, stride=stride) for stride in (1, 1, 2, 1, 2)))
        middle = width * 3 // 2
        return analysis, _chain(
            convolution(width, width),
            shuffled(width, width),
            convolution(width, middle),
            shuffled(middle, middle),
            convolution(middle, 2 * width),
        )
    layers = convolution(latent, width), convolution(width, width, 5, 2), convolution(width, width, 5, 2)
    if shape.architecture.name == "bmshj2018-hyperprior":
        synthesis = doubling(width, width), doubling(width, width), convolution(width, latent)
        return _chain(*layers, slope=0), nn.Sequential(*_chain(*synthesis, slope=0), nn.ReLU(inplace=True))
    middle = latent * 3 // 2
    return _chain(*layers), _chain(doubling(width, latent), doubling(latent, middle), convolution(middle, 2 * latent))


def _chain(*layers: nn.Module, slope: float = SLOPE) -> nn.Sequential:
    """Layers with leaky rectifiers in between, or plain ones where the slope is 0."""
    chain: list[nn.Module] = []
    for layer in layers:
        if chain:
            chain.append(nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True))
        chain.append(layer)
    return nn.Sequential(*chain)


def state_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of all tensors of a model, without making any."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in PublishedModel(shape).state_dict().items()}
