"""The share of light that a lit surface reflects: one grey, a checker, a picture, or the colours of the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.image import Image
from engine.lit.look import Lit
from engine.lit.texture import Texture, light_of

GREY = 0.5
CHECKER_TEXELS = 32  # of a lightmap that is shown flat, for one repeat
_SQUARES = 4  # a side, of one repeat
_SHARES = (0.8, 0.2)  # of its two greys
_SIDE = 64  # texels


@dataclass(frozen=True, eq=False)
class Albedo:
    """share: of every place, if there is no texture. texture: of linear shares, repeated; once: it covers a flat map
    one time. of_mesh: the mesh's own colours, `share` where there is none.
    """

    share: float = 1.0
    texture: Texture | None = None
    once: bool = False
    of_mesh: bool = False


def albedo_of(look: Lit, picture: Image | None = None) -> Albedo:
    """What `look.albedo` names; "image" is `picture`, and grey where there is none."""
    if look.albedo == "checker":
        return Albedo(texture=Texture.of(_checker(), repeat=True))
    if look.albedo == "image" and picture is not None:
        return Albedo(texture=Texture.of(light_of(picture).clip(0, 1), repeat=True), once=True)
    if look.albedo == "mesh":
        return Albedo(of_mesh=True)
    return Albedo(share=1.0 if look.albedo == "white" else GREY)


def _checker() -> np.ndarray:
    squares = np.arange(_SIDE) * _SQUARES // _SIDE
    odd = (squares[:, None] + squares[None, :]) % 2
    return np.repeat(np.array(_SHARES, np.float32)[odd][:, :, None], 3, axis=2)
