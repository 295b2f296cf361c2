"""Which scores the window has measured of a picture."""

from __future__ import annotations

from engine import memory
from engine.image import Image
from engine.metrics import metric, refusal

QUICK_METRICS = (  # of which each picture has its own
    *("mse", "psnr", "psnr_y", "psnr_yuv", "log2_psnr"),
    *("psnr_inside", "psnr_outside", "log2_psnr_inside", "log2_psnr_outside"),
    *("angle_mean", "angle_p99", "directionality", "rebalance", "mask_worst", "mask_r", "mask_g", "mask_b", "mask_a"),
)
# Beyond so many pixels these are computed only when they are looked at: at 24 megapixels they take a minute.
SSIM_METRICS, SSIM_PIXELS = ("ssim", "ms_ssim", "ms_ssim_db"), 8_000_000
PERCEPTUAL_METRICS, PERCEPTUAL_PIXELS = ("flip", "ssimulacra2", "patch_frechet"), 3_000_000


def wanted_metrics(image: Image, looked_at: str, *, quick: bool = False) -> tuple[str, ...]:
    """The cheap metrics, the one that is looked at, others where they are neither slow nor large."""
    pixels = image.width * image.height
    extra: list[str] = []
    if pixels <= SSIM_PIXELS:
        extra += SSIM_METRICS
    if not quick and pixels <= PERCEPTUAL_PIXELS:
        extra += PERCEPTUAL_METRICS
    room = memory.limit()
    extra = [each for each in extra if memory.metric_estimate((metric(each).info,), image) <= room]
    wanted = [*QUICK_METRICS, looked_at, *extra]
    return tuple(m for m in dict.fromkeys(wanted) if refusal(metric(m).info, image) is None)
