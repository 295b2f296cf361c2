"""Small checkpoints of published models, as CompressAI saves them: no training, but pictures come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from engine.learned.published import networks
from engine.learned.published.architecture import ARCHITECTURES, Shape
from engine.learned.published.importing import Wanted, import_checkpoint

WIDTH, LATENT = 12, 48
GREY = 90 / 255  # that is coded as zeros


def tiny_state(name: str, *, gain: float = 64.0, seed: int = 0) -> dict[str, torch.Tensor]:
    """The state of a model of architecture `name`.

    Analysis and synthesis of those without residual blocks move pixels to channels and back, at a quarter of the
    resolution and in steps of 1/gain. All else is random: scales around 1, means around 0.
    """
    residual = ARCHITECTURES[name].residual
    shape = Shape(ARCHITECTURES[name], 8 if residual else WIDTH, 8 if residual else LATENT)
    draw = torch.Generator().manual_seed(seed)
    state = {key: 0.1 * torch.randn(size, generator=draw) for key, size in networks.state_shapes(shape).items()}
    for key in state:
        if key.startswith(("h_a", "h_s", "context", "entropy_parameters")):
            state[key] /= 8
    last = "entropy_parameters.4.bias" if ARCHITECTURES[name].context else "h_s.4.bias"
    if last in state and not residual:
        state[last][:LATENT] = 1.0
    return state if residual else state | _moving(gain)


def tiny_checkpoint(folder: Path, name: str, **options: float) -> Path:
    """A file of `tiny_state`, as torch saves it."""
    path = folder / f"{name}-{options.get('gain', 64):g}.pth.tar"
    torch.save(tiny_state(name, **options), path)
    return path


def tiny_imported(folder: Path, name: str, *, codec: str = "", gains: tuple[float, ...] = (64.0,)) -> list[Path]:
    """Such checkpoints imported into `folder`: their weights."""
    paths = [tiny_checkpoint(folder, name, gain=gain) for gain in gains]
    return [Path(import_checkpoint(path, Wanted(codec), folder)["file"]) for path in paths]


def _moving(gain: float) -> dict[str, torch.Tensor]:
    """Networks of 5×5 kernels that move the four pixels of a square to channels, take means of squares twice, and move
    again; and back with linear interpolation. GDN does nothing."""
    analysis = [_parts(3), _each(_MEANS), _each(_MEANS), _parts(WIDTH) * gain]
    synthesis = [_parts(WIDTH) / gain, _each(_LINEAR), _each(_LINEAR), _parts(3)]
    state = {}
    for number in range(4):
        for chain, kernels in (("g_a", analysis), ("g_s", synthesis)):
            weight = torch.from_numpy(kernels[number].astype(np.float32))
            outputs = weight.shape[0 if chain == "g_a" else 1]
            state[f"{chain}.{2 * number}.weight"] = weight
            state[f"{chain}.{2 * number}.bias"] = torch.zeros(outputs)
            if number < 3:
                state[f"{chain}.{2 * number + 1}.beta"] = torch.ones(WIDTH)
                state[f"{chain}.{2 * number + 1}.gamma"] = torch.zeros(WIDTH, WIDTH)
    state["g_a.0.bias"] -= GREY  # what is beyond the border
    state["g_s.6.bias"] += GREY
    return state


_MEANS, _LINEAR = (0, 0, 0.5, 0.5, 0), (0, 0.25, 0.75, 0.75, 0.25)


def _parts(inputs: int) -> np.ndarray:
    """4·inputs×inputs×5×5: channel 4c + 2a + b is input c at an odd row or column where a or b is 1. It is right as the
    weight of a transposed convolution, too, which puts the parts back."""
    kernel = np.zeros((4 * inputs, inputs, 5, 5))
    for channel in range(inputs):
        for down in range(2):
            for right in range(2):
                kernel[4 * channel + 2 * down + right, channel, 2 + down, 2 + right] = 1
    return kernel


def _each(taps: tuple[float, ...]) -> np.ndarray:
    """The same separable kernel for every channel by itself."""
    kernel = np.zeros((WIDTH, WIDTH, 5, 5))
    for channel in range(WIDTH):
        kernel[channel, channel] = np.outer(taps, taps)
    return kernel
