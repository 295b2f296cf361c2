"""Regions painted over the current picture, without Qt: what a brush changes, and what becomes of the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine import registry
from engine.image import Image
from engine.importance import CELL, LIMIT, Importance, cells
from engine.metrics import metric
from engine.store import RunStore
from engine.trial import Trial
from gui.state import Source, State

Point = tuple[float, float]


def with_region(source: Source, image: Image) -> Image:
    """The picture that was read, with what is painted on its row; that is forgotten where the size is another now."""
    painted = source.importance
    if painted is not None and painted.steps.shape != cells(image.height, image.width):
        source.importance = painted = None
    return image if painted is None else replace(image, importance=painted)


def steps_of(image: Image) -> np.ndarray:
    """A copy of the map of a picture, rows×columns i8; zeros where nothing is painted."""
    if image.importance is not None:
        return image.importance.steps.copy()
    return np.zeros(cells(image.height, image.width), np.int8)


def importance_of(steps: np.ndarray) -> Importance | None:
    """The map of these cells; None where all are neutral."""
    return Importance(steps) if steps.any() else None


def brush(steps: np.ndarray, start: Point, end: Point, radius: float, level: int) -> bool:
    """Set the cells under a stroke (texels, from `start` to `end`) to `level`, in place; whether any changed.

    Those count whose middle lies within `radius`, and the one under the end of the brush.
    """
    y, x = (np.arange(side, dtype=np.float64) * CELL + CELL / 2 for side in steps.shape)
    across, down = end[0] - start[0], end[1] - start[1]
    length = across**2 + down**2
    share = ((x[None] - start[0]) * across + (y[:, None] - start[1]) * down) / (length or 1.0)
    share = share.clip(0, 1)
    away = (x[None] - start[0] - share * across) ** 2 + (y[:, None] - start[1] - share * down) ** 2
    under = away <= radius**2
    row, column = int(end[1]) // CELL, int(end[0]) // CELL
    if 0 <= row < steps.shape[0] and 0 <= column < steps.shape[1]:
        under[row, column] = True
    changes = bool((steps[under] != level).any())
    steps[under] = np.clip(level, -LIMIT, LIMIT)
    return changes


def of_plain_picture(store: RunStore, image: Image, codec: str, version: str) -> list[Trial]:
    """What the store knows of a codec that follows no region on this picture without one, as of this picture: the files
    are the same."""
    if image.importance is None or registry.codec(codec).info.capabilities.regions:
        return []
    found = store.trials(replace(image, importance=None).digest, codec, version)
    return [replace(trial, key=replace(trial.key, image=image.digest)) for trial in found]


def followers(state: State) -> tuple[list[str], list[str]]:
    """The codecs of the comparison that follow what is painted, and those that cannot be told, by their labels."""
    able: dict[bool, list[str]] = {True: [], False: []}
    for lane in filter(state.carries, state.lanes):
        info = registry.codec(lane.codec).info
        able[info.capabilities.regions].append(info.label)
    return list(dict.fromkeys(able[True])), list(dict.fromkeys(able[False]))


def judge_again(state: State) -> None:
    """Where no region is painted there is no inside to judge by: take the metric of the whole picture."""
    image = state.current.image if state.current is not None else None
    if image is not None and image.importance is None and metric(state.score_metric).info.regions:
        state.set_view(score_metric=state.score_metric.rpartition("_")[0])
