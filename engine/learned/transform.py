"""The linear transform that a model starts from: lapped blocks of 16×16 in opponent colours.

A pre-filter across every block edge, then an orthonormal 2-D DCT of each block, makes the time-domain lapped
transform (T. D. Tran, J. Liang, C. Tu, "Lapped transform via time-domain pre- and post-filtering", IEEE Trans.
Signal Processing 51(6), 2003). Of the 768 coefficients of a block those of largest variance are kept. All matrices
are parameters, the synthesis untied from the analysis, so that training can move them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

BLOCK = 16
BLOCK_VALUES = BLOCK * BLOCK * 3
HALF = BLOCK // 2


def dct2_matrix(size: int) -> np.ndarray:
    """The orthonormal DCT-II, one basis function a row."""
    frequency, position = np.arange(size)[:, None], np.arange(size)[None]
    matrix = np.cos(np.pi * (2 * position + 1) * frequency / (2 * size)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def dct4_matrix(size: int) -> np.ndarray:
    """The orthonormal DCT-IV, one basis function a row."""
    frequency, position = np.arange(size)[:, None], np.arange(size)[None]
    return np.cos(np.pi * (2 * position + 1) * (2 * frequency + 1) / (4 * size)) * math.sqrt(2 / size)


def lapped_filter(size: int, scale: float) -> np.ndarray:
    """Tran's pre-filter across a block edge, size×size: butterflies around V = J C₂ᵀ S C₄ J on the odd half."""
    half = size // 2
    identity = np.eye(half)
    flip = identity[::-1]
    butterfly = np.block([[identity, flip], [flip, -identity]]) / math.sqrt(2)
    scales = np.eye(half)
    scales[0, 0] = scale
    odd = flip @ dct2_matrix(half).T @ scales @ dct4_matrix(half) @ flip
    return butterfly @ np.block([[identity, 0 * identity], [0 * identity, odd]]) @ butterfly


def opponent_basis() -> np.ndarray:
    """Orthonormal luma, red–blue and green–magenta axes, one a row."""
    axes = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=float)
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def block_basis() -> np.ndarray:
    """768×768: the functions (colour, vertical, horizontal frequency) over a block's (row, column, channel)."""
    dct = dct2_matrix(BLOCK)
    return np.einsum("ui,vj,kc->kuvijc", dct, dct, opponent_basis()).reshape(BLOCK_VALUES, BLOCK_VALUES)


def to_blocks(picture: Tensor) -> Tensor:
    """B×3×H×W → B×H/16×W/16×768."""
    batch, _, height, width = picture.shape
    tiles = picture.permute(0, 2, 3, 1).reshape(batch, height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return tiles.permute(0, 1, 3, 2, 4, 5).reshape(batch, height // BLOCK, width // BLOCK, BLOCK_VALUES)


def from_blocks(blocks: Tensor) -> Tensor:
    """B×h×w×768 → B×3×16h×16w."""
    batch, rows, columns, _ = blocks.shape
    tiles = blocks.reshape(batch, rows, columns, BLOCK, BLOCK, 3).permute(0, 1, 3, 2, 4, 5)
    return tiles.reshape(batch, rows * BLOCK, columns * BLOCK, 3).permute(0, 3, 1, 2)


def filter_edges(picture: Tensor, matrix: Tensor) -> Tensor:
    """Apply `matrix` across every edge between blocks, vertical edges first; the picture's own border is untouched."""
    for _ in range(2):
        left, middle, right = picture[..., :HALF], picture[..., HALF:-HALF], picture[..., -HALF:]
        spans = middle.reshape(*middle.shape[:-1], -1, BLOCK) @ matrix.T
        picture = torch.cat([left, spans.reshape(middle.shape), right], -1).transpose(-1, -2)
    return picture


class LappedTransform(nn.Module):
    """Pictures (B×3×H×W, 0…255 less 127.5, sides multiples of 16) to coefficients (B×M×H/16×W/16) and back.

    learned: whether the matrices are parameters; else `kept`, numbers of basis functions, says all of them.
    """

    pre: Tensor
    post: Tensor
    analysis_matrix: Tensor
    synthesis_matrix: Tensor
    kept: Tensor
    deviation: Tensor
    """Standard deviation of every coefficient over photographs; the networks see coefficients relative to it."""

    def __init__(self, channels: int, lapped_scale: float, *, learned: bool = True) -> None:
        super().__init__()
        pre = lapped_filter(BLOCK, lapped_scale)
        kept = torch.tensor(block_basis()[:channels], dtype=torch.float32)
        matrices = {
            "pre": torch.tensor(pre, dtype=torch.float32),
            "post": torch.tensor(np.linalg.inv(pre), dtype=torch.float32),
            "analysis_matrix": kept,
            "synthesis_matrix": kept.clone(),
        }
        for name, matrix in matrices.items():
            if learned:
                self.register_parameter(name, nn.Parameter(matrix))
            else:
                self.register_buffer(name, matrix, persistent=False)
        if not learned:
            self.register_buffer("kept", torch.arange(channels).float())
            self.register_load_state_dict_post_hook(lambda module, _: module._keep(module.kept.long()))
        self.register_buffer("deviation", torch.ones(channels))

    def analysis(self, picture: Tensor) -> Tensor:
        return (to_blocks(filter_edges(picture, self.pre)) @ self.analysis_matrix.T).permute(0, 3, 1, 2)

    def synthesis(self, coefficients: Tensor) -> Tensor:
        return filter_edges(from_blocks(coefficients.permute(0, 2, 3, 1) @ self.synthesis_matrix), self.post)

    @torch.no_grad()
    def fit(self, pictures: Tensor, first: Sequence[int] = ()) -> Tensor:
        """Keep the coefficients that carry most energy of `pictures` (as for `analysis`), and learn their deviation.

        first: numbers of basis functions that come before the others, whatever they carry.
        Returns M norms: how far in the picture an error of 1 in a coefficient reaches (1 for an orthonormal basis).
        """
        basis = torch.tensor(block_basis(), dtype=torch.float32)
        variance = (to_blocks(filter_edges(pictures, self.pre)).reshape(-1, BLOCK_VALUES) @ basis.T).square().mean(0)
        norms = self._synthesis_norms()
        energy = variance * norms.square()
        energy[list(first)] = torch.inf
        order = torch.argsort(-energy, stable=True)
        kept = torch.cat([torch.tensor(first, dtype=torch.long), order[len(first) :]])[: len(self.deviation)]
        self._keep(kept)
        self.deviation.copy_(variance[kept].sqrt().clamp_min(1e-3))
        return norms[kept]

    @torch.no_grad()
    def _keep(self, kept: Tensor) -> None:
        """Let the matrices hold the basis functions of these numbers."""
        basis = torch.tensor(block_basis(), dtype=torch.float32)[kept.cpu()]
        self.analysis_matrix.copy_(basis)
        self.synthesis_matrix.copy_(basis)
        if "kept" in self._buffers:
            self.kept.copy_(kept)

    def _synthesis_norms(self) -> Tensor:
        """Norms of the 768 basis functions after the post-filter, away from the picture's border."""
        functions = torch.zeros(BLOCK, 4 * BLOCK)
        functions[:, BLOCK + HALF : 2 * BLOCK + HALF] = torch.tensor(dct2_matrix(BLOCK), dtype=torch.float32)
        spread = functions.reshape(BLOCK, 4, BLOCK) @ self.post.T.cpu()
        norms = spread.reshape(BLOCK, -1).norm(dim=1)
        return (norms[:, None] * norms[None]).reshape(-1).repeat(3)
