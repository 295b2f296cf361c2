"""`ChannelFilm`: a map of directions or masks as it is shown: its codes as they are stored, or one channel as grey."""

from __future__ import annotations

import numpy as np

from engine.carry import with_bits
from engine.film import Film
from engine.image import Image, Meaning
from engine.tone import Tone

ALL = 0
NAMES = {Meaning.DIRECTION: ("x", "y", "z", "w"), Meaning.MASK: ("R", "G", "B", "A")}
"""What the channels are called, in order; a tone's `channel` counts them from 1."""


class ChannelFilm(Film):
    """Shown without any tone but its `channel`. A code stands for itself: grey 128 of x is 0, black −1, white 1.

    All channels together are red, green and blue for the first three, the fourth is left out: what it holds is no
    coverage. A channel that the map has not is shown as all.
    """

    def __init__(self, image: Image) -> None:
        self.shape = (image.height, image.width, 3)
        self.auto_exposure = 0.0
        self._codes = with_bits(image, 8).pixels

    def develop(self, tone: Tone, step: int = 1) -> np.ndarray:
        return _shown(self._codes[::step, ::step], tone.channel)

    def crop(self, rows: slice, columns: slice, tone: Tone) -> np.ndarray:
        return _shown(self._codes[rows, columns], tone.channel)


def _shown(codes: np.ndarray, channel: int) -> np.ndarray:
    count = codes.shape[2]
    alone = 0 if count < 3 else None
    if channel != ALL and channel <= count:
        alone = channel - 1
    picked = [0, 1, 2] if alone is None else [alone] * 3
    return np.ascontiguousarray(codes[:, :, picked])
