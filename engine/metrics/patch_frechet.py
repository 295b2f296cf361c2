"""Fréchet distance between the patches of two pictures, or of two sets of pictures, by what their texture is like.

A decoder that makes texture up is wrong wherever one compares pixels, however plausible its texture; what can be asked
of it is that its patches are distributed as those of the original are. So, as M. Heusel et al. ("GANs trained by a two
time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017) do with whole pictures, and F. Mentzer et
al. ("High-fidelity generative image compression", NeurIPS 2020) with patches of them, numbers that describe each patch
are taken as samples of a normal distribution, and the score is the squared 2-Wasserstein distance of the two, which
Fréchet gave: |μ₁ - μ₂|² + tr(C₁ + C₂ - 2·(C₁C₂)^½).

Where those take the numbers from a network trained on other pictures, here they are statistics of texture
(`engine.metrics.patch_features`): what it says can be computed by hand and is the same everywhere. It is not FID, and
its values cannot be compared with values of that.
"""

from __future__ import annotations

import math

import numpy as np

from engine.codec import Ctx
from engine.image import Image
from engine.metric import Domain, MetricInfo
from engine.metrics.patch_features import PATCH, patch_features

_MIN_SIDE = 2 * PATCH
# Variance of a number that is as good as none, in its variances over photographs: roots stay smooth where a picture has
# no variance at all, and both sides have it.
_LEAST_VARIANCE = 1e-3


class PatchFrechet:
    """Squared Fréchet distance of normal distributions fitted to both pictures' patches; 0 for equal ones. No map."""

    info = MetricInfo(
        id="patch_frechet",
        label="Patch Fréchet",
        unit="",
        higher_is_better=False,
        domain=Domain.PERCEPTUAL,
        version="1",
        library=f"numpy {np.__version__}",
        digits=3,
        min_side=_MIN_SIDE,
        memory=16.0,
        about="Squared Fréchet distance between normal distributions of texture statistics (48 numbers, after Portilla "
        "and Simoncelli 2000) of the 32×32 patches of both pictures: whether the texture is of the same kind, not "
        "whether it lies in the same place.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        return self.between(self.gather(ref, ctx), self.gather(img, ctx))

    def map(self, ref: Image, img: Image, ctx: Ctx) -> None:
        return None

    def gather(self, image: Image, ctx: Ctx) -> np.ndarray:
        """f64: number of patches, sums of their D numbers, upper triangle of the sums of their D×D products."""
        numbers = patch_features(image, ctx).astype(np.float64)
        # Not by BLAS, whose order of additions depends on the number of threads.
        products = np.einsum("ni,nj->ij", numbers, numbers, optimize=False)
        return np.concatenate([[len(numbers)], numbers.sum(axis=0), products[np.triu_indices(len(products))]])

    def between(self, ref: np.ndarray, img: np.ndarray) -> float:
        if np.array_equal(ref, img):
            return 0.0
        mean_ref, spread_ref = _moments(ref)
        mean_img, spread_img = _moments(img)
        root = _root(spread_ref)
        shared = np.sqrt(np.linalg.eigvalsh(root @ spread_img @ root).clip(0)).sum()
        apart = np.sum((mean_ref - mean_img) ** 2) + np.trace(spread_ref) + np.trace(spread_img) - 2 * shared
        return max(0.0, float(apart))


def _moments(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D) and regularised covariance (D×D) from what :meth:`PatchFrechet.gather` gives."""
    size = (math.isqrt(8 * len(sums) + 1) - 3) // 2  # 1 + D + D·(D+1)/2 sums
    mean = sums[1 : 1 + size] / sums[0]
    products = np.zeros((size, size))
    products[np.triu_indices(size)] = sums[1 + size :] / sums[0]
    products += np.triu(products, 1).T
    return mean, products - np.outer(mean, mean) + _LEAST_VARIANCE * np.eye(size)


def _root(matrix: np.ndarray) -> np.ndarray:
    """The symmetric root of a positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


PATCH_FRECHET = PatchFrechet()
