"""A metric that is another metric on another scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import Metric, MetricInfo


@dataclass(frozen=True)
class DerivedMetric:
    """`derive(base score)`; whoever already has the base's score need not measure again."""

    info: MetricInfo
    base: Metric
    derive: Callable[[float], float]

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        return self.derive(self.base.score(ref, img, ctx))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray | None:
        return self.base.map(ref, img, ctx)
