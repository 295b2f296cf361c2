"""The architectures that can be imported, told from the names and shapes of a checkpoint's tensors. Without torch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engine.errors import CorruptStream

LATENT_CELL = 16  # pixels along a side of a position of the latent
HYPER_CELL = 64
MOST_CHANNELS = 1024
TILE = 512  # pixels along a side that go through the float networks at once, a multiple of the cells

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Architecture:
    """What a name stands for.

    cell: pixels along a side that pictures are continued to multiples of. hyper: its latent has a hyper-latent.
    context: positions are predicted from those before them. residual: networks of residual blocks, not of GDN alone.
    attention: with attention blocks. analysis_reach: pixels that a position of the latent is made from beyond its cell.
    synthesis_reach: positions of the latent that a pixel is made from beyond its own.
    """

    name: str
    source: str
    cell: int = HYPER_CELL
    hyper: bool = True
    context: bool = False
    residual: bool = False
    attention: bool = False
    analysis_reach: int = 32
    synthesis_reach: int = 3


_BALLE = "J. Ballé et al., arXiv 1802.01436"
_MINNEN = "D. Minnen et al., arXiv 1809.02736"
_CHENG = "Z. Cheng et al., arXiv 2001.01568"

ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture("bmshj2018-factorized", _BALLE, cell=LATENT_CELL, hyper=False),
        Architecture("bmshj2018-hyperprior", _BALLE),
        Architecture("mbt2018-mean", _MINNEN),
        Architecture("mbt2018", _MINNEN, context=True),
        Architecture(
            "cheng2020-anchor", _CHENG, context=True, residual=True, analysis_reach=128, synthesis_reach=12
        ),
        Architecture(
            "cheng2020-attn", _CHENG, context=True, residual=True, attention=True, analysis_reach=128,
            synthesis_reach=12,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """An architecture in numbers. width: channels of its networks (N). latent: channels of the latent (M)."""

    architecture: Architecture
    width: int
    latent: int


def working_bytes(architecture: Architecture, width: int, height: int, columns: int) -> int:
    """What the float networks take for a picture of height×columns pixels, at most: five arrays at half of the
    resolution of a tile."""
    sides = (min(side + architecture.cell, TILE + 2 * architecture.analysis_reach) for side in (height, columns))
    return 5 * 4 * width * math.prod(sides) // 4


def recognise(shapes: Shapes) -> Shape:
    """What a checkpoint with tensors of these shapes is; `CorruptStream` if it is nothing that is known here."""
    architecture = ARCHITECTURES[_name(shapes)]
    first, last = ("g_a.0.conv1.weight", "g_a.7.weight") if architecture.residual else ("g_a.0.weight", "g_a.6.weight")
    width = _outputs(shapes, first)
    latent = width if architecture.residual else _outputs(shapes, last)
    return Shape(architecture, width, latent)


def _name(shapes: Shapes) -> str:
    if "g_a.0.conv1.weight" in shapes:
        return "cheng2020-attn" if "g_a.3.conv_a.0.conv.0.weight" in shapes else "cheng2020-anchor"
    if "g_a.0.weight" not in shapes or "g_a.6.weight" not in shapes:
        raise CorruptStream(f"holds no analysis network of a kind that is known here: {', '.join(ARCHITECTURES)}")
    if "entropy_parameters.0.weight" in shapes:
        return "mbt2018"
    if "h_a.0.weight" not in shapes:
        return "bmshj2018-factorized"
    latent = _outputs(shapes, "g_a.6.weight")
    return "mbt2018-mean" if _outputs(shapes, "h_s.4.weight") == 2 * latent else "bmshj2018-hyperprior"


def _outputs(shapes: Shapes, name: str) -> int:
    """How many outputs a convolution has."""
    shape = shapes.get(name, ())
    if not shape or not 1 <= shape[0] <= MOST_CHANNELS:
        raise CorruptStream(f"its tensor '{name}' is missing, or has not 1 to {MOST_CHANNELS} channels")
    return shape[0]
