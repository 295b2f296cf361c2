"""The metrics."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version

import numpy as np

from engine.bench.pictures import large_photograph
from engine.bench.work import Side, Work, clock
from engine.codec import Ctx
from engine.image import Image
from engine.metrics import metric


def works() -> Iterator[Work]:
    """The suite."""
    from skimage.metrics import structural_similarity

    reference = large_photograph()
    noise = np.random.default_rng(3).integers(-9, 10, reference.pixels.shape, np.int8)
    noisy = Image(np.clip(reference.pixels.astype(np.int16) + noise, 0, 255).astype(np.uint8))
    ssim = metric("ssim")
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    ours = Side("ratescope", "the metric 'ssim', 1 thread", clock(lambda: ssim.score(reference, noisy, Ctx(threads=1))))
    peer = Side(
        f"scikit-image {version('scikit-image')}",
        "structural_similarity of the whole picture, " + ", ".join(f"{k}={v}" for k, v in settings.items()),
        clock(lambda: structural_similarity(reference.pixels, noisy.pixels, channel_axis=-1, **settings)),
    )
    yield Work("ssim-24mp", "SSIM of two RGB pictures of 24 million pixels", "s", ours, peer)
