"""Scores of whole sets of pictures, by metrics that have them: gathered of each pair, put together later."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import SetMetric
from engine.metrics import metric, refusal
from engine.metrics.align import align

Gathered = Mapping[str, Sequence[str]]
"""By metric id: the sums of the original and those of the tested picture, as f32 in Base64, 6 KB each."""


def gathered(ref: Image, img: Image, ids: Iterable[str], ctx: Ctx) -> Gathered:
    """What those of the metrics that judge sets need to know of a pair; the others are left out.

    Raises what `engine.metrics.scores` does.
    """
    judges = {each: metric(each) for each in ids if refusal(metric(each).info, ref) is None}
    sets = {name: judge for name, judge in judges.items() if isinstance(judge, SetMetric)}
    if not sets:
        return {}
    pair = align(ref, img)
    return {name: [_packed(judge.gather(each, ctx)) for each in pair] for name, judge in sets.items()}


def set_scores(pairs: Sequence[Gathered]) -> dict[str, float]:
    """The scores of a set by metric id, of those metrics that every pair has; none of an empty set."""
    if not pairs:
        return {}
    out = {}
    for name in set.intersection(*(set(pair) for pair in pairs)):
        judge = metric(name)
        assert isinstance(judge, SetMetric)
        ref, img = (np.sum([_unpacked(pair[name][side]) for pair in pairs], axis=0) for side in (0, 1))
        out[name] = judge.between(ref, img)
    return out


def _packed(sums: np.ndarray) -> str:
    return base64.b64encode(sums.astype("<f4").tobytes()).decode("ascii")


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
