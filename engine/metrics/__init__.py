"""The metrics, in the order in which people meet them, and the two questions that are asked of them.

An explicit table, id -> "module:object", imported only when a metric is asked for: `import engine` stays light.
Metrics of plug-ins follow. :func:`scores` and :func:`error_map` first bring both pictures to common terms
(`engine.metrics.align`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from functools import cache

import numpy as np

from engine import memory
from engine.codec import Ctx
from engine.errors import Unsupported, UsageError
from engine.image import Image, Meaning
from engine.metric import Metric, MetricInfo
from engine.metrics.align import align, covered
from engine.metrics.derived import DerivedMetric
from engine.plugins import plugins

BUILTIN: dict[str, str] = {
    "mse": "engine.metrics.error:MSE",
    "psnr": "engine.metrics.error:PSNR",
    "psnr_y": "engine.metrics.error:PSNR_Y",
    "psnr_yuv": "engine.metrics.error:PSNR_YUV",
    "ssim": "engine.metrics.ssim:SSIM",
    "ms_ssim": "engine.metrics.ms_ssim:MS_SSIM",
    "ms_ssim_db": "engine.metrics.ms_ssim:MS_SSIM_DB",
    "flip": "engine.metrics.flip:FLIP",
    "ssimulacra2": "engine.metrics.ssimulacra2:SSIMULACRA2",
    "patch_frechet": "engine.metrics.patch_frechet:PATCH_FRECHET",
    "delta_e2000": "engine.metrics.delta_e:DELTA_E2000",
    "log2_psnr": "engine.metrics.coded_psnr:LOG2_PSNR",
    "hdr_flip": "engine.metrics.hdr_flip:HDR_FLIP",
    "pu21_psnr": "engine.metrics.coded_psnr:PU21_PSNR",
    "mpsnr": "engine.metrics.mpsnr:MPSNR",
    "rel_p50": "engine.metrics.relative:REL_P50",
    "rel_p99": "engine.metrics.relative:REL_P99",
    "rel_max": "engine.metrics.relative:REL_MAX",
    "banding": "engine.metrics.banding:BANDING",
    "seam": "engine.metrics.seam:SEAM",
    "angle_mean": "engine.metrics.angle:ANGLE_MEAN",
    "angle_p99": "engine.metrics.angle:ANGLE_P99",
    "directionality": "engine.metrics.angle:DIRECTIONALITY",
    "rebalance": "engine.metrics.channel_error:REBALANCE",
    "mask_worst": "engine.metrics.channel_error:MASK_WORST",
    "mask_r": "engine.metrics.channel_error:MASK_R",
    "mask_g": "engine.metrics.channel_error:MASK_G",
    "mask_b": "engine.metrics.channel_error:MASK_B",
    "mask_a": "engine.metrics.channel_error:MASK_A",
    "psnr_inside": "engine.metrics.region:PSNR_INSIDE",
    "psnr_outside": "engine.metrics.region:PSNR_OUTSIDE",
    "log2_psnr_inside": "engine.metrics.region:LOG2_PSNR_INSIDE",
    "log2_psnr_outside": "engine.metrics.region:LOG2_PSNR_OUTSIDE",
}


_COMPARED = {
    Meaning.COLOUR: "code values of colours",
    Meaning.LIGHT: "linear light of floating-point pictures",
    Meaning.DIRECTION: "directions",
    Meaning.MASK: "masks",
}
_HELD = {
    Meaning.COLOUR: "this picture holds code values",
    Meaning.LIGHT: "a floating-point picture has none (log2_psnr and hdr_flip are for it)",
    Meaning.DIRECTION: "this map holds directions (angle_mean and angle_p99 are for it)",
    Meaning.MASK: "this map holds masks (mask_worst is for it)",
}


@cache
def _builtin(metric_id: str) -> Metric:
    module, name = BUILTIN[metric_id].split(":")
    return getattr(importlib.import_module(module), name)


@cache
def _added() -> dict[str, Metric]:
    """Metrics of plug-ins by id; an id belongs to whoever has it first."""
    table: dict[str, Metric] = {}
    for extra in plugins().metrics:
        if extra.info.id not in BUILTIN:
            table.setdefault(extra.info.id, extra)
    return table


def metric_ids() -> list[str]:
    """Every metric's id, built-in ones first."""
    return [*BUILTIN, *_added()]


def metric(metric_id: str) -> Metric:
    """The metric with this id; `UsageError` lists the known ones."""
    if metric_id in BUILTIN:
        return _builtin(metric_id)
    if metric_id in _added():
        return _added()[metric_id]
    raise UsageError(f"unknown metric '{metric_id}'; known are {', '.join(metric_ids())}")


def refusal(info: MetricInfo, ref: Image) -> str | None:
    """Why a metric is not defined for pictures like `ref`, or None when it is."""
    if ref.meaning not in info.of:
        return f"{info.label} compares {_COMPARED[info.of[0]]}; {_HELD[ref.meaning]}"
    if ref.channels < info.channels:
        return f"{info.label} needs {info.channels} channels; this picture has {ref.channels}"
    if info.charts and covered(ref).all():
        return f"{info.label} looks at the borders of charts; all texels of this picture count, so it has none"
    if info.regions and (ref.importance is None or ref.importance.region.all()):
        return f"{info.label} is for pictures on which a region is painted as more important than the rest"
    if min(ref.width, ref.height) < info.min_side:
        side = info.min_side
        return f"{info.label} needs at least {side}×{side} pixels; this picture is {ref.width}×{ref.height}"
    return None


def scores(ref: Image, img: Image, ids: Iterable[str], ctx: Ctx | None = None) -> dict[str, float]:
    """Scores of `img` against `ref` by metric id; a metric that :func:`refusal` rules out is left out.

    `UsageError` for pictures of different size, `Unsupported` if no texel of the reference counts, `LimitExceeded` if
    it would take more memory than is allowed.
    """
    ctx = ctx or Ctx()
    ids = [each for each in ids if refusal(metric(each).info, ref) is None]
    memory.require(memory.metric_estimate((metric(each).info for each in ids), ref), "comparing these pictures")
    kinds = sorted({metric(each).info.charts for each in ids}) or [False]
    out: dict[str, float] = {}
    for charts in kinds:  # one after the other: two pairs of a large picture are not held
        pair = align(ref, img, gutters=charts)
        for metric_id in ids:
            if metric(metric_id).info.charts is charts:
                ctx.check()
                out[metric_id] = _score(metric(metric_id), *pair, out, ctx)
    return {metric_id: out[metric_id] for metric_id in ids}


def _score(measure: Metric, ref: Image, img: Image, known: dict[str, float], ctx: Ctx) -> float:
    if isinstance(measure, DerivedMetric) and measure.base.info.id in known:
        return measure.derive(known[measure.base.info.id])
    return measure.score(ref, img, ctx)


def error_map(ref: Image, img: Image, metric_id: str, ctx: Ctx | None = None) -> np.ndarray:
    """H×W f32, larger is worse; `Unsupported` where the metric has no map or is not defined for the picture.

    `LimitExceeded` if it would take more memory than is allowed.
    """
    measure = metric(metric_id)
    memory.require(memory.metric_estimate((measure.info,), ref), f"the {measure.info.label} map")
    reason = refusal(measure.info, ref)
    ref, img = align(ref, img, gutters=measure.info.charts)
    errors = None if reason else measure.map(ref, img, ctx or Ctx())
    if errors is None:
        raise Unsupported(reason or f"{measure.info.label} has no error map")
    return errors
