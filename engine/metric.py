"""The metric protocol: a number, and where there is one a map, for the difference of two pictures."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning


class Domain(enum.StrEnum):
    CODE_VALUES = "code values"
    LINEAR_LIGHT = "linear light"
    PERCEPTUAL = "perceptual"


@dataclass(frozen=True)
class MetricInfo:
    """Who a metric is.

    unit is "" for pure numbers. version changes whenever a score may. library names what computes it.
    has_map: `map` gives H×W f32. map_unit, map_range: what the colour bar says; range None means data-driven.
    digits: decimals that are true enough to show.
    min_side: the smallest width and height, in pixels, for which the metric is defined; channels: the fewest of them.
    of: what it compares: colours of code values, light of floating-point pictures, directions, masks.
    charts: only for pictures with a mask, whose charts' borders it looks at; it sees both pictures in the gutters too.
    regions: only for pictures on which a region is painted (`Image.importance`), of which some pixels are outside.
    memory: peak working memory of a score or map, in bytes per pixel, measured, for the estimate before the work.
    about: the definition, in a sentence or two, with its source.
    """

    id: str
    label: str
    unit: str
    higher_is_better: bool
    domain: Domain
    version: str
    library: str
    has_map: bool = False
    map_label: str = ""
    map_unit: str = ""
    map_range: tuple[float, float] | None = None
    digits: int = 2
    min_side: int = 1
    channels: int = 1
    of: tuple[Meaning, ...] = (Meaning.COLOUR,)
    charts: bool = False
    regions: bool = False
    memory: float = 32.0
    about: str = ""


@runtime_checkable
class Metric(Protocol):
    """A full-reference metric. Callers go through `engine.metrics`, which brings both pictures to common terms first.

    Both pictures then have the same size, channels (1 or 3, no alpha), sample depth and colour; floating-point ones
    are finite and nowhere negative, and the reference's `mask` says which texels count. Directions and masks keep all
    their channels.
    """

    info: MetricInfo

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        """The score; `inf` where equal pictures have no finite one."""
        ...

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray | None:
        """H×W f32, larger is worse, or None if the metric has no map."""
        ...


@runtime_checkable
class SetMetric(Metric, Protocol):
    """A metric that judges whole sets of pictures, too: by what is gathered of each picture by itself, and added up."""

    def gather(self, image: Image, ctx: Ctx) -> np.ndarray:
        """1-D f64 of sums over the picture: those of a set are the sums of its pictures'. Of the same length always."""
        ...

    def between(self, ref: np.ndarray, img: np.ndarray) -> float:
        """The score of a set (or of one picture) from the sums of the originals and of what became of them."""
        ...
