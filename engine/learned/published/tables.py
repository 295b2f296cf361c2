"""Densities of imported models: tabulated once, at the import, and kept with the weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.errors import EngineError
from engine.learned.published.exact import STEPS

TAIL = 2.0**-14  # of a table's mass that is left to the escape
REACH = 1024  # whole numbers to each side that a learned density is looked at
SCALES = np.geomspace(0.11, 256.0, 64)  # the deviations that checkpoints are evaluated with


def scale_steps() -> np.ndarray:
    """63 i32: a deviation in whole steps belongs to the table whose number is how many of these are below it."""
    return np.floor(SCALES[:-1] * STEPS).astype(np.int32)


def gaussian(scale: float) -> tuple[np.ndarray, int]:
    """Masses of whole numbers under a normal density around zero, then of all others; and the first number."""
    from scipy.special import ndtr, ndtri

    reach = max(1, int(np.ceil(-scale * ndtri(TAIL / 2))))
    below = ndtr((np.arange(-reach, reach + 2) - 0.5) / scale)
    return np.append(np.diff(below), 2 * below[0]), -reach


def factorised(
    matrices: Sequence[np.ndarray], biases: Sequence[np.ndarray], factors: Sequence[np.ndarray], medians: np.ndarray
) -> list[tuple[np.ndarray, int]]:
    """The same for the learned density of each channel, at whole distances from its median.

    Parameters are C×after×before, C×after×1 and C×after×1, as a checkpoint has them (J. Ballé et al., arXiv
    1802.01436, 6.1).
    """
    edges = np.arange(-REACH, REACH + 2) - 0.5
    logits = medians.astype(np.float64)[:, None, None] + edges  # C×1×n
    for number, (matrix, bias) in enumerate(zip(matrices, biases, strict=True)):
        logits = np.logaddexp(0, matrix.astype(np.float64)) @ logits + bias
        if number < len(factors):
            logits = logits + np.tanh(factors[number].astype(np.float64)) * np.tanh(logits)
    if not np.isfinite(logits).all():
        raise EngineError("the factorised density of the checkpoint is no density")
    # From the nearer end, where differences of sigmoids keep their digits.
    below, above = _sigmoid(logits[:, 0]), _sigmoid(-logits[:, 0])
    masses = np.where(logits[:, 0, 1:] < 0, np.diff(below), -np.diff(above))
    return [_trimmed(masses[c], below[c], above[c]) for c in range(len(medians))]


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 0.5 + 0.5 * np.tanh(values / 2)


def _trimmed(masses: np.ndarray, below: np.ndarray, above: np.ndarray) -> tuple[np.ndarray, int]:
    """Without what is in the tails; at least the number in the middle is left."""
    first = min(int(np.searchsorted(below, TAIL / 2, side="right")) - 1, REACH)
    last = max(len(above) - int(np.searchsorted(above[::-1], TAIL / 2, side="right")), REACH + 1)
    first = max(first, 0)
    last = min(last, len(masses))
    kept = masses[first:last]
    return np.append(np.maximum(kept, 0), max(1 - kept.sum(), 0)), first - REACH
