"""Light in stops, as codecs of light see it: log2(x + 2⁻¹⁰), smooth where nothing counts."""

from __future__ import annotations

import numpy as np

from engine.charts import filled
from engine.image import Image
from engine.light import TOE


def stops_of(light: np.ndarray) -> np.ndarray:
    """log2(light + 2⁻¹⁰), f32; light below 0 counts as 0."""
    return np.log2(np.maximum(light, 0).astype(np.float64) + TOE).astype(np.float32)


def light_of(stops: np.ndarray) -> np.ndarray:
    """The light of stops, f32, 0 or above and finite."""
    light = np.exp2(np.minimum(stops, 127).astype(np.float64)) - TOE
    return np.maximum(light, 0).astype(np.float32)


def filled_stops(image: Image) -> np.ndarray:
    """H×W×3 f32: the stops of a finite float picture; what its mask leaves out is filled smoothly from the rest."""
    colours = np.broadcast_to(image.colour_pixels, (image.height, image.width, 3))
    inner = Image(stops_of(colours), image.color, mask=image.mask)
    return np.ascontiguousarray(filled(inner).pixels)


def covered(image: Image) -> np.ndarray:
    """H×W bool: the texels that count; all of them without a mask."""
    return image.mask if image.mask is not None else np.ones((image.height, image.width), bool)


def middle_of(stops: np.ndarray, counts: np.ndarray) -> float:
    """The mean of the stops (H×W×C) that count (H×W bool), in whole quarters of a stop; 0 where none does."""
    return round(4 * float(stops[counts].mean())) / 4 if counts.any() else 0.0
